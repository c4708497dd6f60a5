import { inspect } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connectionUrl } from '../../src/embedded/connection.ts';
import type { Connection } from '../../src/embedded/connection.ts';
import { testDatabase, withAdmin } from '../support/postgres.ts';

const CANARY = 'canary/?#@:%';
const to: Connection = { host: '/a dir/s', port: 5432, user: 'a@b', password: () => CANARY, database: 'c?d' };

const connection = suite('a connection');

connection('shows its password to nobody who prints it', () => {
  assert.not.match(inspect(to, { depth: 9 }) + JSON.stringify(to), 'canary');
});

connection('is told to libpq as a URL in which everything is escaped', () => {
  assert.is(connectionUrl(to), `postgresql://a%40b:canary%2F%3F%23%40%3A%25@%2Fa%20dir%2Fs:5432/c%3Fd`);
});

connection('is what postgres.js takes', async () => {
  const { serve, drop } = await testDatabase({ migrated: false });
  const [row] = await withAdmin(serve, (sql) => sql`select current_user::text as login`);
  assert.is(row?.['login'], 'brevet');
  await drop();
});

connection.run();
