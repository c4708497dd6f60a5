/** Signs with tenants' keys, which it opens once and keeps opened, bounded; the private halves go nowhere else. */
import { toBase64url } from '../core/base64url.ts';
import type { JsonObject } from '../core/canonical.ts';
import { utf8 } from '../core/digest.ts';
import { signerOf } from '../core/elliptic.ts';
import type { Signs } from '../core/elliptic.ts';
import type { TenantName } from '../core/ids.ts';
import type { SigningKey } from '../core/registers.ts';
import type { Keyring } from '../core/seal.ts';
import type { Signer } from '../core/signer.ts';
import type { Store } from '../core/store.ts';

/** One key takes about a kilobyte. */
const OPENED_KEYS = 4096;

export function createSigner(store: Pick<Store, 'snapshot'>, keyring: Keyring): Signer {
  const opened = new Map<string, Signs>();
  return {
    /** @see RFC 7515 section 7.1 */
    async sign(tenant, type, claims, algorithm = 'EdDSA') {
      const keys = await keysOf(store, tenant);
      const key = keys.find((one) => one.algorithm === algorithm);
      if (key === undefined) throw new Error(`the tenant ${tenant} has no key for ${algorithm}`);
      const signs = opened.get(key.kid) ?? (await open(keyring, key));
      remember(opened, key.kid, signs);
      const header = { alg: algorithm, kid: key.kid, typ: type };
      const signed = `${toBase64url(JSON.stringify(header))}.${toBase64url(JSON.stringify(claims))}`;
      return `${signed}.${toBase64url(await signs(utf8(signed)))}`;
    },
    async keys(tenant) {
      const keys = await keysOf(store, tenant);
      return keys.map(({ publicJwk, kid, algorithm }) => ({ ...publicJwk, kid, alg: algorithm, use: 'sig' }));
    },
  };
}

async function keysOf(store: Pick<Store, 'snapshot'>, tenant: TenantName): Promise<readonly SigningKey[]> {
  const snapshot = await store.snapshot(tenant);
  if (snapshot === null) throw new Error(`there is no tenant ${tenant} to sign for`);
  return snapshot.keys;
}

async function open(keyring: Keyring, { tenant, kid, algorithm, privateJwk }: SigningKey): Promise<Signs> {
  const secret = await keyring.open({ tenant, use: 'signing-key', subject: kid }, privateJwk);
  return signerOf(JSON.parse(secret.reveal()) as JsonObject, algorithm);
}

/** The one unused for longest goes first. */
function remember(opened: Map<string, Signs>, kid: string, signs: Signs): void {
  opened.delete(kid);
  opened.set(kid, signs);
  const [oldest] = opened.keys();
  if (opened.size > OPENED_KEYS && oldest !== undefined) opened.delete(oldest);
}
