/** `/api/trips`: circuit breakers that have tripped. */
import { Hono } from 'hono';
import { NOTHING_HERE } from '../core/failure.ts';
import { parseId } from '../core/ids.ts';
import { resetTrip, seenTrip } from '../oversee/trips.ts';
import { changing, receipt } from './acting.ts';
import { operatorOf } from './caller.ts';
import { tripWire } from './oversight-wire.ts';
import { flagOf, pageOf, pageWire } from './page.ts';
import type { Scope } from './scope.ts';
import { answer, problem } from './wire.ts';

export const trips = new Hono<Scope>();

trips.get('/', async (c) => {
  const operator = await operatorOf(c);
  if (!operator.ok) return problem(c, operator.error);
  const page = pageOf(c, `trips:${operator.value.person}`, ['standing']);
  if (!page.ok) return problem(c, page.error);
  const standing = flagOf(c, 'standing');
  if (!standing.ok) return problem(c, standing.error);
  const { store } = c.var.deps;
  const within = await store.overseenBy(operator.value.person);
  const found = within.length === 0 ? [] : await store.trips({ ...page.value, within, standing: standing.value });
  return answer(c, pageWire(c, page.value, found, tripWire));
});

trips.get('/:id', async (c) => {
  const operator = await operatorOf(c);
  if (!operator.ok) return problem(c, operator.error);
  const id = parseId('trp', c.req.param('id'));
  if (!id.ok) return problem(c, NOTHING_HERE);
  const seen = await seenTrip(c.var.deps, operator.value, id.value);
  return seen.ok ? answer(c, tripWire(seen.value)) : problem(c, seen.error);
});

trips.post('/:id/reset', async (c) => {
  const change = await changing(c);
  if (!change.ok) return problem(c, change.error);
  const id = parseId('trp', c.req.param('id'));
  if (!id.ok) return problem(c, NOTHING_HERE);
  const { operator, body } = change.value;
  return receipt(c, await resetTrip(c.var.deps, operator, { id: id.value, body }));
});
