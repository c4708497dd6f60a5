/** A person's key for signing what they decide, and what it answers with. Binary values are base64url throughout. */
import type { PersonName } from './ids.ts';
import type { Instant } from './time.ts';

export interface Passkey {
  /** The credential's id, as its authenticator chose it. */
  readonly id: string;
  readonly person: PersonName;
  /** A COSE key. @see RFC 9052 section 7 */
  readonly publicKey: string;
  /** As last seen; 0 for the many that do not count. */
  readonly signCount: number;
  /** It cannot be copied to another device, as its authenticator says. */
  readonly deviceBound: boolean;
  /** The authenticator's model, as it says itself; zeros where it doesn't. */
  readonly aaguid: string;
  /** What its owner calls it. */
  readonly label: string;
  /** How the browser reaches it. */
  readonly transports: readonly string[];
  readonly enrolledAt: Instant;
  /** The other person who confirmed it; `null` while nobody has, and it is good for nothing. */
  readonly confirmedBy: PersonName | null;
}

/** What an authenticator answered, whole: anyone with the public key can verify it years later. */
export interface StoredAssertion {
  readonly credential: string;
  readonly clientDataJSON: string;
  readonly authenticatorData: string;
  readonly signature: string;
}
