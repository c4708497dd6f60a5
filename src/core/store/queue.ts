/** The queue of work, and what those who do it write. None of it is a fact. */
import type { WorkFence, WorkTask } from '../change.ts';
import type { LeaseId, TenantName } from '../ids.ts';
import type { Instant, Milliseconds, Seconds } from '../time.ts';

export interface ClaimedWork extends WorkFence {
  readonly what: WorkTask;
  readonly enqueuedAt: Instant;
}

export interface Queue {
  /**
   * Claims work that is due, at most `perTarget` of one target at once, tenants in turn; fenced by its attempt.
   * @param shares of those targets that may have more or less, by tenant and target with a space between.
   */
  claim(
    limit: number,
    perTarget: number,
    hold: Seconds,
    shares?: Readonly<Record<string, number>>,
  ): Promise<readonly ClaimedWork[]>;
  /** Gives it back until `due`, or what is left of it, with the reason. Nothing happens if another attempt holds it. */
  defer(work: WorkFence, due: Instant, why: string, left?: WorkTask): Promise<void>;
  /** Takes it off the queue; for work whose end is no fact of its own. */
  finish(work: WorkFence): Promise<void>;
  /**
   * Active leases whose use is to be looked at, tenants in turn, the longest due first: each is given to one caller, and
   * is due again after `every`.
   */
  watched(limit: number, every: Seconds): Promise<readonly { readonly tenant: TenantName; readonly lease: LeaseId }[]>;
  /** That an active lease was seen in use: bookkeeping, by which the next look tells how long it has been idle. */
  sawUse(tenant: TenantName, lease: LeaseId, at: Instant): Promise<void>;
  /** Writes that a sweeper is at work. */
  beat(node: string): Promise<void>;
  /** How long ago a sweeper last said so; `null` where none ever did. Kept for a moment, since every issue asks. */
  sinceBeat(): Promise<Milliseconds | null>;
  /** How far the database's clock is ahead of this process's. */
  clockOffset(): Promise<Milliseconds>;
}
