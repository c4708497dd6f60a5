import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { PersonName, TenantName } from '../../src/core/ids.ts';
import { NO_CONTEXT, WEEKDAYS } from '../../src/core/registers.ts';
import type { DeploymentSnapshot, Snapshot } from '../../src/core/snapshot.ts';
import { instant } from '../../src/core/time.ts';
import { createSnapshots, noSnapshots } from '../../src/store/kept.ts';
import {
  ACME,
  ADA,
  agentOf,
  ALAN,
  assignmentOf,
  BIRCH,
  personOf,
  situationOf,
  testStore,
  TICKETS,
  TRIAGE,
} from '../support/store.ts';
import type { TestStore } from '../support/store.ts';

let test: TestStore;

const loaded = suite('snapshot');
loaded.before(async () => {
  test = await testStore();
});
loaded.after(() => test.close());

const holder = (name: PersonName) => ({ kind: 'person', name }) as const;

loaded('holds what stands at a tenant, with its epochs', async () => {
  const snapshot = await test.store.snapshot(ACME);
  assert.ok(snapshot !== null);
  assert.equal([...snapshot.agents.keys()].toSorted(), ['patch-bot', 'triage-bot']);
  assert.equal([...snapshot.targets.keys()], [TICKETS]);
  assert.equal(snapshot.agents.get(TRIAGE)?.agent, agentOf(TRIAGE));
  assert.is(snapshot.deployment.inSetup, false);
  assert.equal(await test.store.epochs(ACME), snapshot.epochs);
  assert.is(await test.store.snapshot('nowhere' as TenantName), null);
});

loaded('is kept, shared above, and read anew once it is forgotten', async () => {
  const [acme, again, birch] = [
    await test.store.snapshot(ACME),
    await test.store.snapshot(ACME),
    await test.store.snapshot(BIRCH),
  ];
  assert.is(again, acme);
  assert.is(birch?.deployment, acme?.deployment);
  assert.is(await test.store.deployment(), acme?.deployment);
  const other = await test.open();
  const change = { kind: 'agent.put', agent: agentOf(TRIAGE, { purpose: 'another' }) } as const;
  await other.commit({ kind: 'register', change, work: [], deploymentEpoch: null }, [test.entry()]);
  assert.is(await test.store.snapshot(ACME), acme, 'another node’s change is not known here');
  test.store.forget(ACME);
  const fresh = await test.store.snapshot(ACME);
  assert.is(fresh?.agents.get(TRIAGE)?.agent.purpose, 'another');
  assert.is((await test.store.snapshot(BIRCH))?.deployment, fresh?.deployment, 'the deployment moved for all');
});

loaded('keeps the deployment where only a tenant was forgotten', async () => {
  const above = await test.store.deployment();
  test.store.forget(ACME);
  assert.is((await test.store.snapshot(ACME))?.deployment, above);
  assert.is(await test.store.deployment(), above);
});

loaded('lapses at the earliest end of anything in it, and then holds it no more', async () => {
  const name = 'brief' as PersonName;
  const until = instant(test.clock() + 400);
  await test.change({ kind: 'person.put', person: personOf(name) });
  await test.change({ kind: 'assignment.put', assignment: assignmentOf(holder(name), 'approver', ACME, until) });
  const held = async () => (await test.store.snapshot(ACME))?.assignments.some((one) => one.holder.name === name);
  const first = await test.store.snapshot(ACME);
  assert.is(first?.lapsesAt, until);
  while (test.clock() <= until + 50) await new Promise((resolve) => setTimeout(resolve, 50));
  assert.is(await held(), false);
});

const DAY = 86_400_000;

loaded('lapses when what holds for the time being begins or ends', async () => {
  const now = test.clock();
  const soon = instant(now + DAY);
  const coming = situationOf(BIRCH, instant(now + 3 * DAY), { kind: 'freeze', from: soon });
  await test.change({ kind: 'situation.set', situation: coming });
  const before = await test.store.snapshot(BIRCH);
  assert.equal(before?.situations, [coming]);
  assert.is(before?.lapsesAt, soon);
  const open = situationOf(BIRCH, instant(now + 3_600_000));
  await test.change({ kind: 'situation.set', situation: open });
  assert.is((await test.store.snapshot(BIRCH))?.lapsesAt, open.until);
  await test.change({ kind: 'situation.end', tenant: BIRCH, situation: open.id, of: 'incident' });
  await test.change({ kind: 'situation.end', tenant: BIRCH, situation: coming.id, of: 'freeze' });
  assert.equal((await test.store.snapshot(BIRCH))?.situations, []);
});

loaded('holds nothing that is over, whether or not its row is there', async () => {
  await test.change({ kind: 'situation.set', situation: situationOf(BIRCH, instant(test.clock() - 1)) });
  assert.equal((await test.store.snapshot(BIRCH))?.situations, []);
});

loaded('lapses at the next edge of a change window', async () => {
  const context = { ...NO_CONTEXT, windows: [{ days: WEEKDAYS, from: '00:00', to: '12:00' }] };
  await test.change({ kind: 'context.put', tenant: BIRCH, context });
  const { lapsesAt = 0, windows = null } = (await test.store.snapshot(BIRCH)) ?? {};
  assert.is(lapsesAt % (DAY / 2), 0);
  assert.ok(lapsesAt - test.clock() <= DAY / 2);
  assert.ok(windows !== null && windows.length > 7);
  await test.change({ kind: 'context.put', tenant: BIRCH, context: NO_CONTEXT });
  assert.is((await test.store.snapshot(BIRCH))?.windows, null);
});

loaded('keeps the last two administrators beyond their dates', async () => {
  const past = instant(Date.now() - 1000);
  const { assignments } = await test.store.deployment();
  for (const assignment of assignments) {
    await test.change({ kind: 'assignment.put', assignment: { ...assignment, until: past } });
  }
  const names = async () => (await test.store.deployment()).assignments.map((one) => one.holder.name).toSorted();
  assert.equal(await names(), [ADA, ALAN]);
  for (const name of ['third', 'fourth'] as PersonName[]) {
    await test.change({ kind: 'person.put', person: personOf(name) });
    await test.change({ kind: 'assignment.put', assignment: assignmentOf(holder(name), 'administrator', null) });
  }
  assert.equal(await names(), ['fourth', 'third']);
});

loaded('leaves out an enrolment whose exception is over', async () => {
  const enrolment = {
    tenant: ACME,
    agent: TRIAGE,
    proof: { by: 'key', jwk: {}, thumbprint: 'excepted' },
    exception: { reason: 'r', author: 'ada' as never, until: instant(Date.now() - 1) },
  } as const;
  await test.change({ kind: 'enrolment.put', enrolment });
  assert.is((await test.store.snapshot(ACME))?.agents.has(TRIAGE), false);
});

loaded.run();

const kept = suite('kept snapshots');

function loading(sharing: boolean) {
  let reads = 0;
  const above: DeploymentSnapshot = {
    epoch: 1,
    inSetup: false,
    stopped: null,
    widening: null,
    policiesBefore: [],
    policy: null,
    reading: new Set(),
    persons: new Map(),
    absences: new Map(),
    operators: new Map(),
    passkeys: new Map(),
    issuers: [],
    vendors: new Map(),
    assignments: [],
    lapsesAt: instant(100),
  };
  const clock = { now: 0 };
  const waiting: (() => void)[] = [];
  const memory = noSnapshots();
  const snapshots = createSnapshots({
    tenant: async (name, keptAbove) => {
      reads++;
      await new Promise<void>((resolve) => waiting.push(resolve));
      const deployment = keptAbove ?? above;
      const agents = { size: 799 };
      const rest = { agents, assignments: [], situations: [], windows: null, targets: new Map(), keys: [] };
      return { tenant: { name }, deployment, lapsesAt: instant(50), ...rest } as unknown as Snapshot;
    },
    deployment: async () => above,
    clock: () => instant(clock.now),
    sharing,
    kept: memory,
  });
  const release = () => waiting.splice(0).forEach((resolve) => resolve());
  return { snapshots, clock, memory, release, reads: () => reads };
}

const named = (name: string) => name as TenantName;

kept('are read once by all who ask at once, and again when they have lapsed', async () => {
  const { snapshots, clock, release, reads } = loading(true);
  const asked = [snapshots.tenant(ACME), snapshots.tenant(ACME)];
  release();
  await Promise.all(asked);
  assert.is(reads(), 1);
  await snapshots.tenant(ACME);
  assert.is(reads(), 1);
  clock.now = 50;
  const again = snapshots.tenant(ACME);
  release();
  await again;
  assert.is(reads(), 2);
});

kept('are read by each for itself where promises may not be shared', async () => {
  const { snapshots, release, reads } = loading(false);
  const asked = [snapshots.tenant(ACME), snapshots.tenant(ACME)];
  release();
  await Promise.all(asked);
  assert.is(reads(), 2);
});

kept('are not what was being read when they were forgotten', async () => {
  const { snapshots, release, reads } = loading(true);
  const stale = snapshots.tenant(ACME);
  snapshots.forget(ACME);
  const fresh = snapshots.tenant(ACME);
  release();
  await Promise.all([stale, fresh]);
  assert.is(reads(), 2);
});

kept('are bounded by their rows, and go with the one that was not asked for the longest', async () => {
  const { snapshots, memory, release } = loading(true);
  for (let at = 0; at < 101; at++) {
    const asked = snapshots.tenant(named(`t${at}`));
    release();
    await asked;
    if (at === 99) await snapshots.tenant(named('t0'));
  }
  assert.is(memory.tenants.size, 100);
  assert.is(memory.rows, 80_000);
  assert.ok(memory.tenants.has(named('t0')));
  assert.not.ok(memory.tenants.has(named('t1')));
});

kept('count no row of what is forgotten', async () => {
  const { snapshots, memory, release } = loading(true);
  const asked = [snapshots.tenant(ACME), snapshots.tenant(BIRCH)];
  release();
  await Promise.all(asked);
  snapshots.forget(ACME);
  assert.is(memory.rows, 800);
  snapshots.forget(null);
  assert.is(memory.rows, 0);
});

kept.run();
