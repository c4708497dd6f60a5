/**
 * Secrets at rest: AES-256-GCM under the deployment key, bound by the associated data to what they are for and whose
 * they are, so that a row copied to another tenant or purpose does not open.
 */
import { equalInConstantTime, fromHex, hmacSha256, sha256, toHex, utf8 } from './digest.ts';
import type { Random } from './ids.ts';
import { Secret } from './secret.ts';

/** `{key id}.{nonce}.{ciphertext}`, in hex; safe to store, useless without the deployment key. */
export type SealedSecret = string & { readonly __sealed: true };

/** Whose secret, and for what: `tenant` is empty for the deployment's own. */
export interface Purpose {
  readonly tenant: string;
  readonly use: 'signing-key' | 'target-secret' | 'lease-secret' | 'key-check' | 'sign-in';
  readonly subject: string;
}

const KEY_BYTES = 32;
/** @see NIST SP 800-38D section 8.2 */
const NONCE_BYTES = 12;

/** Thrown for a deployment key that did not seal what it is asked to open. A fault: nothing may go on with it. */
export class WrongDeploymentKey extends Error {
  override readonly name = 'WrongDeploymentKey';
}

export interface Keyring {
  /** Names the deployment key without telling anything of it. */
  readonly keyId: string;
  seal(purpose: Purpose, secret: Secret): Promise<SealedSecret>;
  /** @throws {WrongDeploymentKey} when another key sealed it, or it was sealed for something else. */
  open(purpose: Purpose, sealed: SealedSecret): Promise<Secret>;
  /** A key for one use, such as signing cursors, that tells nothing of the deployment key. */
  derive(use: string): Uint8Array;
}

/** @param key 32 bytes. */
export async function createKeyring(key: Uint8Array, random: Random): Promise<Keyring> {
  if (key.length !== KEY_BYTES) throw new WrongDeploymentKey('the deployment key must have 32 bytes');
  const derive = (use: string): Uint8Array => hmacSha256(key, utf8(`brevet ${use}`));
  const keyId = toHex(sha256(derive('key id'))).slice(0, 16);
  const cipher = await crypto.subtle.importKey('raw', new Uint8Array(derive('seal')), 'AES-GCM', false, [
    'encrypt',
    'decrypt',
  ]);
  const parameters = (purpose: Purpose, nonce: Uint8Array) => ({
    name: 'AES-GCM',
    iv: new Uint8Array(nonce),
    additionalData: new Uint8Array(utf8(JSON.stringify([keyId, purpose.tenant, purpose.use, purpose.subject]))),
  });
  return {
    keyId,
    derive,
    async seal(purpose, secret) {
      const nonce = random(NONCE_BYTES);
      const sealed = await crypto.subtle.encrypt(
        parameters(purpose, nonce),
        cipher,
        new Uint8Array(utf8(secret.reveal())),
      );
      return [keyId, toHex(nonce), toHex(new Uint8Array(sealed))].join('.') as SealedSecret;
    },
    async open(purpose, sealed) {
      const [by = '', nonce = '', ciphertext = ''] = sealed.split('.');
      if (!equalInConstantTime(utf8(by), utf8(keyId))) {
        throw new WrongDeploymentKey(`sealed under the deployment key ${by}, and this one is ${keyId}`);
      }
      try {
        const bytes = new Uint8Array(fromHex(ciphertext));
        const opened = await crypto.subtle.decrypt(parameters(purpose, fromHex(nonce)), cipher, bytes);
        return new Secret(new TextDecoder().decode(opened));
      } catch (cause) {
        throw new WrongDeploymentKey(`this secret was not sealed for ${purpose.use} of ${purpose.tenant}`, { cause });
      }
    },
  };
}
