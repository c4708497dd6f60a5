import { inspect } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Secret } from '../../src/core/secret.ts';

const VALUE = 'a-value-nobody-may-see';
const secret = new Secret(VALUE);
/** As code would have it that takes it for the text that it is not. */
const taken = secret as unknown as string;

const VIEWS: Readonly<Record<string, () => string>> = {
  'String()': () => String(secret),
  'a template': () => `the secret ${taken}, shown`,
  concatenation: () => 'the secret ' + taken,
  'toString()': () => secret.toString(),
  JSON: () => JSON.stringify(secret),
  'JSON of what holds it': () => JSON.stringify({ deep: [{ secret }] }),
  inspect: () => inspect(secret),
  'inspect that shows what is hidden': () => inspect(secret, { showHidden: true, depth: null }),
  'inspect of what holds it': () => inspect({ deep: [{ secret }] }, { depth: null }),
  'inspect without custom views': () => inspect(secret, { customInspect: false, showHidden: true }),
  'a list joined': () => [taken, taken].join(),
  entries: () => JSON.stringify(Object.entries(secret)),
  'a spread': () => JSON.stringify(Object.assign({}, secret)),
  keys: () => Reflect.ownKeys(secret).join(),
  'an error’s message': () => inspect(new Error(`failed with ${taken}`, { cause: secret })),
};

const secrets = suite('a secret');

for (const [view, show] of Object.entries(VIEWS)) {
  secrets(`does not print through ${view}`, () => {
    assert.not.match(show(), VALUE);
  });
}

secrets('does not survive a structured clone', () => {
  assert.not.match(inspect(structuredClone(secret), { showHidden: true }), VALUE);
});

secrets('is given by reveal alone', () => {
  assert.is(secret.reveal(), VALUE);
});

secrets.run();
