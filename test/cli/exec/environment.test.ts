import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { environmentFor, UnknownCredential } from '../../../src/cli/exec/environment.ts';

const environment = suite('the environment of a command under a lease');

const LOGIN = {
  type: 'postgres',
  host: 'db.acme.example',
  port: 5432,
  database: 'crm',
  user: 'brevet_x',
  password: 'p',
};

const SESSION = {
  type: 'aws',
  region: 'eu-west-1',
  access_key_id: 'ASIA',
  secret_access_key: 's',
  session_token: 't',
};
const SESSION_NAMES = { AWS_ACCESS_KEY_ID: 'ASIA', AWS_SECRET_ACCESS_KEY: 's', AWS_SESSION_TOKEN: 't' };

/** What is there before, the credential, and what the command finds. */
const FOUND: readonly (readonly [
  what: string,
  own: Record<string, string>,
  credential: Record<string, unknown>,
  found: Record<string, string>,
])[] = [
  [
    'a login, in the names of libpq',
    { HOME: '/srv/bot', PATH: '/bin' },
    LOGIN,
    {
      HOME: '/srv/bot',
      PATH: '/bin',
      PGHOST: 'db.acme.example',
      PGPORT: '5432',
      PGDATABASE: 'crm',
      PGUSER: 'brevet_x',
      PGPASSWORD: 'p',
      DATABASE_URL: 'postgres://brevet_x:p@db.acme.example:5432/crm',
    },
  ],
  [
    'what names and passwords may hold, encoded in the URL alone',
    {},
    { ...LOGIN, host: '::1', database: 'a b/c', password: 'p@:/?#%' },
    {
      PGHOST: '::1',
      PGPORT: '5432',
      PGDATABASE: 'a b/c',
      PGUSER: 'brevet_x',
      PGPASSWORD: 'p@:/?#%',
      DATABASE_URL: 'postgres://brevet_x:p%40%3A%2F%3F%23%25@[::1]:5432/a%20b%2Fc',
    },
  ],
  [
    'the gateway’s place and the lease’s token',
    { BREVET_URL: 'https://brevet.example', BREVET_GATEWAY_URL: 'https://elsewhere.example' },
    { type: 'http', base_url: 'https://brevet.example/t/acme/gateway/lse_x', token: 'eyJ', expires_at: 'soon' },
    { BREVET_GATEWAY_URL: 'https://brevet.example/t/acme/gateway/lse_x', BREVET_TOKEN: 'eyJ' },
  ],
  [
    'a session at AWS, and a region where none was chosen',
    { AWS_PROFILE: 'prod', AWS_ENDPOINT_URL_S3: 'https://elsewhere.example' },
    SESSION,
    { ...SESSION_NAMES, AWS_REGION: 'eu-west-1' },
  ],
  [
    'a session at AWS in the region that was chosen',
    { AWS_DEFAULT_REGION: 'us-east-1', AWS_SESSION_TOKEN: 'old' },
    SESSION,
    { ...SESSION_NAMES, AWS_DEFAULT_REGION: 'us-east-1' },
  ],
  [
    'a token of Vault, with where it is and what is read with it',
    { VAULT_ADDR: 'https://elsewhere.example', VAULT_NAMESPACE: 'other', VAULT_READS: 'sys/raw' },
    { type: 'vault', address: 'https://vault.acme.example', token: 'hvs.x', reads: ['database/creds/a_b', 'kv/c'] },
    { VAULT_ADDR: 'https://vault.acme.example', VAULT_TOKEN: 'hvs.x', VAULT_READS: 'database/creds/a_b kv/c' },
  ],
  [
    'its namespace, where it has one',
    {},
    { type: 'vault', address: 'https://vault.acme.example', namespace: 'acme', token: 'hvs.x', reads: ['kv/c'] },
    { VAULT_ADDR: 'https://vault.acme.example', VAULT_NAMESPACE: 'acme', VAULT_TOKEN: 'hvs.x', VAULT_READS: 'kv/c' },
  ],
  [
    'nothing that was there for others, or leads elsewhere',
    {
      BREVET_AGENT_KEY_FILE: '/key',
      BREVET_OPERATOR_TOKEN: 'x',
      BREVET_TOKEN: 'old',
      DATABASE_URL: 'postgres://root@prod',
      PGHOSTADDR: '10.0.0.1',
      PGSERVICE: 'prod',
      PGPASSFILE: '/x',
      PGSSLMODE: 'verify-full',
      AWS_PROFILE: 'prod',
      AWS_REGION: 'eu-west-1',
      VAULT_TOKEN: 'x',
    },
    { type: 'jwt', access_token: 'eyJ', token_type: 'Bearer' },
    { PGSSLMODE: 'verify-full', AWS_REGION: 'eu-west-1', BREVET_TOKEN: 'eyJ' },
  ],
];
for (const [what, own, credential, found] of FOUND) {
  environment(`holds ${what}`, () => assert.equal(environmentFor(own, credential), found));
}

for (const credential of [{}, { type: 'vault', token: 'x' }, { ...LOGIN, host: undefined }]) {
  environment(`is refused for ${JSON.stringify(credential)}`, () => {
    assert.throws(
      () => environmentFor({}, credential),
      (error: unknown) => error instanceof UnknownCredential,
    );
  });
}

environment.run();
