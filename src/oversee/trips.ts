/**
 * Circuit breakers that have tripped, in the hands of oversight: seen where it oversees, and reset by a person who
 * answers for the agent in nothing, with a reason. One that blocks is ended by lifting its block.
 */
import { z } from 'zod';
import type { Receipt } from '../core/entry.ts';
import { failure, NOTHING_HERE } from '../core/failure.ts';
import type { TripId } from '../core/ids.ts';
import type { KeptTrip } from '../core/oversight.ts';
import { parseWith, words } from '../core/parse.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import { standingAt } from '../administer/administrator.ts';
import { perform } from '../administer/commit.ts';
import type { OperatorPrincipal } from '../authenticate/principal.ts';
import type { Deps } from '../deps.ts';
import { conflictWithAgent } from './conflict.ts';
import { nowhere } from './overseen.ts';

const resetBody = z.strictObject({ reason: words(1000) });

/** From then on it is counted anew. */
export async function resetTrip(
  deps: Deps,
  operator: OperatorPrincipal,
  { id, body }: { readonly id: TripId; readonly body: unknown },
): Promise<Result<Receipt>> {
  const found = await seenTrip(deps, operator, id);
  if (!found.ok) return found;
  const { tenant, agent, task, breaker, block, ended } = found.value;
  // Another node may have tripped it: what is kept here would be found stale.
  deps.store.forget(tenant);
  const at = await deps.store.snapshot(tenant);
  if (at === null) return err(nowhere(tenant, []));
  const now = deps.clock();
  const by = standingAt(operator, at, now, ['breaker.reset']);
  if (!by.ok) return by;
  const said = parseWith(resetBody, body);
  if (!said.ok) return said;
  const { person } = by.value;
  const conflict = await conflictWithAgent(deps, agent, { person, now });
  if (conflict !== null) return err(conflict);
  if (ended !== null) return err(failure('trip_over', `${ended.by} has ended it`));
  if (block !== null) {
    const hint = `Lift the block: brevet block lift ${block}`;
    return err(failure('still_in_use', `it stands for as long as ${block} does`, { hint }));
  }
  return perform(deps, {
    by: by.value,
    change: { kind: 'breaker.reset', tenant, trip: id, by: person },
    ledger: tenant,
    facts: { trip: id, agent, task, breaker },
    said: { reason: said.value.reason },
    ends: null,
  });
}

export async function seenTrip(deps: Deps, operator: OperatorPrincipal, id: TripId): Promise<Result<KeptTrip>> {
  const within = await deps.store.overseenBy(operator.person);
  const found = within.length === 0 ? null : await deps.store.trip(id, within);
  return found === null ? err(NOTHING_HERE) : ok(found);
}
