/** Where somebody oversees, and that they may do this there: the first tenant stands for all, since a function is one. */
import { failure } from '../core/failure.ts';
import type { TenantName } from '../core/ids.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import { standingAt } from '../administer/administrator.ts';
import type { Administrator } from '../administer/administrator.ts';
import type { OperatorAct } from '../authenticate/act.ts';
import type { OperatorPrincipal } from '../authenticate/principal.ts';
import type { Deps } from '../deps.ts';

export interface Overseen {
  readonly tenants: readonly [TenantName, ...TenantName[]];
  readonly by: Administrator;
}

export async function oversight(deps: Deps, operator: OperatorPrincipal, act: OperatorAct): Promise<Result<Overseen>> {
  const [first, ...others] = await deps.store.overseenBy(operator.person);
  const at = first === undefined ? null : await deps.store.snapshot(first);
  if (first === undefined || at === null) {
    const hint = 'Ask somebody who holds oversight.';
    return err(failure('function_needed', 'This takes oversight', { hint, members: { function: 'oversight' } }));
  }
  const by = standingAt(operator, at, deps.clock(), [act]);
  return by.ok ? ok({ tenants: [first, ...others], by: by.value }) : by;
}
