/** What people answer to an ask, and what the agent says to that. */
import { PENDING, readPeoplesAnswer } from './answer.ts';
import type { Narrower, PeoplesAnswer } from './answer.ts';
import type { Bounds } from './call.ts';
import type { CallOptions, Connected } from './connected.ts';

export interface WaitOptions extends CallOptions {
  /** How long at most, in seconds. */
  readonly seconds: number;
}

/** For each look the broker waits for the answer itself. In seconds, and below what it allows. */
const LOOK_WAIT = 20;
/** Nor does one look follow another faster than this, whatever stands between answers by itself. In milliseconds. */
const LOOK_EVERY = 2000;

export async function peoplesAnswer(
  broker: Connected,
  request: string,
  { seconds, signal }: WaitOptions,
): Promise<PeoplesAnswer> {
  const { line, session, path } = broker;
  const end = line.clock() + seconds * 1000;
  for (;;) {
    const began = line.clock();
    const wait = Math.max(0, Math.min(LOOK_WAIT, Math.floor((end - began) / 1000)));
    const bounds: Bounds = { timeout: broker.timeouts.session + wait * 1000, signal };
    const look = `${path}/requests/${request}?wait=${wait}`;
    const said = readPeoplesAnswer(await session.call({ method: 'GET', path: look }, bounds));
    const now = line.clock();
    if (said.state !== PENDING || isOffered(said) || now >= end) return said;
    await line.sleep(Math.max(0, Math.min(began + LOOK_EVERY, end) - now), signal);
  }
}

/** Less than was asked, which the agent has yet to take or leave. */
export const isOffered = (said: PeoplesAnswer): said is PeoplesAnswer & { readonly narrower: Narrower } =>
  said.state === PENDING && said.narrower?.accepted === false;

export async function tell(
  broker: Connected,
  request: string,
  what: 'accept' | 'withdraw',
  signal: AbortSignal | undefined,
): Promise<void> {
  const path = `${broker.path}/requests/${request}/${what}`;
  await broker.session.call({ method: 'POST', path }, { timeout: broker.timeouts.session, signal });
}
