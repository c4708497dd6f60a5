/** The secret of a webhook in the form of Standard Webhooks: `whsec_` and 24 to 64 bytes in base64. */
import type { Secret } from './secret.ts';

const PREFIX = 'whsec_';
const LEAST_BYTES = 24;
const MOST_BYTES = 64;

/** Its bytes; `null` for what is none. */
export function webhookKey(secret: Secret): Uint8Array | null {
  const text = secret.reveal();
  const coded = text.startsWith(PREFIX) ? text.slice(PREFIX.length) : '';
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(coded) || coded.length % 4 !== 0) return null;
  const key = Uint8Array.from(atob(coded), (byte) => byte.charCodeAt(0));
  return key.length < LEAST_BYTES || key.length > MOST_BYTES ? null : key;
}
