import { randomBytes } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { canonicalText } from '../../src/core/canonical.ts';
import type { Json } from '../../src/core/canonical.ts';
import { commitmentTo, leafHash, makeEntry, receiptOf } from '../../src/core/entry.ts';
import type { EntryDraft } from '../../src/core/entry.ts';
import { newId } from '../../src/core/ids.ts';
import type { TenantName } from '../../src/core/ids.ts';
import { instant } from '../../src/core/time.ts';
import { vectors } from '../vectors/load.ts';

const random = (bytes: number): Uint8Array => new Uint8Array(randomBytes(bytes));
const NOW = instant(Date.UTC(2026, 0, 2));

const draft = (more: Partial<EntryDraft> = {}): EntryDraft => ({
  tenant: 'acme' as TenantName,
  kind: 'request.permitted',
  at: NOW,
  actor: { kind: 'agent', name: 'report-bot', by: 'private_key_jwt' },
  accountable: 'olga',
  request: newId('req', NOW, random),
  lease: newId('lse', NOW, random),
  inSetup: false,
  facts: { tier: 1, rule: 'reports' },
  said: { reason: 'Because Otto Müller asked', parameters: { table: 'sales' } },
  seen: { login: 'brevet_x' },
  ...more,
});

interface Leaf {
  readonly said: Record<string, string>;
  readonly seen: Record<string, string>;
}
const leafOf = (text: string): Leaf => JSON.parse(text) as Leaf;

const entries = suite('a ledger entry');

const published = vectors('rfc6962') as { leaves: { entry: string; hash: string }[] };
for (const { entry, hash } of published.leaves) {
  entries(`the leaf hash of «${entry}» is the published one`, () => {
    assert.is(leafHash(entry), hash);
  });
}

entries('is its canonical text, whose hash is its leaf', () => {
  const entry = makeEntry(draft(), random);
  assert.is(canonicalText(JSON.parse(entry.text) as Json), entry.text);
  assert.is(leafHash(entry.text), entry.leaf);
  assert.equal(receiptOf(entry), { entry: entry.id, leafHash: entry.leaf });
});

entries('holds nothing that was said or seen', () => {
  const { text } = makeEntry(draft(), random);
  for (const value of ['Otto', 'Müller', 'sales', 'brevet_x']) assert.not.match(text, value);
});

entries('commits to each value with a salt of its own', () => {
  const { text, values } = makeEntry(draft({ said: { a: 'same', b: 'same' } }), random);
  const leaf = leafOf(text);
  assert.is.not(leaf.said['a'], leaf.said['b']);
  assert.is(new Set(values.map(({ salt }) => salt)).size, values.length);
  for (const { part, name, salt, value } of values) assert.is(leaf[part][name], commitmentTo(salt, value));
});

entries('a changed value, name or salt is not what was committed to', () => {
  const { text, values } = makeEntry(draft({ said: { reason: 'one' } }), random);
  const [kept] = values;
  if (kept === undefined) throw new Error('nothing was committed to');
  const commitment = leafOf(text).said['reason'];
  assert.is.not(commitmentTo(kept.salt, 'two'), commitment);
  assert.is.not(
    commitmentTo(
      kept.salt.replace(/^./, (first) => (first === '0' ? '1' : '0')),
      'one',
    ),
    commitment,
  );
});

entries('a value that is not there is not committed to', () => {
  const { text, values } = makeEntry(draft({ said: { reason: undefined, none: null }, seen: {} }), random);
  assert.equal(Object.keys(leafOf(text).said), ['none']);
  assert.is(values.length, 1);
});

entries('of the deployment names no tenant, and says that set-up lasts while it does', () => {
  const during = JSON.parse(makeEntry(draft({ tenant: null, inSetup: true }), random).text) as Record<string, unknown>;
  assert.is(during['ledger'], '');
  assert.is(during['set_up'], true);
  const later = JSON.parse(makeEntry(draft(), random).text) as Record<string, unknown>;
  assert.is(later['ledger'], 'acme');
  assert.not.ok('set_up' in later);
});

entries('keeps what two fields say apart in its bytes', () => {
  const actor = { kind: 'agent', name: 'x","kind":"operator' } as const;
  const read = JSON.parse(makeEntry(draft({ actor }), random).text) as { actor: unknown };
  assert.equal(read.actor, actor);
});

entries.run();
