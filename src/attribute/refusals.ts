/** The count of refusals that are alike, in memory: the first of each kind is in the ledger before it counts. */
import { makeEntry } from '../core/entry.ts';
import type { Refusals } from '../core/refusals.ts';
import type { Clock, Instant } from '../core/time.ts';
import type { Deps } from '../deps.ts';

/** After the first of its kind, those of this long are counted together. */
const WINDOW_MS = 60_000;
/** Kinds remembered at once; past that every refusal is written whole until a window ends. */
const KINDS = 10_000;

export function createRefusals(clock: Clock, window = WINDOW_MS): Refusals {
  const open = new Map<string, { readonly kind: Parameters<Refusals['first']>[0]; since: Instant; count: number }>();
  return {
    first(kind) {
      const key = JSON.stringify(kind);
      const seen = open.get(key);
      const now = clock();
      if (seen !== undefined && now - seen.since < window) {
        seen.count += 1;
        return false;
      }
      if (seen !== undefined && seen.count > 0) return keepCount(seen, now);
      if (open.size < KINDS) open.set(key, { kind, since: now, count: 0 });
      return true;
    },
    take() {
      const now = clock();
      const counted = [...open.values()].filter(({ count }) => count > 0);
      const result = counted.map(({ kind, count }) => ({ kind, count }));
      for (const seen of counted) seen.count = 0;
      for (const [key, { since }] of open) if (now - since >= window) open.delete(key);
      return result;
    },
  };
}

/** The window is over and its count is not yet written: it goes on counting, from now, until it is taken. */
function keepCount(seen: { since: Instant; count: number }, now: Instant): false {
  seen.since = now;
  seen.count += 1;
  return false;
}

/** Writes what was counted: one entry for each kind. */
export async function writeRefusals(deps: Deps): Promise<void> {
  const inSetup = (await deps.store.deployment()).inSetup;
  await Promise.all(
    deps.refusals.take().map(async ({ kind, count }) => {
      const { tenant, agent, task, resource, code, rules } = kind;
      const entry = makeEntry(
        {
          tenant,
          kind: 'request.forbidden_again',
          at: deps.clock(),
          actor: { kind: 'agent', name: agent },
          accountable: null,
          inSetup,
          facts: { task, code, rules, count },
          said: { resource },
        },
        deps.random,
      );
      await deps.store.commit({ kind: 'refusal.count', tenant, agent, task, resource, code, count }, [entry]);
    }),
  );
}
