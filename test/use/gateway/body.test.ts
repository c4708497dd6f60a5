/** What a call may say, and that the far side reads what was checked: PITFALLS 52. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { SpecifiedCall } from '../../../src/core/gateway/specification.ts';
import { bodyFor, BodyTooLarge } from '../../../src/use/gateway/body.ts';

const call = (body: SpecifiedCall['body']): SpecifiedCall => ({
  method: 'POST',
  template: '/notes',
  path: '/notes',
  query: {},
  body,
  objects: [],
});

const RULES = call({
  members: {
    text: { type: 'string', longest: 10, required: true },
    ticket: { equals: 'ACME-1' },
    minutes: { type: 'integer' },
    kind: { one_of: ['work', 'call', 3] },
    author: { members: { name: { type: 'string' }, client: { equals: 7 } } },
    extra: { type: 'object' },
    tags: { type: 'array' },
    done: { type: 'boolean' },
  },
});

async function* inPieces(text: string): AsyncGenerator<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length; at += 7) yield bytes.subarray(at, at + 7);
}

interface Given {
  readonly type?: string | null;
  readonly length?: number | null;
  readonly isChunked?: boolean;
}

async function sent(of: SpecifiedCall, text: string | null, given: Given = {}) {
  const { type = 'application/json', length = null, isChunked = false } = given;
  const bytes = text === null ? null : inPieces(text);
  const own = { own: 'set' };
  return bodyFor(of, { type, length, isChunked, bytes }, { limit: 1000, own });
}

const made = async (...of: Parameters<typeof sent>): Promise<string> => {
  const body = await sent(...of);
  if (!body.ok) return body.error.code;
  return body.value.bytes instanceof Uint8Array ? new TextDecoder().decode(body.value.bytes) : 'a stream';
};

const rules = suite('a body by rules');

const FIXED = '"author":{"client":7},"own":"set"';
for (const [said, written] of [
  ['{"text":"a"}', `{${FIXED},"text":"a","ticket":"ACME-1"}`],
  ['{ "text" : "\\u0061" , "ticket":"ACME-1" }', `{${FIXED},"text":"a","ticket":"ACME-1"}`],
  ['{"text":"東京東京東京東京東京"}', `{${FIXED},"text":"東京東京東京東京東京","ticket":"ACME-1"}`],
  [
    '{"text":"a","minutes":5,"kind":3}',
    `{"author":{"client":7},"kind":3,"minutes":5,"own":"set","text":"a","ticket":"ACME-1"}`,
  ],
  ['{"text":"a","author":{"name":"x"}}', `{"author":{"client":7,"name":"x"},"own":"set","text":"a","ticket":"ACME-1"}`],
  [
    '{"text":"a","extra":{"b":[1,{"c":null}]},"tags":[],"done":false}',
    `{"author":{"client":7},"done":false,"extra":{"b":[1,{"c":null}]},"own":"set","tags":[],"text":"a","ticket":"ACME-1"}`,
  ],
] as const) {
  rules(`${said} is written anew`, async () => assert.is(await made(RULES, said), written));
}

for (const [what, said, code] of [
  ['a member too many', '{"text":"a","admin":true}', 'gateway_call_refused'],
  ['the member that Brevet sets', '{"text":"a","own":"mine"}', 'gateway_call_refused'],
  ['another value of what is fixed', '{"text":"a","ticket":"BIR-9"}', 'gateway_call_refused'],
  ['another value of what is fixed, below', '{"text":"a","author":{"client":8}}', 'gateway_call_refused'],
  ['nothing of what is needed', '{}', 'gateway_call_refused'],
  ['another kind', '{"text":1}', 'gateway_call_refused'],
  ['too long a text', '{"text":"01234567890"}', 'gateway_call_refused'],
  ['a fraction for a whole number', '{"text":"a","minutes":1.5}', 'gateway_call_refused'],
  ['none of what it may be', '{"text":"a","kind":"other"}', 'gateway_call_refused'],
  ['null for an object', '{"text":"a","extra":null}', 'gateway_call_refused'],
  ['an array for an object', '{"text":"a","extra":[]}', 'gateway_call_refused'],
  ['a list', '[{"text":"a"}]', 'gateway_call_refused'],
  ['a name twice', '{"text":"a","text":"b"}', 'invalid_json'],
  ['a name twice, once escaped', '{"text":"a","te\\u0078t":"b"}', 'invalid_json'],
  ['a name twice, below', '{"text":"a","extra":{"b":1,"b":2}}', 'invalid_json'],
  ['a name that is every object’s', '{"text":"a","extra":{"__proto__":{"x":1}}}', 'invalid_json'],
  ['a number that loses digits', '{"text":"a","minutes":9007199254740993}', 'invalid_json'],
  ['a number beyond all', '{"text":"a","minutes":1e999}', 'invalid_json'],
  ['a half character', '{"text":"\\ud800"}', 'invalid_json'],
  ['no JSON', '{"text":', 'invalid_json'],
  ['two values', '{"text":"a"}{}', 'invalid_json'],
  ['comments', '{"text":"a"/**/}', 'invalid_json'],
  ['more than is taken', `{"text":"a","extra":{"b":"${'x'.repeat(1000)}"}}`, 'body_too_large'],
] as const) {
  rules(`is refused with ${what}`, async () => assert.is(await made(RULES, said), code));
}

rules('is refused as another type, and in another alphabet', async () => {
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', null]) {
    assert.is(await made(RULES, '{"text":"a"}', { type }), 'unsupported_media_type');
  }
  const latin = async function* () {
    yield Uint8Array.of(0x7b, 0x22, 0xe9, 0x22, 0x3a, 0x31, 0x7d);
  };
  const given = { type: 'application/json', length: null, isChunked: true, bytes: latin() };
  const body = await bodyFor(RULES, given, { limit: 1000, own: {} });
  assert.is(!body.ok && body.error.code, 'invalid_json');
});

rules('of which all is fixed needs nothing said', async () => {
  const fixed = call({ members: { a: { equals: 1 } } });
  assert.is(await made(fixed, null, { type: null }), '{"a":1,"own":"set"}');
});

const others = suite('a body without rules');

others('is none, where the call has none', async () => {
  const none = call(null);
  assert.is((await sent(none, null)).ok, true);
  assert.is((await sent(none, '', { isChunked: true })).ok, true);
  assert.is((await sent(none, null, { length: 0 })).ok, true);
  assert.is(await made(none, 'x'), 'gateway_call_refused');
  assert.is(await made(none, null, { length: 1 }), 'gateway_call_refused');
  // A GET whose bytes the platform shows to nobody.
  assert.is(await made(none, null, { isChunked: true }), 'gateway_call_refused');
});

others('passes as bytes of the named type alone, and no more than is taken', async () => {
  const stream = call({ stream: 'application/octet-stream' });
  const type = 'application/octet-stream';
  assert.is(await made(stream, 'x', { type: 'text/plain' }), 'unsupported_media_type');
  assert.is(await made(stream, 'x', { type, length: 1001 }), 'body_too_large');
  const body = await sent(stream, 'x'.repeat(1001), { type });
  if (!body.ok || body.value.bytes === null || body.value.bytes instanceof Uint8Array) throw new Error('no stream');
  let length = 0;
  try {
    for await (const chunk of body.value.bytes) length += chunk.length;
    assert.unreachable();
  } catch (fault) {
    assert.instance(fault, BodyTooLarge);
  }
  assert.ok(length <= 1000);
  assert.is(body.value.sent(), length);
});

rules.run();
others.run();
