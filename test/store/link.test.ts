import { setTimeout as pause } from 'node:timers/promises';
import { sql } from 'drizzle-orm';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { StoreUnavailable } from '../../src/core/store.ts';
import { createLink } from '../../src/store/link.ts';
import type { Link, Transaction } from '../../src/store/link.ts';
import { PROBE_LOCK, ROLES } from '../../src/store/roles.ts';
import { testDatabase, withAdmin } from '../support/postgres.ts';
import type { TestDatabase } from '../support/postgres.ts';

let database: TestDatabase;
let link: Link;

const transactions = suite('transactions');
transactions.before(async () => {
  database = await testDatabase();
  link = createLink(database.serve, 1, () => {});
});
transactions.after(async () => {
  await link.close();
  await database.drop();
});

const working = { role: ROLES.work, tenants: [] } as const;
const note = (node: string) => sql`insert into heartbeats values (${node}, 1)`;
const nodes = async () => {
  const rows = await withAdmin(database.admin, (admin) => admin`select node from heartbeats order by 1`);
  return rows.map((row) => row['node'] as string);
};
const thrownBy = (attempt: Promise<unknown>) =>
  attempt.then(
    () => null,
    (fault: unknown) => fault,
  );

async function pidOf(tx: Transaction): Promise<number> {
  const [row] = await tx.execute<{ readonly pid: number }>(sql`select pg_backend_pid() as pid`);
  return row?.pid ?? 0;
}

async function end(tx: Transaction): Promise<void> {
  await endSession(await pidOf(tx));
}

async function endSession(pid: number): Promise<void> {
  await withAdmin(database.admin, (admin) => admin`select pg_terminate_backend(${pid}, 5000)`);
  // Long enough to be told of it; the outcome is the same where it is not.
  await pause(100);
}

transactions('are whole or not at all', async () => {
  const fault = new Error('on purpose');
  const attempt = link.transaction(working, async (tx) => {
    await tx.execute(note('half'));
    throw fault;
  });
  assert.is(await thrownBy(attempt), fault);
  await link.transaction(working, (tx) => tx.execute(note('whole')));
  assert.equal(await nodes(), ['whole']);
});

transactions('are not taken for committed when their connection was another in the end', async () => {
  const attempt = link.transaction(working, async (tx) => {
    await tx.execute(note('lost'));
    await end(tx);
  });
  assert.instance(await thrownBy(attempt), StoreUnavailable);
  assert.equal(await nodes(), ['whole']);
  await link.transaction(working, (tx) => tx.execute(note('next')));
  assert.equal(await nodes(), ['next', 'whole']);
});

transactions('do nothing over a connection that came in the middle', async () => {
  const attempt = link.transaction(working, async (tx) => {
    await end(tx);
    await tx.execute(note('outside of any transaction'));
  });
  assert.ok((await thrownBy(attempt)) !== null);
  assert.equal(await nodes(), ['next', 'whole']);
});

transactions('go over a new connection where theirs was lost while nobody used it', async () => {
  for (const name of ['stepwise', 'together']) {
    await endSession(await link.transaction(working, pidOf));
    const insert = { text: 'insert into heartbeats values ($1, 1)', parameters: [name] };
    if (name === 'together') await link.pipeline(working, null, [insert]);
    else await link.transaction(working, (tx) => tx.execute(note(name)));
  }
  assert.equal(await nodes(), ['next', 'stepwise', 'together', 'whole']);
  await withAdmin(database.admin, (admin) => admin`delete from heartbeats where node in ('stepwise', 'together')`);
});

transactions('sent in one go are whole or not at all', async () => {
  const insert = (node: string) => ({ text: 'insert into heartbeats values ($1, 1)', parameters: [node] });
  const bad = { text: 'select 1 / $1::int as n', parameters: [0] };
  assert.ok((await thrownBy(link.pipeline(working, PROBE_LOCK, [insert('half'), bad]))) !== null);
  const [, rows] = await link.pipeline(working, PROBE_LOCK, [insert('piped'), { ...bad, parameters: [1] }]);
  assert.equal(
    rows?.map((row) => row['n']),
    [1],
  );
  assert.equal(await nodes(), ['next', 'piped', 'whole']);
});

transactions('tell no parameter in what they throw', async () => {
  const fault = await thrownBy(
    link.transaction(working, (tx) => tx.execute(sql`select 1 / (length(${'a secret'}::text) - 8)`)),
  );
  assert.match(String(fault), /division by zero/);
  assert.not.match(`${String(fault)} ${JSON.stringify(fault)} ${String((fault as Error).stack)}`, /a secret/);
});

transactions.run();
