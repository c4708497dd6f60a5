/** A responder has Brevet ask the targets, where they oversee, what they hold of its making. */
import { z } from 'zod';
import { failure } from '../core/failure.ts';
import type { TenantName } from '../core/ids.ts';
import { name as nameField, parseWith } from '../core/parse.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import { standingAt } from '../administer/administrator.ts';
import type { OperatorPrincipal } from '../authenticate/principal.ts';
import { huntOrphans } from '../revoke/orphans.ts';
import type { Hunt } from '../revoke/orphans.ts';
import type { Deps } from '../deps.ts';
import { nowhere } from './blocks.ts';

const huntBody = z.strictObject({ tenants: z.array(nameField()).min(1).max(1_000).optional() });

export async function huntFor(deps: Deps, operator: OperatorPrincipal, body: unknown): Promise<Result<Hunt>> {
  const asked = parseWith(huntBody, body);
  if (!asked.ok) return asked;
  const overseen = await deps.store.overseenBy(operator.person);
  const wanted = (asked.value.tenants ?? overseen) as TenantName[];
  const foreign = wanted.find((tenant) => !overseen.includes(tenant));
  if (foreign !== undefined) return err(nowhere(foreign, overseen));
  const [first] = wanted;
  const at = first === undefined ? null : await deps.store.snapshot(first);
  if (at === null) {
    const hint = 'Ask somebody who holds oversight.';
    return err(failure('function_needed', 'This takes oversight', { hint, members: { function: 'oversight' } }));
  }
  const by = standingAt(operator, at, deps.clock(), ['revoke']);
  return by.ok ? ok(await huntOrphans(deps, wanted, by.value.actor)) : by;
}
