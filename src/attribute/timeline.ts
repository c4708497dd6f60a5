/**
 * The story of one lease for a person: who, for whom, under which rule and policy version, every step with its time,
 * and how dead it is. Nothing here is remembered: it is read from the ledger.
 */
import type { JsonObject } from '../core/canonical.ts';
import { ENTRY_KINDS } from '../core/entry.ts';
import type { EntryKind } from '../core/entry.ts';
import type { Death, Lease } from '../core/lease.ts';
import type { KeptEntry } from '../core/store/requests.ts';
import { toRfc3339 } from '../core/time.ts';

export interface Step {
  readonly at: string;
  readonly entry: string;
  readonly leaf_hash: string;
  readonly kind: string;
  readonly actor: JsonObject;
  readonly accountable: string | null;
  readonly facts: JsonObject;
  readonly said: JsonObject;
  readonly seen: JsonObject;
}

export interface Timeline {
  readonly lease: string;
  readonly tenant: string;
  readonly agent: string;
  readonly accountable: string;
  readonly task: string;
  readonly resource: string;
  readonly role: string;
  readonly policy: string;
  readonly state: string;
  readonly death: JsonObject | null;
  readonly exposure_ms: number | null;
  readonly steps: readonly Step[];
}

export function timelineOf(lease: Lease, entries: readonly KeptEntry[]): Timeline {
  return {
    lease: lease.id,
    tenant: lease.tenant,
    agent: lease.agent,
    accountable: lease.owner,
    task: lease.task,
    resource: lease.resource,
    role: lease.role,
    policy: lease.policy,
    state: lease.state,
    death: deathShown(lease.death),
    exposure_ms: lease.exposure,
    steps: entries.toSorted(inOrder).map(stepOf),
  };
}

/** How dead, when, by which evidence, and the node that saw it. */
export const deathShown = (death: Death | null) =>
  death === null ? null : { how: death.how, at: toRfc3339(death.at), evidence: death.evidence, node: death.node };

/** What was written in one commit bears one time: a decision stands before what came of it. */
const inOrder = (a: KeptEntry, b: KeptEntry): number =>
  a.at - b.at || ENTRY_KINDS.indexOf(a.kind as EntryKind) - ENTRY_KINDS.indexOf(b.kind as EntryKind);

interface Leaf {
  readonly actor: JsonObject;
  readonly accountable: string | null;
  readonly facts: JsonObject;
}

function stepOf(entry: KeptEntry): Step {
  const leaf = JSON.parse(entry.text) as Leaf;
  return {
    at: toRfc3339(entry.at),
    entry: entry.id,
    leaf_hash: entry.leaf,
    kind: entry.kind,
    actor: leaf.actor,
    accountable: leaf.accountable,
    facts: leaf.facts,
    said: entry.said,
    seen: entry.seen,
  };
}
