/** A session at the console, as it is kept: its cookie's secret is not in it. */
import type { OperatorName, PersonName } from './ids.ts';
import type { Instant } from './time.ts';

export interface ConsoleSession {
  /** SHA-256 of the cookie's secret, in hex. */
  readonly id: string;
  readonly person: PersonName;
  readonly operator: OperatorName;
  readonly by: 'oidc' | 'passkey';
  /** The passkey that opened it; it ends with it. */
  readonly passkey: string | null;
  readonly signedInAt: Instant;
  /** When the person last proved who they are; `null` where the issuer did not say when that was. */
  readonly provenAt: Instant | null;
  /** It ends then unless it is used, and at `until` however it is used. */
  readonly idleUntil: Instant;
  readonly until: Instant;
}
