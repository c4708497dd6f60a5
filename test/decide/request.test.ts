/** What is taken as an access request, and what is refused with its path. */
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { canonicalDigest } from '../../src/core/canonical.ts';
import type { Json } from '../../src/core/canonical.ts';
import { parseAccessRequest } from '../../src/decide/request.ts';

const GOOD = { task: 'ticket.route', resource: 'service-desk/TCK-42', reason: 'the queue is wrong' };

const WHOLE = {
  ...GOOD,
  parameters: { ticket: 'TCK-42', nested: [{ deep: true }] },
  role: 'triage',
  ttl: 60,
  uses: 2,
  trigger: { kind: 'ticket', reference: 'TCK-42' },
  data_considered: ['ticket'],
  data_classes: ['phi'],
  purpose: 'routing',
  environment: 'staging',
  confidence: 0.5,
  model: 'sorter',
  model_version: '3',
  evidence: [{ digest: 'abc' }, 'reference'],
  rollback: 'back',
  change: 'CHG-1',
  plan: 'plan-1',
};

const REFUSED: readonly (readonly [what: string, body: unknown, code: string, path: string | undefined])[] = [
  ['nothing', null, 'invalid_field', undefined],
  ['a list', [], 'invalid_field', undefined],
  ['no task', { ...GOOD, task: undefined }, 'invalid_field', 'task'],
  ['a task of one name', { ...GOOD, task: 'route' }, 'invalid_field', 'task'],
  ['a task with a look-alike letter (34)', { ...GOOD, task: 'tick\u0435t.route' }, 'invalid_field', 'task'],
  ['no reason', { ...GOOD, reason: '' }, 'invalid_field', 'reason'],
  ['a reason without end', { ...GOOD, reason: 'x'.repeat(1001) }, 'invalid_field', 'reason'],
  ['a field that is none', { ...GOOD, approved: true }, 'unknown_field', 'approved'],
  [
    'a field inside that is none',
    { ...GOOD, trigger: { kind: 'a', reference: 'b', tier: 1 } },
    'unknown_field',
    'trigger.tier',
  ],
  ['a tenant of its own', { ...GOOD, tenant: 'acme' }, 'unknown_field', 'tenant'],
  ['a target in capitals', { ...GOOD, resource: 'Service-Desk/1' }, 'invalid_field', 'resource'],
  ['a target alone with a slash', { ...GOOD, resource: 'service-desk/' }, 'invalid_field', 'resource'],
  ['a resource that climbs (34)', { ...GOOD, resource: 'service-desk/a/../b' }, 'invalid_field', 'resource'],
  ['a resource with an empty part', { ...GOOD, resource: 'service-desk/a//b' }, 'invalid_field', 'resource'],
  ['a resource over two lines', { ...GOOD, resource: 'service-desk/a\nb' }, 'invalid_field', 'resource'],
  ['a resource with a bidirectional mark', { ...GOOD, resource: 'service-desk/a\u202eb' }, 'invalid_field', 'resource'],
  [
    'a resource that climbs by wide letters',
    { ...GOOD, resource: 'service-desk/a／．．／b' },
    'invalid_field',
    'resource',
  ],
  [
    'a resource with a joiner that nobody sees',
    { ...GOOD, resource: 'service-desk/hu\u034fr' },
    'invalid_field',
    'resource',
  ],
  [
    'a resource with a filler that nobody sees',
    { ...GOOD, resource: 'service-desk/hr\u3164' },
    'invalid_field',
    'resource',
  ],
  ['a resource with a variation', { ...GOOD, resource: 'service-desk/h\ufe0fr' }, 'invalid_field', 'resource'],
  ['a resource with NUL', { ...GOOD, resource: 'service-desk/a\u0000b' }, 'invalid_field', 'resource'],
  ['a resource without end', { ...GOOD, resource: `service-desk/${'x'.repeat(600)}` }, 'invalid_field', 'resource'],
  ['a TTL of half a second', { ...GOOD, ttl: 0.5 }, 'invalid_field', 'ttl'],
  ['a TTL below nothing', { ...GOOD, ttl: -1 }, 'invalid_field', 'ttl'],
  ['a TTL as text', { ...GOOD, ttl: '60' }, 'invalid_field', 'ttl'],
  ['no use at all', { ...GOOD, uses: 0 }, 'invalid_field', 'uses'],
  ['more than certain', { ...GOOD, confidence: 1.1 }, 'invalid_field', 'confidence'],
  ['a data class that is none', { ...GOOD, data_classes: ['secrets'] }, 'invalid_field', 'data_classes.0'],
  ['parameters as a list', { ...GOOD, parameters: [] }, 'invalid_field', 'parameters'],
  ['parameters too deep', { ...GOOD, parameters: nested(9) }, 'invalid_field', 'parameters'],
  ['a control character in parameters', { ...GOOD, parameters: { a: '\u0007' } }, 'invalid_field', 'parameters'],
  ['a broken character in parameters', { ...GOOD, parameters: { a: '\ud800' } }, 'invalid_field', 'parameters'],
  [
    'a prototype in parameters',
    { ...GOOD, parameters: JSON.parse('{"__proto__": {"a": 1}}') as unknown },
    'invalid_field',
    'parameters',
  ],
  ['more than is kept', { ...GOOD, parameters: { a: 'x'.repeat(33_000) } }, 'invalid_request', undefined],
];

function nested(depth: number): Json {
  return depth === 0 ? 1 : { a: nested(depth - 1) };
}

const requests = suite('decide/request');

for (const [what, body, code, path] of REFUSED) {
  requests(`refused: ${what}`, () => {
    const parsed = parseAccessRequest(body);
    assert.is(parsed.ok, false);
    if (parsed.ok) return;
    assert.is(parsed.error.code, code);
    assert.is(parsed.error.path, path);
  });
}

requests('a plain request has its parts', () => {
  const parsed = parseAccessRequest(GOOD);
  assert.equal(parsed.ok && { ...parsed.value, hash: '' }, {
    ...GOOD,
    target: 'service-desk',
    rest: 'TCK-42',
    parameters: {},
    role: null,
    order: null,
    launchedBy: null,
    ttl: null,
    uses: null,
    circumstances: {},
    hash: '',
  });
});

requests('a whole request keeps what it says, and is hashed as it came', () => {
  const parsed = parseAccessRequest(WHOLE);
  assert.ok(parsed.ok);
  if (!parsed.ok) return;
  assert.is(Object.keys(parsed.value.circumstances).length, 12);
  assert.is(parsed.value.circumstances.modelVersion, '3');
  assert.is(parsed.value.hash, canonicalDigest(WHOLE));
  const turned = Object.fromEntries(Object.entries(WHOLE).toReversed());
  const again = parseAccessRequest(turned);
  assert.is(again.ok && again.value.hash, parsed.value.hash);
});

requests('whatever comes, an answer is given', () => {
  fc.assert(
    fc.property(fc.anything(), fc.constantFrom(...Object.keys(WHOLE)), (value, field) => {
      parseAccessRequest(value);
      const parsed = parseAccessRequest({ ...WHOLE, [field]: value });
      if (parsed.ok) assert.match(parsed.value.hash, /^[0-9a-f]{64}$/);
    }),
    { numRuns: 300 },
  );
});

requests.run();
