/** A Vault target is refused with a reason, or is whole. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Secret } from '../../../src/core/secret.ts';
import { parseVaultConfig } from '../../../src/providers/vault/config.ts';
import { secretsOf } from '../../../src/providers/vault/secret.ts';
import { GOOD } from './target.ts';

const configs = suite('the config of a Vault target');

const [at] = GOOD.looks_into;

configs('is completed with what is safe', () => {
  assert.equal(parseVaultConfig({ ...GOOD, address: 'https://vault.acme.example/' }, false), {
    ok: true,
    value: {
      ...GOOD,
      address: 'https://vault.acme.example',
      auth: { method: 'approle', mount: 'approle', role_id: 'b1946ac9' },
      looks_into: [
        {
          ...at,
          mount: 'database',
          nodes: [{ host: 'db.acme.example', port: 5432, standby: false }],
          tls: 'verify',
        },
      ],
    },
  });
});

for (const [what, change] of [
  ['http on loopback', { address: 'http://127.0.0.1:8200' }],
  ['a namespace', { namespace: 'clients/acme' }],
  ['a JWT', { auth: { method: 'jwt', role: 'brevet' } }],
  ['a JWT that Brevet signs', { auth: { method: 'jwt', role: 'brevet', signed_by: 'brevet' } }],
  ['no database that is looked into', { looks_into: [] }],
  ['a database without TLS on loopback', { looks_into: [{ ...at, nodes: [{ host: '127.0.0.1' }], tls: 'off' }] }],
] as const) {
  configs(`may have ${what}`, () => assert.is(parseVaultConfig({ ...GOOD, ...change }, false).ok, true));
}

for (const [what, change, path] of [
  ['http elsewhere', { address: 'http://vault.acme.example:8200' }, 'address'],
  ['a path in the address', { address: 'https://vault.acme.example/v1/sys' }, 'address'],
  ['a login in the address', { address: 'https://a:b@vault.acme.example' }, 'address'],
  ['a query in the address', { address: 'https://vault.acme.example?x' }, 'address'],
  ['another protocol', { address: 'ftp://vault.acme.example' }, 'address'],
  ['no cluster', { cluster_id: '' }, 'cluster_id'],
  ['a prefix that another tenant’s could begin with', { prefix: 'brevet' }, 'prefix'],
  ['a prefix with a pattern', { prefix: 'brevet-*' }, 'prefix'],
  ['a prefix with an underscore', { prefix: 'brevet-a_b' }, 'prefix'],
  ['a namespace that climbs', { namespace: '../root' }, 'namespace'],
  ['a mount with a pattern', { auth: { method: 'approle', mount: 'a/+', role_id: 'x' } }, 'auth.mount'],
  ['another way to sign in', { auth: { method: 'token' } }, 'auth.method'],
  ['a JWT that nobody known signs', { auth: { method: 'jwt', role: 'brevet', signed_by: 'me' } }, 'auth.signed_by'],
  ['an unknown field', { token: 'x' }, 'token'],
  ['an unknown field of a database', { looks_into: [{ ...at, password: 'x' }] }, 'looks_into.0.password'],
  ['a database without TLS elsewhere', { looks_into: [{ ...at, tls: 'off' }] }, 'looks_into'],
  ['a role in two places', { looks_into: [at, { ...at, connection: 'other' }] }, 'looks_into'],
  ['a connection twice', { looks_into: [at, { ...at, roles: ['other'] }] }, 'looks_into'],
] as const) {
  configs(`may not have ${what}`, () => {
    const parsed = parseVaultConfig({ ...GOOD, ...change }, false);
    assert.is(!parsed.ok && parsed.error.path, path);
  });
}

configs.run();

const secrets = suite('the secret of a Vault target');
const place = { ...at, mount: 'database', tls: 'verify', nodes: [] } as unknown as Parameters<
  ReturnType<typeof secretsOf>['passwordOf']
>[0];

secrets('is what signs in alone', () => {
  const { signIn, passwordOf } = secretsOf(new Secret('b1946ac9-secret'));
  assert.is(signIn().reveal(), 'b1946ac9-secret');
  assert.is(passwordOf(place), null);
});

secrets('is an object of it and passwords', () => {
  const { signIn, passwordOf } = secretsOf(new Secret('{"sign_in":"a","passwords":{"database/tickets":"b"}}'));
  assert.is(signIn().reveal(), 'a');
  assert.is(passwordOf(place)?.reveal(), 'b');
  assert.is(passwordOf({ ...place, connection: 'toString' }), null);
});

for (const text of ['{', '{"sign_in":""}', '{"sign_in":"hidden","more":1}', '{"passwords":{}}', '{"sign_in":7}']) {
  secrets(`is not ${text}, and that is not told`, () => {
    assert.throws(
      () => secretsOf(new Secret(text)).signIn(),
      (fault: unknown) => fault instanceof Error && !fault.message.includes('hidden'),
    );
  });
}

secrets.run();
