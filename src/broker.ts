/**
 * The life of a request, composed from the stages: authenticate, decide, approve, issue, use, revoke, attribute.
 * Read this first. The surfaces translate to these few functions and add nothing to them.
 *
 * Decisions are optimistic and commits exact: each reads a snapshot, and a commit that finds an epoch moved changes
 * nothing; then everything, who is calling included, is looked at again.
 */
import type { Conditions, Idempotency, RequestRow, Unmet } from './core/change.ts';
import type { JsonObject } from './core/canonical.ts';
import { makeEntry } from './core/entry.ts';
import type { Actor, Receipt } from './core/entry.ts';
import { failure } from './core/failure.ts';
import { newId } from './core/ids.ts';
import type { ApprovalId, LeaseId, RequestId, TenantName } from './core/ids.ts';
import type { Lease } from './core/lease.ts';
import type { ProviderKind } from './core/registers.ts';
import type { AccessRequest } from './core/request.ts';
import { err, ok } from './core/result.ts';
import type { Result } from './core/result.ts';
import type { Epochs, Snapshot } from './core/snapshot.ts';
import { seconds, toRfc3339 } from './core/time.ts';
import type { Instant, Seconds } from './core/time.ts';
import { pendingApproval } from './approve/approval.ts';
import { decisionEntry, leaseEntry, overtakenEntry, sessionEntry } from './attribute/record.ts';
import type { Asking } from './attribute/record.ts';
import type { AuthFailure, Proven } from './authenticate/auth-failure.ts';
import { authenticateClient } from './authenticate/client.ts';
import type { ClientCredentials } from './authenticate/assertion.ts';
import type { AgentPrincipal, TargetPrincipal } from './authenticate/principal.ts';
import { signSession, verifySession } from './authenticate/session.ts';
import type { Session } from './authenticate/session.ts';
import { decide } from './decide/decide.ts';
import { failureOf } from './decide/decision.ts';
import { denial, forbid } from './decide/denial.ts';
import type { Ask, Decision, Forbid, Permit } from './decide/decision.ts';
import { parseAccessRequest } from './decide/request.ts';
import { publicDecision } from './decide/record.ts';
import type { Deps } from './deps.ts';
import { grantOfPermit } from './issue/grant.ts';
import { issue } from './issue/issue.ts';
import type { Issued, NotIssued } from './issue/issue.ts';
import { noticeOf } from './oversee/notice.ts';
import { sweep } from './revoke/sweep.ts';
import { writeRefusals } from './attribute/refusals.ts';
import { endLease } from './revoke/revoke.ts';
import type { Ended, Ending } from './revoke/revoke.ts';
import { killWithin } from './revoke/within.ts';
import type { Asker } from './use/introspect.ts';

/** How an agent shows who it is: by an assertion or its workload's token, or by a session that one of them opened. */
export type AgentProof =
  | { readonly by: 'client'; readonly credentials: ClientCredentials }
  | { readonly by: 'session'; readonly token: string };

/** Each try reads anew; more would only mean that the deployment is being rewritten all the time. */
const TRIES = 5;

/** Past this, expiry is not being watched, and nothing may be issued that would have to expire. */
const SWEEPER_LATE_MS = 30_000;

const USED_BEFORE = failure('invalid_client', 'The client assertion was used before', { hint: 'Sign a fresh one.' });
const NOTHING_HERE = failure('not_found', 'there is nothing here');
const CONTENDED = failure('contended', 'who may do what kept changing while this was decided', {
  retryAfter: seconds(1),
});

/** What an agent gets for an access request. */
export type Answer =
  | { readonly kind: 'issued'; readonly request: RequestId; readonly decision: JsonObject; readonly issued: Issued }
  /** The same request came before, under this idempotency key: its credential left then, and was not kept. */
  | {
      readonly kind: 'repeated';
      readonly request: RequestId;
      readonly decision: JsonObject;
      readonly lease: LeaseId | null;
    }
  | {
      readonly kind: 'asked';
      readonly request: RequestId;
      readonly decision: JsonObject;
      readonly approval: { readonly id: ApprovalId; readonly expiresAt: Instant };
      readonly receipt: Receipt;
    };

/** A POST that creates may carry a key, so that it can be sent again without being done again. */
export type Claim = Pick<Idempotency, 'route' | 'key' | 'digest'>;

/** An agent asks for one task at this tenant. */
export async function requestTask(
  deps: Deps,
  tenant: TenantName,
  asked: {
    readonly proof: AgentProof;
    readonly body: unknown;
    readonly claim: Claim | null;
    /** Where the answer has room for one kind of credential alone. */
    readonly only: ProviderKind | null;
  },
): Promise<Result<Answer>> {
  const request = parseAccessRequest(asked.body);
  if (!request.ok) return request;
  return trying<Answer>(deps, tenant, async (snapshot) => {
    const caller = await authenticateAgent(deps, snapshot, asked.proof);
    if (!caller.ok) return turnAway(deps, snapshot, caller.error);
    const { principal, oneUse } = caller.value;
    if (!hasRoom(snapshot, request.value, asked.only)) return done(err(NO_ROOM));
    const { clock, random } = deps;
    const at = clock();
    const asking: Asking = { id: newId('req', at, random), principal, request: request.value, snapshot, at };
    const idempotency = asked.claim === null ? null : { ...asked.claim, principal: `agent:${principal.agent.name}` };
    const when: Conditions = { epochs: snapshot.epochs, oneUse, idempotency };
    const decision = await decideNow(deps, asking);
    switch (decision.effect) {
      case 'forbid':
        return refuse(deps, asking, decision, when);
      case 'ask':
        return ask(deps, asking, decision, when);
      case 'permit':
        return grant(deps, asking, decision, when);
    }
  });
}

/** Under the policy that is active in the snapshot. A broker without one decides nothing. */
async function decideNow(deps: Deps, asking: Pick<Asking, 'snapshot' | 'principal' | 'request'>): Promise<Decision> {
  const { policy: version } = asking.snapshot.deployment;
  if (version === null) return forbid({ ...denial('policy_fault', 'no policy is active'), policy: null });
  const { rulebook, providers, channels } = deps;
  const policy = { bundle: await deps.bundles.at(version), rulebook, providers, channels: channels.length > 0 };
  return decide(policy, { ...asking, now: deps.clock() });
}

const NO_ROOM = failure('invalid_authorization_details', 'this task is not answered with a token', {
  hint: 'Ask for it at POST /t/{tenant}/requests.',
});

function hasRoom(snapshot: Snapshot, { target }: AccessRequest, only: ProviderKind | null): boolean {
  const provider = snapshot.targets.get(target)?.provider;
  return only === null || provider === undefined || provider === only;
}

/** A permit becomes a credential, as long as expiry is being watched. */
async function grant(deps: Deps, asking: Asking, permit: Permit, when: Conditions): Promise<Step<Answer>> {
  const sinceBeat = await deps.store.sinceBeat();
  if (sinceBeat === null || sinceBeat > SWEEPER_LATE_MS) {
    return done(
      err(failure('sweeper_late', 'expiry is not being watched, so nothing is issued', { retryAfter: seconds(5) })),
    );
  }
  const decision = publicDecision(permit);
  const issued = await issue(deps, grantOfPermit(permit, asking), {
    row: rowOf(asking, permit),
    when,
    entries: (lease, state) => [
      makeEntry(decisionEntry(asking, permit), deps.random),
      makeEntry(leaseEntry(asking, lease, state === 'active' ? 'lease.active' : 'lease.opening', null), deps.random),
    ],
    landed: (lease, { reference }) =>
      makeEntry({ ...leaseEntry(asking, lease, 'lease.active', reference), at: deps.clock() }, deps.random),
    overtaken: (lease) => makeEntry(overtakenEntry(asking, lease, deps.clock()), deps.random),
    notices: (lease) => noticeOf(deps, lease, permit),
    stillPermitted: () => decideAgain(deps, asking, permit),
  });
  if (issued.ok) return done(ok({ kind: 'issued', request: asking.id, decision, issued: issued.value }));
  return notIssued(deps, asking, issued.error);
}

/** After a mint: the very same must still be permitted, by whatever the epochs are now. */
async function decideAgain(deps: Deps, { principal, request }: Asking, before: Permit): Promise<Epochs | null> {
  deps.store.forget(principal.tenant);
  const snapshot = await deps.store.snapshot(principal.tenant);
  const enrolled = snapshot?.agents.get(principal.agent.name);
  const owner = enrolled === undefined ? undefined : snapshot?.deployment.persons.get(enrolled.agent.owner);
  if (snapshot === null || enrolled?.agent.active !== true || owner?.active !== true) return null;
  const decision = await decideNow(deps, { snapshot, principal: { ...principal, ...enrolled }, request });
  const same = decision.effect === 'permit' && mintsTheSame(decision.execution, before.execution);
  return same ? snapshot.epochs : null;
}

const mintsTheSame = (a: Permit['execution'], b: Permit['execution']): boolean =>
  a.role === b.role &&
  a.target.version === b.target.version &&
  a.ttl >= b.ttl &&
  a.uses === b.uses &&
  a.tier === b.tier &&
  JSON.stringify(a.template) === JSON.stringify(b.template);

async function ask(deps: Deps, asking: Asking, decision: Ask, when: Conditions): Promise<Step<Answer>> {
  const approval = pendingApproval(deps, asking.id);
  const more = { approval: approval.id, approval_expires_at: toRfc3339(approval.expiresAt) };
  const entry = makeEntry(decisionEntry(asking, decision, more), deps.random);
  const row = rowOf(asking, decision);
  const change = { kind: 'request.ask', tenant: asking.principal.tenant, when, request: row, approval } as const;
  const asked = await deps.store.commit(change, [entry]);
  if (!asked.ok) return unmet(deps, asking, asked.error);
  const [receipt] = asked.value.receipts;
  if (receipt === undefined) throw new Error('an ask was recorded without its entry');
  return done(ok({ kind: 'asked', request: asking.id, decision: publicDecision(decision), approval, receipt }));
}

/** The first refusal of its kind is written whole; those like it are counted. A stale no is not given. */
async function refuse(deps: Deps, asking: Asking, decision: Forbid, when: Conditions): Promise<Step<Answer>> {
  const { principal, request } = asking;
  const { reason } = decision;
  const refusal = {
    ...failureOf(reason),
    members: { request: asking.id, decision: publicDecision(decision) },
  };
  const kind = {
    tenant: principal.tenant,
    agent: principal.agent.name,
    task: request.task,
    resource: request.resource,
    code: reason.code,
    rules: reason.rules.join(' '),
  };
  // A one-use assertion has to be spent in any case, so such a refusal is always written.
  const alike = when.oneUse === null && !(await isStale(deps, asking.snapshot)) && !deps.refusals.first(kind);
  if (alike) return done(err(refusal));
  const change = { kind: 'request.refuse', tenant: principal.tenant, when, request: rowOf(asking, decision) } as const;
  const written = await deps.store.commit(change, [makeEntry(decisionEntry(asking, decision), deps.random)]);
  return written.ok ? done(err(refusal)) : unmet(deps, asking, written.error);
}

function rowOf({ id, principal, request, snapshot, at }: Asking, decision: Decision): RequestRow {
  return {
    id,
    agent: principal.agent.name,
    task: request.task,
    resource: request.resource,
    hash: request.hash,
    effect: decision.effect,
    decision: publicDecision(decision),
    asked: askedWire(request),
    at,
    policy: snapshot.deployment.policy ?? '',
  };
}

const askedWire = ({
  task,
  resource,
  parameters,
  reason,
  role,
  ttl,
  uses,
  circumstances,
}: AccessRequest): JsonObject => ({
  task,
  resource,
  parameters,
  reason,
  role,
  ttl,
  uses,
  ...(circumstances as JsonObject),
});

function notIssued(deps: Deps, asking: Asking, why: NotIssued): Promise<Step<Answer>> | Step<Answer> {
  return 'refused' in why ? done(err(why.refused)) : unmet(deps, asking, why.unmet);
}

/** What a commit that did not happen means for the caller. */
async function unmet(deps: Deps, asking: Asking, why: Unmet): Promise<Step<Answer>> {
  const { principal } = asking;
  switch (why.unmet) {
    case 'moved':
      return again;
    case 'replayed':
      return done(err(USED_BEFORE));
    case 'claimed':
      return done(await repeated(deps, principal, why));
    case 'state':
    case 'fenced':
    case 'retired':
    case 'taken':
    case 'second_function':
    case 'in_use':
    case 'missing':
      return done(err(failure('contended', 'this was overtaken by another change', { retryAfter: seconds(1) })));
  }
}

async function repeated(
  deps: Deps,
  { tenant }: AgentPrincipal,
  claimed: Extract<Unmet, { unmet: 'claimed' }>,
): Promise<Result<Answer>> {
  const before = claimed.same && claimed.request !== null ? await deps.store.request(tenant, claimed.request) : null;
  if (before === null) {
    const hint = 'Use a new key for a new request.';
    return err(failure('idempotency_mismatch', 'this idempotency key came with another body', { hint }));
  }
  const { id: request, decision, lease, approval } = before;
  switch (before.effect) {
    case 'permit':
      return ok({ kind: 'repeated', request, decision, lease });
    case 'ask':
      if (approval === null) throw new Error(`the request ${request} asked nobody`);
      return ok({ kind: 'repeated', request, decision, lease: null });
    case 'forbid':
      return err(failure('not_permitted', 'this was refused before', { members: { request, decision } }));
  }
}

/** An agent opens a session: a token for this API, which says who it is and nothing of what it may do. */
export async function openSession(
  deps: Deps,
  tenant: TenantName,
  credentials: ClientCredentials,
): Promise<Result<Session>> {
  return trying<Session>(deps, tenant, async (snapshot) => {
    const caller = await authenticateAgent(deps, snapshot, { by: 'client', credentials });
    if (!caller.ok) return turnAway(deps, snapshot, caller.error);
    const { principal, oneUse } = caller.value;
    const now = deps.clock();
    const entry = makeEntry(sessionEntry(principal, snapshot, now), deps.random);
    const when = { epochs: snapshot.epochs, oneUse, idempotency: null };
    const opened = await deps.store.commit({ kind: 'session.open', tenant, when }, [entry]);
    if (opened.ok) return done(ok(await signSession(deps, snapshot, principal, { now, random: deps.random })));
    if (opened.error.unmet === 'moved') return again;
    return done(err(USED_BEFORE));
  });
}

/** A client at the OAuth endpoints that ask about tokens, or end them. */
export interface Client {
  readonly snapshot: Snapshot;
  readonly asker: Asker;
  readonly actor: Actor;
}

/** Its assertion is spent; that it asked is no fact that the ledger keeps. */
export async function clientOf(
  deps: Deps,
  tenant: TenantName,
  credentials: ClientCredentials,
): Promise<Result<Client>> {
  return trying<Client>(deps, tenant, async (snapshot) => {
    const client = await authenticateClient(deps, snapshot, credentials);
    if (!client.ok) return turnAway(deps, snapshot, client.error);
    const { principal, oneUse } = client.value;
    const when = { epochs: snapshot.epochs, oneUse, idempotency: null };
    const spent = oneUse === null ? ok(null) : await deps.store.commit({ kind: 'session.open', tenant, when }, []);
    if (spent.ok) return done(ok({ snapshot, ...askerOf(principal) }));
    return spent.error.unmet === 'moved' ? again : done(err(USED_BEFORE));
  });
}

function askerOf(principal: AgentPrincipal | TargetPrincipal): Omit<Client, 'snapshot'> {
  return principal.kind === 'agent'
    ? {
        asker: { kind: 'agent', agent: principal.agent.name },
        actor: { kind: 'agent', name: principal.agent.name, by: principal.by },
      }
    : {
        asker: { kind: 'target', target: principal.target },
        actor: { kind: 'target', name: principal.target, by: 'private_key_jwt' },
      };
}

/** Who holds a session, as they stand now. */
export async function agentOf(deps: Deps, tenant: TenantName, token: string): Promise<Result<AgentPrincipal>> {
  return trying<AgentPrincipal>(deps, tenant, async (snapshot) => {
    const caller = await verifySession(deps, snapshot, token);
    if (!caller.ok) return turnAway(deps, snapshot, caller.error);
    return (await isStale(deps, snapshot)) ? again : done(ok(caller.value));
  });
}

/** Ends a lease: committed, done at the provider and proven, or still under way when `wait` has passed. */
export async function end(deps: Deps, lease: Lease, ending: Ending, wait: Seconds): Promise<Ended> {
  const ended = await endLease(deps, lease, ending);
  return { ...ended, lease: await killWithin(deps, ended.lease, wait) };
}

/** One pass of what is done without being asked: expiry, the queue, and what was counted. @returns whether more waits. */
export async function watch(deps: Deps): Promise<boolean> {
  const { expired, done: finished } = await sweep(deps);
  await writeRefusals(deps);
  return expired + finished > 0;
}

async function authenticateAgent(
  deps: Deps,
  snapshot: Snapshot,
  proof: AgentProof,
): Promise<Proven<{ readonly principal: AgentPrincipal; readonly oneUse: Conditions['oneUse'] }>> {
  if (proof.by === 'session') {
    const session = await verifySession(deps, snapshot, proof.token);
    return session.ok ? ok({ principal: session.value, oneUse: null }) : session;
  }
  const client = await authenticateClient(deps, snapshot, proof.credentials);
  if (!client.ok) return client;
  const { principal, oneUse } = client.value;
  if (principal.kind === 'agent') return ok({ principal, oneUse });
  const refused = failure('invalid_client', 'this is for agents', { hint: 'A target introspects and revokes.' });
  return err({ failure: refused, why: 'a target asked as an agent' });
}

type Step<T> = { readonly again: true } | { readonly again: false; readonly result: Result<T> };
const again = { again: true } as const;
const done = <T>(result: Result<T>): Step<T> => ({ again: false, result });

/** Reads, tries, and reads anew where an epoch had moved. */
export async function trying<T>(
  deps: Deps,
  tenant: TenantName,
  attempt: (snapshot: Snapshot) => Promise<Step<T>>,
): Promise<Result<T>> {
  for (let tries = 0; tries < TRIES; tries++) {
    const snapshot = await deps.store.snapshot(tenant);
    if (snapshot === null) return err(NOTHING_HERE);
    const step = await attempt(snapshot);
    if (!step.again) return step.result;
    deps.store.forget(tenant);
  }
  return err(CONTENDED);
}

/** A caller unknown to a stale snapshot may be known to the one that follows. */
async function turnAway(deps: Deps, snapshot: Snapshot, { failure: refused, why }: AuthFailure): Promise<Step<never>> {
  if (await isStale(deps, snapshot)) return again;
  deps.log.info('caller.refused', { tenant: snapshot.tenant.name, code: refused.code, why });
  return done(err(refused));
}

async function isStale(deps: Deps, { tenant, epochs }: Snapshot): Promise<boolean> {
  const now = await deps.store.epochs(tenant.name);
  return now === null || now.tenant !== epochs.tenant || now.deployment !== epochs.deployment;
}
