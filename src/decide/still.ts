/**
 * Whether what is live would be given today, under this policy and with what is known now. Pure; whoever asks ends what
 * would not be.
 */
import type { JsonObject } from '../core/canonical.ts';
import type { LeaseTerms } from '../core/lease.ts';
import type { AccessRequest } from '../core/request.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { after } from '../core/time.ts';
import type { Instant } from '../core/time.ts';
import { decide } from './decide.ts';
import type { Policy } from './decide.ts';
import type { Execution } from './decision.ts';

/** A credential that is live, and what it was asked with. */
export interface Living {
  readonly lease: Pick<LeaseTerms, 'agent' | 'approval' | 'role' | 'openedAt' | 'expiresAt'>;
  readonly request: AccessRequest;
  /** The task class's part for the provider when it was minted; `null` where that is not known any more. */
  readonly template: JsonObject | null;
  /** It takes back what oversight ordered taken back. */
  readonly ordered: boolean;
}

/** @returns why it would not be given as it is, or `null`. */
export function whyNotStill(
  policy: Policy,
  { lease, request, template, ordered }: Living,
  { snapshot, now }: { readonly snapshot: Snapshot; readonly now: Instant },
): string | null {
  const enrolled = snapshot.agents.get(lease.agent);
  if (enrolled === undefined) return 'unknown_agent';
  const tenant = snapshot.tenant.name;
  // Who launched it matters to who approves and oversees, and was settled when it was asked.
  const principal = { kind: 'agent', tenant, ...enrolled, by: 'private_key_jwt', launchedBy: null } as const;
  // A role that was named once more would now be one of several; how many tenants there were was counted then.
  const asked = { ...request, role: lease.role };
  const decision = decide(policy, { snapshot, principal, request: asked, now, manyTenants: false, ordered });
  if (decision.effect === 'forbid') return decision.reason.code;
  // A person has said yes to the very same.
  if (decision.effect === 'ask' && lease.approval === null) return 'asks';
  return isWider(lease, template, decision.execution, now);
}

/** It lets the agent do other things, or for longer, than it would be let do now. */
function isWider(
  { openedAt, expiresAt }: Living['lease'],
  template: JsonObject | null,
  today: Execution,
  now: Instant,
): string | null {
  if (JSON.stringify(template) !== JSON.stringify(today.template)) return 'minted_otherwise';
  return expiresAt > after(now, today.ttl) && expiresAt > after(openedAt, today.ttl) ? 'lives_longer' : null;
}
