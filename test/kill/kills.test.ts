/**
 * A node is killed with `kill -9` at every step of issue, of use and of revoke, over all five providers, with at least
 * eight leases at that step, and started again on the same database. Its agents try again what was lost. Nothing is left
 * that Brevet does not know, nothing that it acknowledged is lost, and what should be dead is.
 *
 *     npm run test:kill -- --kills 300 --seed 7
 */
import { setTimeout as pause } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { PROVIDER_KINDS } from '../../src/core/registers.ts';
import type { ProviderKind } from '../../src/core/registers.ts';
import { postgresProvider } from '../../src/providers/postgres/provider.ts';
import {
  audit,
  cutHolds,
  hastenCleaning,
  hastenExpiry,
  hastenReconciling,
  leaseRows,
  lostReceipts,
} from '../support/kill-audit.ts';
import type { Audit, LeaseRow } from '../support/kill-audit.ts';
import { chanceOf, killArguments } from '../support/kill-chance.ts';
import { gatherCrowd } from '../support/kill-crowd.ts';
import type { Round } from '../support/kill-crowd.ts';
import { killGrounds } from '../support/kill-grounds.ts';
import { endNodes, startNode } from '../support/kill-node.ts';
import type { NodeProcess } from '../support/kill-node.ts';
import { nameOf, STEPS, stepsOf } from '../support/kill-steps.ts';
import type { Hold, Step } from '../support/kill-steps.ts';
import { administer, must } from '../support/kill-world.ts';
import { openTargetOf, processClock, random } from '../support/target.ts';

/** Moments that are no step, in every round of all steps. */
const ANYWHERE = 4;
const { kills, seed } = killArguments(STEPS.length + ANYWHERE);
const chance = chanceOf(seed);

const LEAST_IN_FLIGHT = 8;
/** Longer than a mint's deadline and the backoff of work that found its target busy. */
const STEP_LIMIT_MS = 60_000;
/** Longer than the backoff after the end of what nobody can see dead before. */
const SETTLED_LIMIT_MS = 180_000;

const counts = { kills: 0, inFlight: 0, fewest: Number.POSITIVE_INFINITY };

const starting = performance.now();
const grounds = await killGrounds(kills);
const crowd = gatherCrowd(grounds, chance);
console.log(`five kinds of targets are there after ${Math.round(performance.now() - starting)} ms`);

const test = suite('a node is killed at every step');

test.after(async () => {
  endNodes();
  await grounds.close();
});

const many = (count: number, work: () => Promise<unknown>): Promise<unknown>[] => Array.from({ length: count }, work);

interface Armed extends Round {
  readonly node: NodeProcess;
  readonly since: number;
}

interface Brought {
  readonly inFlight: number;
  /** What waits for answers, of which most never come. */
  readonly waiting: readonly Promise<unknown>[];
}

async function bringTo(step: Step, round: Armed): Promise<Brought> {
  const fromQueue = step.phase === 'reconcile' || step.phase === 'clean';
  const count = LEAST_IN_FLIGHT + (fromQueue ? 0 : chance.whole(0, 4));
  const begun = () => many(count, () => crowd.begin(round, step.provider, step));
  const waiting = await (step.phase === 'end' || step.phase === 'use'
    ? actOnIssued(step, round, begun)
    : issue(step, round, begun));
  assert.equal(crowd.refused, [], `${nameOf(step)}: refusals of what must be done`);
  const reached = await round.node.reached(LEAST_IN_FLIGHT, STEP_LIMIT_MS).catch((cause: unknown) => {
    throw new Error(`${nameOf(step)}: ${String(cause)}`, { cause });
  });
  return { inFlight: reached.size, waiting };
}

async function actOnIssued(step: Step, round: Armed, begun: () => Promise<unknown>[]): Promise<Promise<unknown>[]> {
  const before = crowd.asks.length;
  await Promise.all(begun());
  const issued = crowd.asks.slice(before);
  assert.ok(
    issued.filter(({ acknowledged }) => acknowledged).length >= LEAST_IN_FLIGHT,
    `${nameOf(step)}: too few were issued\n${round.node.log()}`,
  );
  round.node.arm(step);
  const act = step.phase === 'use' ? crowd.use : crowd.finish;
  return issued.map((asked) => act(round, asked));
}

async function issue(step: Step, round: Armed, begun: () => Promise<unknown>[]): Promise<Promise<unknown>[]> {
  round.node.arm(firstOf(step), besideOf(step));
  const waiting = begun();
  await moveOn(step, round, waiting);
  return waiting;
}

/** Where leases are held until something else has happened, by which they come to their step. */
function firstOf(step: Step): Step {
  const { provider, phase } = step;
  switch (phase) {
    case 'overtake':
    case 'late':
      return { provider, phase: 'ask', verb: 'mint', when: 'after' };
    case 'clean':
      // Nothing comes to this one: their mints are lost, and what is left of them is not due yet.
      return { provider, phase: 'reconcile', verb: 'unfence', when: 'before' };
    case 'ask':
    case 'use':
    case 'end':
    case 'reconcile':
      return step;
  }
}

/** Those that are ended before their mints have landed are not killed before that either. */
const besideOf = ({ provider, phase }: Step): Hold | null =>
  phase === 'late' ? { provider, verb: 'revoke', when: 'before' } : null;

async function moveOn(step: Step, round: Armed, asking: readonly Promise<unknown>[]): Promise<void> {
  const { node, url, since } = round;
  switch (step.phase) {
    case 'ask':
    case 'use':
    case 'end':
      return;
    case 'reconcile':
      await Promise.all(asking);
      await hastenReconciling(grounds.world, since);
      return;
    case 'overtake':
      await node.reached(LEAST_IN_FLIGHT, STEP_LIMIT_MS);
      await actOnItsOwn(url, 'ask-always');
      return node.arm(step);
    case 'late':
      await node.reached(asking.length, STEP_LIMIT_MS);
      await endAllOpening(step.provider, round);
      return node.arm(step, besideOf(step));
    case 'clean':
      await Promise.all(asking);
      await hastenReconciling(grounds.world, since);
      await until(async () => (await leasesSince(since)).every(({ state }) => state !== 'opening'), 'stay opening');
      await hastenExpiry(grounds.world, since);
      const isOver = ({ state }: LeaseRow): boolean => state === 'revoked' || state === 'failed' || state === 'active';
      await until(async () => (await leasesSince(since)).every(isOver), 'stay undead');
      await hastenCleaning(grounds.world);
      return node.arm(step);
  }
}

/** Whether what agents do at acme is permitted, without ending what they hold. */
const actOnItsOwn = (url: string, autonomy: 'autonomous' | 'ask-always') =>
  administer(grounds.world, url, 'PUT', '/api/tenants/acme', { display_name: 'Acme Retail', autonomy });

/** As oversight does it, lease by lease. */
async function endAllOpening(provider: ProviderKind, { url, since }: Armed): Promise<void> {
  const opening = (await leasesSince(since)).filter(
    (lease) => lease.provider === provider && lease.state === 'opening',
  );
  const token = await grounds.world.token(url, 'otto');
  const body = { reason: 'It is ended before it has begun' };
  await Promise.all(opening.map(({ id }) => must(url, 'POST', `/t/acme/leases/${id}/revoke?wait=0`, { token, body })));
}

const leasesSince = async (since: number): Promise<readonly LeaseRow[]> =>
  (await leaseRows(grounds.world)).filter(({ opened_at }) => Number(opened_at) >= since);

async function until(holds: () => Promise<boolean>, what: string): Promise<void> {
  const limit = performance.now() + STEP_LIMIT_MS;
  while (!(await holds())) {
    assert.ok(performance.now() < limit, `leases whose mint was lost ${what}`);
    await pause(200);
  }
}

/** A kill at no step in particular, in the middle of everything. */
async function bringAnywhere(round: Round): Promise<Brought> {
  const stopping = new AbortController();
  let inFlight = 0;
  const waiting = many(LEAST_IN_FLIGHT + 4, async () => {
    while (!stopping.signal.aborted) {
      inFlight++;
      const asked = await crowd.begin(round, anyProvider(), 'anywhere');
      await crowd.finish(round, asked);
      inFlight--;
      if (asked.lease === null) return;
    }
  });
  await pause(chance.whole(200, 1_500));
  stopping.abort();
  return { inFlight, waiting };
}

const anyProvider = (): ProviderKind => PROVIDER_KINDS[chance.whole(0, PROVIDER_KINDS.length - 1)] ?? 'jwt';

async function killAt(step: Step | null): Promise<void> {
  const began = performance.now();
  const node = await startNode(grounds.world, 'armed');
  await actOnItsOwn(node.url, 'autonomous');
  const round = await crowd.meet(node.url);
  await crowd.tryAgain(round);
  await Promise.all(PROVIDER_KINDS.map((provider) => crowd.begin(round, provider, 'bystander')));
  const brought = await (step === null ? bringAnywhere(round) : bringTo(step, { ...round, node, since: Date.now() }));
  await node.kill();
  await Promise.all(brought.waiting);
  counts.kills++;
  counts.inFlight += brought.inFlight;
  counts.fewest = Math.min(counts.fewest, brought.inFlight);
  const place = step === null ? 'anywhere' : nameOf(step);
  const seen = await look();
  const took = ((performance.now() - began) / 1_000).toFixed(1);
  console.log(
    `${counts.kills}. ${place}: ${brought.inFlight} in flight, ${seen.leases.length} leases, ${seen.held.length} held, ${took} s`,
  );
  mustHold(seen, place);
  await cutHolds(grounds.world);
}

const look = (): Promise<Audit> =>
  audit(
    grounds.world,
    Object.values(grounds.at).flatMap(({ holdings }) => holdings ?? []),
  );

function mustHold({ orphans, undead, untold, doubled, leases }: Audit, place: string): void {
  assert.equal(orphans, [], `${place}: what lives and no lease names`);
  assert.equal(undead, [], `${place}: what lives and is called dead`);
  assert.equal(untold, [], `${place}: changes without their entries`);
  assert.equal(doubled, [], `${place}: requests with two leases`);
  assert.equal(crowd.doubled, [], `${place}: keys with two leases`);
  assert.equal(crowd.refused, [], `${place}: refusals of what must be done`);
  assert.equal(miscounted(leases), [], `${place}: calls that no use was counted for`);
}

/** A call that was answered went to the tool, and whatever went there was counted before. */
function miscounted(leases: readonly LeaseRow[]): readonly string[] {
  const called = grounds.toolCalls();
  const answered = new Map(crowd.asks.map((asked) => [asked.lease, asked.answered]));
  return leases
    .filter(({ id, used, uses }) => {
      const calls = called.get(id) ?? 0;
      return calls < (answered.get(id) ?? 0) || calls > used || used > (uses ?? used);
    })
    .map(({ id, used, uses }) => `${id}: ${called.get(id) ?? 0} calls, ${used} of ${uses} uses`);
}

/** In every part of it, each provider has its share, so that a short run comes to all of them. */
function planned(): (Step | null)[] {
  const plan: (Step | null)[] = [];
  const groups = [...PROVIDER_KINDS.map(stepsOf), Array<null>(ANYWHERE).fill(null)];
  while (plan.length < kills) {
    const placed = groups.flatMap((group) =>
      chance.shuffled<Step | null>(group).map((step, place) => ({ step, at: (place + chance.next()) / group.length })),
    );
    plan.push(...placed.toSorted((a, b) => a.at - b.at).map(({ step }) => step));
  }
  return plan.slice(0, kills);
}

test(`${kills} kills, then everything is known, kept and dead`, async () => {
  for (const step of planned()) await killAt(step);
  const node = await startNode(grounds.world, 'start');
  await actOnItsOwn(node.url, 'autonomous');
  const round = await crowd.meet(node.url);
  await crowd.tryAgain(round);
  await bystandersLive(round);
  const left = crowd.asks.filter(({ ending }) => ending !== 'acknowledged');
  await Promise.all(left.map((asked) => crowd.finish(round, asked)));
  const end = await settled();
  mustHold(end, 'in the end');
  await nothingLost(end);
  await nothingLeft(end);
  await node.kill();
  const acknowledged = crowd.asks.filter((asked) => asked.acknowledged).length;
  console.log(
    `${counts.kills} kills, ${counts.inFlight} leases in flight at them (fewest ${counts.fewest}), ${crowd.asks.length} asked, ` +
      `${acknowledged} acknowledged, ${end.leases.length} leases, ${crowd.receipts.length} receipts; ` +
      'orphans 0, lost 0, doubled 0',
  );
  assert.ok(counts.fewest >= LEAST_IN_FLIGHT, `${counts.fewest} leases in flight`);
});

/** Whatever was acknowledged and not ended is still worth what it was. */
async function bystandersLive({ url }: Round): Promise<void> {
  const rows = new Map((await leaseRows(grounds.world)).map((lease) => [lease.id, lease]));
  const living = crowd.asks.filter(({ lease, acknowledged, ending }) => {
    const row = rows.get(lease ?? '');
    const isUsedUp = row !== undefined && row.uses !== null && row.used >= row.uses;
    return acknowledged && ending === 'no' && !isUsedUp && Number(row?.expires_at ?? 0) > Date.now() + 10_000;
  });
  for (const { lease, taken, provider } of living) {
    assert.is(rows.get(lease ?? '')?.state, 'active', `${lease} was left alone`);
    assert.ok(await grounds.at[provider].works(taken ?? {}, url), `${lease} at ${provider} is worth nothing any more`);
  }
  const missed = PROVIDER_KINDS.filter((kind) => !living.some(({ provider }) => provider === kind));
  assert.equal(missed, [], 'nothing was left alone at these');
}

async function settled(): Promise<Audit> {
  const limit = performance.now() + SETTLED_LIMIT_MS;
  for (;;) {
    const open = (await leaseRows(grounds.world)).filter(({ state }) => state !== 'revoked' && state !== 'failed');
    if (open.length === 0) return look();
    if (performance.now() > limit) assert.unreachable(`still open: ${JSON.stringify(open.slice(0, 3))}`);
    await pause(500);
  }
}

async function nothingLost({ leases }: Audit): Promise<void> {
  const rows = new Map(leases.map((lease) => [lease.id, lease]));
  const lost = crowd.asks
    .filter(({ acknowledged }) => acknowledged)
    .filter(({ lease }) => {
      const row = rows.get(lease ?? '');
      return row === undefined || row.active_at === null || row.state === 'failed';
    });
  assert.equal(lost, [], 'acknowledged and lost');
  assert.equal(await lostReceipts(grounds.world, crowd.receipts), [], 'acknowledged entries that are not there');
  const unended = crowd.asks.filter(({ lease, ending }) => {
    const row = rows.get(lease ?? '');
    return ending === 'acknowledged' && row?.state !== 'revoked' && row?.state !== 'failed';
  });
  assert.equal(unended, [], 'ends acknowledged and lost');
}

async function nothingLeft({ leases }: Audit): Promise<void> {
  const unseen = leases.filter((lease) => lease.state === 'revoked' && (!isSeenDead(lease) || lease.exposure === null));
  assert.equal(unseen, [], 'dead, and nobody has seen it');
  for (const [kind, { holdings }] of Object.entries(grounds.at)) {
    const held = (await holdings?.held()) ?? [];
    const living = await Promise.all(held.map(async (mark) => ((await holdings?.lives(mark)) === true ? [mark] : [])));
    assert.equal(living.flat(), [], `left at ${kind}`);
  }
  const provider = postgresProvider({ random, clock: processClock });
  const { client } = grounds.world;
  const target = openTargetOf(provider, client.config, { secret: client.secret });
  assert.equal(await provider.list(target), [], 'what the provider lists');
  await provider.close();
}

/** AWS shows nobody a session whose keys went with their node: it is denied by its mark, and over at its end. */
const isSeenDead = ({ provider, reference, death }: LeaseRow): boolean =>
  death?.how === 'verified' || (provider === 'aws' && reference === null && death?.how === 'expired');

test.run();
