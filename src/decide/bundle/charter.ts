/** `bundle.yaml`: who answers for the bundle as a whole, and how long what is new at a client is on probation. */
import { z } from 'zod';
import { stewardship } from './fields.ts';

export const CharterFile = z.strictObject({
  ...stewardship,
  /** Approved, unmodified, successful runs of an agent, with its model, at a task class and tenant. */
  probation: z.int().min(1).max(10_000),
});
export type CharterFile = z.infer<typeof CharterFile>;
