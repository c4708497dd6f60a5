/** With what a lease is ended: the target as it was minted with, and the secret that opens that place today. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { sweep } from '../../src/revoke/sweep.ts';
import { must, REPORT, testApp } from '../support/app.ts';
import { withAdmin } from '../support/postgres.ts';
import { ADMIN, clientDatabase } from '../support/target.ts';

const client = await clientDatabase();
const app = await testApp({ database: client });
const token = await app.localToken('ada');

const login = async (): Promise<string> => {
  const session = await app.session('report-bot');
  const { lease } = must(await app.call('POST', '/t/acme/requests', { token: session, body: REPORT })).body as {
    lease: { id: string };
  };
  return lease.id;
};

/** Its administrator gives Brevet's login another password, and what was open to it with the old one is closed. */
async function changePassword(password: string): Promise<void> {
  await withAdmin(client.superuser, (sql) => sql.unsafe(`ALTER ROLE ${ADMIN} PASSWORD '${password}'`));
  await client.restart();
}

async function revoke(lease: string): Promise<{ readonly state: string; readonly why: string }> {
  must(await app.operator('otto', 'POST', `/t/acme/leases/${lease}/revoke`, { reason: 'done' }));
  await app.sql('update work set due = 0, held_until = 0');
  await sweep(app.deps);
  const [row] = await app.sql<{ state: string; why: string }>(
    `select l.state, w.why from leases l left join work w on w.what ->> 'lease' = l.id where l.id = '${lease}'`,
  );
  return row ?? { state: 'none', why: 'none' };
}

const put = (more: object) =>
  app.call('PUT', '/api/tenants/acme/targets/shop-db', {
    token,
    body: { provider: 'postgres', config: client.config, environment: 'production', ...more },
  });

const held = suite('revoke/lease');

held('ends what was minted before its target’s secret was changed', async () => {
  const lease = await login();
  await changePassword('the-second');
  const without = await revoke(lease);
  assert.is(without.state, 'revoking');
  assert.match(without.why, '28P01');
  must(await put({ secret: 'the-second' }));
  assert.is((await revoke(lease)).state, 'revoked');
});

held('sends a secret to no place that it was not given for', async () => {
  const lease = await login();
  await changePassword('the-third');
  const [node] = client.config.nodes;
  must(await put({ secret: 'the-third', config: { ...client.config, nodes: [{ ...node, host: 'localhost' }] } }));
  const { state, why } = await revoke(lease);
  assert.is(state, 'revoking');
  assert.match(why, '28P01');
});

held.after(async () => {
  await app.close();
  await client.remove();
});
held.run();
