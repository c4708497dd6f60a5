/** `bundle.yaml`: what holds for the bundle as a whole. */
import { z } from 'zod';
import { budgetsField, budgetsOf, manyTenantsField, manyTenantsOf } from './limits.ts';
import type { Budgets, ManyTenants } from './limits.ts';

export const WholeFile = z.strictObject({
  budgets: budgetsField().optional(),
  many_tenants: manyTenantsField().optional(),
});
export type WholeFile = z.infer<typeof WholeFile>;

export interface Whole {
  readonly budgets: Budgets;
  readonly manyTenants: ManyTenants;
}

export const wholeOf = ({ budgets = {}, many_tenants: many }: WholeFile): Whole => ({
  budgets: budgetsOf(budgets),
  manyTenants: manyTenantsOf(many),
});
