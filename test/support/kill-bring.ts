/** Brings leases to a step at which their node is then killed, with at least eight of them there. */
import { setTimeout as pause } from 'node:timers/promises';
import * as assert from 'uvu/assert';
import { PROVIDER_KINDS } from '../../src/core/registers.ts';
import type { ProviderKind } from '../../src/core/registers.ts';
import { hastenCleaning, hastenExpiry, hastenReconciling, leaseRows } from './kill-audit.ts';
import type { LeaseRow } from './kill-audit.ts';
import type { Chance } from './kill-chance.ts';
import type { Crowd, Round } from './kill-crowd.ts';
import type { NodeProcess } from './kill-node.ts';
import { nameOf } from './kill-steps.ts';
import type { Hold, Step } from './kill-steps.ts';
import { administer, must } from './kill-world.ts';
import type { KillWorld } from './kill-world.ts';

export const LEAST_IN_FLIGHT = 8;
/** Longer than a mint's deadline and the backoff of work that found its target busy. */
const STEP_LIMIT_MS = 60_000;

/** One node that can be armed, and who is there. */
export interface Scene extends Round {
  readonly world: KillWorld;
  readonly crowd: Crowd;
  readonly chance: Chance;
  readonly node: NodeProcess;
  /** What was opened from then on is of this step. */
  readonly since: number;
}

export interface Brought {
  readonly inFlight: number;
  /** What waits for answers, of which most never come. */
  readonly waiting: readonly Promise<unknown>[];
}

type Begin = () => Promise<unknown>[];

const many = (count: number, work: () => Promise<unknown>): Promise<unknown>[] => Array.from({ length: count }, work);

export async function bringTo(step: Step, scene: Scene): Promise<Brought> {
  const { chance, crowd, node } = scene;
  const fromQueue = step.phase === 'reconcile' || step.phase === 'clean';
  const count = LEAST_IN_FLIGHT + (fromQueue ? 0 : chance.whole(0, 4));
  const begin = () => many(count, () => crowd.begin(scene, step.provider, step));
  const waiting = await (step.phase === 'end' || step.phase === 'use'
    ? actOnIssued(step, scene, begin)
    : issue(step, scene, begin));
  assert.equal(crowd.refused, [], `${nameOf(step)}: refusals of what must be done`);
  const reached = await node.reached(LEAST_IN_FLIGHT, STEP_LIMIT_MS).catch((cause: unknown) => {
    throw new Error(`${nameOf(step)}: ${String(cause)}`, { cause });
  });
  return { inFlight: reached.size, waiting };
}

async function actOnIssued(step: Step, scene: Scene, begin: Begin): Promise<Promise<unknown>[]> {
  const { crowd, node } = scene;
  const before = crowd.asks.length;
  await Promise.all(begin());
  const issued = crowd.asks.slice(before);
  assert.ok(
    issued.filter(({ acknowledged }) => acknowledged).length >= LEAST_IN_FLIGHT,
    `${nameOf(step)}: too few were issued\n${node.log()}`,
  );
  node.arm(step);
  const act = step.phase === 'use' ? crowd.use : crowd.finish;
  return issued.map((asked) => act(scene, asked));
}

async function issue(step: Step, scene: Scene, begin: Begin): Promise<Promise<unknown>[]> {
  scene.node.arm(firstOf(step), besideOf(step));
  const waiting = begin();
  await moveOn(step, scene, waiting);
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

async function moveOn(step: Step, scene: Scene, asking: readonly Promise<unknown>[]): Promise<void> {
  const { world, node, url, since } = scene;
  switch (step.phase) {
    case 'ask':
    case 'use':
    case 'end':
      return;
    case 'reconcile':
      await Promise.all(asking);
      await hastenReconciling(world, since);
      return;
    case 'overtake':
      await node.reached(LEAST_IN_FLIGHT, STEP_LIMIT_MS);
      await actOnItsOwn(world, url, 'ask-always');
      return node.arm(step);
    case 'late':
      await node.reached(asking.length, STEP_LIMIT_MS);
      await endAllOpening(step.provider, scene);
      return node.arm(step, besideOf(step));
    case 'clean':
      await Promise.all(asking);
      await hastenReconciling(world, since);
      await until(async () => (await leasesSince(scene)).every(({ state }) => state !== 'opening'), 'stay opening');
      await hastenExpiry(world, since);
      const isOver = ({ state }: LeaseRow): boolean => state === 'revoked' || state === 'failed' || state === 'active';
      await until(async () => (await leasesSince(scene)).every(isOver), 'stay undead');
      await hastenCleaning(world);
      return node.arm(step);
  }
}

/** Whether what agents do at acme is permitted, without ending what they hold. */
export const actOnItsOwn = (world: KillWorld, url: string, autonomy: 'autonomous' | 'ask-always') =>
  administer(world, url, 'PUT', '/api/tenants/acme', { display_name: 'Acme Retail', autonomy });

/** As oversight does it, lease by lease. */
async function endAllOpening(provider: ProviderKind, scene: Scene): Promise<void> {
  const { world, url } = scene;
  const opening = (await leasesSince(scene)).filter(
    (lease) => lease.provider === provider && lease.state === 'opening',
  );
  const token = await world.token(url, 'otto');
  const body = { reason: 'It is ended before it has begun' };
  await Promise.all(opening.map(({ id }) => must(url, 'POST', `/t/acme/leases/${id}/revoke?wait=0`, { token, body })));
}

const leasesSince = async ({ world, since }: Scene): Promise<readonly LeaseRow[]> =>
  (await leaseRows(world)).filter(({ opened_at }) => Number(opened_at) >= since);

async function until(holds: () => Promise<boolean>, what: string): Promise<void> {
  const limit = performance.now() + STEP_LIMIT_MS;
  while (!(await holds())) {
    assert.ok(performance.now() < limit, `leases whose mint was lost ${what}`);
    await pause(200);
  }
}

/** A kill at no step in particular, in the middle of everything. */
export async function bringAnywhere(scene: Scene): Promise<Brought> {
  const { chance, crowd } = scene;
  const stopping = new AbortController();
  let inFlight = 0;
  const waiting = many(LEAST_IN_FLIGHT + 4, async () => {
    while (!stopping.signal.aborted) {
      inFlight++;
      const asked = await crowd.begin(scene, anyOf(chance), 'anywhere');
      await crowd.finish(scene, asked);
      inFlight--;
      if (asked.lease === null) return;
    }
  });
  await pause(chance.whole(200, 1_500));
  stopping.abort();
  return { inFlight, waiting };
}

const anyOf = (chance: Chance): ProviderKind => PROVIDER_KINDS[chance.whole(0, PROVIDER_KINDS.length - 1)] ?? 'jwt';
