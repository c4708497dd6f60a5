/** What is wrong with a target is told before first use, all of it, with what to do. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { instant } from '../../../src/core/time.ts';
import { postgresProvider } from '../../../src/providers/postgres/provider.ts';
import { withAdmin } from '../../support/postgres.ts';
import {
  ADMIN,
  clientDatabase,
  CONNECT_ROLE,
  DATABASE,
  GROUP,
  openTargetOf,
  processClock,
  random,
} from '../../support/target.ts';
import type { ClientDatabase } from '../../support/target.ts';

let database: ClientDatabase;
const provider = postgresProvider({ random, clock: processClock });

const checks = suite('the check of a Postgres target');

checks.before(async () => {
  database = await clientDatabase();
});
checks.after(async () => {
  await provider.close();
  await database.remove();
});

const rows = (statement: string) => withAdmin(database.superuser, (sql) => sql.unsafe(statement));

async function findings(change: object = {}, by = provider): Promise<readonly string[]> {
  const target = openTargetOf(by, { ...database.config, ...change }, { secret: database.secret });
  return (await by.check(target)).map(({ level, what }) => `${level}: ${what}`);
}

checks('finds nothing where the documented statements were run', async () => {
  assert.equal(await findings(), []);
});

for (const [what, wrong, right] of [
  [`refuse: ${ADMIN} is a superuser`, `alter role ${ADMIN} superuser`, `alter role ${ADMIN} nosuperuser`],
  [`refuse: ${ADMIN} passes row-level`, `alter role ${ADMIN} bypassrls`, `alter role ${ADMIN} nobypassrls`],
  [`refuse: ${ADMIN} cannot make logins`, `alter role ${ADMIN} nocreaterole`, `alter role ${ADMIN} createrole`],
  [
    `refuse: ${ADMIN} cannot end sessions`,
    `revoke pg_signal_backend from ${ADMIN}`,
    `grant pg_signal_backend to ${ADMIN}`,
  ],
  [
    `warn: ${ADMIN} cannot use reserved`,
    `revoke pg_use_reserved_connections from ${ADMIN}`,
    `grant pg_use_reserved_connections to ${ADMIN}`,
  ],
  [
    `refuse: ${ADMIN} cannot give ${GROUP}`,
    `revoke admin option for ${GROUP} from ${ADMIN}`,
    `grant ${GROUP} to ${ADMIN} with admin option`,
  ],
  [
    `warn: ${ADMIN} can itself use ${GROUP}`,
    `grant ${GROUP} to ${ADMIN} with set true`,
    `grant ${GROUP} to ${ADMIN} with set false`,
  ],
  [`refuse: ${GROUP} can log in itself`, `alter role ${GROUP} login`, `alter role ${GROUP} nologin`],
  [`refuse: ${GROUP} has rights over the server`, `alter role ${GROUP} createdb`, `alter role ${GROUP} nocreatedb`],
  [
    `refuse: ${GROUP} has rights over the server, pg_execute_server_program`,
    `grant pg_execute_server_program to ${GROUP}`,
    `revoke pg_execute_server_program from ${GROUP}`,
  ],
  [
    `refuse: ${GROUP} has rights over the server, dba`,
    `create role dba createrole; create role staff; grant dba to staff; grant staff to ${GROUP}`,
    'drop role staff; drop role dba',
  ],
  [
    `warn: ${GROUP} can make objects in public`,
    `grant create on schema public to ${GROUP}`,
    `revoke create on schema public from ${GROUP}`,
  ],
  [
    'refuse: every login can make objects in the schemas public',
    'grant create on schema public to public',
    'revoke create on schema public from public',
  ],
  [
    `warn: every login gets into the databases ${DATABASE}`,
    `grant connect on database ${DATABASE} to public`,
    `revoke connect on database ${DATABASE} from public`,
  ],
  [
    `refuse: ${CONNECT_ROLE} lacks CONNECT`,
    `revoke connect on database ${DATABASE} from ${CONNECT_ROLE}`,
    `grant connect on database ${DATABASE} to ${CONNECT_ROLE}`,
  ],
  [
    'warn: passwords are kept as md5',
    `alter system set password_encryption = 'md5'; select pg_reload_conf()`,
    'alter system reset password_encryption; select pg_reload_conf()',
  ],
] as const) {
  checks(`finds that ${what.replace(/^\w+: /, '')}`, async () => {
    for (const statement of wrong.split('; ')) await rows(statement);
    const found = await findings();
    for (const statement of right.split('; ')) await rows(statement);
    assert.ok(
      found.some((one) => one.startsWith(what)),
      found.join('\n'),
    );
  });
}

checks('finds that a group is not there', async () => {
  assert.ok((await findings({ groups: ['nobody'] })).includes('refuse: there is no role nobody'));
});

checks('finds that another server answers', async () => {
  assert.ok(
    (await findings({ system_identifier: '1' })).some((one) => /refuse: .* is the server \d+, not 1/.test(one)),
  );
});

checks('finds that a node does not answer, or refuses the password', async () => {
  const nodes = [...database.config.nodes, { host: '127.0.0.1', port: 1 }];
  assert.ok((await findings({ nodes })).includes('refuse: 127.0.0.1:1 could not be asked: ECONNREFUSED'));
  assert.ok((await findings({ admin: 'stranger' })).some((one) => /^refuse: .* answered 28P01$/.test(one)));
});

checks('finds that one login could take every free slot', async () => {
  assert.ok(
    (await findings({ connection_limit: 100 })).some((one) => /^refuse: \d+ of 100 connection slots/.test(one)),
  );
});

checks('finds that pgjdbc would refuse the rounds', async () => {
  assert.ok((await findings({ scram_rounds: 1 })).some((one) => one.startsWith('warn: pgjdbc')));
});

checks('finds that a clock is off', async () => {
  const ahead = postgresProvider({ random, clock: () => instant(processClock() + 120_000) });
  assert.ok((await findings({}, ahead)).some((one) => one.startsWith('warn: the clock')));
});

checks('finds that transactions can be prepared, and that no slot is reserved', async () => {
  const loose = await clientDatabase({ max_prepared_transactions: '5', reserved_connections: '0' });
  const target = openTargetOf(provider, loose.config, { secret: loose.secret });
  const found = (await provider.check(target)).map(({ what }) => what).join('\n');
  assert.match(found, /transactions can be prepared/);
  assert.match(found, /reserves 0 connections/);
  await loose.remove();
});

checks.run();
