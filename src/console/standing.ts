/** Where the visitor holds what: whatever lies elsewhere gets the answer for what does not exist. */
import type { Context } from 'hono';
import { NOTHING_HERE } from '../core/failure.ts';
import type { TenantName } from '../core/ids.ts';
import type { RoleFunction } from '../core/registers.ts';
import { err } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { Snapshot } from '../core/snapshot.ts';
import type { Deps } from '../deps.ts';
import type { ConsoleCaller } from '../authenticate/console.ts';
import { functionAt } from '../authenticate/principal.ts';
import { currentSnapshot } from '../http/caller.ts';
import type { Scope } from '../http/scope.ts';

/** The tenant in the path as it is now, where they hold one of these functions. */
export async function tenantFor(
  c: Context<Scope>,
  caller: ConsoleCaller,
  functions: readonly RoleFunction[],
): Promise<Result<Snapshot>> {
  const at = await currentSnapshot(c);
  if (!at.ok) return err(NOTHING_HERE);
  const held = functionAt(at.value, caller.person, c.var.deps.clock());
  return held !== null && functions.includes(held) ? at : err(NOTHING_HERE);
}

export interface Seen {
  readonly tenant: TenantName;
  readonly held: RoleFunction;
}

/** Every tenant where they hold a function, by name; administration of the deployment holds at all of them. */
export async function tenantsSeen(deps: Deps, { person }: ConsoleCaller): Promise<readonly Seen[]> {
  const held = await deps.store.functionsOf(person);
  const everywhere = held.find(({ tenant }) => tenant === null);
  if (everywhere !== undefined) {
    return (await deps.store.tenants()).map(({ name }) => ({ tenant: name, held: everywhere.held }));
  }
  const seen = held.flatMap((one) => (one.tenant === null ? [] : [{ tenant: one.tenant, held: one.held }]));
  return seen.toSorted((a, b) => (a.tenant < b.tenant ? -1 : 1));
}

/** A field of a query that chooses: what was left empty chooses nothing. */
export const chosen = (c: Context<Scope>, name: string): string | null => c.req.query(name)?.trim() || null;
