/** The verifier is the one that Postgres itself would have computed. */
import { createHmac, createHash, pbkdf2Sync } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Secret } from '../../../src/core/secret.ts';
import { newPassword, scramVerifier } from '../../../src/providers/postgres/scram.ts';
import { random } from '../../support/target.ts';

const scram = suite('a SCRAM verifier');

/** The salt of RFC 7677 section 3; the verifier was taken from Postgres's own `pg_be_scram_build_secret`. */
const SALT = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64');

scram('is that of the exchange in RFC 7677', async () => {
  const verifier = await scramVerifier(new Secret('pencil'), 4096, () => new Uint8Array(SALT));
  assert.is(
    verifier,
    'SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=',
  );
});

for (const rounds of [1, 64, 65]) {
  scram(`of ${rounds} rounds is what RFC 5802 says, on this thread or another`, async () => {
    const salted = pbkdf2Sync('pencil', SALT, rounds, 32, 'sha256');
    const key = (name: string) => createHmac('sha256', salted).update(name).digest();
    const stored = createHash('sha256').update(key('Client Key')).digest('base64');
    const verifier = await scramVerifier(new Secret('pencil'), rounds, () => new Uint8Array(SALT));
    const keys = `${stored}:${key('Server Key').toString('base64')}`;
    assert.is(verifier, `SCRAM-SHA-256$${rounds}:${SALT.toString('base64')}$${keys}`);
  });
}

scram('has its own salt, and as many rounds as told', async () => {
  const password = newPassword(random);
  const [one, other] = await Promise.all([1, 1].map((rounds) => scramVerifier(password, rounds, random)));
  assert.match(String(one), /^SCRAM-SHA-256\$1:[A-Za-z0-9+/]{22}==\$[A-Za-z0-9+/]{43}=:[A-Za-z0-9+/]{43}=$/);
  assert.is.not(one, other);
});

scram('comes with a password of 256 bits that a URL and a shell leave alone', () => {
  const all = new Set(Array.from({ length: 200 }, () => newPassword(random).reveal()));
  assert.is(all.size, 200);
  for (const password of all) assert.match(password, /^[A-Za-z0-9_-]{43}$/);
});

scram.run();
