/** `/api/blocks`: the kill switch. */
import { Hono } from 'hono';
import type { Context } from 'hono';
import { NOTHING_HERE } from '../core/failure.ts';
import { parseId } from '../core/ids.ts';
import type { Lease } from '../core/lease.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { KeptBlock } from '../core/store/blocks.ts';
import { seconds, toRfc3339 } from '../core/time.ts';
import type { Instant } from '../core/time.ts';
import { deathShown } from '../attribute/timeline.ts';
import { liftBlock, previewBlock, raiseBlock, seenBlock, standingPlaces } from '../oversee/blocks.ts';
import { exposureSoFar, waitForProgress } from '../oversee/block-progress.ts';
import type { Progress } from '../oversee/block-progress.ts';
import { changing, creating } from './acting.ts';
import { operatorOf } from './caller.ts';
import { flagOf, pageOf, pageWire } from './page.ts';
import type { Scope } from './scope.ts';
import { waitOf } from './wait.ts';
import { answer, problem, receiptWire } from './wire.ts';

export const blocks = new Hono<Scope>();

blocks.post('/preview', async (c) => {
  const change = await changing(c);
  if (!change.ok) return problem(c, change.error);
  const seen = await previewBlock(c.var.deps, change.value.operator, change.value.body);
  if (!seen.ok) return problem(c, seen.error);
  const { of, tenants, agents, unended, roles } = seen.value;
  const live = unended.reduce((sum, { n }) => sum + n, 0);
  const leases = unended.map(({ n, ...rest }) => ({ ...rest, count: n }));
  const denied = roles.map(({ tenant, name }) => ({ tenant, target: name }));
  return answer(c, { ...of, tenants, agents, live, leases, roles: denied });
});

blocks.post('/', async (c) => {
  const raising = await creating(c);
  if (!raising.ok) return problem(c, raising.error);
  const done = await raiseBlock(c.var.deps, raising.value.operator, raising.value.sent);
  if (!done.ok) return problem(c, done.error);
  const { id, at, of, tenants, until, receipts } = done.value;
  const body = { id, ...of, tenants, from: toRfc3339(at), until: time(until), receipts: receipts.map(receiptWire) };
  return answer(c, body, 201);
});

blocks.get('/', async (c) => {
  const operator = await operatorOf(c);
  if (!operator.ok) return problem(c, operator.error);
  const { deps } = c.var;
  const page = pageOf(c, `blocks:${operator.value.person}`, ['standing']);
  if (!page.ok) return problem(c, page.error);
  const standing = flagOf(c, 'standing');
  if (!standing.ok) return problem(c, standing.error);
  const within = await deps.store.overseenBy(operator.value.person);
  const found = await deps.store.blocks({ ...page.value, within, standing: standing.value });
  return answer(c, pageWire(c, page.value, found, blockWire(deps.clock())));
});

blocks.get('/:id', async (c) => {
  const seen = await seenHere(c);
  if (!seen.ok) return problem(c, seen.error);
  const wait = waitOf(c, seconds(0));
  if (!wait.ok) return problem(c, wait.error);
  const { deps } = c.var;
  const progress = await waitForProgress(deps, seen.value, wait.value);
  return answer(c, { ...blockWire(deps.clock())(seen.value), progress: progressWire(progress) });
});

blocks.get('/:id/leases', async (c) => {
  const seen = await seenHere(c);
  if (!seen.ok) return problem(c, seen.error);
  const { id, places } = seen.value;
  const page = pageOf(c, `block:${id}:${places.map(({ tenant }) => tenant).join(',')}`);
  if (!page.ok) return problem(c, page.error);
  const { deps } = c.var;
  const within = places.map(({ tenant }) => tenant);
  const found = await deps.store.ended({ ...page.value, block: id, within });
  const alive = found.filter(({ state }) => state === 'revoking').map((lease) => lease.id);
  const why = alive.length === 0 ? null : await deps.store.whyAlive(alive);
  const now = deps.clock();
  const wire = (lease: Lease) => ({
    ...deathWire(lease),
    exposure_ms: lease.state === 'revoking' ? exposureSoFar(lease, now) : lease.exposure,
    why: why?.get(lease.id)?.why ?? null,
  });
  return answer(c, pageWire(c, page.value, found, wire));
});

blocks.post('/:id/lift', async (c) => {
  const change = await changing(c);
  if (!change.ok) return problem(c, change.error);
  const id = parseId('blk', c.req.param('id'));
  if (!id.ok) return problem(c, NOTHING_HERE);
  const { operator, body } = change.value;
  const done = await liftBlock(c.var.deps, operator, { id: id.value, body });
  if (!done.ok) return problem(c, done.error);
  const { tenants, places, left, receipts } = done.value;
  return answer(c, { id: id.value, tenants, lifted: places.map(placeWire), left, receipts: receipts.map(receiptWire) });
});

async function seenHere(c: Context<Scope, '/:id'>): Promise<Result<KeptBlock>> {
  const operator = await operatorOf(c);
  if (!operator.ok) return operator;
  const id = parseId('blk', c.req.param('id'));
  if (!id.ok) return err(NOTHING_HERE);
  const seen = await seenBlock(c.var.deps, operator.value, id.value);
  return seen.ok ? ok(seen.value) : seen;
}

const time = (at: Instant | null): string | null => (at === null ? null : toRfc3339(at));

const blockWire = (now: Instant) => (block: KeptBlock) => ({
  id: block.id,
  scope: block.scope,
  name: block.name,
  author: block.author,
  reason: block.reason,
  drill: block.drill,
  deny_role: block.deniesRoles,
  from: toRfc3339(block.from),
  until: time(block.until),
  standing: standingPlaces(block, now),
  tenants: block.places.map(placeWire),
  reported_at: time(block.reportedAt),
});

const placeWire = ({ tenant, liftedAt, liftedBy }: KeptBlock['places'][number]) => ({
  tenant,
  lifted_at: time(liftedAt),
  lifted_by: liftedBy,
});

const progressWire = ({ counts, untouched, targets, survivors, took, over }: Progress) => ({
  ...counts,
  not_ended_yet: untouched,
  over,
  took_ms: took,
  targets: targets.map(({ worstExposure, ...at }) => ({ ...at, worst_exposure_ms: worstExposure })),
  survivors: survivors.map(({ lease, why, attempts, exposure }) => ({
    ...deathWire(lease),
    exposure_ms: exposure,
    why,
    attempts,
  })),
});

/** What a responder is told of one credential. */
const deathWire = (lease: Lease) => ({
  id: lease.id,
  tenant: lease.tenant,
  agent: lease.agent,
  task: lease.task,
  provider: lease.provider,
  target: lease.target,
  tier: lease.tier,
  state: lease.state,
  revoking_at: time(lease.revokingAt),
  death: deathShown(lease.death),
  exposure_ms: lease.exposure,
});
