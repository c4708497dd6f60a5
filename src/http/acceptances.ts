/** `/api/tenants/{t}/acceptances`: who answers for an agent that is new there. */
import { Hono } from 'hono';
import type { Context } from 'hono';
import { NOTHING_HERE } from '../core/failure.ts';
import { parseName } from '../core/ids.ts';
import * as acts from '../administer/acts.ts';
import type { Place } from '../administer/author.ts';
import { receipt } from './acting.ts';
import { administered } from './admin.ts';
import { readJson } from './body.ts';
import { itemAnswer } from './conditions.ts';
import { acceptanceWire } from './register-wire.ts';
import { onlyQuery } from './query.ts';
import type { Scope } from './scope.ts';
import { answer, problem } from './wire.ts';

export const acceptances = new Hono<Scope>();

const acceptanceIn = (c: Context<Scope, '/:name'>) => (place: Place) => {
  const all = 'acceptances' in place ? [...place.acceptances.values()] : [];
  const found = all.find(({ agent }) => agent === c.req.param('name'));
  return found === undefined ? undefined : acceptanceWire(found);
};

acceptances.get('/', async (c) => {
  const here = await administered(c);
  if (!here.ok) return problem(c, here.error);
  const known = onlyQuery(c, []);
  if (!known.ok) return problem(c, known.error);
  return answer(c, { items: [...here.value.at.acceptances.values()].map(acceptanceWire), cursor: null });
});

acceptances.get('/:name', async (c) => {
  const here = await administered(c);
  if (!here.ok) return problem(c, here.error);
  const found = acceptanceIn(c)(here.value.at);
  return found === undefined ? problem(c, NOTHING_HERE) : itemAnswer(c, found);
});

acceptances.put('/:name', async (c) => {
  const here = await administered(c, acceptanceIn(c));
  if (!here.ok) return problem(c, here.error);
  const body = await readJson(c);
  if (!body.ok) return problem(c, body.error);
  const agent = parseName('agent', c.req.param('name'));
  if (!agent.ok) return problem(c, agent.error);
  const { operator, at } = here.value;
  return receipt(c, await acts.putAcceptance(c.var.deps, operator, at, { agent: agent.value, body: body.value }));
});

acceptances.delete('/:name', async (c) => {
  const here = await administered(c, acceptanceIn(c));
  if (!here.ok) return problem(c, here.error);
  const agent = parseName('agent', c.req.param('name'));
  if (!agent.ok) return problem(c, agent.error);
  return receipt(c, await acts.removeAcceptance(c.var.deps, here.value.operator, here.value.at, agent.value));
});
