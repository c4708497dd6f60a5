/**
 * Whether a token is good now, for the API that it was made for. What is not active says nothing of itself.
 * @see RFC 7662 section 2.2
 */
import type { JsonObject } from '../core/canonical.ts';
import { parseId } from '../core/ids.ts';
import { tenantIssuer } from '../core/issuer.ts';
import type { AgentName, TargetName } from '../core/ids.ts';
import type { Lease } from '../core/lease.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { numericDate } from '../core/time.ts';
import type { Deps } from '../deps.ts';
import { decodeUnverified, verifySignature } from '../authenticate/token.ts';

/** Who may ask: a target about tokens made for it, an agent about its own. */
export type Asker =
  { readonly kind: 'target'; readonly target: TargetName } | { readonly kind: 'agent'; readonly agent: AgentName };

const INACTIVE = { active: false } as const;

/** The `typ` of Brevet's access tokens. @see RFC 9068 section 2.1 */
const ACCESS_TOKEN = 'at+jwt';

export async function introspect(deps: Deps, snapshot: Snapshot, asker: Asker, token: string): Promise<JsonObject> {
  const found = await findLease(deps, snapshot, asker, token);
  if (found === null) return INACTIVE;
  const { lease, claims } = found;
  if (lease.state !== 'active' || deps.clock() >= lease.expiresAt) return INACTIVE;
  return {
    ...claims,
    active: true,
    token_type: 'Bearer',
    username: lease.agent,
    exp: numericDate(lease.expiresAt),
  };
}

/** The lease of a token that is truly ours and that the asker may know of; whether it still lives is not looked at. */
export async function findLease(
  deps: Deps,
  snapshot: Snapshot,
  asker: Asker,
  token: string,
): Promise<{ readonly lease: Lease; readonly claims: JsonObject } | null> {
  const claims = await verifyOurs(deps, snapshot, token);
  const id = parseId('lse', claims?.['jti']);
  if (claims === null || !id.ok) return null;
  const lease = await deps.store.lease(snapshot.tenant.name, id.value);
  return lease !== null && mayKnow(asker, lease) ? { lease, claims } : null;
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
