/** Signs with tenants' keys, which it opens once and keeps opened, bounded; the private halves go nowhere else. */
import { CompactSign, importJWK } from 'jose';
import type { CryptoKey, JWK } from 'jose';
import { utf8 } from '../core/digest.ts';
import type { TenantName } from '../core/ids.ts';
import type { SigningKey } from '../core/registers.ts';
import type { Keyring } from '../core/seal.ts';
import type { Signer } from '../core/signer.ts';
import type { Store } from '../core/store.ts';

/** One key takes about a kilobyte. */
const OPENED_KEYS = 4096;

export function createSigner(store: Pick<Store, 'snapshot'>, keyring: Keyring): Signer {
  const opened = new Map<string, CryptoKey>();
  return {
    async sign(tenant, type, claims, algorithm = 'EdDSA') {
      const keys = await keysOf(store, tenant);
      const key = keys.find((one) => one.algorithm === algorithm);
      if (key === undefined) throw new Error(`the tenant ${tenant} has no key for ${algorithm}`);
      const signing = opened.get(key.kid) ?? (await open(keyring, key));
      remember(opened, key.kid, signing);
      const header = { alg: algorithm, kid: key.kid, typ: type };
      return new CompactSign(utf8(JSON.stringify(claims))).setProtectedHeader(header).sign(signing);
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

async function open(keyring: Keyring, { tenant, kid, algorithm, privateJwk }: SigningKey): Promise<CryptoKey> {
  const secret = await keyring.open({ tenant, use: 'signing-key', subject: kid }, privateJwk);
  const key = await importJWK(JSON.parse(secret.reveal()) as JWK, algorithm);
  if (key instanceof Uint8Array) throw new Error('a signing key is not a symmetric one');
  return key;
}

/** The one unused for longest goes first. */
function remember(opened: Map<string, CryptoKey>, kid: string, key: CryptoKey): void {
  opened.delete(kid);
  opened.set(kid, key);
  const [oldest] = opened.keys();
  if (opened.size > OPENED_KEYS && oldest !== undefined) opened.delete(oldest);
}
