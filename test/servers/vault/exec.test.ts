/**
 * The whole way: a broker whose bundle has a task class of the provider `vault`, an agent that does it under
 * `brevet exec` by Vault's API, and nothing left when it ends.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JWK } from 'jose';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ASSERTION_TYPE, createProver } from '../../../src/client/assertion.ts';
import { administrator, call, newPlace, populate, run, startBroker, stopBroker } from '../../acceptance/broker.ts';
import type { Place, Process } from '../../acceptance/broker.ts';
import { clientVault, prepareJwtAuth } from '../../support/client-vault.ts';
import type { ClientVault } from '../../support/client-vault.ts';
import { temporaryFolder } from '../../support/leftovers.ts';
import { copyWithoutCases } from '../../support/policy.ts';
import { withAdmin } from '../../support/postgres.ts';
import { DATABASE, processClock, random } from '../../support/target.ts';
import { readThroughVault } from './bundle.ts';

let client: ClientVault;
let place: Place;
let broker: Process;
let agent: Record<string, string>;

const executing = suite('brevet exec with a token of Vault');

executing.before(async () => {
  place = await newPlace(await temporaryFolder('broker'));
  const policy = await copyWithoutCases(await temporaryFolder('policy'));
  await readThroughVault(policy);
  [client, broker] = await Promise.all([clientVault(), startBroker(place, { env: { BREVET_POLICY_DIR: policy } })]);
  const by = await administrator(place);
  const keys = await populate(by, { 'report-bot': ['reporting'] });
  await by.put('/api/tenants/acme/targets/shop-db', {
    provider: 'vault',
    config: client.config,
    secret: client.secret.reveal(),
    environment: 'production',
  });
  const keyFile = join(await temporaryFolder('agent'), 'report-bot.jwk');
  writeFileSync(keyFile, JSON.stringify(keys['report-bot']), { mode: 0o600 });
  agent = { BREVET_URL: place.url, BREVET_AGENT: 'report-bot', BREVET_AGENT_KEY_FILE: keyFile };
});
executing.after(async () => {
  await stopBroker(broker);
  await client.stop();
});

/** What the tenant's key has signed for the agent. */
async function session(issuer: string): Promise<string> {
  const key = JSON.parse(readFileSync(agent['BREVET_AGENT_KEY_FILE'] ?? '', 'utf8')) as JWK;
  const prove = createProver('report-bot', issuer, { key }, { clock: processClock, random });
  const form = {
    grant_type: 'client_credentials',
    client_assertion_type: ASSERTION_TYPE,
    client_assertion: await prove(),
  };
  const { status, body } = await call('POST', `${issuer}/token`, { form });
  assert.is(status, 200);
  return String(body['access_token']);
}

const exec = (command: readonly string[]): Process =>
  run(['exec', '--tenant', 'acme', '--task', 'report.query', '--resource', 'shop-db', '--', ...command], {
    env: agent,
  });

const command = () => [
  process.execPath,
  join(import.meta.dirname, 'read-and-query.ts'),
  client.database.host,
  String(client.database.port),
  DATABASE,
];

executing('an agent reads a login, uses it, and is refused when its task has ended', async () => {
  const { status, out, err } = await exec(command()).ended;
  assert.is(status, 0, err);
  const [token = '', username, count] = out.trim().split(' ');
  assert.is(count, '3');
  assert.match(err, /revoked, verified, exposure \d+ ms/);
  const again = await client.vault.call('GET', 'database/creds/reporting', undefined, token);
  assert.is(again.status, 403, 'the token is dead');
  const logins = await withAdmin(
    client.database.superuser,
    (sql) => sql`select from pg_roles where rolname = ${username ?? ''}`,
  );
  assert.is(logins.length, 0, 'and so is the login');
});

executing('Brevet signs in by a JWT of its own, and by no other that the tenant’s key has signed', async () => {
  const issuer = `${place.url}/t/acme`;
  await prepareJwtAuth(client.vault, { issuer, target: 'shop-db' });
  const auth = { method: 'jwt', role: 'brevet-acme', signed_by: 'brevet' };
  const { passwords } = JSON.parse(client.secret.reveal()) as { readonly passwords: object };
  const by = await administrator(place);
  await by.put('/api/tenants/acme/targets/shop-db', {
    provider: 'vault',
    config: { ...client.config, auth },
    secret: JSON.stringify({ passwords }),
    environment: 'production',
  });
  await client.vault.must('DELETE', 'sys/auth/approle');
  const { status, err } = await exec(command()).ended;
  assert.is(status, 0, err);
  assert.match(err, /revoked, verified, exposure \d+ ms/);
  const other = await client.vault.call('POST', 'auth/jwt/login', { role: 'brevet-acme', jwt: await session(issuer) });
  assert.is(other.status, 400, 'an agent’s own token is none of Brevet’s');
});

executing('nothing is left in Vault or the database, and the ledger tells how each death was seen', async () => {
  const running = Array.from({ length: 4 }, () => exec(command()).ended);
  for (const { status, err } of await Promise.all(running)) {
    assert.is(status, 0, err);
    assert.match(err, /revoked, verified, exposure \d+ ms/);
  }
  for (const path of ['auth/token/roles', 'sys/leases/lookup/auth/token/create/', 'database/roles']) {
    const { body } = await client.vault.call('GET', `${path}?list=1`);
    assert.not(JSON.stringify(body).includes('brevet-acme_'), path);
  }
  const comments = await withAdmin(
    client.database.superuser,
    (sql) => sql`select from pg_shdescription where description like 'brevet\\_%'`,
  );
  assert.is(comments.length, 0);
});

executing.run();
