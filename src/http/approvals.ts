/**
 * `/api/approvals`: what is asked of people, and the evidence of what they answered. Deciding takes a passkey's assertion
 * in a console session, and nothing else.
 */
import { Hono } from 'hono';
import type { Context } from 'hono';
import { stateAt } from '../core/approval.ts';
import type { Approval } from '../core/approval.ts';
import type { Json } from '../core/canonical.ts';
import { failure, NOTHING_HERE } from '../core/failure.ts';
import { parseId, parseName } from '../core/ids.ts';
import type { TenantName } from '../core/ids.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { Evidence } from '../core/store/requests.ts';
import { toRfc3339 } from '../core/time.ts';
import type { Instant } from '../core/time.ts';
import { whenRouted } from '../approve/way.ts';
import { operatorOf } from './caller.ts';
import { pageOf, pageWire } from './page.ts';
import type { Scope } from './scope.ts';
import { answer, problem } from './wire.ts';

export const approvals = new Hono<Scope>();

/** Where the caller approves or oversees. */
async function seenBy(c: Context<Scope>) {
  const operator = await operatorOf(c);
  if (!operator.ok) return operator;
  const { person } = operator.value;
  const held = await c.var.deps.store.functionsOf(person);
  const tenants = held.flatMap(({ held: of, tenant }) =>
    tenant !== null && (of === 'approval' || of === 'oversight') ? [tenant] : [],
  );
  return ok({ person, tenants });
}

approvals.get('/', async (c) => {
  const seen = await seenBy(c);
  if (!seen.ok) return problem(c, seen.error);
  const page = pageOf(c, `approvals:${seen.value.person}`);
  if (!page.ok) return problem(c, page.error);
  const { limit, before } = page.value;
  const found = await c.var.deps.store.approvals({ within: seen.value.tenants, limit, before });
  const now = c.var.deps.clock();
  return answer(
    c,
    pageWire(c, page.value, found, (one) => approvalWire(one, now)),
  );
});

interface Seen {
  readonly tenant: TenantName;
  readonly approval: Approval;
}

async function seenApproval(c: Context<Scope, '/:tenant/:id'>): Promise<Result<Seen>> {
  const seen = await seenBy(c);
  if (!seen.ok) return seen;
  const tenant = parseName('tenant', c.req.param('tenant'));
  const id = parseId('apr', c.req.param('id'));
  if (!tenant.ok || !id.ok || !seen.value.tenants.includes(tenant.value)) return err(NOTHING_HERE);
  const approval = await c.var.deps.store.approval(tenant.value, id.value);
  return approval === null ? err(NOTHING_HERE) : ok({ tenant: tenant.value, approval });
}

approvals.get('/:tenant/:id', async (c) => {
  const seen = await seenApproval(c);
  if (!seen.ok) return problem(c, seen.error);
  return answer(c, approvalWire(seen.value.approval, c.var.deps.clock()));
});

/** All that proves, without Brevet, who said what: see `brevet approval verify`. */
approvals.get('/:tenant/:id/evidence', async (c) => {
  const seen = await seenApproval(c);
  if (!seen.ok) return problem(c, seen.error);
  const { tenant, approval } = seen.value;
  const { store, publicUrl } = c.var.deps;
  const entries = await store.evidence(tenant, approval.request);
  const about = entries.filter(({ text }) => text.includes(`"approval":"${approval.id}"`));
  return answer(c, { approval: approval.id, tenant, origin: publicUrl, entries: about.map(evidenceWire) });
});

const evidenceWire = ({ id, kind, text, leaf, values }: Evidence): Record<string, Json> => ({
  id,
  kind,
  text,
  leaf_hash: leaf,
  values: values.map((value) => ({ ...value })),
});

const approvalWire = (approval: Approval, now: Instant): Record<string, Json> => ({
  id: approval.id,
  tenant: approval.tenant,
  request: approval.request,
  agent: approval.agent,
  task: approval.task,
  state: stateAt(approval, now),
  asked_at: toRfc3339(approval.askedAt),
  expires_at: toRfc3339(approval.expiresAt),
  redeem_by: approval.redeemBy === null ? null : toRfc3339(approval.redeemBy),
  mint: { ...approval.binding },
  rules: [...approval.rules],
  policy: approval.policy,
  way: whenRouted(approval),
  rejection: approval.rejection === null ? null : { ...approval.rejection },
  narrows: approval.narrows === null ? null : { ...approval.narrows },
  lease: approval.lease,
});

/** No token decides, whoever holds it: an approval by token does not exist. */
approvals.post('/:id', (c) => refuseToken(c));
approvals.post('/:tenant/:id', (c) => refuseToken(c));

async function refuseToken(c: Context<Scope>): Promise<Response> {
  const operator = await operatorOf(c);
  if (!operator.ok) return problem(c, operator.error);
  const hint = 'Decide in the console, with your passkey.';
  return problem(c, failure('passkey_needed', 'no token decides on an approval', { hint }));
}
