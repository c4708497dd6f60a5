/** A responder has Brevet ask the targets, where they oversee, what they hold of its making. */
import { z } from 'zod';
import { failure } from '../core/failure.ts';
import type { TenantName } from '../core/ids.ts';
import { name as nameField, parseWith } from '../core/parse.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import { seconds } from '../core/time.ts';
import type { OperatorPrincipal } from '../authenticate/principal.ts';
import { huntOrphans } from '../revoke/orphans.ts';
import type { Hunt } from '../revoke/orphans.ts';
import type { Deps } from '../deps.ts';
import { outside, oversight, reaching } from './overseen.ts';

const huntBody = z.strictObject({ tenants: z.array(nameField()).min(1).max(1_000).optional() });

export async function huntFor(deps: Deps, operator: OperatorPrincipal, body: unknown): Promise<Result<Hunt>> {
  const asked = parseWith(huntBody, body);
  if (!asked.ok) return asked;
  const reach = await reaching(deps, operator, 'revoke');
  const foreign = outside(asked.value.tenants ?? [], reach);
  if (foreign !== null) return err(foreign);
  const overseen = await oversight(deps, operator, 'revoke');
  if (!overseen.ok) return overseen;
  const { by, tenants } = overseen.value;
  const hunt = await huntOrphans(deps, (asked.value.tenants ?? tenants) as TenantName[], by.actor);
  return hunt === null ? err(UNDER_WAY) : ok(hunt);
}

const UNDER_WAY = failure('under_way', 'a hunt for orphans is under way already', {
  hint: 'Ask again when it has ended: what it finds is in the ledger, as orphan.killed.',
  retryAfter: seconds(10),
});
