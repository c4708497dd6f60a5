/**
 * Postgres logins (16 or later): made for one lease, with the rights of a group role, and ended for certain.
 *
 * The admin login is no superuser; what it needs is in {@link file://./grants.ts}.
 */
import type { JsonObject } from '../../core/canonical.ts';
import type { Random } from '../../core/ids.ts';
import type { Mark } from '../../core/lease.ts';
import { enforcedBy } from '../../core/provider.ts';
import type { Declaration, Minted, OpenTarget, RemoteProvider, Sighting, Subject } from '../../core/provider.ts';
import { ok } from '../../core/result.ts';
import { seconds } from '../../core/time.ts';
import type { Clock, Milliseconds } from '../../core/time.ts';
import { checkSite } from './check.ts';
import { parsePostgresConfig } from './config.ts';
import { cleanUp } from './clean.ts';
import { endAlone, endTogether } from './end.ts';
import { fence, unfence } from './fence.ts';
import { fulfilled, gather } from '../gather.ts';
import { PATIENCE } from './lane.ts';
import { listMarks } from './list.ts';
import { activityOf, lookTogether, lookTwice } from './look.ts';
import { mintTogether, prepare } from './mint.ts';
import type { Prepared } from './mint.ts';
import { MINT_LANES, openSite } from './site.ts';
import type { Site } from './site.ts';
import { specifyLogin } from './specification.ts';

export interface PostgresProviderOptions {
  readonly random: Random;
  readonly clock: Clock;
  /** Lets `tls: off` stand for hosts elsewhere than on loopback: for networks that protect what crosses them. */
  readonly plaintextAnywhere?: boolean;
  /** How long one call of a target's server may take before its connection is given up. */
  readonly patience?: Milliseconds;
}

/** Connections are kept for as long as logins may live; `close` ends them all. */
export type PostgresProvider = RemoteProvider & { close(): Promise<void> };

/** A batch of logins must be over well within the server's bound on a statement. */
const MOST_MINTED = 64;
const MOST_AT_ONCE = 256;

/** Longest lives of the surface: a credential lives an hour at the most. */
const LONGEST = seconds(3_600);
const SHORTEST = seconds(5);
const USUALLY_WITHIN = seconds(1);

/** A site with its calls gathered. */
interface Desk {
  readonly site: Site;
  mint(prepared: Prepared): Promise<Minted>;
  /** @returns what was seen of it since; `null` where nobody has looked. */
  end(subject: Subject): Promise<Sighting | null>;
  /** One look of the two that death takes. */
  glance(subject: Subject): Promise<Sighting>;
}

export function postgresProvider(options: PostgresProviderOptions): PostgresProvider {
  const patience = options.patience ?? PATIENCE;
  const desks = new Map<string, Desk>();
  /** What was seen of those that have just been ended: the first of the two looks, taken once. */
  const seen = new WeakMap<Subject, Sighting>();
  const deskOf = (target: OpenTarget): Desk => {
    const { tenant, name, version } = target.version;
    const key = `${tenant}/${name}@${version}`;
    const known = desks.get(key);
    // The one used last stands last, so that the first are those of versions that are over.
    desks.delete(key);
    if (known === undefined) forgetIdle(desks);
    const desk = known ?? openDesk(target, options.clock, patience);
    desks.set(key, desk);
    return desk;
  };
  return {
    kind: 'postgres',
    where: 'remote',
    parse(config) {
      const parsed = parsePostgresConfig(config, options.plaintextAnywhere ?? false);
      return parsed.ok ? ok(toJson(parsed.value)) : parsed;
    },
    declare,
    specify: specifyLogin,
    mint: async (order, target) => deskOf(target).mint(await prepare(order, options.random)),
    async revoke(subject, target) {
      const sighting = await deskOf(target).end(subject);
      if (sighting !== null) seen.set(subject, sighting);
    },
    look(subject, target) {
      const before = seen.get(subject) ?? null;
      seen.delete(subject);
      return lookTwice(deskOf(target).glance, subject, before);
    },
    fence: ({ mark }, target) => fence(deskOf(target).site, mark),
    unfence: ({ mark }, target) => unfence(deskOf(target).site, mark),
    list: (target): Promise<readonly Mark[]> => listMarks(deskOf(target).site),
    activity: async (subject, target) => activityOf(await deskOf(target).glance(subject)),
    endAll: null,
    check: (target) => checkSite(target, options.clock, patience),
    async close() {
      const open = [...desks.values()];
      desks.clear();
      await Promise.all(open.map(({ site }) => site.close()));
    },
  };
}

/** Its connections have closed by themselves; with it goes the admin's password from memory. */
function forgetIdle(desks: Map<string, Desk>): void {
  for (const [key, { site }] of desks) {
    if (!site.isIdle()) return;
    desks.delete(key);
  }
}

function openDesk(target: OpenTarget, clock: Clock, patience: Milliseconds): Desk {
  const site = openSite(target, patience);
  const together = gather({ most: MOST_AT_ONCE, atOnce: 1 }, (batch: readonly Subject[]) => endTogether(site, batch));
  // What a login owns may take long: one is cleaned up at a time.
  const tidy = gather({ most: 1, atOnce: 1 }, async (marks: readonly Mark[]) => {
    for (const mark of marks) await cleanUp(site, mark);
    return marks.map(() => fulfilled(undefined));
  });
  return {
    site,
    mint: gather({ most: MOST_MINTED, atOnce: MINT_LANES }, (batch) => mintTogether(site, batch, clock)),
    // Beside the batch, so that nobody in this one or the next waits for what a holder keeps hold of.
    end: async (subject) => {
      const first = await together(subject);
      const ended = first.missed ? await endAlone(site, subject) : first;
      if (ended.left) await tidy(subject.mark);
      return ended.seen;
    },
    glance: gather({ most: MOST_AT_ONCE, atOnce: 1 }, (batch) => lookTogether(site, batch)),
  };
}

/** Neither a login's own end nor a dropped role ends a live session, so expiry ends nothing here. */
function declare(): Declaration {
  return {
    revokes: { within: USUALLY_WITHIN },
    evidence: 'the role catalog and the session list of every named node, and no prepared transaction',
    expiryEndsUse: false,
    countsUses: false,
    keepsSecret: false,
    seesUse: true,
    enforces: enforcedBy('postgres', {}),
    shortest: SHORTEST,
    longest: LONGEST,
  };
}

const toJson = (config: object): JsonObject => JSON.parse(JSON.stringify(config)) as JsonObject;
