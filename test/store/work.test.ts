import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { NewWork, WorkTask } from '../../src/core/change.ts';
import { newId } from '../../src/core/ids.ts';
import type { TargetName, TenantName, WorkId } from '../../src/core/ids.ts';
import type { ClaimedWork } from '../../src/core/store/queue.ts';
import { instant, seconds } from '../../src/core/time.ts';
import { createLink } from '../../src/store/link.ts';
import type { Link } from '../../src/store/link.ts';
import { createQueue } from '../../src/store/work.ts';
import { epochsOf, move, opening, send } from '../support/lives.ts';
import { withAdmin } from '../support/postgres.ts';
import { ACME, BIRCH, random, testStore, TRIAGE } from '../support/store.ts';
import type { TestStore } from '../support/store.ts';

const HOUR_MS = 3_600_000;

let test: TestStore;

const queue = suite('work');
queue.before(async () => {
  test = await testStore();
});
queue.before.each(async () => {
  await withAdmin(test.database.admin, (sql) => sql`delete from work`);
});
queue.after(() => test.close());

/** @param at the target of a kill, and which version of it; `null`: a digest, which is at none. */
async function enqueue(
  tenant: TenantName,
  count: number,
  due = -1000,
  at: string | null = 'shop-db',
  task: 'kill' | 'clean' = 'kill',
): Promise<void> {
  const [target, version] = at?.split(' ') ?? [];
  const life = opening({ epochs: await epochsOf(test.store, tenant), tenant });
  const lease = life.change.lease.id;
  const what: WorkTask =
    at === null
      ? { task: 'digest', tenant, from: instant(0), until: instant(1) }
      : { task, tenant, lease, target: target as TargetName, version: Number(version ?? 1) };
  const work = Array.from({ length: count }, (_, nth): NewWork => {
    const when = instant(Date.now() + due + nth);
    return { id: newId('wrk', when, random), due: when, what };
  });
  assert.ok((await test.store.commit({ ...life.change, work }, life.entries)).ok);
}

const tenantsOf = (claimed: readonly ClaimedWork[]) => claimed.map(({ what }) => String(what.tenant)).toSorted();
const placesOf = (claimed: readonly ClaimedWork[]) =>
  claimed.map(({ what }) => ('target' in what ? String(what.target) : what.task)).toSorted();
const longest = seconds(60);

queue('is claimed once, when it is due, oldest first', async () => {
  await enqueue(ACME, 3);
  await enqueue(BIRCH, 1, 60_000);
  const first = await test.store.claim(2, 10, longest);
  assert.is(first.length, 2);
  assert.ok(first.every(({ attempt }) => attempt === 1));
  const rest = await test.store.claim(10, 10, longest);
  assert.is(rest.length, 1);
  assert.equal(new Set([...first, ...rest].map(({ work }) => work)).size, 3);
  assert.equal(await test.store.claim(10, 10, longest), []);
});

queue('gives one target no more than its share, counted with what is in hand', async () => {
  await enqueue(ACME, 9, -9000, 'far-db');
  await enqueue(BIRCH, 2, -1000, 'far-db');
  assert.equal(tenantsOf(await test.store.claim(10, 3, longest)), [ACME, ACME, ACME, BIRCH, BIRCH]);
  await enqueue(ACME, 2, -1000, 'near-db');
  await enqueue(ACME, 4, -1000, null);
  assert.equal(placesOf(await test.store.claim(10, 3, longest)), ['digest', 'digest', 'digest', 'near-db', 'near-db']);
  assert.equal(await test.store.claim(10, 3, longest), []);
});

queue('gives one target the share that it has earned, or lost, and the others theirs', async () => {
  await enqueue(ACME, 6, -9000, 'far-db');
  await enqueue(ACME, 6, -9000, 'near-db');
  await enqueue(BIRCH, 6, -9000, 'far-db');
  const shares = { [`${ACME} far-db 1`]: 1, [`${ACME} near-db 1`]: 5 };
  const claimed = await test.store.claim(20, 3, longest, shares);
  assert.equal(placesOf(claimed.filter(({ what }) => what.tenant === ACME)), [
    'far-db',
    ...Array<string>(5).fill('near-db'),
  ]);
  assert.is(claimed.filter(({ what }) => what.tenant === BIRCH).length, 3);
});

const tasksOf = (claimed: readonly ClaimedWork[]) => claimed.map(({ what }) => what.task).toSorted();

queue('kills at a target before it cleans up after the dead there, whatever was due first', async () => {
  await enqueue(ACME, 5, -9000, 'shop-db', 'clean');
  await enqueue(ACME, 2, -1000, 'shop-db', 'kill');
  assert.equal(tasksOf(await test.store.claim(10, 3, longest)), ['clean', 'kill', 'kill']);
  assert.equal(await test.store.claim(10, 3, longest), []);
});

queue('kills at a target while its whole share is cleaning up there', async () => {
  await enqueue(ACME, 5, -9000, 'shop-db', 'clean');
  assert.is((await test.store.claim(10, 3, longest)).length, 3);
  await enqueue(ACME, 5, -1000, 'shop-db', 'kill');
  assert.equal(tasksOf(await test.store.claim(10, 3, longest)), ['kill', 'kill', 'kill']);
  assert.equal(await test.store.claim(10, 3, longest), [], 'and no more than it may');
});

queue(
  'takes a target for another since it was repointed, and what was left before versions were told apart',
  async () => {
    await enqueue(ACME, 6, -9000, 'shop-db 1');
    await enqueue(ACME, 2, -1000, 'shop-db 2');
    const claimed = await test.store.claim(20, 3, longest, { [`${ACME} shop-db 1`]: 1 });
    assert.equal(
      claimed.map(({ what }) => ('version' in what ? what.version : null)),
      [1, 2, 2],
    );
    await withAdmin(
      test.database.admin,
      (sql) => sql`update work set what = (what::jsonb - 'version')::json, held_until = 0`,
    );
    assert.is((await test.store.claim(20, 3, longest)).length, 3);
  },
);

queue('takes tenants in turn, whatever they have in hand and however many of their targets wait', async () => {
  for (const target of ['a', 'b', 'c']) await enqueue(ACME, 2, -9000, target);
  await enqueue(BIRCH, 2);
  assert.equal(tenantsOf(await test.store.claim(4, 3, longest)), [ACME, ACME, BIRCH, BIRCH]);
  await enqueue(BIRCH, 3, -1000, 'other');
  assert.equal(tenantsOf(await test.store.claim(4, 3, longest)), [ACME, ACME, BIRCH, BIRCH]);
});

queue('lets those have their turn who have less in hand', async () => {
  await enqueue(ACME, 3, -9000, 'a');
  await test.store.claim(3, 3, longest);
  await enqueue(ACME, 3, -9000, 'b');
  await enqueue(BIRCH, 3);
  assert.equal(tenantsOf(await test.store.claim(4, 3, longest)), [ACME, BIRCH, BIRCH, BIRCH]);
});

queue('is claimed by one of two nodes', async () => {
  const other = await test.open();
  await enqueue(ACME, 30);
  const claims = await Promise.all(
    [test.store, other, test.store, other].map((store) => store.claim(10, 100, longest)),
  );
  const ids = claims.flat().map(({ work }) => work);
  assert.is(new Set(ids).size, ids.length);
});

/** The clock is read once the claim has seen what is free, and here it waits until another node has taken that. */
queue('is not claimed where another node took it since it was seen to be free', async () => {
  const LOCK = 7_261_011;
  await enqueue(ACME, 1);
  await withAdmin(test.database.admin, async (sql) => {
    const [row] = await sql<{ clock: string }[]>`select pg_get_functiondef('brevet_now'::regproc) as clock`;
    await sql.unsafe(`create or replace function brevet_now() returns bigint language plpgsql volatile as 'begin
      perform pg_advisory_lock_shared(${LOCK}); return (extract(epoch from clock_timestamp()) * 1000)::bigint; end'`);
    await sql`select pg_advisory_lock(${LOCK})`;
    const claiming = test.store.claim(1, 1, longest);
    for (let waiting = false; !waiting;) {
      waiting = (await sql`select from pg_locks where objid = ${LOCK} and not granted`).length > 0;
    }
    await sql`update work set held_until = ${Date.now() + 30_000}`;
    await sql`select pg_advisory_unlock(${LOCK})`;
    assert.equal(await claiming, []);
    await sql.unsafe(row?.clock ?? '');
  });
});

queue('comes back when its hold is over, as a later attempt, and an older one changes nothing', async () => {
  await enqueue(ACME, 1);
  const [older] = await test.store.claim(1, 1, seconds(0));
  const [newer] = await test.store.claim(1, 1, longest);
  assert.ok(older !== undefined && newer !== undefined);
  assert.is(newer.attempt, older.attempt + 1);
  await test.store.defer(older, instant(0), 'not yet');
  await test.store.finish(older);
  assert.equal(await test.store.claim(1, 1, longest), [], 'still held by the newer one');
  await test.store.defer(newer, instant(Date.now() - 1), 'not yet');
  const [third] = await test.store.claim(1, 1, longest);
  assert.is(third?.work, newer.work);
  assert.ok(third !== undefined);
  await test.store.finish(third);
  await test.store.finish({ work: 'wrk_none' as WorkId, attempt: 1 });
  const [left] = await withAdmin(test.database.admin, (sql) => sql`select count(*)::int as n from work`);
  assert.is(left?.['n'], 0);
});

queue('lists what is live, over all tenants, and what is past its end', async () => {
  const none = { tenant: null, agent: null, owner: null, target: null, role: null };
  const past = instant(Date.now() + 3_600_000);
  await withAdmin(test.database.admin, (sql) => sql`delete from leases`);
  const ids = [];
  for (const tenant of [ACME, BIRCH]) {
    const life = opening({ epochs: await epochsOf(test.store, tenant), tenant, state: 'opening' });
    await send(test.store, life);
    ids.push({ tenant, lease: life.change.lease.id });
  }
  assert.equal(await test.store.live(none, {}, 10), ids);
  assert.equal(await test.store.live({ ...none, tenant: BIRCH, agent: TRIAGE }, {}, 10), ids.slice(1));
  assert.equal(await test.store.live({ ...none, role: 'other' }, {}, 10), []);
  const { tenant, deployment } = await epochsOf(test.store);
  assert.equal(await test.store.live(none, { tenant, deployment }, 10), [], 'decided under these very epochs');
  assert.equal(await test.store.live({ ...none, tenant: ACME }, { tenant: tenant + 1 }, 10), ids.slice(0, 1));
  assert.equal(await test.store.live(none, { deployment: deployment + 1 }, 10), ids);
  const [first] = ids;
  assert.ok(first !== undefined);
  assert.equal(await test.store.overdue(past, 10), [], 'an opening one is the reconciler’s');
  for (const { tenant, lease } of ids)
    await send(test.store, move('activate', lease, await epochsOf(test.store, tenant), { tenant }));
  assert.equal(await test.store.overdue(instant(Date.now()), 10), []);
  assert.is((await test.store.overdue(past, 1)).length, 1);
  await send(test.store, move('revoke', first.lease, await epochsOf(test.store)));
  assert.equal(await test.store.overdue(past, 10), ids.slice(1));
});

queue('knows when a sweeper was last at work, also on another node', async () => {
  const silence = await test.store.sinceBeat();
  assert.ok(silence === null || silence > HOUR_MS);
  const other = await test.open();
  await other.beat('other');
  const since = await (await test.open()).sinceBeat();
  assert.ok(since !== null && since >= 0 && since < 5_000);
});

queue('is nobody’s where it would be held for longer than anybody holds it, since the clock was set back', async () => {
  await enqueue(ACME, 2);
  const [first, second] = await test.store.claim(2, 2, longest);
  assert.ok(first !== undefined && second !== undefined);
  const ahead = (work: string, ms: number) =>
    withAdmin(test.database.admin, (sql) => sql`update work set held_until = held_until + ${ms} where id = ${work}`);
  await ahead(first.work, 1_000);
  await ahead(second.work, HOUR_MS);
  assert.equal(
    (await test.store.claim(2, 2, longest)).map(({ work, attempt }) => [work, attempt]),
    [[second.work, 2]],
  );
  assert.equal(await test.store.claim(2, 2, longest), []);
});

queue('does not believe in a sweeper whose heartbeat is ahead, since the database’s clock was set back', async () => {
  const beats = async (aheadMs: Readonly<Record<string, number>>) => {
    await withAdmin(test.database.admin, async (sql) => {
      await sql`delete from heartbeats`;
      for (const [node, ahead] of Object.entries(aheadMs)) {
        await sql`insert into heartbeats values (${node}, brevet_now() + ${ahead}::bigint)`;
      }
    });
    return (await test.open()).sinceBeat();
  };
  for (const late of [{}, { late: -HOUR_MS }]) {
    const since = await beats({ gone: HOUR_MS, ...late });
    assert.ok(since !== null && since >= HOUR_MS, `${since}`);
  }
});

queue('does not go on believing in a sweeper when the machine’s clock is set back', async () => {
  let [wall, reads] = [Date.now(), 0];
  const link = createLink(test.database.serve, 1, () => {});
  const counted: Link = { ...link, transaction: (entering, run) => (reads++, link.transaction(entering, run)) };
  const { sinceBeat } = createQueue(counted, () => wall, true);
  await sinceBeat();
  await sinceBeat();
  assert.is(reads, 1);
  wall -= HOUR_MS;
  await sinceBeat();
  assert.is(reads, 2);
  await link.close();
});

queue('forgets assertions that are over, with a heartbeat', async () => {
  const { store } = test;
  await send(store, opening({ epochs: await epochsOf(store), jti: 'remembered' }));
  await withAdmin(test.database.admin, (sql) => sql`insert into assertions values ('acme', 'c', 'over', 1)`);
  await (await test.open()).beat('one that was just opened');
  const rows = await withAdmin(test.database.admin, (sql) => sql`select jti from assertions`);
  assert.equal(
    rows.map((row) => row['jti'] as string),
    ['remembered'],
  );
});

queue('forgets what is over as fast as it comes, and walks no table for it', async () => {
  const { database } = test;
  const store = await test.open();
  await withAdmin(database.admin, async (sql) => {
    await sql`truncate assertions`;
    await sql`insert into assertions select 'acme', 'c', n::text, 1 from generate_series(1, 5001) n`;
    await sql`insert into assertions select 'acme', 'd', n::text, brevet_now() + 60000 from generate_series(1, 20000) n`;
    await sql`insert into idempotency (tenant, principal, route, key, digest)
      select 'acme', 'p', 'r', n::text, 'd' from generate_series(1, 20000) n`;
    await sql`vacuum analyze assertions, idempotency`;
  });
  const before = await walksOf(['assertions', 'idempotency']);
  await store.beat('first');
  await store.beat('second');
  await store.close();
  assert.equal(await walksOf(['assertions', 'idempotency']), before);
  const [left] = await withAdmin(database.admin, (sql) => sql`select count(*)::int as n from assertions`);
  assert.is(left?.['n'], 20_000);
});

/** How often tables were read from end to end, by sessions that are over. */
async function walksOf(tables: readonly string[]): Promise<readonly unknown[]> {
  const rows = await withAdmin(
    test.database.admin,
    (sql) => sql`select relname, seq_scan from pg_stat_user_tables where relname in ${sql(tables)} order by 1`,
  );
  return [...rows];
}

queue('forgets nodes that are long gone, with a heartbeat, and never the last that was at work', async () => {
  const { database } = test;
  const [here, late] = [await test.open(), await test.open()];
  const beats = (sinceMs: Readonly<Record<string, number>>) =>
    withAdmin(database.admin, async (sql) => {
      await sql`delete from heartbeats`;
      for (const [node, since] of Object.entries(sinceMs)) {
        await sql`insert into heartbeats values (${node}, brevet_now() - ${since}::bigint)`;
      }
    });
  const nodes = () => withAdmin(database.admin, (sql) => sql`select node from heartbeats order by 1`);
  await beats({ gone: 2 * HOUR_MS, 'long gone': 48 * HOUR_MS, silent: HOUR_MS / 2 });
  await withAdmin(
    database.admin,
    (sql) => sql`insert into heartbeats values ('begins to probe', 0), ('has probed', 1)`,
  );
  await here.beat('here');
  assert.equal(
    (await nodes()).map((row) => row['node'] as string),
    ['begins to probe', 'here', 'silent'],
  );
  // The clock jumps between a heartbeat and the look at what may be forgotten.
  await beats({ gone: 2 * HOUR_MS, 'long gone': 48 * HOUR_MS });
  await withAdmin(database.admin, async (sql) => {
    await sql`create function jump() returns trigger language plpgsql as
      'begin new.at := new.at - 5400000; return new; end'`;
    await sql`create trigger jump before insert on heartbeats for each row execute function jump()`;
  });
  await late.beat('late');
  await withAdmin(database.admin, (sql) => sql`drop function jump cascade`);
  assert.equal(
    (await nodes()).map((row) => row['node'] as string),
    ['late'],
  );
  assert.ok(((await late.sinceBeat()) ?? 0) >= 5_400_000);
});

queue('counts refusals that are alike in one row', async () => {
  const kind = { tenant: ACME, agent: TRIAGE, task: 't', resource: 'r', code: 'c' } as const;
  for (const count of [2, 3]) {
    await test.store.commit({ kind: 'refusal.count', ...kind, count }, [test.entry({ tenant: ACME })]);
  }
  const rows = await withAdmin(test.database.admin, (sql) => sql`select count::int as n from refusal_counts`);
  assert.equal([...rows], [{ n: 5 }]);
});

queue.run();
