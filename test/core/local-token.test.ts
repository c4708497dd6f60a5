import { SignJWT } from 'jose';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { OperatorName } from '../../src/core/ids.ts';
import { DEMAND_TYPES, signDemand, verifyDemand } from '../../src/core/local-token.ts';
import { after, instant, numericDate, seconds } from '../../src/core/time.ts';

const NOW = instant(Date.UTC(2026, 0, 2));
const KEY = new Uint8Array(32).fill(1);
const AUDIENCE = 'https://brevet.example';
const operator = 'ada' as OperatorName;

const demands = suite('a demand for a local token');

demands('is read as it was signed', async () => {
  const demand = await signDemand(KEY, { operator, jti: 'once', audience: AUDIENCE }, NOW);
  const read = await verifyDemand(KEY, demand, AUDIENCE, NOW);
  assert.equal(read, { ok: true, value: { operator, jti: 'once', expiresAt: after(NOW, seconds(60)) } });
});

const REFUSED: readonly (readonly [what: string, key: Uint8Array, audience: string, later: number])[] = [
  ['under another key', new Uint8Array(32).fill(2), AUDIENCE, 0],
  ['at another deployment', KEY, 'https://other.example', 0],
  ['after its minute', KEY, AUDIENCE, 61],
  ['before its time', KEY, AUDIENCE, -60],
];
for (const [what, key, audience, later] of REFUSED) {
  demands(`is refused ${what}`, async () => {
    const demand = await signDemand(KEY, { operator, jti: 'once', audience: AUDIENCE }, NOW);
    const read = await verifyDemand(key, demand, audience, after(NOW, seconds(later)));
    assert.is(read.ok, false);
  });
}

const at = (claims: Record<string, unknown>, typ: string = DEMAND_TYPES.token): Promise<string> =>
  new SignJWT({ aud: AUDIENCE, iat: numericDate(NOW), exp: numericDate(NOW) + 60, sub: 'ada', jti: 'x', ...claims })
    .setProtectedHeader({ alg: 'HS256', typ })
    .sign(KEY);

const FORGED: readonly (readonly [what: string, make: () => Promise<string>])[] = [
  ['of another type', () => at({}, 'at+jwt')],
  ['for a recovery', () => at({}, DEMAND_TYPES.recovery)],
  ['without jti', () => at({ jti: undefined })],
  ['with a long life of its own', () => at({ iat: numericDate(NOW) - 100, exp: numericDate(NOW) + 3600 })],
  ['for a name of the wrong form', () => at({ sub: 'Ada L' })],
  ['that is no token', () => Promise.resolve('nonsense')],
];
for (const [what, make] of FORGED) {
  demands(`one ${what} is refused`, async () => {
    assert.is((await verifyDemand(KEY, await make(), AUDIENCE, NOW)).ok, false);
  });
}

demands.run();
