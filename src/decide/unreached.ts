/** Routes that bring an ask to nobody, among the people there are. Pure. */
import type { RoleName, TaskName, TenantName } from '../core/ids.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { reachesSomebody } from '../core/route.ts';
import type { Instant } from '../core/time.ts';
import type { Bundle } from './bundle/model.ts';
import type { RouteRule } from './bundle/routes.ts';
import { stepsOf } from './routing.ts';

/** Of a route, at tenants that are alike in it. */
export interface Unreached {
  readonly route: string;
  readonly tenants: readonly TenantName[];
  /** Those that it brings to nobody; `null`: none of its task classes could be answered. */
  readonly tasks: readonly TaskName[] | null;
}

export function unreachedRoutes(bundle: Bundle, snapshots: readonly Snapshot[], now: Instant): readonly Unreached[] {
  return bundle.routes.routes.flatMap((rule) => {
    const alike = new Map<string, Unreached>();
    for (const snapshot of snapshots) {
      const tasks = unanswered(bundle, rule, snapshot, now);
      if (tasks !== null && tasks.length === 0) continue;
      const key = JSON.stringify(tasks);
      const tenants = [...(alike.get(key)?.tenants ?? []), snapshot.tenant.name].toSorted();
      alike.set(key, { route: rule.name, tenants, tasks });
    }
    return [...alike.values()];
  });
}

/** @returns `null` for all of them. */
function unanswered(bundle: Bundle, rule: RouteRule, snapshot: Snapshot, now: Instant): readonly TaskName[] | null {
  const own = carriedAt(bundle, snapshot).filter((task) => mayTake(bundle, task, snapshot).includes(rule));
  const unreached = own.filter((task) => !reachesSomebody(stepsAt(bundle, rule, snapshot, { task, now })));
  return own.length > 0 && unreached.length === own.length ? null : unreached;
}

/** The routes that an ask for it could take here, at one hour or another. */
function mayTake({ routes }: Bundle, task: TaskName, { tenant }: Snapshot): readonly RouteRule[] {
  const kind = routes.tasks.get(task)?.kind ?? null;
  const matching = routes.routes.filter(
    ({ when }) =>
      (when.tenants === null || when.tenants.includes(tenant.name)) &&
      (when.kinds === null || when.kinds.includes('several-tenants') || (kind !== null && when.kinds.includes(kind))),
  );
  const always = matching.findIndex(
    ({ when }) =>
      [when.tiers, when.urgency, when.hours].every((condition) => condition === null) &&
      (when.kinds === null || (kind !== null && when.kinds.includes(kind))),
  );
  return always < 0 ? matching : matching.slice(0, always + 1);
}

/** What agents may ask for here: nobody need answer for the rest. */
function carriedAt({ roles }: Bundle, { assignments }: Snapshot): readonly TaskName[] {
  const held = new Set<RoleName>(assignments.flatMap((one) => (one.holder.kind === 'agent' ? [one.role] : [])));
  const tasks = [...held].flatMap((role) => [...(roles.get(role)?.tasks ?? [])]);
  return [...new Set(tasks)].toSorted();
}

const stepsAt = (
  bundle: Bundle,
  rule: RouteRule,
  snapshot: Snapshot,
  { task, now }: { readonly task: TaskName; readonly now: Instant },
) =>
  stepsOf(rule, {
    bundle,
    snapshot,
    task,
    tier: 3,
    urgency: 'routine',
    incident: false,
    manyTenants: false,
    parts: new Map(),
    open: new Map(),
    at: now,
  });
