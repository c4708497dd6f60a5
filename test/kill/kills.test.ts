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
import { postgresProvider } from '../../src/providers/postgres/provider.ts';
import { audit, cutHolds, leaseRows, lostReceipts } from '../support/kill-audit.ts';
import type { Audit, LeaseRow } from '../support/kill-audit.ts';
import { actOnItsOwn, bringAnywhere, bringTo, LEAST_IN_FLIGHT } from '../support/kill-bring.ts';
import { chanceOf, killArguments } from '../support/kill-chance.ts';
import { gatherCrowd } from '../support/kill-crowd.ts';
import type { Round } from '../support/kill-crowd.ts';
import { killGrounds } from '../support/kill-grounds.ts';
import { endNodes, startNode } from '../support/kill-node.ts';
import { nameOf, STEPS, stepsOf } from '../support/kill-steps.ts';
import type { Step } from '../support/kill-steps.ts';
import { openTargetOf, processClock, random } from '../support/target.ts';

/** Moments that are no step, in every round of all steps. */
const ANYWHERE = 4;
const { kills, seed } = killArguments(STEPS.length + ANYWHERE);
const chance = chanceOf(seed);

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

async function killAt(step: Step | null): Promise<void> {
  const began = performance.now();
  const node = await startNode(grounds.world, 'armed');
  await actOnItsOwn(grounds.world, node.url, 'autonomous');
  const round = await crowd.meet(node.url);
  await crowd.tryAgain(round);
  await Promise.all(PROVIDER_KINDS.map((provider) => crowd.begin(round, provider, 'bystander')));
  const scene = { ...round, world: grounds.world, crowd, chance, node, since: Date.now() };
  const brought = await (step === null ? bringAnywhere(scene) : bringTo(step, scene));
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
  await actOnItsOwn(grounds.world, node.url, 'autonomous');
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
