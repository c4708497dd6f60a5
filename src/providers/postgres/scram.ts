/**
 * A SCRAM verifier, computed here: the server would hash a plain password itself, and may log it on the way.
 *
 * @see RFC 5802 section 3, RFC 7677
 */
import { hmacSha256, pbkdf2AtOnce, sha256, utf8 } from '../../core/digest.ts';
import type { Random } from '../../core/ids.ts';
import { Secret } from '../../core/secret.ts';

/** So few take less than a thread's hop, and hold up nobody. */
const FEW_ROUNDS = 64;

const PASSWORD_BYTES = 32;
const SALT_BYTES = 16;

/** 256 random bits in base64url: ASCII, so that SASLprep changes nothing, and free of what a shell or a URL reads. */
export function newPassword(random: Random): Secret {
  return new Secret(toBase64(random(PASSWORD_BYTES)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', ''));
}

/** @returns `SCRAM-SHA-256$rounds:salt$stored:server`, as Postgres keeps it. */
export async function scramVerifier(password: Secret, rounds: number, random: Random): Promise<string> {
  const salt = random(SALT_BYTES);
  const salted = await saltedPassword(password, salt, rounds);
  const storedKey = sha256(hmacSha256(salted, utf8('Client Key')));
  const serverKey = hmacSha256(salted, utf8('Server Key'));
  return `SCRAM-SHA-256$${rounds}:${toBase64(salt)}$${toBase64(storedKey)}:${toBase64(serverKey)}`;
}

/** Many rounds on the engine's own threads, where it has any. */
async function saltedPassword(password: Secret, salt: Uint8Array, rounds: number): Promise<Uint8Array> {
  const bytes = utf8(password.reveal());
  if (rounds <= FEW_ROUNDS) return pbkdf2AtOnce(bytes, salt, rounds);
  const key = await crypto.subtle.importKey('raw', new Uint8Array(bytes), 'PBKDF2', false, ['deriveBits']);
  const parameters = { name: 'PBKDF2', hash: 'SHA-256', salt: new Uint8Array(salt), iterations: rounds };
  return new Uint8Array(await crypto.subtle.deriveBits(parameters, key, 256));
}

const toBase64 = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes));
