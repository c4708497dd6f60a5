/**
 * Session tokens for the broker's own API, each kept until shortly before it ends.
 */
import { BrevetRefused } from './error.ts';
import { call } from './call.ts';
import type { Answer, Bounds, Line, Outgoing } from './call.ts';
import { ASSERTION_TYPE } from './assertion.ts';
import type { Prover } from './assertion.ts';
import { Secret } from '../core/secret.ts';

/** A token that would end on the way is not sent. In milliseconds. */
const BEFORE_END = 30_000;

export interface Session {
  /** A call in the agent's name: with a kept token, or with a new one where the kept one is taken no more. */
  call(request: Outgoing, bounds: Bounds): Promise<Answer>;
}

interface Kept {
  readonly token: Secret;
  readonly until: number;
}

/**
 * Callers that come together while there is no token each get one of their own: a promise shared between requests
 * hangs on Workers, and sessions cost no lease.
 * @param timeout for each try to open one, in milliseconds.
 */
export function createSession(
  line: Line,
  { tenant, agent, timeout }: { readonly tenant: string; readonly agent: string; readonly timeout: number },
  prove: Prover,
): Session {
  let kept: Kept | null = null;

  async function open(signal: Bounds['signal']): Promise<Kept> {
    const make = async (): Promise<Outgoing> => ({
      method: 'POST',
      path: `/t/${tenant}/token`,
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: agent,
        client_assertion_type: ASSERTION_TYPE,
        client_assertion: await prove(),
      }),
    });
    const asked = line.clock();
    const { body } = await call(line, make, { timeout, signal });
    const { access_token: token, expires_in: seconds } = body;
    if (typeof token !== 'string' || typeof seconds !== 'number') throw new TypeError('the broker answered no token');
    return { token: new Secret(token), until: asked + seconds * 1000 - BEFORE_END };
  }

  async function current(signal: Bounds['signal']): Promise<Kept> {
    if (kept !== null && line.clock() < kept.until) return kept;
    const opened = await open(signal);
    kept = opened;
    return opened;
  }

  const attempt = (request: Outgoing, with_: Kept, bounds: Bounds): Promise<Answer> =>
    call(line, () => Promise.resolve({ ...request, token: with_.token.reveal() }), bounds);

  return {
    async call(request, bounds) {
      const first = await current(bounds.signal);
      try {
        return await attempt(request, first, bounds);
      } catch (error) {
        if (!(error instanceof BrevetRefused) || error.status !== 401) throw error;
        // Nothing was done. The broker's keys may have changed, or its clock runs ahead of ours.
        kept = null;
        return attempt(request, await current(bounds.signal), bounds);
      }
    },
  };
}
