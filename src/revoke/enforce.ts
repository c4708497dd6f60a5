/**
 * A block is enforced: from its commit on nothing is issued inside it, on any node. What lives there is ended here, the
 * most dangerous first, killed by the queue, and written down once all of it is over.
 */
import type { BlockOf } from '../core/block.ts';
import type { WorkTask } from '../core/change.ts';
import { makeEntry } from '../core/entry.ts';
import type { LeaseId, TenantName } from '../core/ids.ts';
import type { Reach, Toll } from '../core/store/blocks.ts';
import { after, seconds, toRfc3339 } from '../core/time.ts';
import type { Deps } from '../deps.ts';
import { endAllBefore } from './end-all.ts';
import type { KillResult } from './lease.ts';
import { endLease } from './revoke.ts';
import type { Ending } from './revoke.ts';

type Enforce = Extract<WorkTask, { readonly task: 'enforce' }>;

/** In flight at once: the store commits them in groups. */
const AT_ONCE = 256;
/** One attempt is over well within the hold of its work. */
const ATTEMPT = seconds(20);
/** More would be a fault of the store's, which an attempt more will find mended. */
const MOST_FAILED = 1_000;
/** Between looks at what is dying. */
const LOOK_AGAIN = seconds(1);

export async function enforce(deps: Deps, task: Enforce): Promise<KillResult> {
  // Beside each other: neither waits for the other's targets.
  const [leases, whole] = await Promise.all([endInside(deps, task), endWhole(deps, task)]);
  if (!leases.dead) return { ...leases, left: whole.left };
  if (whole.why !== null) return { dead: false, why: whole.why, left: whole.left };
  await report(deps, task);
  return { dead: true };
}

interface EndedWhole {
  /** Why a whole target is not ended yet; `null` where nothing is left to do about them. */
  readonly why: string | null;
  readonly left: Enforce;
}

/** Once, since it is read back; what is dying is looked at more often than that. */
async function endWhole(deps: Deps, task: Enforce): Promise<EndedWhole> {
  const { all, of, tenants } = task;
  if (all === undefined || all.is === 'done') return { why: null, left: task };
  const why = await endAllBefore(deps, of, { tenants, before: all.before });
  return { why, left: why === null ? { ...task, all: { ...all, is: 'done' } } : task };
}

async function endInside(deps: Deps, task: Enforce): Promise<KillResult> {
  const now = await reachOf(deps, task.of, task.tenants);
  // Whoever was one of them when it was raised is one still, whatever the register says since.
  const agents = [...new Set([...now.agents, ...task.agents])];
  const reach = { ...now, agents, since: task.since ?? {} };
  const until = after(deps.clock(), ATTEMPT);
  const raised = await deps.store.block(task.block, task.tenants);
  const by = { block: task.block, since: raised?.from ?? null };
  // One that cannot be ended here is tried again later, and keeps none of the others alive meanwhile.
  const failed = new Map<LeaseId, string>();
  for (let more = true; more;) {
    const live = await deps.store.reached(reach, AT_ONCE, [...failed.keys()]);
    for (const [id, why] of await endAll(deps, by, live)) failed.set(id, why);
    more = live.length === AT_ONCE && failed.size < MOST_FAILED;
    if (more && deps.clock() > until) return { dead: false, why: 'more are live', until: deps.clock() };
  }
  const [why] = failed.values();
  if (why !== undefined) return { dead: false, why };
  const left = (await deps.store.unendedWithin(reach)).reduce((sum, { n }) => sum + n, 0);
  return left === 0
    ? { dead: true }
    : { dead: false, why: `${left} are not dead yet`, until: after(deps.clock(), LOOK_AGAIN) };
}

/** Of an owner, a vendor or a model: the agents that are theirs now. */
export async function reachOf(deps: Deps, of: BlockOf, tenants: readonly TenantName[]): Promise<Reach> {
  const { scope, name } = of;
  switch (scope) {
    case 'agent':
    case 'owner':
    case 'vendor':
    case 'model': {
      const field = scope === 'agent' ? 'name' : scope;
      const agents = (await deps.store.agents()).filter((agent) => agent[field] === name);
      return { of, tenants, agents: agents.map((agent) => agent.name) };
    }
    case 'lease':
    case 'role':
    case 'task':
    case 'agent_task':
    case 'tenant':
    case 'target':
    case 'provider':
    case 'everything':
      return { of, tenants, agents: [] };
  }
}

async function endAll(
  deps: Deps,
  by: Pick<Ending, 'block' | 'since'>,
  live: readonly { readonly tenant: TenantName; readonly lease: LeaseId }[],
): Promise<ReadonlyMap<LeaseId, string>> {
  const actor = { kind: 'broker', name: deps.node } as const;
  const ended = await Promise.allSettled(
    live.map(async ({ tenant, lease: id }) => {
      const lease = await deps.store.lease(tenant, id);
      if (lease === null) return;
      await endLease(deps, lease, { ...by, cause: 'blocked', actor, reason: null, outcome: null, killer: 'queue' });
    }),
  );
  const failed = ended.flatMap((outcome, at): [LeaseId, string][] => {
    const of = live[at]?.lease;
    return outcome.status === 'rejected' && of !== undefined ? [[of, String(outcome.reason)]] : [];
  });
  return new Map(failed);
}

/** At each tenant: how many it ended, how dead they are, and the longest exposure. */
async function report(deps: Deps, { block, tenants, of, all }: Enforce): Promise<void> {
  // An attempt that was cut off after this was written does not write it twice, nor do two at once: the commit sees to it.
  if ((await deps.store.block(block, tenants))?.reportedAt !== null) return;
  const tolls = await deps.store.toll(block, tenants);
  const { inSetup } = await deps.store.deployment();
  const at = deps.clock();
  const entries = tenants.map((tenant) => {
    const here = tolls.filter((toll) => toll.tenant === tenant);
    const whole = all === undefined ? {} : { all_ended_before: toRfc3339(all.before) };
    const facts = { block, scope: of.scope, ...tollFacts(here), ...whole };
    const actor = { kind: 'broker', name: deps.node } as const;
    return makeEntry({ tenant, kind: 'block.reported', at, actor, accountable: null, inSetup, facts }, deps.random);
  });
  const change = { kind: 'block.report', block, tenants } as const;
  const done = await deps.store.commit({ kind: 'register', change, work: [], deploymentEpoch: null }, entries);
  if (!done.ok && done.error.unmet !== 'taken') {
    throw new Error(`the end of ${block} was not written: ${done.error.unmet}`);
  }
}

const sum = (tolls: readonly Toll[], of: (toll: Toll) => boolean): number =>
  tolls.filter(of).reduce((total, { n }) => total + n, 0);

/** Counts, and milliseconds. */
export const tollFacts = (tolls: readonly Toll[]) => ({
  ended: sum(tolls, () => true),
  alive: sum(tolls, ({ state }) => state === 'revoking'),
  never_minted: sum(tolls, ({ state }) => state === 'failed'),
  verified: sum(tolls, ({ how }) => how === 'verified'),
  expired: sum(tolls, ({ how }) => how === 'expired'),
  unverifiable: sum(tolls, ({ how }) => how === 'unverifiable'),
  worst_exposure_ms: Math.max(0, ...tolls.map(({ worstExposure }) => worstExposure)),
});
