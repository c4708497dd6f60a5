/** JSON over the guarded request: only a 200 whose body is JSON. */
import { FetchFailed } from '../core/fetch.ts';
import type { GuardedFetch, GuardedRequest } from '../core/fetch.ts';

export const jsonOver =
  (request: GuardedRequest): GuardedFetch =>
  async (url, limits) => {
    const { status, body } = await request(url, limits, { accept: 'application/json' });
    if (status !== 200) throw new FetchFailed(`answered ${status}`);
    try {
      return JSON.parse(body) as unknown;
    } catch (cause) {
      throw new FetchFailed('answered something that is not JSON', { cause });
    }
  };
