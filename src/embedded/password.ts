/** Passwords that Brevet makes for its own Postgres, and the form in which Postgres is given them. */
import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { Secret } from '../core/secret.ts';
import { readIfPresent, replaceFile } from './record.ts';

/** 256 bits: nobody guesses it, however few rounds protect its verifier. */
const PASSWORD_BYTES = 32;
/** Postgres' own default, and the least that some clients accept. */
const ROUNDS = 4_096;
const SALT_BYTES = 16;
const KEY_BYTES = 32;

/** The password kept in a file of mode 0600, made on first use. It takes a holder of the data directory. */
export async function passwordAt(path: string): Promise<Secret> {
  const kept = await readIfPresent(path);
  if (kept !== undefined) return new Secret(kept.trim());
  const password = randomBytes(PASSWORD_BYTES).toString('base64url');
  await replaceFile(path, `${password}\n`);
  return new Secret(password);
}

/**
 * What Postgres stores of a password. It is computed here, so that the password is never in a statement.
 *
 * @see https://www.postgresql.org/docs/18/catalog-pg-authid.html and RFC 5803
 */
export function scramVerifier(password: string): string {
  const salt = randomBytes(SALT_BYTES);
  const salted = pbkdf2Sync(password, salt, ROUNDS, KEY_BYTES, 'sha256');
  const hmac = (key: Buffer, message: string) => createHmac('sha256', key).update(message).digest();
  const storedKey = createHash('sha256').update(hmac(salted, 'Client Key')).digest('base64');
  const serverKey = hmac(salted, 'Server Key').toString('base64');
  return `SCRAM-SHA-256$${ROUNDS}:${salt.toString('base64')}$${storedKey}:${serverKey}`;
}
