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
import type { Clock } from '../core/time.ts';
import { PENDING, readApprovalState, readAsked, readLease, readReceipt } from './answer.ts';
import type { Asked, Credential, Granted } from './answer.ts';
import { createProver } from './assertion.ts';
import type { Proof } from './assertion.ts';
import { openLine } from './call.ts';
import type { Bounds, Line, Outgoing } from './call.ts';
import { BrevetIncomplete, BrevetUnavailable, BrevetWaiting } from './error.ts';
import { AgentLease } from './lease.ts';
import type { Ended, TaskOutcome } from './lease.ts';
import { DEFAULT_RETRY } from './retry.ts';
import type { RetryPolicy } from './retry.ts';
import { createSession } from './session.ts';
import type { Session } from './session.ts';

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
  readonly environment?: string;
  readonly confidence?: number;
  readonly model?: string;
  readonly model_version?: string;
  readonly evidence?: readonly JsonObject[];
  readonly rollback?: string;
  readonly change?: string;
  readonly plan?: string;
  /** It shortens what people are given to answer, and nothing else. */
  readonly urgency?: 'routine' | 'urgent';
}

/** For each try, in milliseconds. */
export interface Timeouts {
  /** A session token. */
  readonly session: number;
  /** A request, which may have a provider mint. */
  readonly ask: number;
  /** A completion, on top of what the broker waits to see death. */
  readonly done: number;
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

export interface AskOptions {
  readonly signal?: AbortSignal;
}

export interface WaitOptions extends AskOptions {
  /** How long at most, in seconds. */
  readonly seconds: number;
}

export interface TaskOptions extends AskOptions {
  /** What to report of a task that did not throw; `succeeded` where none is given. */
  readonly outcome?: (result: unknown) => TaskOutcome;
  /** Told when a task threw and its lease could not be completed either: the task's own error is what is thrown. */
  readonly onIncomplete?: (incomplete: BrevetIncomplete) => void;
}

export interface Brevet {
  /**
   * Asks for one task and gets a lease.
   * @throws {BrevetRefused} for a no, {BrevetWaiting} when a person is asked, {BrevetUnavailable} for no answer.
   */
  ask(request: Ask, options?: AskOptions): Promise<AgentLease>;
  /**
   * Waits for people to answer a request that {@link BrevetWaiting} named.
   * @returns the state of its approval: `pending` where nobody has answered in time.
   */
  answerTo(request: string, options: WaitOptions): Promise<string>;
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
  const broker: Connected = { line, path: `/t/${tenant}`, session, timeouts };
  const ask = (request: Ask, { signal }: AskOptions = {}): Promise<AgentLease> => askForLease(broker, request, signal);
  return {
    ask,
    answerTo: (request, waiting) => approvalState(broker, request, waiting),
    async task(request, work, taskOptions = {}) {
      const lease = await ask(request, taskOptions);
      return perform(lease, work, taskOptions);
    },
  };
}

interface Connected {
  readonly line: Line;
  readonly path: string;
  readonly session: Session;
  readonly timeouts: Timeouts;
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

/** For each look the broker waits for the answer itself. In seconds, and below what it allows. */
const LOOK_WAIT = 20;
/** Nor does one look follow another faster than this, whatever stands between answers by itself. In milliseconds. */
const LOOK_EVERY = 2000;

async function approvalState(broker: Connected, request: string, { seconds, signal }: WaitOptions): Promise<string> {
  const { line, session, path } = broker;
  const end = line.clock() + seconds * 1000;
  for (;;) {
    const began = line.clock();
    const wait = Math.max(0, Math.min(LOOK_WAIT, Math.floor((end - began) / 1000)));
    const bounds: Bounds = { timeout: broker.timeouts.session + wait * 1000, signal };
    const look = `${path}/requests/${request}?wait=${wait}`;
    const state = readApprovalState(await session.call({ method: 'GET', path: look }, bounds));
    const now = line.clock();
    if (state !== PENDING || now >= end) return state;
    await line.sleep(Math.max(0, Math.min(began + LOOK_EVERY, end) - now), signal);
  }
}

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
  try {
    result = await lease.use((credential) => work(credential, lease));
  } catch (error) {
    await lease.done(failureOf(error)).catch((cause: unknown) => {
      options.onIncomplete?.(new BrevetIncomplete(lease, undefined, cause));
    });
    throw error;
  }
  try {
    await lease.done(options.outcome?.(result) ?? { outcome: 'succeeded' });
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
