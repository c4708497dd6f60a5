/** What will be sent for a token, and what is declared of it beforehand. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { JsonObject } from '../../../src/core/canonical.ts';
import { tokenOf } from '../../../src/providers/vault/specification.ts';
import { termsOf } from '../../support/target.ts';
import { provider, specify, target } from './target.ts';

const LOGIN = { engine: 'database', role: 'reporting' };
const VALUE = { engine: 'kv', path: 'secret/data/psa' };
const templateOf = (reads: readonly JsonObject[], policies: readonly string[] = ['reporting']): JsonObject => ({
  policies,
  reads,
});

const specifications = suite('the specification of a Vault token');

specifications('holds all that is sent, and who it is for', () => {
  const terms = termsOf(templateOf([LOGIN, VALUE]), { uses: 2 });
  const specified = specify(terms);
  assert.ok(specified.ok);
  assert.equal(specified.value, {
    provider: 'vault',
    address: 'https://vault.acme.example:8200',
    namespace: null,
    cluster_id: 'af56ee3b-5d4d-448e-f75b-43ac3d9c6a76',
    prefix: 'brevet-acme',
    policies: ['reporting'],
    reads: [
      { engine: 'database', mount: 'database', role: 'reporting', own_role: '{mark}_{chance}' },
      { engine: 'kv', path: 'secret/data/psa' },
    ],
    token: {
      type: 'service',
      orphan: true,
      renewable: false,
      no_default_policy: true,
      ends: '{expires_at}',
      num_uses: 5,
    },
    metadata: {
      brevet_lease: '{lease}',
      brevet_mark: '{mark}',
      tenant: 'acme',
      agent: 'report-bot',
      task: 'database.report',
      request: terms.request,
    },
  });
});

/** Requests that Vault lets through: each read once for a use, and one to spare where something has a lease. */
for (const [reads, uses, requests] of [
  [[VALUE], 1, 1],
  [[VALUE], 3, 3],
  [[VALUE, { engine: 'transit', path: 'transit/decrypt/k' }], 2, 4],
  [[LOGIN], 1, 2],
  [[LOGIN, VALUE], 2, 5],
  [[{ engine: 'pki', path: 'pki/issue/web' }], 1, 2],
] as const) {
  specifications(`lets ${requests} requests through for ${uses} uses of ${JSON.stringify(reads)}`, () => {
    const specified = specify(termsOf(templateOf(reads), { uses }));
    assert.is(specified.ok && tokenOf(specified.value).token.num_uses, requests);
  });
}

for (const [what, template] of [
  ['no policy', templateOf([VALUE], [])],
  ['the policy root', templateOf([VALUE], ['root'])],
  ['the policy default', templateOf([VALUE], ['reporting', 'default'])],
  ['a policy in capitals, which Vault would lower', templateOf([VALUE], ['Root'])],
  ['nothing to read', templateOf([])],
  ['an engine that nobody knows', templateOf([{ engine: 'magic', path: 'a/b' }])],
  ['a path that climbs', templateOf([{ engine: 'kv', path: 'secret/../sys/raw' }])],
  ['a path with a pattern', templateOf([{ engine: 'kv', path: 'secret/+/x' }])],
  ['a path that ends in nothing', templateOf([{ engine: 'kv', path: 'secret/' }])],
  ['a path for a login, which is the lease’s own', templateOf([{ ...LOGIN, path: 'database/creds/reporting' }])],
  ['broken braces', templateOf([{ engine: 'kv', path: 'secret/{{client' }])],
] as const) {
  specifications(`is refused for ${what}`, () => assert.is(specify(termsOf(template)).ok, false));
}

specifications('is refused for a parameter that makes a policy of everything', () => {
  const template = templateOf([VALUE], ['{{what}}']);
  // Vault lowers what is written in capitals.
  for (const what of ['root', 'default', 'Root', 'DEFAULT'])
    assert.is(specify(termsOf(template, { parameters: { what } })).ok, false, what);
  assert.is(specify(termsOf(template, { parameters: { what: 'reporting' } })).ok, true);
  assert.is(specify(termsOf(template, { parameters: {} })).ok, false);
});

specifications.run();

const declarations = suite('what is declared of a Vault token');

for (const [reads, isProvable] of [
  [[LOGIN], true],
  [[LOGIN, { ...LOGIN, mount: 'database' }], true],
  [[{ ...LOGIN, role: 'elsewhere' }], false],
  [[{ ...LOGIN, mount: 'other' }], false],
  [[LOGIN, VALUE], false],
  ...(['kv', 'pki', 'transit', 'aws', 'other'] as const).map((engine) => [[{ engine, path: 'a/b' }], false] as const),
] as const) {
  declarations(`${JSON.stringify(reads)} can ${isProvable ? '' : 'not '}be seen dead`, () => {
    assert.is(provider.declare(target.version, templateOf(reads)).evidence !== null, isProvable);
  });
}

declarations('a template that is none proves nothing', () => {
  assert.is(provider.declare(target.version, { group: 'reporting' }).evidence, null);
});

declarations('a parameter is enforced in the names of policies and database roles alone', () => {
  const template = {
    policies: ['psa-{{client}}'],
    reads: [
      { engine: 'kv', path: 'secret/data/{{device}}' },
      { engine: 'database', role: 'report-{{scope}}' },
    ],
  };
  assert.equal(provider.declare(target.version, template).enforces, ['client', 'scope']);
});

declarations.run();
