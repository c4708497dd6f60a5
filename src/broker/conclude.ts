/**
 * What came of calls, written down, and the end of leases whose last use is over. Those that end at about the same time are
 * written together: the use itself was in the ledger before its call went out.
 */
import { makeEntry } from '../core/entry.ts';
import type { Entry } from '../core/entry.ts';
import type { Gateway } from '../core/gateway/kept.ts';
import type { EntryId, LeaseId, TenantName } from '../core/ids.ts';
import type { Lease } from '../core/lease.ts';
import { StoreUnavailable } from '../core/store.ts';
import type { Deps } from '../deps.ts';
import type { Calling } from '../use/gateway/calling.ts';
import { answeredEntry, echoEntry } from '../use/gateway/record.ts';
import type { Outcome } from '../use/gateway/record.ts';
import { note } from './note.ts';
import { endSpent } from './uses.ts';

/** Until they are written: shorter than anybody looks. */
const GATHER_MS = 25;
/** Of a lease that other nodes count too, it is read back so often whether its last use was counted. */
const READ_BACK_MS = 500;
/** Until a store is asked again that did not answer. */
const AGAIN_MS = 500;
/** In one commit. */
const MOST_ENTRIES = 256;

interface Waiting {
  readonly entries: Map<TenantName, Entry[]>;
  /** Those whose last use was surely counted, and those of which it may have been. */
  readonly spent: Map<LeaseId, Lease>;
  readonly perhaps: Map<LeaseId, Lease>;
}

const waiting = new WeakMap<Gateway, Waiting>();

function waitingAt({ gateway }: Deps): Waiting {
  const known = waiting.get(gateway) ?? { entries: new Map(), spent: new Map(), perhaps: new Map() };
  waiting.set(gateway, known);
  return known;
}

/** How many uses this node has counted since it read a lease. */
const counted = new WeakMap<Lease, number>();

/** @param use the entry that counted it. */
export function conclude(deps: Deps, calling: Calling, use: EntryId, outcome: Outcome): void {
  const { lease, tool } = calling;
  const here = waitingAt(deps);
  const seen = { at: deps.clock(), node: deps.node };
  const entries = [makeEntry(answeredEntry(calling, use, outcome, seen), deps.random)];
  if (outcome.end === 'key_echoed') {
    deps.log.error('gateway.key_echoed', { tenant: lease.tenant, lease: lease.id, target: tool.version.name });
    entries.push(makeEntry(echoEntry(calling, use, tool, seen), deps.random));
  }
  const before = here.entries.get(lease.tenant) ?? [];
  if (here.entries.size === 0) deps.background(writeGathered(deps, here));
  here.entries.set(lease.tenant, before);
  before.push(...entries);
  lookForLast(deps, lease, here);
}

function lookForLast(deps: Deps, lease: Lease, { spent, perhaps }: Waiting): void {
  if (lease.uses === null) return;
  const since = (counted.get(lease) ?? 0) + 1;
  counted.set(lease, since);
  if (lease.used + since >= lease.uses) {
    spent.set(lease.id, lease);
    return;
  }
  if (perhaps.size === 0) deps.background(readBack(deps, perhaps));
  perhaps.set(lease.id, lease);
}

async function readBack(deps: Deps, perhaps: Waiting['perhaps']): Promise<void> {
  await deps.pause(READ_BACK_MS);
  const leases = [...perhaps.values()];
  perhaps.clear();
  await Promise.all(leases.map((lease) => endIfSpent(deps, lease)));
}

/** As long as a call of it is under way here, its answer is waited for. */
async function endIfSpent(deps: Deps, { uses, tenant, id }: Lease): Promise<void> {
  if (deps.gateway.open.has(id)) return;
  const lease = await deps.store.lease(tenant, id);
  if (lease?.state === 'active' && uses !== null && lease.used >= uses) await endSpent(deps, lease);
}

async function writeGathered(deps: Deps, here: Waiting): Promise<void> {
  // A node that closes does not wait, and writes all the same.
  await deps.pause(GATHER_MS).catch(() => undefined);
  const gathered = [...here.entries];
  const spent = [...here.spent.values()];
  here.entries.clear();
  here.spent.clear();
  // What is over is ended whether or not it can be written down now.
  const ending = Promise.allSettled(spent.map((lease) => endIfSpent(deps, lease)));
  await Promise.all(
    gathered.flatMap(([tenant, entries]) =>
      Array.from({ length: Math.ceil(entries.length / MOST_ENTRIES) }, (_, part) =>
        noteInTheEnd(deps, tenant, entries.slice(part * MOST_ENTRIES, (part + 1) * MOST_ENTRIES)),
      ),
    ),
  );
  const failed = (await ending).find((outcome) => outcome.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

/** What came of a call is known here alone, so it is written once the store answers again. None comes meanwhile. */
async function noteInTheEnd(deps: Deps, tenant: TenantName, entries: readonly Entry[]): Promise<void> {
  for (;;) {
    try {
      await note(deps, tenant, entries);
      return;
    } catch (fault) {
      if (!(fault instanceof StoreUnavailable)) throw fault;
    }
    await deps.pause(AGAIN_MS);
  }
}
