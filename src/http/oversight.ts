/** `/api/oversight`: what only those who oversee are shown. */
import { Hono } from 'hono';
import { failure } from '../core/failure.ts';
import { instant } from '../core/time.ts';
import { oversight } from '../oversee/overseen.ts';
import { signsOf } from '../oversee/stamping.ts';
import { operatorOf } from './caller.ts';
import { signsWire } from './oversight-wire.ts';
import { onlyQuery } from './query.ts';
import type { Scope } from './scope.ts';
import { answer, problem } from './wire.ts';

export const overseeing = new Hono<Scope>();

const DEFAULT_DAYS = 30;
const MOST_DAYS = 365;
const DAY_MS = 24 * 3600 * 1000;

/** Signs of rubber-stamping, at the tenants that the caller oversees. */
overseeing.get('/approvers', async (c) => {
  const operator = await operatorOf(c);
  if (!operator.ok) return problem(c, operator.error);
  const { deps } = c.var;
  const overseen = await oversight(deps, operator.value, 'read');
  if (!overseen.ok) return problem(c, overseen.error);
  const known = onlyQuery(c, ['days']);
  if (!known.ok) return problem(c, known.error);
  const asked = c.req.query('days') ?? String(DEFAULT_DAYS);
  const days = /^\d{1,3}$/.test(asked) ? Number(asked) : 0;
  if (days < 1 || days > MOST_DAYS) {
    return problem(c, failure('invalid_field', `days is 1 to ${MOST_DAYS}`, { path: 'days' }));
  }
  const since = instant(deps.clock() - days * DAY_MS);
  const said = await deps.store.said(overseen.value.tenants, since);
  return answer(c, { items: signsOf(said).map(signsWire), cursor: null });
});
