/** Bodies: bounded before they are read whole, of a stated type, JSON without doubled names. */
import type { Context } from 'hono';
import { failure } from '../core/failure.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import { flawOf } from '../core/flaw.ts';
import type { Scope } from './scope.ts';

export const BODY_LIMIT = 64 * 1024;

/** A bundle's files come in one body. */
export const BUNDLE_LIMIT = 4 * 1024 * 1024;

const strictUtf8 = new TextDecoder('utf-8', { fatal: true });

export async function readJson(c: Context<Scope>, limit = BODY_LIMIT): Promise<Result<unknown>> {
  const text = await readText(c, 'application/json', limit);
  if (!text.ok) return text;
  try {
    const body = JSON.parse(text.value) as unknown;
    const flaw = flawOf(text.value);
    return flaw === null ? ok(body) : err(failure('invalid_json', `the body cannot be taken: ${flaw}`));
  } catch (fault) {
    const why = fault instanceof SyntaxError ? 'it does not parse' : 'it cannot be read';
    return err(failure('invalid_json', `the body is not JSON: ${why}`, { hint: 'Send one JSON object in UTF-8.' }));
  }
}

/** A form whose fields come once each. @see RFC 6749 section 3.2 */
export async function readForm(c: Context<Scope>, limit = BODY_LIMIT): Promise<Result<ReadonlyMap<string, string>>> {
  const text = await readText(c, FORM_TYPE, limit);
  return text.ok ? formIn(text.value) : text;
}

export const FORM_TYPE = 'application/x-www-form-urlencoded';

export function formIn(text: string): Result<ReadonlyMap<string, string>> {
  const form = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(text)) {
    if (form.has(name)) return err(failure('invalid_request', 'a parameter came twice', { path: name.slice(0, 64) }));
    form.set(name, value);
  }
  return ok(form);
}

async function readText(c: Context<Scope>, type: string, limit: number): Promise<Result<string>> {
  const given = c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (given !== type) {
    return err(failure('unsupported_media_type', `this takes ${type}`, { hint: `Send content-type: ${type}.` }));
  }
  const read = await readOrGone(c, limit);
  if (!read.ok) return read;
  const bytes = read.value;
  return bytes === null ? err(failure('body_too_large', `the body is over ${limit} bytes`)) : textIn(bytes);
}

export function textIn(bytes: Uint8Array): Result<string> {
  try {
    return ok(strictUtf8.decode(bytes));
  } catch (fault) {
    if (!(fault instanceof TypeError)) throw fault;
    return err(failure('invalid_request', 'the body is not UTF-8'));
  }
}

/** A caller who hangs up in the middle of a body is no fault of ours, and nobody reads the answer. */
async function readOrGone(c: Context<Scope>, limit: number): Promise<Result<Uint8Array | null>> {
  try {
    return ok(await readBounded(c.req.raw, limit));
  } catch (fault) {
    if (!isBrokenOff(fault)) throw fault;
    return err(BODY_BROKE_OFF);
  }
}

const BODY_BROKE_OFF = failure('invalid_request', 'the body broke off', { hint: 'Send all of it.' });
const isBrokenOff = (fault: unknown): boolean => fault instanceof Error && BROKEN_OFF.test(fault.message);

/** What Node says of a request that was closed before its end. */
const BROKEN_OFF = /^aborted$|\bECONNRESET\b/;

/** Thrown where a body that is read bit by bit broke off. */
class BrokenOff extends Error {
  override readonly name = 'BrokenOff';
}

/** As it comes, for work that reads it; what comes of that where it broke off is a refusal, and not a fault. */
export async function withBody<T>(
  body: AsyncIterable<Uint8Array>,
  work: (body: AsyncIterable<Uint8Array>) => Promise<Result<T>>,
): Promise<Result<T>> {
  try {
    return await work(told(body));
  } catch (fault) {
    if (!(fault instanceof BrokenOff)) throw fault;
    return err(BODY_BROKE_OFF);
  }
}

async function* told(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (fault) {
    throw isBrokenOff(fault) ? new BrokenOff('a body broke off', { cause: fault }) : fault;
  }
}

async function readBounded(request: Request, limit: number): Promise<Uint8Array | null> {
  const stated = request.headers.get('content-length');
  if (stated === null) return readStream(request, limit);
  // The server reads no more than was stated. As a stream it would cost more than everything that is made of it.
  return Number(stated) > limit ? null : new Uint8Array(await request.arrayBuffer());
}

async function readStream(request: Request, limit: number): Promise<Uint8Array | null> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of (request.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > limit) return null;
    chunks.push(chunk);
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
