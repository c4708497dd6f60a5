/**
 * Credentials at a provider that bear Brevet's mark and that no lease knows, or that a lease calls dead: found by asking
 * each target what it holds, killed, and written down. An admin login, role or token is one broker's alone: another's
 * credentials would be taken for orphans.
 */
import type { JsonObject } from '../core/canonical.ts';
import { makeEntry } from '../core/entry.ts';
import type { Actor } from '../core/entry.ts';
import type { TenantName } from '../core/ids.ts';
import { leaseOfMark } from '../core/lease.ts';
import type { Mark } from '../core/lease.ts';
import { ProviderUnavailable } from '../core/provider.ts';
import type { OpenTarget, RemoteProvider, Sighting, Subject } from '../core/provider.ts';
import type { TargetVersion } from '../core/registers.ts';
import type { Standing } from '../core/store/leases.ts';
import { seconds } from '../core/time.ts';
import type { Turn } from '../core/turns.ts';
import type { Deps } from '../deps.ts';
import { openTarget } from '../issue/target.ts';

/** Over all nodes, one hunt in so long. */
const HUNT_EVERY = seconds(600);

/** By Brevet's own clock: at every tenant, unless a node has hunted in this time. */
export async function huntByTheClock(deps: Deps): Promise<Hunt | null> {
  // It is not given back: its end is when the next one is due.
  const turn = await deps.store.turns.take('orphans', HUNT_EVERY);
  if (turn === null) return null;
  const tenants = (await deps.store.tenants()).map(({ name }) => name);
  const hunt = await huntOrphans(deps, tenants, { kind: 'broker', name: deps.node });
  if (hunt === null) {
    await deps.store.turns.release(turn);
    return null;
  }
  for (const { why, ...where } of hunt.unasked) deps.log.warn('orphans.not_asked', { ...where, why });
  return hunt;
}

/** Targets that are asked at the same time. */
const AT_ONCE = 8;

export interface Orphan {
  readonly tenant: TenantName;
  readonly target: string;
  readonly mark: Mark;
  /** `null`: no lease of it was ever written; otherwise the state that called it over. */
  readonly lease: string | null;
  /** `null`: it is still there, and the next hunt tries again. */
  readonly evidence: JsonObject | null;
}

export interface Hunt {
  readonly targets: number;
  readonly orphans: readonly Orphan[];
  /** Targets that could not be asked, and why. */
  readonly unasked: readonly { readonly tenant: TenantName; readonly target: string; readonly why: string }[];
}

/** Longer than some targets take to be asked, or some orphans to be killed: after each few it is kept for so long again. */
const HOLD = seconds(120);

/**
 * One at a time over all nodes, whoever has it done: two would find the same, and write its end twice.
 *
 * @param actor who has it done: an operator, or the broker by its own clock.
 * @returns `null`: another is under way.
 */
export async function huntOrphans(deps: Deps, tenants: readonly TenantName[], actor: Actor): Promise<Hunt | null> {
  const turn = await deps.store.turns.take('orphans hunted', HOLD);
  if (turn === null) return null;
  try {
    return await huntThrough(deps, tenants, { actor, turn });
  } finally {
    await deps.store.turns.release(turn);
  }
}

interface Hunting {
  readonly actor: Actor;
  readonly turn: Turn;
}

async function huntThrough(deps: Deps, tenants: readonly TenantName[], hunting: Hunting): Promise<Hunt> {
  const targets = (await deps.store.targetsAt(tenants)).filter(
    ({ provider }) => deps.providers.get(provider)?.where === 'remote',
  );
  const found: Orphan[] = [];
  const unasked: Hunt['unasked'][number][] = [];
  for (let from = 0; from < targets.length; from += AT_ONCE) {
    if (!(await deps.store.turns.extend(hunting.turn, HOLD))) {
      const why = 'this took too long, and another hunt may have begun';
      unasked.push(...targets.slice(from).map(({ tenant, name: target }) => ({ tenant, target, why })));
      break;
    }
    await Promise.all(
      targets.slice(from, from + AT_ONCE).map(async (version) => {
        try {
          found.push(...(await huntAt(deps, version, hunting)));
        } catch (fault) {
          // One target that cannot be asked, for whatever reason, keeps none of the others from it.
          unasked.push({ tenant: version.tenant, target: version.name, why: whyOf(deps, fault) });
        }
      }),
    );
  }
  return { targets: targets.length, orphans: found, unasked };
}

async function huntAt(deps: Deps, version: TargetVersion, { actor, turn }: Hunting): Promise<readonly Orphan[]> {
  const provider = deps.providers.get(version.provider);
  if (provider?.where !== 'remote') return [];
  const target = await openTarget(deps.keyring, version);
  const marks = await provider.list(target);
  if (marks.length === 0) return [];
  // After the listing: whatever it names had its lease committed before it was minted.
  const known = await deps.store.standing(marks.map(leaseOfMark));
  const lost = marks.flatMap((mark) => {
    const standing = known.get(leaseOfMark(mark)) ?? null;
    // At a server that several clients share, another's is another hunt's.
    const isAnothers = standing !== null && standing.tenant !== version.tenant;
    return standing !== null && (isAnothers || LIVING.includes(standing.state)) ? [] : [{ mark, standing }];
  });
  const found: Orphan[] = [];
  for (let from = 0; from < lost.length; from += AT_ONCE) {
    const some = lost.slice(from, from + AT_ONCE);
    const killed = await Promise.all(some.map((one) => killOrTell(deps, { provider, target, actor }, one)));
    found.push(...killed.filter((orphan) => orphan !== null));
    await deps.store.turns.extend(turn, HOLD);
  }
  return found;
}

/** A fault is Brevet's own, and its words stay in the log. */
function whyOf(deps: Deps, fault: unknown): string {
  if (fault instanceof ProviderUnavailable) return fault.message;
  deps.log.error('orphans.not_asked', { fault: String(fault) });
  return 'something failed here: the log says what';
}

/** Those have work of their own. */
const LIVING: readonly Standing['state'][] = ['opening', 'active', 'revoking'];

interface At {
  readonly provider: RemoteProvider;
  readonly target: OpenTarget;
  readonly actor: Actor;
}

interface Lost {
  readonly mark: Mark;
  readonly standing: Standing | null;
}

/** One that could not be killed is told with the others. */
async function killOrTell(deps: Deps, at: At, lost: Lost): Promise<Orphan | null> {
  try {
    return await kill(deps, at, lost);
  } catch (fault) {
    const { tenant, name } = at.target.version;
    deps.log.error('orphan.not_killed', { tenant, target: name, mark: lost.mark, fault: whyOf(deps, fault) });
    return { tenant, target: name, mark: lost.mark, lease: lost.standing?.state ?? null, evidence: null };
  }
}

/** @returns `null` for what is dead already: a fence, or what could only be disabled. */
async function kill(deps: Deps, { provider, target, actor }: At, { mark, standing }: Lost): Promise<Orphan | null> {
  const now = deps.clock();
  const subject: Subject = {
    lease: leaseOfMark(mark),
    mark,
    reference: null,
    secret: null,
    expiresAt: now,
    specification: null,
  };
  if ((await provider.look(subject, target)).seen === 'gone') return null;
  const { tenant, name } = target.version;
  const lease = standing === null ? null : standing.state;
  deps.log.error('orphan.found', { tenant, target: name, mark, lease });
  await provider.revoke(subject, target);
  const sighting = await provider.look(subject, target);
  if (sighting.seen !== 'gone') return { tenant, target: name, mark, lease, evidence: null };
  await write(deps, { tenant, target: name, mark, lease, evidence: sighting.evidence }, { actor, sighting });
  return { tenant, target: name, mark, lease, evidence: sighting.evidence };
}

async function write(
  deps: Deps,
  { tenant, target, mark, lease }: Orphan,
  { actor, sighting }: { readonly actor: Actor; readonly sighting: Extract<Sighting, { readonly seen: 'gone' }> },
): Promise<void> {
  const { inSetup } = await deps.store.deployment();
  const facts = { target, mark, ...(lease === null ? {} : { lease_was: lease }) };
  const draft = { tenant, kind: 'orphan.killed', at: deps.clock(), actor, accountable: null, inSetup } as const;
  const entry = makeEntry({ ...draft, facts, seen: sighting.evidence }, deps.random);
  const change = { kind: 'orphan.kill', tenant, mark } as const;
  const done = await deps.store.commit({ kind: 'register', change, work: [], deploymentEpoch: null }, [entry]);
  if (!done.ok) throw new Error(`the end of ${mark} was not written: ${done.error.unmet}`);
}
