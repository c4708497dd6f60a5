/** Access requests: ask, and see what became of it. */
import { Hono } from 'hono';
import type { Context } from 'hono';
import { failure } from '../core/failure.ts';
import { parseId } from '../core/ids.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import { seconds, toRfc3339 } from '../core/time.ts';
import type { KeptRequest } from '../core/store.ts';
import { waitForAnswer } from '../approve/wait.ts';
import { requestTask } from '../broker.ts';
import { agentOf } from '../broker/callers.ts';
import type { Answer } from '../broker.ts';
import { readJson } from './body.ts';
import { bearerOf, claimOf, tenantOf } from './caller.ts';
import { revokeUndelivered } from './delivery.ts';
import { openedWire, requestWire } from './lease-wire.ts';
import type { Scope } from './scope.ts';
import { waitOf } from './wait.ts';
import { answer, problem, receiptWire, revealed } from './wire.ts';

const NOTHING_HERE = failure('not_found', 'there is nothing here');

export const requests = new Hono<Scope>();

requests.post('/', async (c) => {
  const tenant = tenantOf(c);
  if (!tenant.ok) return problem(c, tenant.error);
  const token = bearerOf(c);
  if (!token.ok) return problem(c, token.error);
  const body = await readJson(c);
  if (!body.ok) return problem(c, body.error);
  const claim = claimOf(c, 'requests', body.value);
  if (!claim.ok) return problem(c, claim.error);
  const proof = { by: 'session', token: token.value } as const;
  const asked = { proof, body: body.value, claim: claim.value, only: null };
  const result = await requestTask(c.var.deps, tenant.value, asked);
  return result.ok ? answerOf(c, result.value) : problem(c, result.error);
});

function answerOf(c: Context<Scope>, asked: Answer): Response {
  const { request, decision } = asked;
  switch (asked.kind) {
    case 'asked': {
      const { id, expiresAt } = asked.approval;
      const approval = { id, state: 'pending', expires_at: toRfc3339(expiresAt) };
      return answer(c, { request, decision, approval, receipt: receiptWire(asked.receipt) }, 202);
    }
    case 'repeated':
      return answer(c, { request, decision, lease: asked.lease, credential: null });
    case 'issued': {
      const { lease, credential, receipt } = asked.issued;
      revokeUndelivered(c, lease);
      const body = { request, decision, lease: openedWire(lease), credential: revealed(credential) };
      return answer(c, { ...body, receipt: receiptWire(receipt) }, 201);
    }
  }
}

requests.get('/:id', async (c) => {
  const found = await ownRequest(c);
  if (!found.ok) return problem(c, found.error);
  const wait = waitOf(c, seconds(0));
  if (!wait.ok) return problem(c, wait.error);
  return answer(c, requestWire(await waitForAnswer(c.var.deps, found.value, wait.value, c.req.raw.signal)));
});

async function ownRequest(c: Context<Scope, '/:id'>): Promise<Result<KeptRequest>> {
  const tenant = tenantOf(c);
  if (!tenant.ok) return tenant;
  const token = bearerOf(c);
  if (!token.ok) return token;
  const agent = await agentOf(c.var.deps, tenant.value, token.value);
  if (!agent.ok) return agent;
  const id = parseId('req', c.req.param('id'));
  if (!id.ok) return err(NOTHING_HERE);
  const request = await c.var.deps.store.request(tenant.value, id.value);
  return request?.agent === agent.value.agent.name ? ok(request) : err(NOTHING_HERE);
}
