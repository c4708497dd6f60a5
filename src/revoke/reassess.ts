/**
 * What would not be given today, of what was given before: found, so that a proposed policy shows it, and ended, where
 * who oversees, a client's context or the policy has changed.
 */
import type { JsonObject } from '../core/canonical.ts';
import type { LeaseFilter, WorkTask } from '../core/change.ts';
import type { LeaseId, TenantName } from '../core/ids.ts';
import type { Lease } from '../core/lease.ts';
import type { Epochs } from '../core/snapshot.ts';
import { StoreUnavailable } from '../core/store.ts';
import type { Bundle } from '../decide/bundle.ts';
import { parseAccessRequest } from '../decide/request.ts';
import { whyNotStill } from '../decide/still.ts';
import type { Deps } from '../deps.ts';
import type { KillResult } from './lease.ts';
import { endLease } from './revoke.ts';

const AT_ONCE = 64;
const ANY: LeaseFilter = { tenant: null, agent: null, owner: null, target: null, role: null };

export interface Fallen {
  readonly lease: Lease;
  /** A code, of the decision or of what would be narrower. */
  readonly why: string;
}

interface Among {
  /** `null`: over all. */
  readonly tenant?: TenantName | null;
  /** Those alone that were decided under an older epoch. */
  readonly since?: Partial<Epochs>;
  /** Those that come after this one. */
  readonly after?: LeaseId | null;
}

/** Everything live that this bundle would not give. */
export async function* fallen(
  deps: Deps,
  bundle: Bundle,
  { tenant = null, since = {}, after = null }: Among = {},
): AsyncGenerator<Fallen> {
  for (let last = after; ;) {
    const page = await deps.store.live({ ...ANY, tenant }, since, AT_ONCE, last);
    yield* fallenOf(deps, bundle, page);
    if (page.length < AT_ONCE) return;
    last = page.at(-1)?.lease ?? null;
  }
}

type Page = Awaited<ReturnType<Deps['store']['live']>>;

async function* fallenOf(deps: Deps, bundle: Bundle, page: Page): AsyncGenerator<Fallen> {
  for (const { tenant, lease: id } of page) {
    const lease = await deps.store.lease(tenant, id);
    const why = lease === null ? null : await whyFallen(deps, bundle, lease);
    if (lease !== null && why !== null) yield { lease, why };
  }
}

/** What cannot be judged any more is not given. */
async function whyFallen(deps: Deps, bundle: Bundle, lease: Lease): Promise<string | null> {
  const { tenant } = lease;
  const [snapshot, kept, template] = await Promise.all([
    deps.store.snapshot(tenant),
    deps.store.request(tenant, lease.request),
    templateOf(deps, lease),
  ]);
  // A narrower answer is what was given.
  const request = parseAccessRequest(kept?.approval?.asked ?? kept?.asked);
  if (snapshot === null || !request.ok) return 'unknown';
  const { rulebook, providers, channels } = deps;
  const policy = { bundle, rulebook, providers, channels: channels.length > 0 };
  const living = { lease, request: request.value, template };
  return whyNotStill(policy, living, { snapshot, now: deps.clock() });
}

/** `null`: nobody can say any more what it was minted with, so it is not given. */
async function templateOf(deps: Deps, { task, policy }: Lease): Promise<JsonObject | null> {
  try {
    return (await deps.bundles.at(policy)).tasks.get(task)?.template ?? null;
  } catch (fault) {
    if (fault instanceof StoreUnavailable) throw fault;
    deps.log.warn('policy.unreadable', { policy, why: String(fault) });
    return null;
  }
}

type Reassess = Extract<WorkTask, { readonly task: 'reassess' }>;

/**
 * Under the policy that is active by now: a later one has its own say in what was given since. A page a time, so that an
 * attempt is over long before another may claim it, and what was looked at is not looked at again.
 */
export async function reassess(deps: Deps, work: Reassess): Promise<KillResult> {
  const { tenant, since = {}, after = null } = work;
  deps.store.forget(tenant);
  const { policy } = await deps.store.deployment();
  if (policy === null) return { dead: false, why: 'no policy is active' };
  const page = await deps.store.live({ ...ANY, tenant }, since, AT_ONCE, after);
  const failed = await endFallen(deps, await deps.bundles.at(policy), page);
  const again = work.again === true || failed !== null;
  const last = page.at(-1)?.lease;
  if (page.length === AT_ONCE && last !== undefined) {
    return { dead: false, why: 'more are live', until: deps.clock(), left: { ...work, after: last, again } };
  }
  if (!again) return { dead: true };
  return { dead: false, why: failed ?? 'some could not be ended', left: { task: 'reassess', tenant, since } };
}

/** One that cannot be ended keeps none of the others alive. @returns why it could not. */
async function endFallen(deps: Deps, bundle: Bundle, page: Page): Promise<string | null> {
  const actor = { kind: 'broker', name: deps.node } as const;
  let failed: string | null = null;
  for await (const { lease, why } of fallenOf(deps, bundle, page)) {
    const ending = { cause: 'entitlement_ended', actor, reason: why, outcome: null, killer: 'queue' } as const;
    await endLease(deps, lease, ending).catch((fault: unknown) => {
      failed = String(fault);
    });
  }
  return failed;
}
