/** A breaker that has tripped, as if it had been counted. */
import { makeEntry } from '../../src/core/entry.ts';
import { newId } from '../../src/core/ids.ts';
import type { AgentName, TaskName, TenantName, TripId } from '../../src/core/ids.ts';
import { instant } from '../../src/core/time.ts';
import type { Deps } from '../../src/deps.ts';
import { random } from './store.ts';

/** Of triage-bot's routing of tickets, which asks from then on. */
export async function tripAt({ store, clock }: Pick<Deps, 'store' | 'clock'>, tenant: string): Promise<TripId> {
  const at = clock();
  const of = { tenant: tenant as TenantName, agent: 'triage-bot' as AgentName, task: 'ticket.route' as TaskName };
  const counts = { failed: 5 };
  const id = newId('trp', at, random);
  // Well after the one before it ended, which the database's clock says: a node's runs a little beside it.
  const from = instant(at + 1000);
  const trip = { id, ...of, breaker: 'failing', signal: 'failed', to: 'ask', counts, from, block: null } as const;
  const change = { kind: 'breaker.trip', trip, block: null, reason: 'r' } as const;
  const actor = { kind: 'broker', name: 'n' } as const;
  const draft = { tenant: of.tenant, kind: 'breaker.tripped', at, actor, facts: {}, accountable: null } as const;
  const entry = makeEntry({ ...draft, inSetup: false }, random);
  const done = await store.commit({ kind: 'register', change, work: [], deploymentEpoch: null }, [entry]);
  if (!done.ok) throw new Error(JSON.stringify(done.error));
  return id;
}
