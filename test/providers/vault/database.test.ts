/** A database in which Vault makes logins, as Brevet ends what is open there. */
import postgres from 'postgres';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { newId } from '../../../src/core/ids.ts';
import { markOf } from '../../../src/core/lease.ts';
import { Secret } from '../../../src/core/secret.ts';
import { PATIENCE } from '../../../src/providers/postgres/lane.ts';
import { openDatabase } from '../../../src/providers/vault/database.ts';
import { withAdmin } from '../../support/postgres.ts';
import { clientDatabase, DATABASE, processClock, random } from '../../support/target.ts';
import type { ClientDatabase } from '../../support/target.ts';

/** More than a statement has time for, if each were waited for by itself: the server looks ten times a second. */
const MANY = 60;

let client: ClientDatabase;

const databases = suite('a database that Brevet looks into');

databases.before(async () => {
  client = await clientDatabase({ max_connections: '100' });
});
databases.after(() => client.remove());

/** As a database of a target; its login is made. */
async function looker(login: string) {
  await withAdmin(client.superuser, async (sql) => {
    await sql.unsafe(`create role ${login} login password 'looks'; grant pg_signal_backend, pg_read_all_stats to ${login};
      grant connect on database ${DATABASE} to ${login}`);
  });
  const at = {
    mount: 'database',
    connection: 'tickets',
    roles: ['reporting'],
    nodes: [{ host: client.host, port: client.port, standby: false }],
    database: DATABASE,
    login,
    system_identifier: client.config.system_identifier,
    tls: 'off' as const,
  };
  return openDatabase(at, new Secret('looks'), PATIENCE);
}

const newMark = () => markOf(newId('lse', processClock(), random));

databases('tells of a node that follows it and is away', async () => {
  const looked = await looker('watcher');
  const followers = async () =>
    (await looked.look(newMark())).map((view) => typeof view === 'object' && view.followers);
  assert.equal(await followers(), [0]);
  await withAdmin(client.admin, (sql) => sql`select pg_create_physical_replication_slot('away', true)`);
  assert.equal(await followers(), [1]);
  await withAdmin(client.admin, (sql) => sql`select pg_drop_replication_slot('away')`);
  await looked.close();
});

databases('loses all the sessions of a login at once, however many there are', async () => {
  const mark = newMark();
  const looked = await looker('looker');
  await withAdmin(client.superuser, async (sql) => {
    await sql.unsafe(`create role made login password 'made'; comment on role made is '${mark}';
      grant connect on database ${DATABASE} to made`);
  });
  const { host, port } = client;
  const login = { host, port, database: DATABASE, user: 'made', password: 'made', onnotice: () => undefined };
  const sessions = Array.from({ length: MANY }, () => postgres({ ...login, max: 1, fetch_types: false }));
  await Promise.all(sessions.map((sql) => sql`select 1`));
  await looked.endSessions(mark);
  const [view] = await looked.look(mark);
  assert.is(typeof view === 'object' && view.sessions, 0, JSON.stringify(view));
  await Promise.all(sessions.map((sql) => sql.end({ timeout: 0 })));
  await looked.close();
});

databases.run();
