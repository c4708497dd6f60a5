import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { canonicalDigest } from '../../src/core/canonical.ts';
import type { Epochs } from '../../src/core/snapshot.ts';
import type { Store } from '../../src/core/store.ts';
import { epochsOf, opening, send } from '../support/lives.ts';
import { withAdmin } from '../support/postgres.ts';
import { ACME, agentOf, FUNCTIONS, testStore, TICKETS, targetOf, TRIAGE } from '../support/store.ts';
import type { TestStore } from '../support/store.ts';

const CHANGES = 20;
const CALLERS = 16;

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
        : ({
            kind: 'target.put',
            target: targetOf(ACME, TICKETS),
            audience: 'https://acme.example',
            secretHash: null,
          } as const);
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

const ACTIVATIONS = 20;
const LEASES = 1200;

/** Issues under the policy that its node knows, which it looks up again only when a commit says that it has moved. */
async function issueByPolicy(store: Store, counts: { issued: number; over: boolean }): Promise<void> {
  while (!counts.over) {
    const snapshot = await store.snapshot(ACME);
    if (snapshot === null || snapshot.deployment.policy === null) throw new Error('there is no world');
    const { change, entries } = opening({ epochs: snapshot.epochs });
    const { policy } = snapshot.deployment;
    const [request, lease] = [
      { ...change.request, policy },
      { ...change.lease, policy },
    ];
    const done = await store.commit({ ...change, request, lease }, entries);
    if (done.ok) counts.issued++;
    // Another may have looked meanwhile.
    else if ((await store.snapshot(ACME)) === snapshot) store.forget(ACME);
  }
}

async function activate(store: Store, version: string): Promise<string> {
  const files = { 'roles.yaml': version };
  const entry = test.entry();
  const change = {
    kind: 'policy.activate',
    version,
    files,
    functions: FUNCTIONS,
    reading: [],
    onlyFirst: false,
  } as const;
  const done = await store.commit({ kind: 'register', change, work: [], deploymentEpoch: null }, [entry]);
  assert.ok(done.ok);
  return entry.id;
}

/**
 * Both take their number under the lock, shared or alone, so that the numbers stand in the order of the commits: the
 * policy of a lease must be that of the last activation before it.
 */
race('leaves no lease under a policy older than one activated before its commit, by the rows of both', async () => {
  const other = await test.open();
  const counts = { issued: 0, over: false };
  const callers = Array.from({ length: CALLERS }, () => issueByPolicy(test.store, counts));
  const activations: { readonly entry: string; readonly version: string }[] = [];
  for (let at = 0; at < ACTIVATIONS; at++) {
    const version = canonicalDigest({ at });
    activations.push({ entry: await activate(other, version), version });
    const due = (LEASES / ACTIVATIONS) * (at + 1);
    while (counts.issued < due) await new Promise((resolve) => setTimeout(resolve, 5));
  }
  counts.over = true;
  await Promise.all(callers);
  const versions = JSON.stringify(activations);
  const rows = await withAdmin(
    test.database.admin,
    (sql) => sql<{ late: number; seen: number }[]>`
      with activated as materialized (
        select e.xmin::text::bigint as at, a.version
        from json_to_recordset(${versions}::text::json) as a(entry text, version text) join entries e on e.id = a.entry),
      issued as (
        select l.policy, (select a.version from activated a where a.at < l.xmin::text::bigint order by a.at desc limit 1) as active
        from leases l)
      select count(*) filter (where policy <> active)::int as late, count(distinct policy)::int as seen
      from issued where active is not null`,
  );
  console.log(`${counts.issued} leases under ${rows[0]?.seen} of ${activations.length} activations`);
  assert.ok(counts.issued >= LEASES, `${counts.issued} were issued`);
  assert.is(rows[0]?.late, 0);
  assert.ok((rows[0]?.seen ?? 0) > ACTIVATIONS / 2, 'there was a race');
});

/** Resolves when somebody waits for an advisory lock, or when `otherwise` is over. */
async function untilSomeoneWaits(otherwise: Promise<unknown>): Promise<void> {
  const settled = { is: false };
  const note = () => {
    settled.is = true;
  };
  otherwise.then(note, note);
  await withAdmin(test.database.admin, async (sql) => {
    const waits = () => sql`select 1 from pg_locks where locktype = 'advisory' and not granted
      and database = (select oid from pg_database where datname = current_database())`;
    while (!settled.is && (await waits()).length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  });
}

/**
 * A commit is held up after it has read the epochs, by a stranger's transaction over its assertion. Once it is let go,
 * the answers may come in either order: the server gives up a lock before it answers.
 */
race('lets no change of who may do what overtake a commit that has read the epochs', async () => {
  const other = await test.open();
  const before: string[] = [];
  const done: string[] = [];
  const epochs = await epochsOf(test.store);
  await withAdmin(test.database.admin, async (sql) => {
    const held = Promise.withResolvers<void>();
    const inserted = Promise.withResolvers<void>();
    const stranger = sql.begin(async (tx) => {
      await tx`insert into assertions values ('acme', ${TRIAGE}, 'held up', 1)`;
      inserted.resolve();
      await held.promise;
      throw new Error('roll back');
    });
    await inserted.promise;
    const issue = send(test.store, opening({ epochs, jti: 'held up' })).then(({ ok }) => done.push(`issued ${ok}`));
    await untilHeldUp();
    const change = { kind: 'agent.put', agent: agentOf(TRIAGE, { purpose: 'raised' }) } as const;
    const raise = other
      .commit({ kind: 'register', change, work: [], deploymentEpoch: null }, [test.entry()])
      .then(({ ok }) => done.push(`raised ${ok}`));
    await untilSomeoneWaits(raise);
    before.push(...done);
    held.resolve();
    await Promise.allSettled([stranger, issue, raise]);
  });
  assert.equal({ before, after: done.toSorted() }, { before: [], after: ['issued true', 'raised true'] });
});

async function untilHeldUp(): Promise<void> {
  await withAdmin(test.database.admin, async (sql) => {
    const waits = () => sql`select 1 from pg_stat_activity
      where datname = current_database() and usename = 'brevet' and wait_event_type = 'Lock'`;
    while ((await waits()).length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  });
}

race('makes two transactions of raw SQL wait for each other’s memberships', async () => {
  const member = (tenant: string, given: string) =>
    `insert into memberships values ('${tenant}', 'person', 'raced', '${given}')`;
  const enter = `set local role brevet_owner; set local brevet.tenants = '*,acme'`;
  const outcomes: string[] = [];
  await withAdmin(test.database.admin, (one) =>
    withAdmin(test.database.admin, async (two) => {
      const late = { started: Promise.resolve<unknown>(undefined) };
      await one.begin(async (first) => {
        await first.unsafe(`${enter}; ${member('*', 'administration')}`);
        late.started = two
          .begin((second) => second.unsafe(`${enter}; ${member('acme', 'oversight')}`).then(() => 'done'))
          .catch((fault: unknown) => String(fault))
          .then((outcome) => outcomes.push(outcome));
        await untilSomeoneWaits(late.started);
      });
      await late.started;
    }),
  );
  assert.match(outcomes.join(), /raced holds administration/);
});

race.run();
