/** A small answer in JSON to a question of Brevet's own: whole, plain, and read in one way. */
import type { Json } from '../../core/canonical.ts';
import { failure } from '../../core/failure.ts';
import { FetchFailed, FetchRefused } from '../../core/fetch.ts';
import { flawOf } from '../../core/flaw.ts';
import type { Forward, ForwardCall } from '../../core/forward.ts';
import { err, ok } from '../../core/result.ts';
import type { Result } from '../../core/result.ts';

export interface JsonAnswer {
  readonly status: number;
  /** `null` where there is none, or none that can be read in one way. */
  readonly json: Json;
}

export async function readJsonAnswer(forward: Forward, call: ForwardCall, most: number): Promise<Result<JsonAnswer>> {
  try {
    const { status, headers, body } = await forward(call);
    const encoding = headers.find(([name]) => name === 'content-encoding')?.[1] ?? 'identity';
    const text = await bounded(body, most);
    return ok({ status, json: encoding === 'identity' && text !== null ? jsonOf(text) : null });
  } catch (fault) {
    if (fault instanceof FetchFailed || fault instanceof FetchRefused) return err(noAnswer(fault));
    throw fault;
  }
}

export const noAnswer = (fault: FetchFailed | FetchRefused): ReturnType<typeof failure> =>
  failure('gateway_no_answer', `the tool gave ${fault.message}`);

/** `null`: more than that. Leaving the loop lets the connection go. */
async function bounded(body: AsyncIterable<Uint8Array>, most: number): Promise<string | null> {
  const decoder = new TextDecoder('utf-8');
  let text = '';
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > most) return null;
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

function jsonOf(text: string): Json {
  try {
    const value = JSON.parse(text) as Json;
    return flawOf(text) === null ? value : null;
  } catch (fault) {
    if (!(fault instanceof SyntaxError)) throw fault;
    return null;
  }
}
