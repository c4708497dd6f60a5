/**
 * One act of oversight that takes back what an agent did at tier 2: its lease is revoked, and the class's rollback is
 * ordered, which the agent asks for itself. Whoever did it does not look at it in the end: somebody else does.
 */
import { z } from 'zod';
import type { Receipt } from '../core/entry.ts';
import { failure } from '../core/failure.ts';
import { newId } from '../core/ids.ts';
import type { TaskName } from '../core/ids.ts';
import type { Lease } from '../core/lease.ts';
import type { Order, Review } from '../core/oversight.ts';
import { parseWith, words } from '../core/parse.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { after, seconds } from '../core/time.ts';
import type { JsonObject } from '../core/canonical.ts';
import { standingAt } from '../administer/administrator.ts';
import type { Administrator } from '../administer/administrator.ts';
import { perform } from '../administer/commit.ts';
import type { OperatorPrincipal } from '../authenticate/principal.ts';
import { activePolicy } from '../decide/active.ts';
import { endLease } from '../revoke/revoke.ts';
import { killWithin } from '../revoke/within.ts';
import type { Deps } from '../deps.ts';
import { conflictWithLease } from './conflict.ts';

/** An agent that has not come for it by then is broken, or gone: people take it back themselves. */
const ORDER_LASTS = seconds(24 * 3600);
const REVIEW_WITHIN = seconds(7 * 24 * 3600);
/** How long a click waits for the proof of death. */
const KILL_WAIT = seconds(2);

export const reverseBody = z.strictObject({ reason: words(1000) });

export interface Reversed {
  readonly lease: Lease;
  readonly order: Order;
  /** `null` where it was ordered before. */
  readonly receipt: Receipt | null;
}

export async function reverse(
  deps: Deps,
  caller: OperatorPrincipal,
  { at, lease }: { readonly at: Snapshot; readonly lease: Lease },
  body: unknown,
): Promise<Result<Reversed>> {
  const now = deps.clock();
  const by = standingAt(caller, at, now, ['reverse']);
  if (!by.ok) return by;
  const said = parseWith(reverseBody, body);
  if (!said.ok) return said;
  const { reason } = said.value;
  const conflict = await conflictWithLease(deps, lease, { person: by.value.person, now });
  if (conflict !== null) return err(conflict);
  const way = await wayBack(deps, at, lease);
  if (!way.ok) return way;
  // First the credential: an order that was not written is written by the next click, whatever happens between.
  const { actor } = by.value;
  const ended = await endLease(deps, lease, { cause: 'oversight', actor, reason, outcome: null, killer: 'caller' });
  const before = await deps.store.orderFor(lease.tenant, lease.id);
  const given = before === null ? await give(deps, by.value, lease, { task: way.value, reason }) : ok(before);
  if (!given.ok) return given;
  const killed = await killWithin(deps, ended.lease, { wait: KILL_WAIT, work: ended.work });
  return ok({
    lease: killed,
    order: 'order' in given.value ? given.value.order : given.value,
    receipt: 'receipt' in given.value ? given.value.receipt : null,
  });
}

/** The class that takes it back, by the policy as it is now. */
export async function wayBack(deps: Deps, at: Snapshot, lease: Lease): Promise<Result<TaskName>> {
  if (lease.tier !== 2) return err(notReversible('only what was done at tier 2 is taken back so'));
  if (lease.state === 'failed') return err(notReversible('it was never minted, so nothing was done with it'));
  const tasks = (await activePolicy(deps, at.deployment))?.bundle.tasks;
  const rollback = tasks?.get(lease.task)?.rollback ?? null;
  const way = rollback === null ? undefined : tasks?.get(rollback);
  if (way === undefined) return err(notReversible(`nothing in the policy takes ${lease.task} back`));
  if (way.provider !== lease.provider) return err(notReversible(`${way.name} is done at another kind of target`));
  return ok(way.name);
}

const notReversible = (detail: string) =>
  failure('not_reversible', detail, { hint: 'Revoke the lease, and have a person take it back.' });

interface Given {
  readonly order: Order;
  readonly receipt: Receipt;
}

async function give(
  deps: Deps,
  by: Administrator,
  lease: Lease,
  { task, reason }: { readonly task: TaskName; readonly reason: string },
): Promise<Result<Given>> {
  const at = deps.clock();
  const { tenant, agent, resource } = lease;
  const { person } = by;
  const kept = await deps.store.request(tenant, lease.request);
  const asked = (kept?.approval?.asked ?? kept?.asked)?.['parameters'] ?? {};
  const id = newId('ord', at, deps.random);
  const order: Order = {
    id,
    tenant,
    lease: lease.id,
    agent,
    task,
    resource,
    reason,
    at,
    by: person,
    parameters: asked as JsonObject,
    until: after(at, ORDER_LASTS),
  };
  const review: Review = {
    id: newId('rev', at, deps.random),
    tenant,
    agent,
    role: null,
    reason,
    at,
    from: at,
    what: 'reversal',
    about: id,
    openedBy: person,
    due: after(at, REVIEW_WITHIN),
    notBy: [person],
  };
  const receipt = await perform(deps, {
    by,
    change: { kind: 'order.give', order, review },
    ledger: tenant,
    facts: { order: id, takes_back: lease.task, by_task: task, agent, review: review.id },
    said: { reason },
    about: lease,
    ends: null,
  });
  return receipt.ok ? ok({ order, receipt: receipt.value }) : receipt;
}
