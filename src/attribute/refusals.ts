/** The count of refusals that are alike, in memory: the first of each kind is in the ledger before it counts. */
import { makeEntry } from '../core/entry.ts';
import type { RefusalKind, Refusals } from '../core/refusals.ts';
import type { Clock, Instant } from '../core/time.ts';
import type { Deps } from '../deps.ts';

/** After the first of its kind, those of this long are counted together. */
const WINDOW_MS = 60_000;
/** What was counted is written this often: a node that dies takes no more with it. */
const EVERY_MS = 5_000;
/** Kinds remembered at once; past that every refusal is written whole until a window ends. */
const KINDS = 10_000;

interface Open {
  readonly kind: RefusalKind;
  /** When one of it was written whole, or the window was opened anew. */
  since: Instant;
  count: number;
  /** When its count was last taken. */
  taken: Instant;
}

export function createRefusals(clock: Clock, window = WINDOW_MS): Refusals {
  const open = new Map<string, Open>();
  return {
    repeats(kind) {
      const seen = open.get(JSON.stringify(kind));
      if (seen === undefined) return false;
      const now = clock();
      const over = now - seen.since >= window;
      if (over && seen.count === 0) return false;
      // The window is over and its count is not yet written: it goes on, from now, until it is taken.
      if (over) seen.since = now;
      seen.count += 1;
      return true;
    },
    wrote(kind) {
      const key = JSON.stringify(kind);
      const now = clock();
      if (open.has(key) || open.size < KINDS) {
        open.set(key, { kind, since: now, count: open.get(key)?.count ?? 0, taken: now });
      }
    },
    take() {
      const now = clock();
      const counted = [...open.values()].filter(({ count, taken }) => count > 0 && now - taken >= EVERY_MS);
      const result = counted.map(({ kind, count }) => ({ kind, count }));
      for (const seen of counted) {
        seen.count = 0;
        seen.taken = now;
      }
      for (const [key, { since }] of open) if (now - since >= window) open.delete(key);
      return result;
    },
    giveBack({ kind, count }) {
      const seen = open.get(JSON.stringify(kind));
      if (seen === undefined) open.set(JSON.stringify(kind), { kind, since: clock(), count, taken: clock() });
      else seen.count += count;
    },
  };
}

const AGAIN = { request: 'request.forbidden_again', call: 'gateway.refused_again' } as const;

/** Writes what was counted: one entry for each kind. */
export async function writeRefusals(deps: Deps): Promise<void> {
  const inSetup = (await deps.store.deployment()).inSetup;
  await Promise.all(
    deps.refusals.take().map(async ({ kind, count }) => {
      const { tenant, agent, accountable, task, resource, code, rules } = kind;
      const entry = makeEntry(
        {
          tenant,
          kind: AGAIN[kind.of],
          at: deps.clock(),
          actor: { kind: 'agent', name: agent },
          accountable,
          inSetup,
          facts: { ...(task === '' ? {} : { task }), code, rules, count },
          ...(resource === '' ? {} : { said: { resource } }),
        },
        deps.random,
      );
      const change = { kind: 'refusal.count', tenant, agent, task, resource, code, count } as const;
      await deps.store.commit(change, [entry]).catch((fault: unknown) => {
        deps.refusals.giveBack({ kind, count });
        throw fault;
      });
    }),
  );
}
