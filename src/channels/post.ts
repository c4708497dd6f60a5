/** A POST of JSON to a host that takes notices: its URL is a secret, and stands in no error. */
import { FetchFailed } from '../core/fetch.ts';
import type { FetchLimits, GuardedRequest } from '../core/fetch.ts';
import type { Secret } from '../core/secret.ts';
import { milliseconds } from '../core/time.ts';

/** What such hosts answer is a word or two; a notice that takes longer goes through another channel. */
const LIMITS: FetchLimits = { bytes: 64 * 1024, milliseconds: milliseconds(10_000) };

/** @throws {FetchFailed} for any status but a success: a redirect leads to where nobody said. */
export async function post(
  request: GuardedRequest,
  url: Secret,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<void> {
  const all = { 'content-type': 'application/json', 'user-agent': 'Brevet', ...headers };
  const { status } = await request(url.reveal(), LIMITS, all, body);
  if (status < 200 || status >= 300) throw new FetchFailed(`answered ${status}`);
}
