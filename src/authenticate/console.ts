/** Who is at the console: an operator who signed in there, looked up again at every use. */
import type { Instant } from '../core/time.ts';
import type { OperatorPrincipal } from './principal.ts';

export interface ConsoleCaller extends OperatorPrincipal {
  readonly by: 'oidc' | 'passkey';
  /** The session's id, which opens nothing: the cookie's secret hashes to it. */
  readonly session: string;
  readonly signedInAt: Instant;
}
