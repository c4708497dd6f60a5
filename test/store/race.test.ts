import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Epochs } from '../../src/core/snapshot.ts';
import type { Store } from '../../src/core/store.ts';
import { epochsOf, opening, send } from '../support/lives.ts';
import { withAdmin } from '../support/postgres.ts';
import { ACME, agentOf, testStore, TICKETS, targetOf, TRIAGE } from '../support/store.ts';
import type { TestStore } from '../support/store.ts';

const CHANGES = 120;
const CALLERS = 24;

let test: TestStore;

const race = suite('race');
race.before(async () => {
  test = await testStore();
});
race.after(() => test.close());

interface Issued {
  readonly lease: string;
  readonly under: Epochs;
}

async function issueUntil(store: Store, isOver: () => boolean): Promise<Issued[]> {
  const issued: Issued[] = [];
  let under = await epochsOf(store);
  while (!isOver()) {
    const life = opening({ epochs: under });
    const done = await send(store, life);
    if (done.ok) issued.push({ lease: life.change.lease.id, under });
    else under = await epochsOf(store);
  }
  return issued;
}

/**
 * A change notes, in its own transaction, which leases it could see: what a cascade would end. Any lease that it could
 * not see must have been issued under its epochs or later ones.
 */
race('issues nothing under epochs that were raised before, on two nodes, over thousands of tries', async () => {
  const other = await test.open();
  let over = false;
  const callers = Array.from({ length: CALLERS }, (_, at) => issueUntil(at % 2 === 0 ? test.store : other, () => over));
  const seen: { readonly after: Epochs; readonly leases: ReadonlySet<string> }[] = [];
  for (let at = 0; at < CHANGES; at++) {
    const store = at % 2 === 0 ? other : test.store;
    const change =
      at % 3 === 0
        ? ({ kind: 'agent.put', agent: agentOf(TRIAGE, { purpose: `${at}` }) } as const)
        : ({ kind: 'target.put', target: targetOf(ACME, TICKETS), audience: 'https://acme.example' } as const);
    const done = await store.commit({ kind: 'register', change, work: [], deploymentEpoch: null }, [test.entry()]);
    assert.ok(done.ok);
    const after = await epochsOf(store);
    seen.push({ after, leases: await visible() });
  }
  over = true;
  const issued = (await Promise.all(callers)).flat();
  assert.ok(issued.length > 1000, `${issued.length} were issued`);
  const late = seen.flatMap(({ after, leases }) =>
    issued.filter(
      ({ lease, under }) => !leases.has(lease) && (under.tenant < after.tenant || under.deployment < after.deployment),
    ),
  );
  assert.equal(late, []);
});

async function visible(): Promise<Set<string>> {
  const rows = await withAdmin(test.database.admin, (sql) => sql`select id from leases`);
  return new Set(rows.map((row) => row['id'] as string));
}

race.run();
