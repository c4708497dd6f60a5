/**
 * An authenticator in software, as the protocol has it: real keys, real signatures, and every lie that a hostile one
 * could tell. Browsers' own are tried in `test/browser/`.
 *
 * @see WebAuthn Level 3 section 6.1, Authenticator Data
 */
import { createHash, createSign, generateKeyPairSync, randomBytes } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { Attestation } from '../../src/authenticate/passkey.ts';
import type { PersonName } from '../../src/core/ids.ts';
import type { Passkey, StoredAssertion } from '../../src/core/passkey.ts';
import { challengeOf } from '../../src/core/statement.ts';
import type { Statement } from '../../src/core/statement.ts';
import { instant } from '../../src/core/time.ts';
import type { TestApp } from './app.ts';

/** What it says, where that is not the truth. */
export interface Lies {
  readonly challenge?: string;
  readonly origin?: string;
  readonly rpId?: string;
  readonly type?: string;
  readonly crossOrigin?: boolean;
  readonly userPresent?: boolean;
  readonly userVerified?: boolean;
  readonly signCount?: number;
}

const USER_PRESENT = 0x01;
const USER_VERIFIED = 0x04;
const BACKUP_ELIGIBLE = 0x08;
const HAS_CREDENTIAL = 0x40;

const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');

export class Authenticator {
  readonly id = text(randomBytes(32));
  readonly #publicUrl: URL;
  readonly #key: KeyObject;
  readonly #publicKey: Buffer;
  readonly #synced: boolean;
  #count = 0;

  /** @param options.synced a passkey that its owner's other devices have too; it does not count then. */
  constructor(publicUrl: string, { synced = false } = {}) {
    this.#publicUrl = new URL(publicUrl);
    this.#synced = synced;
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    this.#key = privateKey;
    const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
    this.#publicKey = coseKey(Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url'));
  }

  /** As the register would have it once it is enrolled and confirmed. */
  passkey(person: string, more: Partial<Passkey> = {}): Passkey {
    return {
      id: this.id,
      person: person as PersonName,
      publicKey: text(this.#publicKey),
      signCount: 0,
      deviceBound: !this.#synced,
      aaguid: '00000000-0000-0000-0000-000000000000',
      label: 'a test key',
      transports: ['internal'],
      enrolledAt: instant(0),
      confirmedBy: 'somebody-else' as PersonName,
      ...more,
    };
  }

  enrol(statement: Statement, lies: Lies = {}): Attestation {
    const clientData = this.#clientData('webauthn.create', statement, lies);
    const id = Buffer.from(this.id, 'base64url');
    const length = Buffer.alloc(2);
    length.writeUInt16BE(id.length);
    const data = Buffer.concat([this.#data(lies, HAS_CREDENTIAL), Buffer.alloc(16), length, id, this.#publicKey]);
    return {
      credential: this.id,
      clientDataJSON: text(clientData),
      attestationObject: text(noAttestation(data)),
      transports: ['internal'],
    };
  }

  sign(statement: Statement, lies: Lies = {}): StoredAssertion {
    const clientData = this.#clientData('webauthn.get', statement, lies);
    this.#count += this.#synced ? 0 : 1;
    const data = this.#data(lies, 0);
    const signature = createSign('sha256')
      .update(Buffer.concat([data, sha256(clientData)]))
      .sign(this.#key);
    return {
      credential: this.id,
      clientDataJSON: text(clientData),
      authenticatorData: text(data),
      signature: text(signature),
    };
  }

  #clientData(type: string, statement: Statement, lies: Lies): Buffer {
    const { challenge = challengeOf(statement), origin = this.#publicUrl.origin, crossOrigin = false } = lies;
    return Buffer.from(JSON.stringify({ type: lies.type ?? type, challenge, origin, crossOrigin }));
  }

  #data({ rpId = this.#publicUrl.hostname, userPresent = true, userVerified = true, signCount }: Lies, flags: number) {
    const count = Buffer.alloc(4);
    count.writeUInt32BE(signCount ?? this.#count);
    const all =
      flags |
      (userPresent ? USER_PRESENT : 0) |
      (userVerified ? USER_VERIFIED : 0) |
      (this.#synced ? BACKUP_ELIGIBLE : 0);
    return Buffer.concat([sha256(Buffer.from(rpId)), Buffer.from([all]), count]);
  }
}

/** `{1: 2 (EC2), 3: -7 (ES256), -1: 1 (P-256), -2: x, -3: y}` in CBOR. @see RFC 9053 section 7.1.1 */
const coseKey = (x: Buffer, y: Buffer): Buffer =>
  Buffer.concat([
    Buffer.from([0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20]),
    x,
    Buffer.from([0x22, 0x58, 0x20]),
    y,
  ]);

/** `{fmt: "none", attStmt: {}, authData}` in CBOR. @see WebAuthn Level 3 section 8.7 */
function noAttestation(data: Buffer): Buffer {
  const word = (said: string): Buffer => Buffer.concat([Buffer.from([0x60 + said.length]), Buffer.from(said)]);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(data.length);
  return Buffer.concat([
    Buffer.from([0xa3]),
    word('fmt'),
    word('none'),
    word('attStmt'),
    Buffer.from([0xa0]),
    word('authData'),
    Buffer.from([0x59]),
    length,
    data,
  ]);
}

/** Puts a passkey into the register of a broker, as two persons would have. */
export async function enrolled(app: Pick<TestApp, 'sql' | 'deps'>, key: Passkey): Promise<void> {
  const quoted = (value: string | null): string => `'${(value ?? '').replaceAll("'", "''")}'`;
  await app.sql(`insert into passkeys (id, person, public_key, sign_count, device_bound, aaguid, label, transports,
      enrolled_at, confirmed_by, in_setup)
    values (${[key.id, key.person, key.publicKey].map(quoted).join(', ')}, ${key.signCount}, ${key.deviceBound},
      ${quoted(key.aaguid)}, ${quoted(key.label)}, '{internal}', ${key.enrolledAt}, ${quoted(key.confirmedBy)}, false)`);
  await app.sql('update deployment set epoch = epoch + 1');
  app.deps.store.forget(null);
}
