/**
 * Whether a token is good now, for the API that it was made for. What is not active says nothing of itself.
 * @see RFC 7662 section 2.2
 */
import type { JsonObject } from '../core/canonical.ts';
import type { Actor } from '../core/entry.ts';
import { parseId } from '../core/ids.ts';
import { tenantIssuer } from '../core/issuer.ts';
import type { AgentName, LeaseId, TargetName } from '../core/ids.ts';
import type { Lease } from '../core/lease.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { numericDate } from '../core/time.ts';
import type { Deps } from '../deps.ts';
import { aliveNow } from './alive.ts';
import type { Alive } from './alive.ts';
import { exercise, isSpent } from './exercise.ts';
import { decodeUnverified, verifySignature } from '../authenticate/token.ts';

/** Who may ask: a target about tokens made for it, an agent about its own. */
export type Asker =
  { readonly kind: 'target'; readonly target: TargetName } | { readonly kind: 'agent'; readonly agent: AgentName };

export interface Introspected {
  readonly answer: JsonObject;
  /** The lease whose last use was counted just now: whoever composes the stages ends it. */
  readonly spent: Lease | null;
}

const INACTIVE: Introspected = { answer: { active: false }, spent: null };
const NOTHING_CONSUMED = { spent: false };

export interface Question {
  readonly asker: Asker;
  readonly token: string;
  /** The target's API, where it says that it is about to do what the token is for; `null`: it only looks. */
  readonly consumer: Actor | null;
}

/** One whose uses are not counted is looked at, and no more. @returns `null` where no use is left. */
async function consume(deps: Deps, alive: Alive, actor: Actor): Promise<{ readonly spent: boolean } | null> {
  if (alive.lease.uses === null) return NOTHING_CONSUMED;
  const used = await exercise(deps, alive, { actor, facts: { by: 'introspection' } });
  return used === null ? null : { spent: await isSpent(deps, used.lease) };
}

/** The `typ` of Brevet's access tokens. @see RFC 9068 section 2.1 */
const ACCESS_TOKEN = 'at+jwt';

export async function introspect(
  deps: Deps,
  snapshot: Snapshot,
  { asker, token, consumer }: Question,
): Promise<Introspected> {
  const named = await namedBy(deps, snapshot, token);
  const alive = named === null ? null : await aliveNow(deps, snapshot.tenant.name, named.id);
  if (named === null || alive === null || !mayKnow(asker, alive.lease)) return INACTIVE;
  const consumed = consumer === null ? NOTHING_CONSUMED : await consume(deps, alive, consumer);
  if (consumed === null) return INACTIVE;
  const { lease } = alive;
  const answer = {
    ...named.claims,
    active: true,
    token_type: 'Bearer',
    username: lease.agent,
    exp: numericDate(lease.expiresAt),
  };
  return { answer, spent: consumed.spent ? lease : null };
}

/** The lease of a token that is truly ours and that the asker may know of; whether it still lives is not looked at. */
export async function findLease(
  deps: Deps,
  snapshot: Snapshot,
  asker: Asker,
  token: string,
): Promise<{ readonly lease: Lease; readonly claims: JsonObject } | null> {
  const named = await namedBy(deps, snapshot, token);
  if (named === null) return null;
  const lease = await deps.store.lease(snapshot.tenant.name, named.id);
  return lease !== null && mayKnow(asker, lease) ? { lease, claims: named.claims } : null;
}

/** Of a token that is truly ours: which lease it is, and what it says. */
async function namedBy(
  deps: Deps,
  snapshot: Snapshot,
  token: string,
): Promise<{ readonly id: LeaseId; readonly claims: JsonObject } | null> {
  const claims = await verifyOurs(deps, snapshot, token);
  const id = parseId('lse', claims?.['jti']);
  return claims !== null && id.ok ? { id: id.value, claims } : null;
}

const mayKnow = (asker: Asker, lease: Lease): boolean =>
  asker.kind === 'target' ? lease.target === asker.target : lease.agent === asker.agent;

async function verifyOurs(deps: Deps, snapshot: Snapshot, text: string): Promise<JsonObject | null> {
  const decoded = decodeUnverified(text);
  if (!decoded.ok) return null;
  const token = decoded.value;
  const ours =
    token.type === ACCESS_TOKEN && token.claims['iss'] === tenantIssuer(deps.publicUrl, snapshot.tenant.name);
  const key = ours ? snapshot.keys.find(({ kid }) => kid === token.kid) : undefined;
  return key === undefined ? null : ((await verifySignature(token, key.publicJwk))?.claims ?? null);
}
