/** Whether a token that Brevet made is signed with a tenant's key, asked again with every call that bears it. */
import type { PublicJwk } from '../core/registers.ts';
import { verifySignature } from './token.ts';
import type { UnverifiedToken } from './token.ts';

/**
 * Those found to be signed with a key, by digest: a session, or a lease's own token, comes with every call for minutes. A signature stays
 * good for as long as its key stands; everything else is looked at every time.
 */
const signed = new WeakMap<PublicJwk, Set<string>>();
const SIGNED_KEPT = 1_000;

/** @param digest of the token's text. */
export async function isSignedBy(key: PublicJwk, token: UnverifiedToken, digest: string): Promise<boolean> {
  const known = signed.get(key) ?? new Set();
  if (known.has(digest)) return true;
  if ((await verifySignature(token, key)) === null) return false;
  const [oldest] = known;
  if (known.size >= SIGNED_KEPT && oldest !== undefined) known.delete(oldest);
  signed.set(key, known.add(digest));
  return true;
}
