/** Certificates of an authority of the test's own, written in DER, since Node reads and signs but makes none. */
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

/** In PEM. */
export interface Certificate {
  readonly certificate: string;
  readonly key: string;
}

export interface Authority {
  readonly certificate: string;
  /** @param address an IPv4 address that the certificate is for. */
  issue(address: string): Certificate;
}

/** Tags of DER. @see ITU-T X.690 */
const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bits: 0x03,
  octets: 0x04,
  object: 0x06,
  utf8: 0x0c,
  time: 0x17,
  sequence: 0x30,
  set: 0x31,
} as const;
/** Context-specific ones of a certificate. @see RFC 5280 sections 4.1 and 4.2.1.6 */
const VERSION = 0xa0;
const EXTENSIONS = 0xa3;
const IP_ADDRESS = 0x87;

function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const size = content.length;
  const length = size < 0x80 ? [size] : size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}

const bytes = (...values: readonly number[]): Buffer => Buffer.from(values);
const sequence = (...parts: readonly Uint8Array[]): Buffer => der(TAG.sequence, ...parts);
const object = (hex: string): Buffer => der(TAG.object, Buffer.from(hex, 'hex'));

const COMMON_NAME = object('550403');
const BASIC_CONSTRAINTS = object('551d13');
const SUBJECT_ALTERNATIVE_NAME = object('551d11');
const ECDSA_WITH_SHA256 = sequence(object('2a8648ce3d040302'));
const TRUE = der(TAG.boolean, bytes(0xff));

const nameOf = (text: string): Buffer =>
  sequence(der(TAG.set, sequence(COMMON_NAME, der(TAG.utf8, Buffer.from(text)))));
const time = (text: string): Buffer => der(TAG.time, Buffer.from(text));
/** Any test's time. */
const VALIDITY = sequence(time('200101000000Z'), time('491231235959Z'));

function certificate(
  { issuer, subject, publicKey }: { readonly issuer: string; readonly subject: string; readonly publicKey: KeyObject },
  extension: Buffer,
  signer: KeyObject,
): string {
  const signed = sequence(
    der(VERSION, der(TAG.integer, bytes(2))),
    // Positive, and with no zero before it.
    der(TAG.integer, bytes(0x40), randomBytes(8)),
    ECDSA_WITH_SHA256,
    nameOf(issuer),
    VALIDITY,
    nameOf(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(EXTENSIONS, sequence(extension)),
  );
  const signature = der(TAG.bits, bytes(0), sign('sha256', signed, signer));
  const body = sequence(signed, ECDSA_WITH_SHA256, signature).toString('base64');
  return `-----BEGIN CERTIFICATE-----\n${body.replace(/.{64}(?=.)/g, '$&\n')}\n-----END CERTIFICATE-----\n`;
}

export function certificateAuthority(name: string): Authority {
  const own = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const authority = sequence(BASIC_CONSTRAINTS, TRUE, der(TAG.octets, sequence(TRUE)));
  return {
    certificate: certificate({ issuer: name, subject: name, publicKey: own.publicKey }, authority, own.privateKey),
    issue(address) {
      const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const names = sequence(der(IP_ADDRESS, bytes(...address.split('.').map(Number))));
      const extension = sequence(SUBJECT_ALTERNATIVE_NAME, der(TAG.octets, names));
      return {
        certificate: certificate({ issuer: name, subject: address, publicKey }, extension, own.privateKey),
        key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      };
    },
  };
}
