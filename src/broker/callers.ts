/**
 * Who calls, settled on a snapshot that is looked at again: an agent with a proof or a session, a client at the OAuth
 * endpoints. A caller unknown to a stale snapshot may be known to the one that follows, so a no is never stale.
 */
import type { Conditions } from '../core/change.ts';
import { makeEntry } from '../core/entry.ts';
import type { Actor } from '../core/entry.ts';
import { failure } from '../core/failure.ts';
import type { Failure } from '../core/failure.ts';
import type { TenantName } from '../core/ids.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { seconds } from '../core/time.ts';
import { sessionEntry } from '../attribute/record.ts';
import { failureIn, notTheClient, unauthenticated } from '../authenticate/auth-failure.ts';
import type { AuthFailure, Proven } from '../authenticate/auth-failure.ts';
import { authenticateClient } from '../authenticate/client.ts';
import type { ClientCredentials } from '../authenticate/assertion.ts';
import type { AgentPrincipal, TargetPrincipal } from '../authenticate/principal.ts';
import { signSession, verifySession } from '../authenticate/session.ts';
import type { Session } from '../authenticate/session.ts';
import type { Deps } from '../deps.ts';
import type { Asker } from '../use/introspect.ts';

/** How an agent shows who it is: by an assertion or its workload's token, or by a session that one of them opened. */
export type AgentProof =
  | { readonly by: 'client'; readonly credentials: ClientCredentials }
  | { readonly by: 'session'; readonly token: string };

/** Each try reads anew; more would only mean that the deployment is being rewritten all the time. */
const TRIES = 5;

const USED_BEFORE = failure('invalid_client', 'The client assertion was used before', {
  hint: 'Sign a fresh one.',
});
const UNKNOWN_TOKEN = failureIn(unauthenticated('no such tenant'));
const UNKNOWN_CLIENT = failureIn(notTheClient('no such tenant'));
export const CONTENDED = failure('contended', 'who may do what kept changing while this was decided', {
  retryAfter: seconds(1),
});

/** An agent opens a session: a token for this API, which says who it is and nothing of what it may do. */
export async function openSession(
  deps: Deps,
  tenant: TenantName,
  credentials: ClientCredentials,
): Promise<Result<Session>> {
  return trying<Session>(
    deps,
    tenant,
    async (snapshot) => {
      const caller = await authenticateAgent(deps, snapshot, { by: 'client', credentials });
      if (!caller.ok) return turnAway(deps, snapshot, caller.error);
      const { principal, oneUse } = caller.value;
      const now = deps.clock();
      const entry = makeEntry(sessionEntry(principal, snapshot, now), deps.random);
      const when = { epochs: snapshot.epochs, oneUse, idempotency: null };
      const opened = await deps.store.commit({ kind: 'session.open', tenant, when }, [entry]);
      if (opened.ok) return done(ok(await signSession(deps, snapshot, principal, now)));
      return opened.error.unmet === 'moved' ? again : usedBefore(deps, tenant);
    },
    UNKNOWN_CLIENT,
  );
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
  return trying<Client>(
    deps,
    tenant,
    async (snapshot) => {
      const client = await authenticateClient(deps, snapshot, credentials);
      if (!client.ok) return turnAway(deps, snapshot, client.error);
      const { principal, oneUse } = client.value;
      const when = { epochs: snapshot.epochs, oneUse, idempotency: null };
      const spent = oneUse === null ? ok(null) : await deps.store.commit({ kind: 'session.open', tenant, when }, []);
      if (spent.ok) return done(ok({ snapshot, ...askerOf(principal) }));
      return spent.error.unmet === 'moved' ? again : usedBefore(deps, tenant);
    },
    UNKNOWN_CLIENT,
  );
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

/** Whether a token is a session of the agent that asks about it. */
export async function isSessionOf(deps: Deps, { snapshot, asker }: Client, token: string): Promise<boolean> {
  if (asker.kind !== 'agent') return false;
  const session = await verifySession(deps, snapshot, token);
  return session.ok && session.value.agent.name === asker.agent;
}

/** Who holds a session, as they stand now. */
export async function agentOf(deps: Deps, tenant: TenantName, token: string): Promise<Result<AgentPrincipal>> {
  return trying<AgentPrincipal>(deps, tenant, async (snapshot) => {
    const caller = await verifySession(deps, snapshot, token);
    if (!caller.ok) return turnAway(deps, snapshot, caller.error);
    return (await isStale(deps, snapshot)) ? again : done(ok(caller.value));
  });
}

export async function authenticateAgent(
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

export type Step<T> = { readonly again: true } | { readonly again: false; readonly result: Result<T> };
export const again = { again: true } as const;
export const done = <T>(result: Result<T>): Step<T> => ({ again: false, result });

/** Reads, tries, and reads anew where an epoch had moved. */
export async function trying<T>(
  deps: Deps,
  tenant: TenantName,
  attempt: (snapshot: Snapshot) => Promise<Step<T>>,
  /** What a caller gets whose proof is of another tenant, so that it does not tell which there are. */
  unknownTenant: Failure = UNKNOWN_TOKEN,
): Promise<Result<T>> {
  for (let tries = 0; tries < TRIES; tries++) {
    const snapshot = await deps.store.snapshot(tenant);
    if (snapshot === null) return err(unknownTenant);
    const step = await attempt(snapshot);
    if (!step.again) return step.result;
    deps.store.forget(tenant);
  }
  return err(CONTENDED);
}

/** It may be a client that tries again, or somebody who has got hold of what another sent. */
export function usedBefore({ log }: Pick<Deps, 'log'>, tenant: TenantName): Step<never> {
  log.warn('caller.refused', { tenant, code: USED_BEFORE.code, why: 'the assertion was used before' });
  return done(err(USED_BEFORE));
}

/** A caller unknown to a stale snapshot may be known to the one that follows. */
export async function turnAway(
  deps: Deps,
  snapshot: Snapshot,
  { failure: refused, why }: AuthFailure,
): Promise<Step<never>> {
  if (await isStale(deps, snapshot)) return again;
  deps.log.info('caller.refused', { tenant: snapshot.tenant.name, code: refused.code, why });
  return done(err(refused));
}

export async function isStale(deps: Deps, { tenant, epochs }: Snapshot): Promise<boolean> {
  const now = await deps.store.epochs(tenant.name);
  return now === null || now.tenant !== epochs.tenant || now.deployment !== epochs.deployment;
}
