/** The versions of targets that are in use, each with its clients and its denials gathered. */
import type { Mark } from '../../core/lease.ts';
import { pause } from '../../core/pause.ts';
import type { Finding, Minted, MintOrder, OpenTarget, Sighting, Subject } from '../../core/provider.ts';
import { between } from '../../core/time.ts';
import type { Clock, Instant, Milliseconds } from '../../core/time.ts';
import type { Turns } from '../../core/turns.ts';
import { gather } from '../gather.ts';
import { checkTarget } from './check.ts';
import { denyOlder, denyTogether } from './deny.ts';
import { lookAt } from './look.ts';
import { mintSession } from './mint.ts';
import { openSite, PATIENCE } from './site.ts';
import type { Site } from './site.ts';

export interface DeskOptions {
  readonly clock: Clock;
  /** One writer at a role's policies at a time, across all nodes. */
  readonly turns: Turns;
  /** How long one call may take, with all its tries. */
  readonly patience?: Milliseconds;
}

/** What is asked of AWS. All throw `ProviderUnavailable` for whatever time may heal. */
export interface Desks {
  mint(order: MintOrder, target: OpenTarget): Promise<Minted>;
  /** From its return on the session of this mark is denied everything, as far as that has spread. */
  deny(mark: Mark, target: OpenTarget): Promise<void>;
  /** The same of every session of the role that was given before this moment, whoever asked for it. */
  denyOlder(before: Instant, target: OpenTarget): Promise<void>;
  look(subject: Subject, target: OpenTarget): Promise<Sighting>;
  check(target: OpenTarget): Promise<readonly Finding[]>;
  close(): void;
}

/** More fill several documents, and whoever asked first waits for all of them. */
const MOST_DENIED = 256;
/** Longer than the longest lease is not needed: what comes later opens clients anew. */
const IDLE_MS = 900_000;

interface Desk {
  readonly site: Site;
  usedAt: Instant;
  deny(mark: Mark): Promise<void>;
}

export function openDesks(options: DeskOptions): Desks {
  const open = new Map<string, Desk>();
  const siteOf = (target: OpenTarget): Site =>
    openSite(target, { ...options, patience: options.patience ?? PATIENCE, pause });
  const deskOf = (target: OpenTarget): Desk => {
    const { tenant, name, version } = target.version;
    const key = `${tenant}/${name}@${version}`;
    const now = options.clock();
    const known = open.get(key);
    if (known === undefined) forgetIdle(open, now);
    const desk = known ?? openDesk(siteOf(target), now);
    desk.usedAt = now;
    open.set(key, desk);
    return desk;
  };
  return {
    mint: async (order, target) => mintSession(deskOf(target).site, order),
    deny: async (mark, target) => deskOf(target).deny(mark),
    denyOlder: async (before, target) => denyOlder(deskOf(target).site, before),
    look: async (subject, target) => lookAt(deskOf(target).site, subject),
    check: (target) => checkTarget(() => siteOf(target)),
    close() {
      for (const { site } of open.values()) site.close();
      open.clear();
    },
  };
}

function openDesk(site: Site, now: Instant): Desk {
  const deny = gather({ most: MOST_DENIED, atOnce: 1 }, (marks: readonly Mark[]) => denyTogether(site, marks));
  return { site, usedAt: now, deny };
}

/** With a desk go the keys in its clients' memory. */
function forgetIdle(open: Map<string, Desk>, now: Instant): void {
  for (const [key, { site, usedAt }] of open) {
    if (between(usedAt, now) < IDLE_MS) continue;
    site.close();
    open.delete(key);
  }
}
