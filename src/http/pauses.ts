/** `/api/pauses`: everything at its most conservative tier. */
import { Hono } from 'hono';
import { NOTHING_HERE } from '../core/failure.ts';
import { parseId } from '../core/ids.ts';
import { endPause, seenPause, startPause } from '../oversee/pauses.ts';
import { toRfc3339 } from '../core/time.ts';
import { changing, creating } from './acting.ts';
import { operatorOf } from './caller.ts';
import { pauseWire } from './oversight-wire.ts';
import { flagOf, pageOf, pageWire } from './page.ts';
import type { Scope } from './scope.ts';
import { answer, problem, receiptWire } from './wire.ts';

export const pauses = new Hono<Scope>();

pauses.post('/', async (c) => {
  const starting = await creating(c);
  if (!starting.ok) return problem(c, starting.error);
  const done = await startPause(c.var.deps, starting.value.operator, starting.value.sent);
  if (!done.ok) return problem(c, done.error);
  const { id, at, tenants, receipts } = done.value;
  const body = { id, everywhere: tenants === null, tenants: tenants ?? [], from: toRfc3339(at) };
  return answer(c, { ...body, receipts: receipts.map(receiptWire) }, 201);
});

pauses.get('/', async (c) => {
  const operator = await operatorOf(c);
  if (!operator.ok) return problem(c, operator.error);
  const page = pageOf(c, `pauses:${operator.value.person}`, ['standing']);
  if (!page.ok) return problem(c, page.error);
  const standing = flagOf(c, 'standing');
  if (!standing.ok) return problem(c, standing.error);
  const { store } = c.var.deps;
  const within = await store.overseenBy(operator.value.person);
  const found = within.length === 0 ? [] : await store.pauses({ ...page.value, within, standing: standing.value });
  return answer(c, pageWire(c, page.value, found, pauseWire));
});

pauses.get('/:id', async (c) => {
  const operator = await operatorOf(c);
  if (!operator.ok) return problem(c, operator.error);
  const id = parseId('pse', c.req.param('id'));
  if (!id.ok) return problem(c, NOTHING_HERE);
  const seen = await seenPause(c.var.deps, operator.value, id.value);
  return seen.ok ? answer(c, pauseWire(seen.value)) : problem(c, seen.error);
});

pauses.post('/:id/end', async (c) => {
  const change = await changing(c);
  if (!change.ok) return problem(c, change.error);
  const id = parseId('pse', c.req.param('id'));
  if (!id.ok) return problem(c, NOTHING_HERE);
  const { operator, body } = change.value;
  const done = await endPause(c.var.deps, operator, { id: id.value, body });
  if (!done.ok) return problem(c, done.error);
  const { tenants, receipts } = done.value;
  const where = { everywhere: tenants === null, tenants: tenants ?? [] };
  return answer(c, { id: id.value, ...where, receipts: receipts.map(receiptWire) });
});
