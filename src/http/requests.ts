/** Access requests: ask, see what became of it, and come for what people approved. */
import { Hono } from 'hono';
import type { Context } from 'hono';
import { z } from 'zod';
import { NOTHING_HERE } from '../core/failure.ts';
import { parseId } from '../core/ids.ts';
import { parseWith } from '../core/parse.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import { seconds, toRfc3339 } from '../core/time.ts';
import type { KeptRequest } from '../core/store/requests.ts';
import { waitForAnswer } from '../approve/wait.ts';
import type { AgentPrincipal } from '../authenticate/principal.ts';
import { requestTask } from '../broker.ts';
import { agentOf } from '../broker/callers.ts';
import { redeemApproval } from '../broker/redeem.ts';
import { acceptNarrower, withdraw } from '../broker/withdraw.ts';
import type { Answer } from '../broker.ts';
import { readJson } from './body.ts';
import { bearerOf, claimOf, tenantOf } from './caller.ts';
import { revokeUndelivered } from './delivery.ts';
import { approvalWire, openedWire, requestWire } from './lease-wire.ts';
import type { Scope } from './scope.ts';
import { waitOf } from './wait.ts';
import { answer, problem, receiptWire, revealed } from './wire.ts';

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
      const { id, state, expiresAt } = asked.approval;
      const approval = { id, state, expires_at: toRfc3339(expiresAt) };
      return answer(c, { request, decision, approval, receipt: receiptWire(asked.receipt) }, 202);
    }
    case 'repeated':
      return answer(c, { request, decision, lease: asked.lease && openedWire(asked.lease), credential: null });
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
  const { deps } = c.var;
  const seen = await waitForAnswer(deps, found.value, wait.value, c.req.raw.signal);
  return answer(c, requestWire(seen, deps.clock()));
});

const proofForm = z.strictObject({
  client_assertion_type: z.string().max(128),
  client_assertion: z.string().max(16_384),
});

/** Redeems an approval, once. A session is not enough: who comes for the credential proves anew who they are. */
requests.post('/:id/credential', async (c) => {
  const tenant = tenantOf(c);
  if (!tenant.ok) return problem(c, tenant.error);
  const body = await readJson(c);
  if (!body.ok) return problem(c, body.error);
  const proof = parseWith(proofForm, body.value);
  if (!proof.ok) return problem(c, proof.error);
  const request = parseId('req', c.req.param('id'));
  if (!request.ok) return problem(c, NOTHING_HERE);
  const { client_assertion_type: assertionType, client_assertion: assertion } = proof.value;
  const credentials = { clientId: null, assertionType, assertion };
  const redeemed = await redeemApproval(c.var.deps, tenant.value, { credentials, request: request.value });
  return redeemed.ok ? answerOf(c, redeemed.value) : problem(c, redeemed.error);
});

requests.post('/:id/accept', (c) => saying(c, acceptNarrower));
requests.post('/:id/withdraw', (c) => saying(c, withdraw));

async function saying(c: Context<Scope, '/:id/accept' | '/:id/withdraw'>, say: typeof withdraw): Promise<Response> {
  const agent = await callingAgent(c);
  if (!agent.ok) return problem(c, agent.error);
  const id = parseId('req', c.req.param('id'));
  if (!id.ok) return problem(c, NOTHING_HERE);
  const { deps } = c.var;
  const said = await say(deps, agent.value, id.value);
  if (!said.ok) return problem(c, said.error);
  const { approval, receipt } = said.value;
  return answer(c, {
    request: id.value,
    approval: approvalWire(approval, deps.clock()),
    receipt: receiptWire(receipt),
  });
}

async function callingAgent(c: Context<Scope>): Promise<Result<AgentPrincipal>> {
  const tenant = tenantOf(c);
  if (!tenant.ok) return tenant;
  const token = bearerOf(c);
  if (!token.ok) return token;
  return agentOf(c.var.deps, tenant.value, token.value);
}

async function ownRequest(c: Context<Scope, '/:id'>): Promise<Result<KeptRequest>> {
  const agent = await callingAgent(c);
  if (!agent.ok) return agent;
  const id = parseId('req', c.req.param('id'));
  if (!id.ok) return err(NOTHING_HERE);
  const request = await c.var.deps.store.request(agent.value.tenant, id.value);
  return request?.agent === agent.value.agent.name ? ok(request) : err(NOTHING_HERE);
}
