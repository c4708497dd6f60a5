/**
 * The SDK that agents import: ask for one task at one client, use the credential, be done with it.
 *
 * ```ts
 * const brevet = createBrevet({ url: 'https://brevet.example', tenant: 'acme', agent: 'report-bot', key });
 * const rows = await brevet.task(
 *   { task: 'report.query', resource: 'tickets', reason: 'weekly numbers' },
 *   (credential) => query(credential),
 * );
 * ```
 */
import type { JsonObject } from '../core/canonical.ts';
import { toHex } from '../core/digest.ts';
import type { LegalBasis } from '../core/registers.ts';
import type { Clock } from '../core/time.ts';
import { PENDING, readAsked, readLease, readReceipt } from './answer.ts';
import type { Asked, Credential, Granted, Narrower, PeoplesAnswer } from './answer.ts';
import { ASSERTION_TYPE, createProver } from './assertion.ts';
import type { Proof } from './assertion.ts';
import { call, openLine } from './call.ts';
import type { Bounds, Outgoing } from './call.ts';
import type { CallOptions, Connected, Timeouts } from './connected.ts';
import { BrevetIncomplete, BrevetUnavailable, BrevetWaiting } from './error.ts';
import { AgentLease } from './lease.ts';
import type { Ended, TaskOutcome } from './lease.ts';
import { isOffered, peoplesAnswer, tell } from './people.ts';
import type { WaitOptions } from './people.ts';
import { DEFAULT_RETRY } from './retry.ts';
import type { RetryPolicy } from './retry.ts';
import { createSession } from './session.ts';

/** An access request, with the fields and names of the API. */
export interface Ask {
  readonly task: string;
  /** `{target}` or `{target}/{rest}`. */
  readonly resource: string;
  readonly parameters?: JsonObject;
  readonly reason: string;
  /** Needed when several roles would permit it. */
  readonly role?: string;
  /** In seconds; it only narrows. */
  readonly ttl?: number;
  readonly uses?: number;
  readonly trigger?: { readonly kind: string; readonly reference: string };
  readonly data_considered?: readonly string[];
  readonly data_classes?: readonly string[];
  readonly purpose?: string;
  /** Of the GDPR's, such as `contract`. */
  readonly legal_basis?: LegalBasis;
  readonly environment?: string;
  readonly confidence?: number;
  readonly model?: string;
  readonly model_version?: string;
  readonly evidence?: readonly JsonObject[];
  readonly rollback?: string;
  readonly change?: string;
  readonly plan?: string;
  /** The reversal that oversight has ordered, which this is: see `GET orders`. */
  readonly order?: string;
  /** The person who set the agent to work on this, if one did: somebody else answers. */
  readonly launched_by?: string;
  /** It shortens what people are given to answer, and nothing else. */
  readonly urgency?: 'routine' | 'urgent';
}

/** The broker gives a mint 10 s. */
const DEFAULT_TIMEOUTS: Timeouts = { session: 10_000, ask: 20_000, done: 10_000 };

export type BrevetOptions = Proof & {
  /** The broker's public URL. */
  readonly url: string;
  readonly tenant: string;
  readonly agent: string;
  readonly fetch?: typeof fetch;
  readonly clock?: Clock;
  readonly timeouts?: Partial<Timeouts>;
  readonly retry?: Partial<RetryPolicy>;
};

export interface AskOptions extends CallOptions {
  /** How long, in seconds, to wait for people where they are asked. Without it, nothing waits. */
  readonly wait?: number;
  /** Whether less than was asked will do. Without it, less is not taken, and the request is withdrawn. */
  readonly narrower?: (offer: Narrower) => boolean | Promise<boolean>;
}

/** The same, of an ask that waits already. */
export type AnswerOptions = AskOptions & { readonly wait: number };

export interface TaskOptions extends AskOptions {
  /** What to report of a task that did not throw; `succeeded` where none is given. Where it throws, the task has. */
  readonly outcome?: (result: unknown) => TaskOutcome;
  /** Told when a task threw and its lease could not be completed either: the task's own error is what is thrown. */
  readonly onIncomplete?: (incomplete: BrevetIncomplete) => void;
}

export interface Brevet {
  /**
   * Asks for one task and gets a lease; where people are asked, it waits for them as long as `wait` says.
   * @throws {BrevetRefused} for a no, also of people, {BrevetWaiting} when they have not answered, {BrevetUnavailable}
   * for no answer of the broker's.
   */
  ask(request: Ask, options?: AskOptions): Promise<AgentLease>;
  /**
   * Waits for people to answer a request that {@link BrevetWaiting} named.
   * @returns what they said: `pending` where nobody has answered in time, or less was offered.
   */
  answerTo(request: string, options: WaitOptions): Promise<PeoplesAnswer>;
  /**
   * Waits for people to answer what {@link BrevetWaiting} says, and comes for what they approved.
   * @throws {BrevetRefused} where they said no, {BrevetWaiting} itself where they have not answered in time.
   */
  whenAnswered(waiting: BrevetWaiting, options: AnswerOptions): Promise<AgentLease>;
  /**
   * Comes for what people approved: the same, once, and only for so long as the approval says.
   * @throws {BrevetRefused} where they did not, or what they approved would not be given any more.
   */
  redeem(request: string, options?: CallOptions): Promise<AgentLease>;
  /** Takes the narrower answer: people are asked again, for that. */
  accept(request: string, options?: CallOptions): Promise<void>;
  /** Needs no answer any more. */
  withdraw(request: string, options?: CallOptions): Promise<void>;
  /**
   * Asks, works, and completes, also when the work throws: then the outcome is `failed`, and the error is the work's.
   * @throws {BrevetIncomplete} where the work is done and its lease could not be completed; it holds the result.
   */
  task<T>(
    request: Ask,
    work: (credential: Credential, lease: AgentLease) => T | Promise<T>,
    options?: TaskOptions,
  ): Promise<T>;
}

/** What the broker waits, at a completion, to see the credential dead. In seconds. */
const DEATH_WAIT = 2;

export function createBrevet(options: BrevetOptions): Brevet {
  const line = openLine(options.url, {
    ...(options.fetch === undefined ? {} : { fetch: options.fetch }),
    ...(options.clock === undefined ? {} : { clock: options.clock }),
    retry: { ...DEFAULT_RETRY, ...options.retry },
  });
  const { tenant, agent } = options;
  const prove = createProver(agent, `${line.url}/t/${tenant}`, options, line);
  const timeouts = { ...DEFAULT_TIMEOUTS, ...options.timeouts };
  const session = createSession(line, { tenant, agent, timeout: timeouts.session }, prove);
  const broker: Connected = { line, path: `/t/${tenant}`, session, timeouts, prove };
  const ask = (request: Ask, options: AskOptions = {}): Promise<AgentLease> => askAndWait(broker, request, options);
  return {
    ask,
    answerTo: (request, waiting) => peoplesAnswer(broker, request, waiting),
    whenAnswered: (waiting, answering) => whenAnswered(broker, waiting, answering),
    redeem: (request, { signal } = {}) => redeem(broker, request, signal),
    accept: (request, { signal } = {}) => tell(broker, request, 'accept', signal),
    withdraw: (request, { signal } = {}) => tell(broker, request, 'withdraw', signal),
    async task(request, work, taskOptions = {}) {
      const lease = await ask(request, taskOptions);
      return perform(lease, work, taskOptions);
    },
  };
}

async function askAndWait(broker: Connected, request: Ask, options: AskOptions): Promise<AgentLease> {
  try {
    return await askForLease(broker, request, options.signal);
  } catch (error) {
    if (!(error instanceof BrevetWaiting) || options.wait === undefined) throw error;
    return whenAnswered(broker, error, { ...options, wait: options.wait });
  }
}

/** Whatever they said but nothing is found out by coming for it: the broker's no has the reason. */
async function whenAnswered(
  broker: Connected,
  waiting: BrevetWaiting,
  { wait, signal, narrower }: AnswerOptions,
): Promise<AgentLease> {
  const { request } = waiting;
  const until = broker.line.clock() + wait * 1000;
  for (;;) {
    const left = Math.max(0, (until - broker.line.clock()) / 1000);
    const said = await peoplesAnswer(broker, request, { seconds: left, ...(signal === undefined ? {} : { signal }) });
    // A caller who gives up has until then: what is minted meanwhile is theirs to complete.
    if (said.state !== PENDING) return redeem(broker, request, undefined);
    if (!isOffered(said)) throw waiting;
    const takes = (await narrower?.(said.narrower)) === true;
    await tell(broker, request, takes ? 'accept' : 'withdraw', signal);
  }
}

async function redeem(broker: Connected, request: string, signal: AbortSignal | undefined): Promise<AgentLease> {
  const make = async (): Promise<Outgoing> => ({
    method: 'POST',
    path: `${broker.path}/requests/${request}/credential`,
    body: { client_assertion_type: ASSERTION_TYPE, client_assertion: await broker.prove() },
  });
  const redeemed = readAsked(await call(broker.line, make, { timeout: broker.timeouts.ask, signal }));
  if (redeemed.is !== 'granted') throw new BrevetUnavailable(`the answer to ${request} holds no credential`, null);
  return leaseOf(broker, redeemed);
}

/**
 * A try whose answer was lost may have made a lease whose secret nobody has: the broker says so to the next try, by
 * the key. That lease is given up, and the request asked once more as a new one.
 */
async function askForLease(broker: Connected, request: Ask, signal: AbortSignal | undefined): Promise<AgentLease> {
  let asked = await askOnce(broker, request, signal);
  if (asked.is === 'repeated') {
    if (asked.lease !== null) await complete(broker, asked.lease, ANSWER_LOST, signal);
    asked = await askOnce(broker, request, signal);
  }
  if (asked.is === 'waiting') throw new BrevetWaiting(asked.request, asked.approval);
  if (asked.is === 'repeated') throw new BrevetUnavailable(`the answer to ${asked.request} was lost twice`, null);
  return leaseOf(broker, asked);
}

const ANSWER_LOST: TaskOutcome = { outcome: 'abandoned', summary: 'The answer with the credential was lost.' };

async function askOnce(broker: Connected, request: Ask, signal: AbortSignal | undefined): Promise<Asked> {
  const outgoing: Outgoing = {
    method: 'POST',
    path: `${broker.path}/requests`,
    idempotencyKey: toHex(broker.line.random(16)),
    body: { ...request },
  };
  return readAsked(await broker.session.call(outgoing, { timeout: broker.timeouts.ask, signal }));
}

const leaseOf = (broker: Connected, granted: Granted): AgentLease =>
  new AgentLease(granted, (outcome, signal) => complete(broker, granted.lease, outcome, signal));

async function complete(
  broker: Connected,
  lease: string,
  outcome: TaskOutcome,
  signal: AbortSignal | undefined,
): Promise<Ended> {
  const bounds: Bounds = { timeout: broker.timeouts.done + DEATH_WAIT * 1000, signal };
  const path = `${broker.path}/leases/${lease}/complete?wait=${DEATH_WAIT}`;
  const { body } = await broker.session.call({ method: 'POST', path, body: { ...outcome } }, bounds);
  return { ...readLease(body), receipt: readReceipt(body) };
}

async function perform<T>(
  lease: AgentLease,
  work: (credential: Credential, lease: AgentLease) => T | Promise<T>,
  options: TaskOptions,
): Promise<T> {
  let result: T;
  let outcome: TaskOutcome;
  try {
    result = await lease.use((credential) => work(credential, lease));
    outcome = options.outcome?.(result) ?? { outcome: 'succeeded' };
  } catch (error) {
    await lease.done(failureOf(error)).catch((cause: unknown) => {
      options.onIncomplete?.(new BrevetIncomplete(lease, undefined, cause));
    });
    throw error;
  }
  try {
    await lease.done(outcome);
  } catch (cause) {
    throw new BrevetIncomplete(lease, result, cause);
  }
  return result;
}

/** The kind of error alone: its message may hold what the credential gave. */
const failureOf = (error: unknown): TaskOutcome => ({
  outcome: 'failed',
  summary: `The task threw ${error instanceof Error ? error.name : typeof error}.`.slice(0, 200),
});
