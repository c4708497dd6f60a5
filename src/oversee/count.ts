/**
 * Circuit breakers, counted by one node for all every few seconds, against the limits of the policy. What trips asks
 * from then on, or is blocked; where much trips at many tenants, everything is paused. Only a person ends any of it.
 */
import type { Block } from '../core/block.ts';
import { agentTaskNamed } from '../core/block.ts';
import type { NewWork } from '../core/change.ts';
import { makeEntry } from '../core/entry.ts';
import type { EntryDraft } from '../core/entry.ts';
import { newId } from '../core/ids.ts';
import type { PauseId, PersonName } from '../core/ids.ts';
import type { NoticeFacts } from '../core/notice.ts';
import { BROKER, SIGNAL_WORDS } from '../core/oversight.ts';
import type { Trip } from '../core/oversight.ts';
import type { DeploymentSnapshot, Snapshot } from '../core/snapshot.ts';
import { instant, seconds } from '../core/time.ts';
import type { Instant, Milliseconds, Seconds } from '../core/time.ts';
import type { Turn } from '../core/turns.ts';
import { noticeWork } from '../approve/tell.ts';
import { activePolicy } from '../decide/active.ts';
import type { Bundle } from '../decide/bundle.ts';
import type { Breakers, Spike } from '../decide/bundle/breakers.ts';
import { involvedIn, standingFor } from '../decide/segregation.ts';
import type { Deps } from '../deps.ts';
import { due, isSpike } from './due.ts';
import type { Counted, Due } from './due.ts';
import { pauseNow } from './pauses.ts';

const TURN = 'breakers';
/** From the end of one count to the next. */
const COUNT_EVERY = seconds(10);
/** Longer than a count may take, so that what a dead node began is taken up by another. */
const HOLD = seconds(60);
/** Past this, nobody is counting: longer than what a dead node holds. */
const LATE_MS = 90_000;

/** Whether breakers were counted in time. */
export const isCounted = (sinceDone: Milliseconds | null): boolean => sinceDone !== null && sinceDone <= LATE_MS;

export const sinceCounted = ({ store }: Pick<Deps, 'store'>): Promise<Milliseconds | null> =>
  store.turns.sinceDone(TURN);

/** @returns how many have tripped; `null` while another node counts, or has just counted. */
export async function countBreakers(deps: Deps): Promise<number | null> {
  const turn = await deps.store.turns.take(TURN, HOLD);
  if (turn === null) return null;
  try {
    const tripped = await count(deps, turn);
    await deps.store.turns.done(turn, COUNT_EVERY);
    return tripped;
  } catch (fault) {
    await deps.store.turns.release(turn);
    throw fault;
  }
}

async function count(deps: Deps, turn: Turn): Promise<number> {
  const policy = await activePolicy(deps, await deploymentNow(deps));
  if (policy === null) return 0;
  const { bundle } = policy;
  const from = deps.clock();
  const counted = await tallied(deps, bundle.breakers, from);
  const found = counted.length === 0 ? [] : due(bundle.breakers, counted, await deps.store.tripsStanding());
  let tripped = 0;
  for (const one of found) {
    if (!(await deps.store.turns.isHeld(turn))) throw new Error('the turn to count breakers was lost');
    if (await trip(deps, bundle, one, from)) tripped += 1;
  }
  const { spike } = bundle.breakers;
  if (spike !== null) await pauseAtSpike(deps, bundle, spike);
  return tripped;
}

/** A node that issues nothing would not notice by itself that the policy is another. */
async function deploymentNow({ store }: Deps): Promise<DeploymentSnapshot> {
  const [kept, epoch] = await Promise.all([store.deployment(), store.deploymentEpoch()]);
  if (kept.epoch === epoch) return kept;
  store.forget(null);
  return store.deployment();
}

/** Each sign once for each span of time in which it is looked for. */
async function tallied(deps: Deps, { limits }: Breakers, now: Instant): Promise<readonly Counted[]> {
  const spans = new Map<string, { signal: Trip['signal']; within: Seconds; least: number }>();
  for (const { signal, within, count: most } of limits.values()) {
    const key = `${signal} ${within}`;
    spans.set(key, { signal, within, least: Math.min(most, spans.get(key)?.least ?? most) });
  }
  const found: Counted[] = [];
  for (const { signal, within, least } of spans.values()) {
    const tallies = await deps.store.tallies(signal, instant(now - within * 1000), least);
    found.push(...tallies.map((tally) => ({ ...tally, signal, within })));
  }
  return found;
}

/** @returns whether it did: who is not here any more has nothing to trip, and another may have done it meanwhile. */
async function trip(deps: Deps, bundle: Bundle, of: Due, from: Instant): Promise<boolean> {
  const { tenant, agent, task, breaker, signal, to, counts } = of;
  // Another node may have enrolled it: a node that issues nothing there would not notice, and never trip it.
  deps.store.forget(tenant);
  const snapshot = await deps.store.snapshot(tenant);
  if (snapshot?.agents.has(agent) !== true) return false;
  const at = deps.clock();
  const id = newId('trp', at, deps.random);
  const block = to === 'block' ? blockOf(deps, of, at) : null;
  const tripped: Trip = { id, tenant, agent, task, breaker, signal, to, counts, from, block: block?.id ?? null };
  const reason = wordsOf(of);
  const drafts = draftsOf(deps, snapshot, { tripped, of, block, reason, at });
  const work = [
    ...afterwards(deps, tripped, block, at),
    ...noticeWork(deps, tenant, trippedNotice(bundle, snapshot, tripped, of, at)),
  ];
  const change = { kind: 'breaker.trip', trip: tripped, block, reason } as const;
  const entries = drafts.map((draft) => makeEntry(draft, deps.random));
  const done = await deps.store.commit({ kind: 'register', change, work, deploymentEpoch: null }, entries);
  deps.store.forget(tenant);
  if (!done.ok && done.error.unmet !== 'taken') throw new Error(`a breaker did not trip: ${done.error.unmet}`);
  deps.log.warn('breaker.tripped', { trip: id, tenant, agent, task, signal, to, done: done.ok });
  return done.ok;
}

const wordsOf = ({ breaker, signal, counts, limit }: Due): string =>
  `The breaker ${breaker} has tripped: ${counts[signal] ?? 0} ${SIGNAL_WORDS[signal]} within ${limit.within / 60} min.`;

const blockOf = (deps: Deps, { tenant, agent, task }: Due, at: Instant): Block => ({
  id: newId('blk', at, deps.random),
  tenant,
  scope: 'agent_task',
  name: agentTaskNamed(agent, task),
  agents: [],
  author: BROKER,
  from: at,
  until: null,
});

interface Tripping {
  readonly tripped: Trip;
  readonly of: Due;
  readonly block: Block | null;
  readonly reason: string;
  readonly at: Instant;
}

function draftsOf(deps: Deps, { deployment }: Snapshot, { tripped, of, block, reason, at }: Tripping): EntryDraft[] {
  const { id, tenant, agent, task, breaker, signal, to, counts } = tripped;
  const common = { tenant, at, actor: { kind: 'broker', name: deps.node }, accountable: null } as const;
  const { inSetup, policy } = deployment;
  const { count: limit, within } = of.limit;
  const facts = { trip: id, agent, task, breaker, signal, to, counts: { ...counts }, limit, within_s: within, policy };
  const blocked = { block: block?.id ?? null };
  return [
    { ...common, inSetup, kind: 'breaker.tripped', facts: { ...facts, ...blocked } },
    ...(block === null
      ? []
      : [
          {
            ...common,
            inSetup,
            kind: 'block.raised' as const,
            facts: { block: block.id, scope: block.scope, until: null, drill: false, trip: id },
            said: { name: block.name, reason },
          },
        ]),
  ];
}

/** What lives without a person's word is ended where people are asked from now on; where it is blocked, all of it. */
function afterwards(deps: Deps, { tenant }: Trip, block: Block | null, at: Instant): NewWork[] {
  const id = newId('wrk', at, deps.random);
  if (block === null) return [{ id, due: at, what: { task: 'reassess', tenant } }];
  const { scope, name } = block;
  const of = { scope, name } as const;
  const what = { task: 'enforce', tenant: null, block: block.id, of, agents: [], tenants: [tenant] } as const;
  return [{ id, due: at, what }];
}

/** Those who can end it, and those who answer for the agent. */
function trippedNotice(
  bundle: Bundle,
  snapshot: Snapshot,
  { id, agent, task, signal, to, counts, block }: Trip,
  { limit }: Due,
  now: Instant,
): NoticeFacts {
  const enrolled = snapshot.agents.get(agent)?.agent;
  const involved =
    enrolled === undefined ? new Set<PersonName>() : involvedIn({ agent: enrolled, launchedBy: null }, now);
  const overseers = standingFor('oversight', involved, { bundle, snapshot, now }).persons;
  const answering = [enrolled?.owner ?? null, enrolled?.deputy ?? null].filter((person) => person !== null);
  const tell = [...new Set([...overseers, ...answering])];
  const signs = { signal, count: counts[signal] ?? 0, within: limit.within };
  return { kind: 'tripped', trip: id, agent, task, ...signs, to, block, tell };
}

/** Counted since the last such pause was ended, and while none stands. */
async function pauseAtSpike(deps: Deps, bundle: Bundle, spike: Spike): Promise<void> {
  const now = deps.clock();
  const ended = (await deps.store.spikeEnded()) ?? 0;
  const begun = await deps.store.tripsBegun(instant(Math.max(now - spike.within * 1000, ended + 1)));
  if (!isSpike(spike, begun)) return;
  const standing = await deps.store.pauses({ within: [], before: null, limit: 1, standing: true });
  if (standing.length > 0) return;
  const tenants = [...new Set(begun.map(({ tenant }) => tenant))];
  const { inSetup } = await deps.store.deployment();
  const by = { actor: { kind: 'broker', name: deps.node }, person: BROKER, inSetup } as const;
  const counts = { trips: begun.length, tenants: tenants.length };
  const reason = `${counts.trips} breakers at ${counts.tenants} tenants have tripped within ${spike.within / 60} min.`;
  const at = await Promise.all(tenants.map((tenant) => deps.store.snapshot(tenant)));
  const done = await pauseNow(deps, by, {
    tenants: null,
    reason,
    facts: { trips: counts.trips, at_tenants: counts.tenants },
    notices: (pause) =>
      at.flatMap((snapshot) => (snapshot === null ? [] : spikeNotice(deps, bundle, snapshot, { pause, ...counts }))),
  });
  deps.log.error('breakers.spike', { ...counts, paused: done.ok });
}

/** Those who oversee where it showed. */
function spikeNotice(
  deps: Deps,
  bundle: Bundle,
  snapshot: Snapshot,
  about: { readonly pause: PauseId; readonly trips: number; readonly tenants: number },
): readonly NewWork[] {
  const tell = standingFor('oversight', new Set(), { bundle, snapshot, now: deps.clock() }).persons;
  return noticeWork(deps, snapshot.tenant.name, { kind: 'all_paused', ...about, tell });
}
