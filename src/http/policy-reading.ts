/** `/api/policy/explain` and `/api/policy/summary`: reading the policy, with nothing decided for anybody. */
import { Hono } from 'hono';
import { z } from 'zod';
import { NOTHING_HERE } from '../core/failure.ts';
import { parseId, parseName } from '../core/ids.ts';
import type { TenantName } from '../core/ids.ts';
import { name, parseWith } from '../core/parse.ts';
import { toRfc3339 } from '../core/time.ts';
import { explainHypothetical, explainRecorded, summarizeAt } from '../administer/explain.ts';
import { explanationWire } from '../decide/explain.ts';
import { summaryWire } from '../decide/summary.ts';
import { changing } from './acting.ts';
import { currentDeployment, operatorOf } from './caller.ts';
import { onlyQuery } from './query.ts';
import type { Scope } from './scope.ts';
import { answer, problem } from './wire.ts';

export const policyReading = new Hono<Scope>();

const hypothetical = z.looseObject({ tenant: name(), agent: name() });

policyReading.get('/explain', async (c) => {
  const operator = await operatorOf(c);
  if (!operator.ok) return problem(c, operator.error);
  const known = onlyQuery(c, ['request']);
  if (!known.ok) return problem(c, known.error);
  const id = parseId('req', c.req.query('request'));
  if (!id.ok) return problem(c, NOTHING_HERE);
  await currentDeployment(c.var.deps);
  const found = await explainRecorded(c.var.deps, operator.value, id.value);
  if (!found.ok) return problem(c, found.error);
  const { recorded, explanation } = found.value;
  const { effect, at, policy, decision } = recorded;
  const samePolicy = policy === explanation.policy;
  const kept = { request: recorded.id, effect, at: toRfc3339(at), policy, same_policy: samePolicy, decision };
  return answer(c, { recorded: kept, ...explanationWire(explanation) });
});

policyReading.post('/explain', async (c) => {
  const asked = await changing(c);
  if (!asked.ok) return problem(c, asked.error);
  const form = parseWith(hypothetical, asked.value.body);
  if (!form.ok) return problem(c, form.error);
  const { tenant, agent, ...request } = form.value;
  const given = { tenant: tenant as TenantName, agent, request: { reason: 'hypothetical', ...request } };
  const found = await explainHypothetical(c.var.deps, asked.value.operator, given);
  return found.ok ? answer(c, explanationWire(found.value)) : problem(c, found.error);
});

policyReading.get('/summary', async (c) => {
  const operator = await operatorOf(c);
  if (!operator.ok) return problem(c, operator.error);
  const known = onlyQuery(c, ['tenant']);
  if (!known.ok) return problem(c, known.error);
  const tenant = parseName('tenant', c.req.query('tenant'));
  if (!tenant.ok) return problem(c, NOTHING_HERE);
  const found = await summarizeAt(c.var.deps, operator.value, tenant.value);
  return found.ok ? answer(c, summaryWire(found.value)) : problem(c, found.error);
});
