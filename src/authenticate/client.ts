/**
 * Who calls at a tenant's OAuth endpoints: an agent with its key, an agent with its workload's token, or a target.
 */
import type { JsonObject } from '../core/canonical.ts';
import type { OneUse } from '../core/change/once.ts';
import { tenantIssuer } from '../core/issuer.ts';
import type { Snapshot } from '../core/snapshot.ts';
import type { Deps } from '../deps.ts';
import { ok } from '../core/result.ts';
import { decodeAssertion, verifyAssertion } from './assertion.ts';
import type { ClientCredentials } from './assertion.ts';
import { notTheClient } from './auth-failure.ts';
import type { Proven } from './auth-failure.ts';
import type { AgentPrincipal, TargetPrincipal } from './principal.ts';
import { isPlain } from './token.ts';
import { issuerOfWorkload, verifyWorkload } from './workload.ts';

export interface ProvenClient {
  readonly principal: AgentPrincipal | TargetPrincipal;
  /** To be spent with what it asks for; `null` for a workload's token, which is good until it ends. */
  readonly oneUse: OneUse | null;
  /** What a platform vouched for, for the ledger. */
  readonly vouched: JsonObject | null;
}

export async function authenticateClient(
  deps: Pick<Deps, 'publicUrl' | 'clock' | 'issuerKeys'>,
  snapshot: Snapshot,
  credentials: ClientCredentials,
): Promise<Proven<ProvenClient>> {
  const decoded = decodeAssertion(credentials);
  if (!decoded.ok) return notTheClient(decoded.error);
  const context = {
    issuer: tenantIssuer(deps.publicUrl, snapshot.tenant.name),
    now: deps.clock(),
    clientId: credentials.clientId,
  };
  const platform = issuerOfWorkload(snapshot, decoded.value);
  if (platform === null) {
    const proven = await verifyAssertion(snapshot, decoded.value, context);
    return proven.ok ? ok({ ...proven.value, vouched: null }) : proven;
  }
  if (!isPlain(decoded.value)) return notTheClient('another kind of token in a workload’s place');
  const proven = await verifyWorkload(snapshot, decoded.value, platform, { ...context, keys: deps.issuerKeys });
  return proven.ok ? ok({ ...proven.value, oneUse: null }) : proven;
}
