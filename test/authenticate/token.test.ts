/** Tokens taken apart: whatever comes, a token or why it is none. */
import * as fc from 'fast-check';
import { base64url } from 'jose';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { decodeUnverified, isOnlyAudience, LONGEST_TOKEN } from '../../src/authenticate/token.ts';

const encode = (value: unknown): string => base64url.encode(typeof value === 'string' ? value : JSON.stringify(value));
const HEAD = encode({ alg: 'ES256' });

const decoding = suite('decoding');

const NO_JWT = 'not a signed JWT in compact form';
const NO_OBJECTS = 'not a JWT of JSON objects';
const NONE: readonly (readonly [text: unknown, why: string])[] = [
  [undefined, 'not a token, or too long for one'],
  [7, 'not a token, or too long for one'],
  [['a.b.c'], 'not a token, or too long for one'],
  ['x'.repeat(LONGEST_TOKEN + 1), 'not a token, or too long for one'],
  ['', NO_JWT],
  ['a.b', NO_JWT],
  [`${HEAD}.${encode({})}.`, NO_JWT],
  [`${HEAD}.${encode({})}.AA.AA`, NO_JWT],
  [`${HEAD}.a.b.c.AAAA`, NO_JWT],
  [`${HEAD}.${encode({})}.AAAA=`, NO_JWT],
  [`${HEAD}.${encode({})}.AA+/`, NO_JWT],
  [` ${HEAD}.${encode({})}.AAAA`, NO_OBJECTS],
  [`${HEAD}..AAAA`, NO_OBJECTS],
  [`${HEAD}.${encode('[]')}.AAAA`, NO_OBJECTS],
  [`${HEAD}.${encode('null')}.AAAA`, NO_OBJECTS],
  [`${HEAD}.${encode('"x"')}.AAAA`, NO_OBJECTS],
  [`${HEAD}.${encode('{')}.AAAA`, NO_OBJECTS],
  [`${HEAD}.${base64url.encode(Uint8Array.of(0x7b, 0xff, 0x7d))}.AAAA`, NO_OBJECTS],
  [`${encode('\ufeff{"alg":"ES256"}')}.${encode({})}.AAAA`, NO_OBJECTS],
  [`${encode({})}.${encode({})}.AAAA`, 'an algorithm that is not taken here'],
  [`${encode({ alg: ['ES256'] })}.${encode({})}.AAAA`, 'an algorithm that is not taken here'],
  [`${encode({ alg: 'es256' })}.${encode({})}.AAAA`, 'an algorithm that is not taken here'],
  [`${encode({ alg: 'ES256', kid: 7 })}.${encode({})}.AAAA`, 'a kid that is no string'],
  [`${encode({ alg: 'ES256', typ: {} })}.${encode({})}.AAAA`, 'a typ that is no string'],
];
for (const [text, why] of NONE) {
  decoding(`${JSON.stringify(text)?.slice(0, 60)}: ${why}`, () => {
    const decoded = decodeUnverified(text);
    assert.is(decoded.ok ? 'decoded' : decoded.error, why);
  });
}

decoding('gives what the token says, in lower case where it is a type', () => {
  const text = `${encode({ alg: 'ES256', kid: 'K', typ: 'AT+JWT' })}.${encode({ sub: 'a' })}.AAAA`;
  const decoded = decodeUnverified(text);
  assert.ok(decoded.ok);
  if (!decoded.ok) return;
  const { signed, ...rest } = decoded.value;
  assert.is(`${signed}.AAAA`, text);
  const signature = new Uint8Array(3);
  assert.equal(rest, { signature, algorithm: 'ES256', kid: 'K', type: 'at+jwt', claims: { sub: 'a' } });
});

decoding('throws for nothing', () => {
  const parts = fc.array(fc.oneof(fc.string(), fc.json().map(encode), fc.constant(HEAD)), { maxLength: 5 });
  const anything = fc.oneof(
    fc.anything(),
    fc.string(),
    parts.map((all) => all.join('.')),
  );
  fc.assert(
    fc.property(anything, (text) => typeof decodeUnverified(text).ok === 'boolean'),
    { numRuns: 5_000 },
  );
});

decoding.run();

const audiences = suite('the only audience');

const AUDIENCES: readonly (readonly [aud: string | string[] | undefined, only: boolean])[] = [
  ['a', true],
  [['a'], true],
  ['b', false],
  ['', false],
  [[], false],
  [['a', 'b'], false],
  [['b', 'a'], false],
  [['a', 'a'], false],
  ['a b', false],
  [undefined, false],
];
for (const [aud, only] of AUDIENCES) {
  audiences(`is ${only ? '' : 'not '}${JSON.stringify(aud)}`, () => assert.is(isOnlyAudience({ aud }, 'a'), only));
}

audiences.run();
