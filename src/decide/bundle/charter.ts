/** `bundle.yaml`: who answers for the bundle as a whole, how long what is new is on probation, what is too much, and what trips. */
import { z } from 'zod';
import { breakersField } from './breakers.ts';
import { stewardship } from './fields.ts';
import { budgetsField, manyTenantsField, noticesField } from './limits.ts';

export const CharterFile = z.strictObject({
  ...stewardship,
  /** Approved, unmodified, successful runs of an agent, with its model, at a task class and tenant. */
  probation: z.int().min(1).max(10_000),
  budgets: budgetsField().optional(),
  many_tenants: manyTenantsField().optional(),
  notices: noticesField().optional(),
  breakers: breakersField().optional(),
});
export type CharterFile = z.infer<typeof CharterFile>;
