/** A credential whose use has visibly ended, or never began, is ended before its time. */
import postgres from 'postgres';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Lease } from '../../src/core/lease.ts';
import { instant, seconds } from '../../src/core/time.ts';
import { causeToEnd, endIdle } from '../../src/revoke/idle.ts';
import { sweep } from '../../src/revoke/sweep.ts';
import { ahead, must, REPORT, testApp } from '../support/app.ts';
import { clientDatabase } from '../support/target.ts';

const rule = suite('revoke/idle');

const IDLE = { after: seconds(30), unused: seconds(60) };
const at = (s: number) => instant(1_000_000 + s * 1000);

for (const [what, last, now, used, cause] of [
  ['one just made', null, 0, 0, null],
  ['one never used for a minute less a moment', null, 59.999, 0, null],
  ['one never used for a minute', null, 60, 0, 'idle'],
  ['one in use half a minute ago less a moment', 100, 129.999, 1, null],
  ['one in use half a minute ago', 100, 130, 1, 'idle'],
  ['one used up, whose node died before it ended it', 100, 130, 2, 'spent'],
] as const) {
  rule(`of ${what}: ${cause ?? 'it lives on'}`, () => {
    const lease = { uses: 2, used, openedAt: at(-5), activeAt: at(0) } satisfies Partial<Lease>;
    const seen = last === null ? null : at(last);
    assert.is(causeToEnd(lease, IDLE, { last: seen, now: at(now) }), cause);
  });
}

const client = await clientDatabase();
let hangs = false;
const app = await testApp({
  database: client,
  around: (provider) =>
    provider.where === 'local'
      ? provider
      : {
          ...provider,
          activity: (subject, target) =>
            hangs ? Promise.resolve({ use: 'unknown', why: 'it hangs' }) : provider.activity(subject, target),
        },
});
let shift = 0;
const later = await app.node({ deps: ahead(() => shift) });

const logins = suite('logins that are watched');

interface Login {
  readonly id: string;
  readonly sql: postgres.Sql;
}

async function login(): Promise<Login> {
  const { lease, credential } = must(
    await app.call('POST', '/t/acme/requests', { token: await app.session('report-bot'), body: REPORT }),
  ).body as { lease: { id: string }; credential: Record<string, string | number> };
  const sql = postgres({
    host: String(credential['host']),
    port: Number(credential['port']),
    database: String(credential['database']),
    username: String(credential['user']),
    password: String(credential['password']),
    max: 1,
    onnotice: () => {},
  });
  return { id: lease.id, sql };
}

const stateOf = async (id: string) => {
  const [row] = await app.sql<{ state: string; cause: string | null; used_at: string | null }>(
    `select state, cause, used_at from leases where id = '${id}'`,
  );
  return row;
};

/** Looks at all, whenever they were due. */
async function look(ms: number): Promise<void> {
  shift = ms;
  await app.sql(`update leases set look_at = 0 where state = 'active'`);
  await endIdle(later.deps);
}

logins('end a minute after they were made, where nobody logged in', async () => {
  const { id } = await login();
  await look(58_000);
  assert.is((await stateOf(id))?.state, 'active');
  await look(61_000);
  const row = await stateOf(id);
  assert.is(row?.cause, 'idle');
  await app.sql('update work set due = 0');
  await sweep(app.deps);
  assert.is((await stateOf(id))?.state, 'revoked');
});

logins('live as long as a session is open, and half a minute more', async () => {
  const { id, sql } = await login();
  await sql`select 1`;
  await look(70_000);
  assert.is((await stateOf(id))?.state, 'active');
  assert.ok(Number((await stateOf(id))?.used_at) > 0);
  await sql.end();
  await look(75_000);
  assert.is((await stateOf(id))?.state, 'active', 'its last session was seen five seconds ago');
  await look(101_000);
  assert.is((await stateOf(id))?.cause, 'idle');
});

logins('of a target that does not tell are left to their end', async () => {
  const { id } = await login();
  hangs = true;
  shift = 90_000;
  await app.sql(`update leases set look_at = 0 where state = 'active'`);
  await endIdle({ ...app.deps, clock: later.deps.clock });
  hangs = false;
  assert.is((await stateOf(id))?.state, 'active');
  await look(91_000);
  assert.is((await stateOf(id))?.cause, 'idle');
});

logins('are each looked at by one node at a time', async () => {
  const { id } = await login();
  await app.sql(`update leases set look_at = 0 where id = '${id}'`);
  const due = await Promise.all([app, later].map(({ deps }) => deps.store.watched(64, seconds(10))));
  assert.is(due.flat().filter(({ lease }) => lease === id).length, 1);
  assert.equal(await app.deps.store.watched(64, seconds(10)), []);
});

logins.after(async () => {
  await app.close();
  await client.remove();
});
rule.run();
logins.run();
