/** How much an agent may have at a tenant at once, and at how many tenants the same is done before it asks. */
import { z } from 'zod';
import type { LiveBudget } from '../../core/change.ts';
import { seconds } from '../../core/time.ts';
import type { Seconds } from '../../core/time.ts';

/** Of one agent at one tenant. */
export interface Budgets {
  /** At one node, and about; `null`: no limit. */
  readonly requestsPerMinute: number | null;
  /** Exactly, over all nodes; an absent one is no limit. */
  readonly live: Readonly<Partial<Record<LiveBudget, number>>>;
}

/** One task class by one agent or one owner, at more tenants than `most` within `lookback`, is one act: it asks. */
export interface ManyTenants {
  readonly most: number;
  readonly lookback: Seconds;
}

const upTo = (most: number) => z.int().min(1).max(most);

export const budgetsField = () =>
  z.strictObject({
    requests_per_minute: upTo(1_000_000).optional(),
    live_leases: upTo(100_000).optional(),
    live_logins: upTo(10_000).optional(),
    open_approvals: upTo(10_000).optional(),
  });
type BudgetsForm = z.infer<ReturnType<typeof budgetsField>>;

/**
 * A look back is longer than what a node remembers of its own writes (`WRITTEN_EVERY_MS` in `store/commit/within.ts`),
 * and no longer than they are kept (`SPREAD_KEPT_MS` in `store/work.ts`).
 */
export const manyTenantsField = () => z.strictObject({ most: upTo(10_000), within_minutes: z.int().min(5).max(60) });
type ManyTenantsForm = z.infer<ReturnType<typeof manyTenantsField>>;

const budgetsOf = ({ requests_per_minute: rate, ...live }: BudgetsForm): Budgets => ({
  requestsPerMinute: rate ?? null,
  live: Object.fromEntries(Object.entries(live).filter(([, most]) => most !== undefined)),
});

/** Where a bundle says nothing of them. */
const USUAL: ManyTenants = { most: 5, lookback: seconds(600) };

const manyTenantsOf = (form: ManyTenantsForm | undefined): ManyTenants =>
  form === undefined ? USUAL : { most: form.most, lookback: seconds(form.within_minutes * 60) };

/** Within how long people are told of an act of tier 2; past it, its task class asks until they can be. */
export const noticesField = () => z.strictObject({ within_minutes: z.int().min(1).max(1440) });
type NoticesForm = z.infer<ReturnType<typeof noticesField>>;

const USUAL_NOTICE_MINUTES = 15;

export interface Limits {
  readonly budgets: Budgets;
  readonly manyTenants: ManyTenants;
  readonly tellWithin: Seconds;
}

export const limitsOf = (form: {
  readonly budgets?: BudgetsForm | undefined;
  readonly many_tenants?: ManyTenantsForm | undefined;
  readonly notices?: NoticesForm | undefined;
}): Limits => ({
  budgets: budgetsOf(form.budgets ?? {}),
  manyTenants: manyTenantsOf(form.many_tenants),
  tellWithin: seconds((form.notices?.within_minutes ?? USUAL_NOTICE_MINUTES) * 60),
});
