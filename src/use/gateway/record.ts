/** What the ledger says of a call: method, path, status, sizes and a digest; never contents, never the key. */
import type { EntryDraft } from '../../core/entry.ts';
import type { FailureCode } from '../../core/failure.ts';
import type { EntryId } from '../../core/ids.ts';
import type { Lease } from '../../core/lease.ts';
import type { Milliseconds } from '../../core/time.ts';
import type { Instant } from '../../core/time.ts';
import type { Snapshot } from '../../core/snapshot.ts';
import { sha256Hex } from '../../core/digest.ts';
import { queryOf } from '../../core/gateway/text.ts';
import type { AgentPrincipal } from '../../authenticate/principal.ts';
import type { Tally } from './answer.ts';
import type { Tool } from './key.ts';
import type { Called, Matched } from './match.ts';

interface Of {
  readonly lease: Lease;
  readonly principal: AgentPrincipal;
  readonly snapshot: Snapshot;
}

export const usedEntry = (of: Of, { call, query }: Matched, { version }: Tool, at: Instant): EntryDraft => ({
  ...common(of, at),
  kind: 'lease.used',
  actor: { kind: 'agent', name: of.lease.agent, by: 'lease_token' },
  facts: { method: call.method, path: call.template, target: version.name, target_version: version.version },
  said: { path: call.path, ...digestOf(call, query) },
});

/** Of what the agent itself chose to ask. */
function digestOf({ query: rules }: Matched['call'], query: Matched['query']): { readonly query_digest?: string } {
  const chosen = query.filter(([name]) => 'matches' in (rules[name] ?? {}));
  return chosen.length === 0 ? {} : { query_digest: sha256Hex(queryOf(chosen)) };
}

export interface Outcome extends Tally {
  /** `null`: there was none. */
  readonly status: number | null;
  readonly sent: number | null;
  readonly took: Milliseconds;
}

export const answeredEntry = (of: Of, use: EntryId, outcome: Outcome, { at, node }: Seen): EntryDraft => ({
  ...common(of, at),
  kind: 'gateway.answered',
  actor: { kind: 'broker', name: node },
  facts: {
    use,
    status: outcome.status,
    end: outcome.end,
    ...(outcome.sent === null ? {} : { sent_bytes: outcome.sent }),
    answer_bytes: outcome.bytes,
    ms: outcome.took,
  },
  seen: { sha256: outcome.digest },
});

interface Seen {
  readonly at: Instant;
  readonly node: string;
}

/** Which target gave its key away, so that it is changed. */
export const echoEntry = (of: Of, use: EntryId, { version }: Tool, { at, node }: Seen): EntryDraft => ({
  ...common(of, at),
  kind: 'gateway.key_echoed',
  actor: { kind: 'broker', name: node },
  facts: { use, target: version.name, target_version: version.version },
});

/** Longer than any path that an agent is told. */
const LONGEST_PATH = 512;

/** By its path alone, since a query may say anything. */
export const refusedEntry = (lease: Lease, { called: { method, target }, code, inSetup, at }: Refused): EntryDraft => ({
  tenant: lease.tenant,
  at,
  accountable: lease.owner,
  request: lease.request,
  lease: lease.id,
  inSetup,
  kind: 'gateway.refused',
  actor: { kind: 'agent', name: lease.agent, by: 'lease_token' },
  facts: { code, target: lease.target, task: lease.task },
  said: { method, ...(target === null ? {} : { path: (target.split('?')[0] ?? '').slice(0, LONGEST_PATH) }) },
});

interface Refused {
  readonly called: Called;
  readonly code: FailureCode;
  readonly inSetup: boolean;
  readonly at: Instant;
}

const common = ({ lease, principal, snapshot }: Of, at: Instant) => ({
  tenant: lease.tenant,
  at,
  accountable: principal.agent.owner,
  request: lease.request,
  lease: lease.id,
  inSetup: snapshot.deployment.inSetup,
});
