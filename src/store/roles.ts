/**
 * The roles that a transaction enters, and the locks that it takes.
 */

/** Serving sees the tenants that its transaction names; working the outbox; listing what operators see across tenants. */
export const ROLES = { serve: 'brevet_serve', work: 'brevet_work', list: 'brevet_list' } as const;
export type Role = (typeof ROLES)[keyof typeof ROLES];

/**
 * The one lock between issuing (shared) and changes of who may do what (exclusive). Any number that no other program
 * takes in this database; the trigger of memberships knows it too.
 */
export const REGISTER_LOCK = 4_715_100_841;

/** Held while migrations run. */
export const MIGRATION_LOCK = 4_715_100_842;

/** The first of the two numbers of the locks behind which limits are counted: none of those above, which are one number. */
export const WITHIN_LOCKS = 4715;

/** For the probe at start alone. */
export const PROBE_LOCK = 4_715_100_843;

/** How row security reads which tenants a transaction names; an empty name, the deployment's, keeps its comma. */
export function tenantSetting(tenants: readonly string[]): string {
  const strange = tenants.find((tenant) => !/^(?:[a-z0-9-]*|\*)$/.test(tenant));
  if (strange !== undefined) throw new TypeError(`${JSON.stringify(strange)} names no tenant`);
  return tenants.length === 1 && tenants[0] === '' ? ',' : tenants.join(',');
}
