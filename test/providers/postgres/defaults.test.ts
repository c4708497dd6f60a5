/** A login is made and ended whatever a client has set as the defaults of its server, its database or Brevet's login. */
import { setTimeout as wait } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { OpenTarget } from '../../../src/core/provider.ts';
import { postgresProvider } from '../../../src/providers/postgres/provider.ts';
import type { PostgresProvider } from '../../../src/providers/postgres/provider.ts';
import { withAdmin } from '../../support/postgres.ts';
import {
  ADMIN,
  clientDatabase,
  DATABASE,
  GROUP,
  openTargetOf,
  orderFor,
  processClock,
  random,
  subjectOf,
  termsOf,
} from '../../support/target.ts';
import type { ClientDatabase } from '../../support/target.ts';
import { connectAs, works } from './holder.ts';

let database: ClientDatabase;
let provider: PostgresProvider;

const defaults = suite('a login, where the client has its own defaults');

defaults.before(async () => {
  database = await clientDatabase();
});
defaults.before.each(() => {
  provider = postgresProvider({ random, clock: processClock });
});
defaults.after.each(() => provider.close());
defaults.after(() => database.remove());

/** From another database, whose defaults are the server's own. */
const rows = (statement: string) => withAdmin(database.admin, (sql) => sql.unsafe(statement));

let versions = 0;
const newTarget = (): OpenTarget =>
  openTargetOf(provider, database.config, { secret: database.secret, version: (versions += 1) });

async function issued(target: OpenTarget) {
  const order = orderFor(provider, target, termsOf({ group: GROUP }));
  const { reference, credential } = await provider.mint(order, target);
  return { subject: subjectOf(order, { reference }), credential };
}

for (const [what, set, reset] of [
  [
    'writes are off by default, as where a disk is full',
    `alter database ${DATABASE} set default_transaction_read_only = on`,
    `alter database ${DATABASE} reset default_transaction_read_only`,
  ],
  [
    'statements and locks have a millisecond',
    `alter role ${ADMIN} set statement_timeout = 1; alter role ${ADMIN} set lock_timeout = 1`,
    `alter role ${ADMIN} reset all`,
  ],
  [
    'transactions are serializable',
    `alter database ${DATABASE} set default_transaction_isolation = 'serializable'`,
    `alter database ${DATABASE} reset default_transaction_isolation`,
  ],
  [
    'a backslash escapes',
    `alter database ${DATABASE} set standard_conforming_strings = off`,
    `alter database ${DATABASE} reset standard_conforming_strings`,
  ],
  [
    'who makes a role is given it',
    `alter role ${ADMIN} set createrole_self_grant = 'set, inherit'`,
    `alter role ${ADMIN} reset all`,
  ],
] as const) {
  defaults(`is made and ended though ${what}`, async () => {
    const target = newTarget();
    for (const statement of set.split('; ')) await rows(statement);
    try {
      const { subject, credential } = await issued(target);
      const session = connectAs(credential);
      assert.is((await session.unsafe('select * from tickets')).length, 3);
      await provider.revoke(subject, target);
      assert.is((await provider.look(subject, target)).seen, 'gone');
      await session.end({ timeout: 0 });
      assert.is(await works(credential, 'select 1'), false);
    } finally {
      await rows(reset);
    }
  });
}

defaults('is ended, and nothing of Brevet’s hangs, while a standby that commits wait for is away', async () => {
  const target = newTarget();
  const { subject, credential } = await issued(target);
  await setOnServer(`synchronous_standby_names = 'away'`);
  try {
    await provider.revoke(subject, target);
    assert.is(await works(credential, 'select 1'), false);
    const sighting = await provider.look(subject, target);
    assert.is(sighting.seen === 'unseen' && !sighting.forGood, true, 'it may be promoted without having heard of it');
    const waiting = await rows(`select pid from pg_stat_activity where wait_event = 'SyncRep'`);
    assert.is(waiting.length, 0);
  } finally {
    await setOnServer('synchronous_standby_names to default');
  }
  assert.is((await provider.look(subject, target)).seen, 'gone');
});

defaults('is ended over the connection that was there at its mint, where idle sessions are ended', async () => {
  const target = newTarget();
  await setOnServer('idle_session_timeout = 200');
  try {
    const { subject } = await issued(target);
    const before = await ours();
    await wait(600);
    assert.ok(before.length > 0);
    assert.equal(await ours(), before);
    await provider.revoke(subject, target);
    assert.is((await provider.look(subject, target)).seen, 'gone');
  } finally {
    await setOnServer('idle_session_timeout to default');
  }
});

async function setOnServer(setting: string): Promise<void> {
  await rows(`alter system set ${setting}`);
  await rows('select pg_reload_conf()');
  await wait(100);
}

const ours = async (): Promise<readonly number[]> =>
  (await rows(`select pid from pg_stat_activity where usename = '${ADMIN}' order by 1`)).map((row) =>
    Number(row['pid']),
  );

defaults.run();
