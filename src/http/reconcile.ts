/** `/api/reconcile`: what targets hold that no lease knows. */
import { Hono } from 'hono';
import { huntFor } from '../oversee/hunt.ts';
import { changing } from './acting.ts';
import type { Scope } from './scope.ts';
import { answer, problem } from './wire.ts';

export const reconciling = new Hono<Scope>();

reconciling.post('/', async (c) => {
  const change = await changing(c);
  if (!change.ok) return problem(c, change.error);
  const hunt = await huntFor(c.var.deps, change.value.operator, change.value.body);
  return hunt.ok ? answer(c, hunt.value) : problem(c, hunt.error);
});
