/** Leases: what an agent holds, what oversight sees, and their end. */
import { Hono } from 'hono';
import type { Context } from 'hono';
import { decodeProtectedHeader } from 'jose';
import { z } from 'zod';
import type { Actor } from '../core/entry.ts';
import { NOTHING_HERE } from '../core/failure.ts';
import { parseId } from '../core/ids.ts';
import type { AgentName, TenantName } from '../core/ids.ts';
import type { Lease } from '../core/lease.ts';
import { parseWith, words } from '../core/parse.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { seconds } from '../core/time.ts';
import { actorOf } from '../administer/administrator.ts';
import { timelineOf } from '../attribute/timeline.ts';
import { mayUse } from '../authenticate/act.ts';
import type { OperatorAct } from '../authenticate/act.ts';
import { functionAt, readsAlone } from '../authenticate/principal.ts';
import type { OperatorPrincipal } from '../authenticate/principal.ts';
import { SESSION_TYPE } from '../authenticate/session.ts';
import { end } from '../broker.ts';
import { agentOf } from '../broker/callers.ts';
import { reverse } from '../oversee/reverse.ts';
import { giveVerdict } from '../oversee/verdicts.ts';
import type { Ending } from '../revoke/revoke.ts';
import { readJson } from './body.ts';
import { bearerOf, claimOf, currentSnapshot, operatorOf, tenantOf } from './caller.ts';
import { leaseWire } from './lease-wire.ts';
import { orderWire, verdictWire } from './oversight-wire.ts';
import { LEASE_FILTER, leaseFilterOf, pageOf, pageWire } from './page.ts';
import type { Scope } from './scope.ts';
import { waitOf } from './wait.ts';
import { answer, problem, receiptWire } from './wire.ts';

/** How long an answer waits for the proof of death, unless the caller says otherwise. */
const DEFAULT_WAIT = seconds(2);

/** Who may see leases here: an agent its own, oversight all. */
interface Viewer {
  readonly tenant: TenantName;
  readonly agent: AgentName | null;
  readonly actor: Actor;
}

export const leases = new Hono<Scope>();

leases.get('/', async (c) => {
  const viewer = await viewerOf(c, 'read');
  if (!viewer.ok) return problem(c, viewer.error);
  const { tenant, agent } = viewer.value;
  const page = pageOf(c, `leases:${tenant}:${agent ?? ''}`, LEASE_FILTER);
  if (!page.ok) return problem(c, page.error);
  const narrowed = leaseFilterOf(c);
  if (!narrowed.ok) return problem(c, narrowed.error);
  const own = agent === null ? {} : { agent };
  const found = await c.var.deps.store.leases({ ...page.value, ...narrowed.value, ...own, tenant }, null);
  return answer(c, pageWire(c, page.value, found, leaseWire));
});

leases.get('/:id', async (c) => {
  const seen = await seenLease(c, 'read');
  if (!seen.ok) return problem(c, seen.error);
  const { lease, actor } = seen.value;
  if (actor.kind === 'agent') return answer(c, leaseWire(lease));
  // What people make of it is between them: its agent has its own outcome.
  const verdicts = await c.var.deps.store.verdicts(lease.tenant, lease.id);
  return answer(c, { ...leaseWire(lease), verdicts: verdicts.map(verdictWire) });
});

leases.get('/:id/timeline', async (c) => {
  const seen = await seenLease(c, 'read');
  if (!seen.ok) return problem(c, seen.error);
  const { lease } = seen.value;
  const entries = await c.var.deps.store.entries(lease.tenant, { lease: lease.id });
  return answer(c, timelineOf(lease, entries));
});

const LONGEST_SUMMARY = 4000;
const evidence = z.strictObject({ reference: words(500), digest: words(200).optional() });
const completion = z.strictObject({
  outcome: z.enum(['succeeded', 'failed', 'abandoned']),
  summary: words(LONGEST_SUMMARY).nullable().default(null),
  evidence: z
    .array(
      evidence.transform(({ reference, digest }) => (digest === undefined ? { reference } : { reference, digest })),
    )
    .max(50)
    .default([]),
});

leases.post('/:id/complete', async (c) => {
  const seen = await seenLease(c, null);
  if (!seen.ok) return problem(c, seen.error);
  const body = await readJson(c);
  if (!body.ok) return problem(c, body.error);
  const said = parseWith(completion, body.value);
  if (!said.ok) return problem(c, said.error);
  const { actor, lease } = seen.value;
  return endAnswer(c, lease, { cause: 'completed', actor, reason: null, outcome: said.value, killer: 'caller' });
});

const revocation = z.strictObject({ reason: words(1000) });

leases.post('/:id/revoke', async (c) => {
  const seen = await seenLease(c, 'revoke');
  if (!seen.ok) return problem(c, seen.error);
  const body = await readJson(c);
  if (!body.ok) return problem(c, body.error);
  const said = parseWith(revocation, body.value);
  if (!said.ok) return problem(c, said.error);
  const { actor, lease } = seen.value;
  const cause = actor.kind === 'agent' ? 'agent' : 'oversight';
  return endAnswer(c, lease, { cause, actor, reason: said.value.reason, outcome: null, killer: 'caller' });
});

leases.post('/:id/verdict', async (c) => {
  const judging = await overseeing(c);
  if (!judging.ok) return problem(c, judging.error);
  const { operator, of, body } = judging.value;
  const claim = claimOf(c, c.req.path, body);
  if (!claim.ok) return problem(c, claim.error);
  const done = await giveVerdict(c.var.deps, operator, of, { body, claim: claim.value });
  if (!done.ok) return problem(c, done.error);
  const { verdict, receipt } = done.value;
  return answer(c, { ...verdictWire(verdict), receipt: receiptWire(receipt) }, 201);
});

/** Takes back what was done at tier 2: the lease is revoked, and its rollback ordered. */
leases.post('/:id/reverse', async (c) => {
  const reversing = await overseeing(c);
  if (!reversing.ok) return problem(c, reversing.error);
  const { operator, of, body } = reversing.value;
  const done = await reverse(c.var.deps, operator, of, body);
  if (!done.ok) return problem(c, done.error);
  const { lease, order, receipt } = done.value;
  const written = receipt === null ? null : receiptWire(receipt);
  return answer(c, { lease: leaseWire(lease), order: orderWire(order), receipt: written });
});

interface Overseeing {
  readonly operator: OperatorPrincipal;
  readonly of: { readonly at: Snapshot; readonly lease: Lease };
  readonly body: unknown;
}

/** An operator who sees this lease, and what they say of it. */
async function overseeing(c: Context<Scope, '/:id/verdict' | '/:id/reverse'>): Promise<Result<Overseeing>> {
  const operator = await operatorOf(c);
  if (!operator.ok) return operator;
  const seen = await seenLease(c, 'read');
  if (!seen.ok) return seen;
  const body = await readJson(c);
  if (!body.ok) return body;
  const at = await currentSnapshot(c);
  if (!at.ok) return at;
  return ok({ operator: operator.value, of: { at: at.value, lease: seen.value.lease }, body: body.value });
}

async function endAnswer(c: Context<Scope>, lease: Lease, ending: Ending): Promise<Response> {
  const wait = waitOf(c, DEFAULT_WAIT);
  if (!wait.ok) return problem(c, wait.error);
  const ended = await end(c.var.deps, lease, ending, wait.value);
  const receipt = ended.receipt === null ? null : receiptWire(ended.receipt);
  return answer(c, { lease: leaseWire(ended.lease), receipt });
}

async function seenLease(
  c: Context<Scope, '/:id'>,
  act: OperatorAct | null,
): Promise<Result<{ readonly lease: Lease; readonly actor: Actor }>> {
  const id = parseId('lse', c.req.param('id'));
  const at = tenantOf(c);
  // Read beside who is asking, who is told nothing of it before that is settled.
  const reading = id.ok && at.ok ? c.var.deps.store.lease(at.value, id.value) : null;
  const [viewer, lease] = await Promise.all([viewerOf(c, act), reading]);
  if (!viewer.ok) return viewer;
  const { agent, actor } = viewer.value;
  if (lease === null || (agent !== null && lease.agent !== agent)) return err(NOTHING_HERE);
  return ok({ lease, actor });
}

/** @param act what an operator would have to be allowed; `null`: this is for the agent alone. */
async function viewerOf(c: Context<Scope>, act: OperatorAct | null): Promise<Result<Viewer>> {
  const tenant = tenantOf(c);
  if (!tenant.ok) return tenant;
  const token = bearerOf(c);
  if (!token.ok) return token;
  if (act === null || isSession(token.value)) return agentView(c, tenant.value, token.value);
  const operator = await operatorOf(c);
  if (!operator.ok) return operator;
  const snapshot = await currentSnapshot(c);
  if (!snapshot.ok) return snapshot;
  const now = c.var.deps.clock();
  const { person } = operator.value;
  const held = functionAt(snapshot.value, person, now);
  // Who has nothing to do with this tenant is not told that it is there.
  if (held === null) return err(NOTHING_HERE);
  const may = mayUse(operator.value, act, { held, alone: readsAlone(snapshot.value, person, now) });
  return may.ok ? ok({ tenant: tenant.value, agent: null, actor: actorOf(operator.value) }) : may;
}

async function agentView(c: Context<Scope>, tenant: TenantName, token: string): Promise<Result<Viewer>> {
  const agent = await agentOf(c.var.deps, tenant, token);
  if (!agent.ok) return agent;
  const { name } = agent.value.agent;
  return ok({ tenant, agent: name, actor: { kind: 'agent', name, by: agent.value.by } });
}

/** Which way to verify the token, and nothing more. */
function isSession(token: string): boolean {
  try {
    return decodeProtectedHeader(token).typ === SESSION_TYPE;
  } catch (fault) {
    if (fault instanceof TypeError) return false;
    throw fault;
  }
}
