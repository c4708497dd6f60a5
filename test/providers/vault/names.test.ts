/** What a request brings never reaches a path of Vault's unescaped: it fits, or it is refused. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { newId } from '../../../src/core/ids.ts';
import { markOf } from '../../../src/core/lease.ts';
import { instant } from '../../../src/core/time.ts';
import { earliestOf, isOwnRole, markIn, nameOf, ownRoleName, segment } from '../../../src/providers/vault/names.ts';
import { tokenOf } from '../../../src/providers/vault/specification.ts';
import { random, termsOf } from '../../support/target.ts';
import { CHARACTER } from '../../support/text.ts';
import { specify } from './target.ts';

const names = suite('what may stand in a path of Vault');

for (const value of ['acme', 'tenant-7', 'a.b', 'A_b-C', '7', '-x-', 'x'.repeat(128)]) {
  names(`${value.slice(0, 20)} may`, () => assert.is(segment(value), value));
}

const REFUSED = [
  '',
  '.',
  '..',
  'a..b',
  '.a',
  'a.',
  'a/b',
  '/',
  '../sys/raw',
  '*',
  'a*',
  '+',
  '%2e%2e',
  'a%2fb',
  'a b',
  "a'b",
  'a"b',
  'a\\b',
  '${x}',
  '{{x}}',
  'a?b',
  'a#b',
  'a\nb',
  'a\u0000b',
  'é',
  'ключ',
  '\u2025',
  'x'.repeat(129),
];
for (const value of REFUSED)
  names(`${JSON.stringify(value.slice(0, 20))} may not`, () => assert.is(segment(value), null));

/** What every read must be, whatever was asked for. */
const SAFE = /^secret\/data\/[A-Za-z0-9_.-]+\/key$/;

names('nothing else comes through a template, by any value', () => {
  const template = {
    policies: ['psa-{{client}}'],
    reads: [
      { engine: 'kv', path: 'secret/data/{{client}}/key' },
      { engine: 'database', role: 'report-{{client}}' },
    ],
  };
  const odd = fc.oneof(
    fc.string({ unit: CHARACTER, maxLength: 40 }),
    fc.string({ unit: fc.constantFrom(...Array.from('ab-_./*+%"\'{}$\\ \u00e9')), maxLength: 12 }),
    fc.constantFrom(...REFUSED),
    fc.integer(),
    fc.boolean(),
  );
  let filled = 0;
  fc.assert(
    fc.property(odd, (client) => {
      const specified = specify(termsOf(template, { parameters: { client } }));
      if (!specified.ok) return specified.error.code === 'invalid_parameters';
      filled += 1;
      const { reads, policies } = tokenOf(specified.value);
      const [value, login] = reads;
      assert.ok(value?.engine === 'kv' && SAFE.test(value.path) && !value.path.includes('..'), JSON.stringify(value));
      assert.is(value.path, `secret/data/${String(client)}/key`);
      assert.ok(login?.engine === 'database' && /^report-[A-Za-z0-9_.-]+$/.test(login.role));
      assert.match(policies[0] ?? '', /^psa-[a-z0-9_.-]+$/);
      return true;
    }),
    { numRuns: 2_000 },
  );
  assert.ok(filled > 20, 'some values fit');
});

const MARK = markOf(newId('lse', instant(1_795_000_000_000), random));

names('a lease’s names lead back to its mark, and to no other target’s', () => {
  const name = nameOf('brevet-acme', MARK);
  assert.is(markIn('brevet-acme', name), MARK);
  for (const other of ['brevet-ac', 'brevet-acme2', 'brevet', 'brevet-beta'])
    assert.is(markIn(other, name), null, other);
  const own = ownRoleName('brevet-acme', MARK, random);
  assert.match(own, /^brevet-acme_[0-9a-z]{26}_[0-9a-z]{16}$/);
  assert.is(isOwnRole('brevet-acme', MARK, own), true);
  assert.is(isOwnRole('brevet-acme', MARK, name), false);
  assert.is.not(own, ownRoleName('brevet-acme', MARK, random));
});

names('nothing of a lease is older than its mark says, by a minute', () => {
  assert.is(earliestOf(MARK), 1_795_000_000_000 - 60_000);
});

names.run();
