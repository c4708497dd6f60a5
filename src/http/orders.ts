/** Reversals that oversight has ordered: what waits for an agent, and what became of each. */
import { Hono } from 'hono';
import { agentOf } from '../broker/callers.ts';
import { bearerOf, operatorOf, tenantOf } from './caller.ts';
import { keptOrderWire, orderWire } from './oversight-wire.ts';
import { pageOf, pageWire } from './page.ts';
import type { Scope } from './scope.ts';
import { answer, problem } from './wire.ts';

/** An agent's own, that wait: few, and so on one page. */
export const orders = new Hono<Scope>();

orders.get('/', async (c) => {
  const tenant = tenantOf(c);
  if (!tenant.ok) return problem(c, tenant.error);
  const token = bearerOf(c);
  if (!token.ok) return problem(c, token.error);
  const agent = await agentOf(c.var.deps, tenant.value, token.value);
  if (!agent.ok) return problem(c, agent.error);
  const waiting = await c.var.deps.store.openOrders(tenant.value, agent.value.agent.name);
  return answer(c, { items: waiting.map(orderWire), cursor: null });
});

/** All of them, where their reader oversees. */
export const allOrders = new Hono<Scope>();

allOrders.get('/', async (c) => {
  const operator = await operatorOf(c);
  if (!operator.ok) return problem(c, operator.error);
  const page = pageOf(c, `orders:${operator.value.person}`);
  if (!page.ok) return problem(c, page.error);
  const { store } = c.var.deps;
  const within = await store.overseenBy(operator.value.person);
  const found = within.length === 0 ? [] : await store.orders({ ...page.value, within });
  return answer(c, pageWire(c, page.value, found, keptOrderWire));
});
