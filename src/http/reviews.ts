/** `/api/reviews`: what somebody has to look at. */
import { Hono } from 'hono';
import { NOTHING_HERE } from '../core/failure.ts';
import { parseId } from '../core/ids.ts';
import { doReview, openReview, seenReview } from '../oversee/reviews.ts';
import { changing, creating, receipt } from './acting.ts';
import { operatorOf } from './caller.ts';
import { keptReviewWire, reviewWire } from './oversight-wire.ts';
import { flagOf, pageOf, pageWire } from './page.ts';
import type { Scope } from './scope.ts';
import { answer, problem, receiptWire } from './wire.ts';

export const reviews = new Hono<Scope>();

reviews.post('/', async (c) => {
  const opening = await creating(c);
  if (!opening.ok) return problem(c, opening.error);
  const done = await openReview(c.var.deps, opening.value.operator, opening.value.sent);
  if (!done.ok) return problem(c, done.error);
  return answer(c, { ...reviewWire(done.value.review), receipt: receiptWire(done.value.receipt) }, 201);
});

reviews.get('/', async (c) => {
  const operator = await operatorOf(c);
  if (!operator.ok) return problem(c, operator.error);
  const page = pageOf(c, `reviews:${operator.value.person}`, ['open']);
  if (!page.ok) return problem(c, page.error);
  const open = flagOf(c, 'open');
  if (!open.ok) return problem(c, open.error);
  const { store } = c.var.deps;
  const within = await store.overseenBy(operator.value.person);
  const found = within.length === 0 ? [] : await store.reviews({ ...page.value, within, open: open.value });
  return answer(c, pageWire(c, page.value, found, keptReviewWire));
});

reviews.get('/:id', async (c) => {
  const operator = await operatorOf(c);
  if (!operator.ok) return problem(c, operator.error);
  const id = parseId('rev', c.req.param('id'));
  if (!id.ok) return problem(c, NOTHING_HERE);
  const seen = await seenReview(c.var.deps, operator.value, id.value);
  return seen.ok ? answer(c, keptReviewWire(seen.value)) : problem(c, seen.error);
});

reviews.post('/:id/done', async (c) => {
  const change = await changing(c);
  if (!change.ok) return problem(c, change.error);
  const id = parseId('rev', c.req.param('id'));
  if (!id.ok) return problem(c, NOTHING_HERE);
  const { operator, body } = change.value;
  return receipt(c, await doReview(c.var.deps, operator, { id: id.value, body }));
});
