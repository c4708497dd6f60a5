/**
 * Base64url without padding, by the runtime's own `Buffer`, which Workers have too: what stands in its place in
 * JavaScript goes character by character. @see RFC 4648 section 5
 */
import { Buffer } from 'node:buffer';

/** @param value a text stands for its UTF-8. */
export const toBase64url = (value: string | Uint8Array): string => bytesOf(value).toString('base64url');

const bytesOf = (value: string | Uint8Array): Buffer =>
  typeof value === 'string' ? Buffer.from(value) : Buffer.from(value.buffer, value.byteOffset, value.length);

/** Of characters of that alphabet alone: whoever calls has looked, since others would be passed over. */
export const fromBase64url = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64url'));
