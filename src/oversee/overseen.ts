/**
 * Where somebody oversees, and may do this there: the first tenant stands for all, since a function is one, and who reads
 * alone at some of them acts at the others.
 */
import { failure } from '../core/failure.ts';
import type { Failure } from '../core/failure.ts';
import type { TenantName } from '../core/ids.ts';
import { nearest } from '../core/nearest.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { standingAt } from '../administer/administrator.ts';
import type { Administrator } from '../administer/administrator.ts';
import { READS, READS_ONLY } from '../authenticate/act.ts';
import type { OperatorAct } from '../authenticate/act.ts';
import type { OperatorPrincipal } from '../authenticate/principal.ts';
import type { Deps } from '../deps.ts';

export interface Overseen {
  readonly tenants: readonly [TenantName, ...TenantName[]];
  readonly by: Administrator;
}

/** The tenants at which they may do this. */
export interface Reaching {
  readonly tenants: readonly TenantName[];
  /** Beside them those at which they read alone. */
  readonly seen: readonly TenantName[];
}

export async function reaching({ store }: Deps, { person }: OperatorPrincipal, act: OperatorAct): Promise<Reaching> {
  const seen = await store.overseenBy(person);
  if (READS.includes(act)) return { tenants: seen, seen };
  const { reading } = await store.deployment();
  return { tenants: reading.size === 0 ? seen : await store.overseenBy(person, reading), seen };
}

export async function oversight(deps: Deps, operator: OperatorPrincipal, act: OperatorAct): Promise<Result<Overseen>> {
  const { tenants, seen } = await reaching(deps, operator, act);
  const [first, ...others] = tenants;
  if (first === undefined) return err(seen.length === 0 ? OVERSIGHT_NEEDED : READS_ONLY);
  const found = await standingNow(deps, operator, first, act);
  return found.ok ? ok({ tenants: [first, ...others], by: found.value.by }) : found;
}

/** Nobody is refused by what this node kept: somebody may have been given oversight at another a moment ago. */
export async function standingNow(
  deps: Deps,
  operator: OperatorPrincipal,
  tenant: TenantName,
  act: OperatorAct,
): Promise<Result<{ readonly by: Administrator; readonly at: Snapshot }>> {
  const kept = await standingIn(deps, operator, tenant, act);
  if (kept.ok) return kept;
  deps.store.forget(tenant);
  return standingIn(deps, operator, tenant, act);
}

async function standingIn(
  deps: Deps,
  operator: OperatorPrincipal,
  tenant: TenantName,
  act: OperatorAct,
): Promise<Result<{ readonly by: Administrator; readonly at: Snapshot }>> {
  const at = await deps.store.snapshot(tenant);
  if (at === null) return err(nowhere(tenant, []));
  const by = standingAt(operator, at, deps.clock(), [act]);
  return by.ok ? ok({ by: by.value, at }) : by;
}

export const OVERSIGHT_NEEDED = failure('function_needed', 'This takes oversight', {
  hint: 'Ask somebody who holds oversight.',
  members: { function: 'oversight' },
});

/** Of those that were named, one at which they may not do it. */
export function outside(named: readonly string[], { tenants, seen }: Reaching): Failure | null {
  const foreign = named.find((tenant) => !tenants.some((one) => one === tenant));
  if (foreign === undefined) return null;
  return seen.some((one) => one === foreign) ? READS_ONLY : nowhere(foreign, seen);
}

/** @param overseen where something else may have been meant. */
export function nowhere(tenant: string, overseen: readonly TenantName[]): Failure {
  const meant = nearest(tenant, overseen);
  const hint = meant === null ? 'Name tenants that you oversee.' : `Did you mean ${meant}?`;
  return failure('not_found', `you oversee no tenant ${tenant}`, { path: 'tenants', hint });
}
