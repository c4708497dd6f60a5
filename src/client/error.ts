/**
 * What an agent catches. A refusal is the broker's word; waiting is no refusal; unavailable says nothing of what was
 * asked. None of them carries a secret.
 */

/** A problem as the broker tells it. @see RFC 9457 */
export interface Problem {
  readonly status: number;
  /** From the one table of codes. */
  readonly code: string;
  readonly detail: string;
  /** What the caller can change. */
  readonly hint: string | null;
  /** Where in the request. */
  readonly path: string | null;
  readonly requestId: string | null;
  /** After how many milliseconds it may be asked again, as `Retry-After` says; `null`: nothing was said of it. */
  readonly retryAfterMs: number | null;
  /** Everything else that the problem says. */
  readonly members: Readonly<Record<string, unknown>>;
}

const sentence = ({ code, detail, hint }: Problem): string =>
  hint === null ? `${code}: ${detail}` : `${code}: ${detail} (${hint})`;

/** The broker said no. Asking again without a change gets the same answer, unless it says after how long. */
export class BrevetRefused extends Error implements Problem {
  override readonly name = 'BrevetRefused';
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly hint: string | null;
  readonly path: string | null;
  readonly requestId: string | null;
  readonly retryAfterMs: number | null;
  readonly members: Readonly<Record<string, unknown>>;

  constructor(problem: Problem) {
    super(sentence(problem));
    this.status = problem.status;
    this.code = problem.code;
    this.detail = problem.detail;
    this.hint = problem.hint;
    this.path = problem.path;
    this.requestId = problem.requestId;
    this.retryAfterMs = problem.retryAfterMs;
    this.members = problem.members;
  }
}

/** A person has to decide; nothing was minted. */
export class BrevetWaiting extends Error {
  override readonly name = 'BrevetWaiting';
  /** By which the answer can be looked for. */
  readonly request: string;
  readonly approval: string | null;

  constructor(request: string, approval: string | null) {
    super(`a person is being asked about ${request}`);
    this.request = request;
    this.approval = approval;
  }
}

/**
 * The broker did not answer in time, or said that it cannot now, and went on so for every try; or something failed
 * there. None of it says no.
 */
export class BrevetUnavailable extends Error {
  override readonly name = 'BrevetUnavailable';
  /** What the broker said last; `null` where it said nothing. */
  readonly problem: Problem | null;

  constructor(what: string, problem: Problem | null, options?: ErrorOptions) {
    super(problem === null ? what : `${what}: ${sentence(problem)}`, options);
    this.problem = problem;
  }
}

/** The task is done but its lease could not be completed: the credential lives until the broker ends it. */
export class BrevetIncomplete extends Error {
  override readonly name = 'BrevetIncomplete';
  readonly lease: string;
  readonly expiresAt: string;
  /** What the task gave back; `undefined` where it threw. */
  readonly result: unknown;

  constructor(lease: { readonly id: string; readonly expiresAt: string }, result: unknown, cause: unknown) {
    super(`the lease ${lease.id} could not be completed and lives until ${lease.expiresAt}`, { cause });
    this.lease = lease.id;
    this.expiresAt = lease.expiresAt;
    this.result = result;
  }
}

/** A setting of the agent's that is missing or wrong; never tells what a file holds. */
export class BrevetMisconfigured extends Error {
  override readonly name = 'BrevetMisconfigured';
}
