import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { databaseOf, readSettings } from '../../src/worker/settings.ts';

const KEY = Buffer.alloc(32, 7).toString('base64');
const GOOD = {
  HYPERDRIVE: { connectionString: 'postgres://brevet:secret@hyperdrive.local:5432/brevet' },
  BREVET_PUBLIC_URL: 'https://brevet.example',
  BREVET_DEPLOYMENT_KEY: KEY,
};

const settings = suite('settings on Workers');

settings('are those of the broker, with the bindings of the platform', () => {
  const read = readSettings({ ...GOOD, BREVET_ALLOW_PRIVATE_HOSTS: 'issuer.internal', SOMETHING_BOUND: { get: null } });
  assert.ok(read.ok, JSON.stringify(read));
  assert.is(read.value.publicUrl, 'https://brevet.example');
  assert.equal(read.value.allowPrivateHosts, ['issuer.internal']);
  assert.is(Buffer.from(read.value.deploymentKey).toString('base64'), KEY);
  assert.is(databaseOf(GOOD).reveal(), GOOD.HYPERDRIVE.connectionString);
});

/** What is wrong, and the names that are told of. */
const WRONG: readonly (readonly [what: string, given: Record<string, unknown>, names: readonly string[]])[] = [
  ['nothing is set', {}, ['BREVET_PUBLIC_URL', 'BREVET_DEPLOYMENT_KEY', 'HYPERDRIVE']],
  ['the public URL is left as it came', { ...GOOD, BREVET_PUBLIC_URL: '' }, ['BREVET_PUBLIC_URL']],
  ['the public URL is not https', { ...GOOD, BREVET_PUBLIC_URL: 'http://brevet.example' }, ['BREVET_PUBLIC_URL']],
  ['the key is no key', { ...GOOD, BREVET_DEPLOYMENT_KEY: 'short' }, ['BREVET_DEPLOYMENT_KEY']],
  ['a setting is misspelt', { ...GOOD, BREVET_PUBLIK_URL: 'x' }, ['BREVET_PUBLIK_URL']],
  [
    'the database comes past the binding',
    { ...GOOD, DATABASE_URL: 'postgres://a@b/c' },
    ['BREVET_MIGRATE_URL', 'DATABASE_URL'],
  ],
  ['a file is named', { ...GOOD, BREVET_POLICY_DIR: './policy' }, ['BREVET_POLICY_DIR']],
  [
    'a secret is in a file',
    { ...GOOD, BREVET_DEPLOYMENT_KEY_FILE: '/key' },
    ['BREVET_DEPLOYMENT_KEY', 'BREVET_DEPLOYMENT_KEY_FILE'],
  ],
];
for (const [what, given, names] of WRONG) {
  settings(`are refused when ${what}`, () => {
    const read = readSettings(given);
    assert.not(read.ok);
    if (read.ok) return;
    assert.equal(
      read.error.map(({ name }) => name),
      names,
    );
    assert.not.match(JSON.stringify(read.error), KEY);
  });
}

settings.run();
