/**
 * What a call says: nothing, bytes of a named type, or JSON by rules, of which Brevet sends its own writing, so that the
 * far side reads what was checked.
 */
import type { Json } from '../../core/canonical.ts';
import { canonicalText } from '../../core/canonical.ts';
import { utf8 } from '../../core/digest.ts';
import { failure } from '../../core/failure.ts';
import type { Failure } from '../../core/failure.ts';
import { flawOf } from '../../core/flaw.ts';
import type { SpecifiedCall } from '../../core/gateway/specification.ts';
import { err, ok } from '../../core/result.ts';
import type { Result } from '../../core/result.ts';
import { fitMembers, oddity } from './fit.ts';

/** As it goes out. */
export interface SentBody {
  readonly type: string | null;
  /** In bytes, where it is known beforehand. */
  readonly length: number | null;
  readonly bytes: Uint8Array | AsyncIterable<Uint8Array> | null;
  /** How many of them have gone out. */
  sent(): number;
}

export const NO_BYTES: SentBody = { type: null, length: null, bytes: null, sent: () => 0 };

export interface GivenBody {
  /** The content type and length as they were stated; `null` where not. */
  readonly type: string | null;
  readonly length: number | null;
  /** Said to come in chunks, so that its length is not known. */
  readonly isChunked: boolean;
  readonly bytes: AsyncIterable<Uint8Array> | null;
}

/** It was longer than was allowed, in the middle of being sent. */
export class BodyTooLarge extends Error {
  override readonly name = 'BodyTooLarge';
}

/** @param own members that Brevet sets itself. */
export async function bodyFor(
  { body }: SpecifiedCall,
  given: GivenBody,
  { limit, own }: { readonly limit: number; readonly own: Readonly<Record<string, string>> },
): Promise<Result<SentBody>> {
  if (given.length !== null && given.length > limit) return err(tooLarge(limit));
  if (body === null) return (await isEmpty(given)) ? ok(NO_BYTES) : err(NO_BODY);
  const type = given.type?.split(';')[0]?.trim().toLowerCase() ?? null;
  if ('stream' in body) {
    if (type !== body.stream) return err(otherType(body.stream));
    return ok(streamed(given, body.stream, limit));
  }
  const read = await readJson(given, type, limit);
  if (!read.ok) return read;
  const fitted = fitMembers(body.members, read.value, '');
  if (!fitted.ok) return err(failure('gateway_call_refused', `the body does not fit: ${fitted.error}`));
  const bytes = utf8(canonicalText({ ...fitted.value, ...own }));
  return ok({ type: 'application/json', length: bytes.length, bytes, sent: () => bytes.length });
}

const NO_BODY = failure('gateway_call_refused', 'this call has no body', { hint: 'Send none.' });
export const tooLarge = (limit: number): Failure => failure('body_too_large', `the body is over ${limit} bytes`);
const otherType = (type: string): Failure =>
  failure('unsupported_media_type', `this call takes ${type}`, { hint: `Send content-type: ${type}.` });

function streamed({ bytes, length }: GivenBody, type: string, limit: number): SentBody {
  let sent = 0;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of bounded(bytes ?? none(), limit)) {
      sent += chunk.length;
      yield chunk;
    }
  }
  return { type, length, bytes: counted(), sent: () => sent };
}

async function* none(): AsyncGenerator<Uint8Array> {}

async function isEmpty({ length, isChunked, bytes }: GivenBody): Promise<boolean> {
  if (length !== null) return length === 0;
  if (bytes === null) return !isChunked;
  for await (const chunk of bytes) if (chunk.length > 0) return false;
  return true;
}

async function* bounded(bytes: AsyncIterable<Uint8Array>, limit: number): AsyncGenerator<Uint8Array> {
  let length = 0;
  for await (const chunk of bytes) {
    length += chunk.length;
    if (length > limit) throw new BodyTooLarge(`more than ${limit} bytes`);
    yield chunk;
  }
}

/** JSON is held while it is checked, however much a target takes. */
const LARGEST_JSON = 1024 * 1024;

async function readJson(given: GivenBody, type: string | null, most: number): Promise<Result<Json>> {
  const limit = Math.min(most, LARGEST_JSON);
  const bytes: Uint8Array[] = [];
  try {
    for await (const chunk of bounded(given.bytes ?? none(), limit)) bytes.push(chunk);
  } catch (fault) {
    if (fault instanceof BodyTooLarge) return err(tooLarge(limit));
    throw fault;
  }
  // A call of which everything is fixed needs nothing said.
  if (bytes.every((chunk) => chunk.length === 0)) return ok({});
  return type === 'application/json' ? parsed(bytes) : err(otherType('application/json'));
}

function parsed(bytes: readonly Uint8Array[]): Result<Json> {
  try {
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    const text = bytes.map((chunk) => decoder.decode(chunk, { stream: true })).join('') + decoder.decode();
    const value = JSON.parse(text) as Json;
    const flaw = flawOf(text) ?? oddity(value);
    return flaw === null ? ok(value) : err(failure('invalid_json', `the body cannot be taken: ${flaw}`));
  } catch (fault) {
    if (!(fault instanceof SyntaxError || fault instanceof TypeError)) throw fault;
    return err(failure('invalid_json', 'the body is not JSON in UTF-8', { hint: 'Send one JSON object.' }));
  }
}
