/**
 * Issuers of tokens: each tenant is one, and workloads and operators come from others.
 */
import type { TenantName } from './ids.ts';
import type { PublicJwk } from './registers.ts';
import type { Result } from './result.ts';

/** A tenant's issuer: the `iss` of what is signed for it, and the only audience of what is shown to it. */
export const tenantIssuer = (publicUrl: string, tenant: TenantName): string => `${publicUrl}/t/${tenant}`;

/** By which a token's header says which key signed it. */
export interface KeyHint {
  readonly kid: string | null;
  readonly algorithm: string;
}

/** `unknown`: the issuer has no such key. `unavailable`: it could not be asked, so nothing can be said. */
export type KeyMiss = 'unknown' | 'unavailable';

/** The public keys of other issuers, found by discovery and kept for a while. */
export interface IssuerKeys {
  /** @param issuer one that an administrator registered or configured; never one that a token alone names. */
  find(issuer: string, hint: KeyHint): Promise<Result<PublicJwk, KeyMiss>>;
}
