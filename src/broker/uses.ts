/** A use of a credential, and what comes of its last one. */
import type { JsonObject } from '../core/canonical.ts';
import type { Lease } from '../core/lease.ts';
import { introspect } from '../use/introspect.ts';
import { endLease } from '../revoke/revoke.ts';
import type { Deps } from '../deps.ts';
import type { Client } from './callers.ts';

/** @param consumes whether the asking target is about to do what the token is for, and so uses it. */
export async function introspectFor(
  deps: Deps,
  { snapshot, asker, actor }: Client,
  { token, consumes }: { readonly token: string; readonly consumes: boolean },
): Promise<JsonObject> {
  const { answer, spent } = await introspect(deps, snapshot, { asker, token, consumer: consumes ? actor : null });
  if (spent !== null) await endSpent(deps, spent);
  return answer;
}

/** The count refuses any further use from here on; this ends what is left of it. */
export async function endSpent(deps: Deps, lease: Lease): Promise<void> {
  const actor = { kind: 'broker', name: deps.node } as const;
  await endLease(deps, lease, { cause: 'spent', actor, reason: null, outcome: null, killer: 'queue' });
}
