/**
 * Sessions of a tenant's role at AWS: taken for one lease by AssumeRole, and ended by a denial of that one session in
 * the role's own policies, since AWS recalls none. A denial takes seconds to reach all of AWS.
 *
 * Not seen by anybody: what a session has signed in to or started elsewhere (an EKS login of up to 15 minutes, a
 * console of another service, a connection that stays open). Task classes that may get such things are refused them, or
 * end `unverifiable`.
 */
import type { JsonObject } from '../../core/canonical.ts';
import { enforcedBy } from '../../core/provider.ts';
import type { Declaration, OpenTarget, RemoteProvider, Subject } from '../../core/provider.ts';
import { pause } from '../../core/pause.ts';
import { ok } from '../../core/result.ts';
import { awsTemplate } from '../../core/templates/aws.ts';
import { between, seconds } from '../../core/time.ts';
import type { Clock, Instant, Milliseconds } from '../../core/time.ts';
import type { Turns } from '../../core/turns.ts';
import type { Mark } from '../../core/lease.ts';
import { gather } from '../postgres/gather.ts';
import { checkTarget } from './check.ts';
import { parseAwsConfig } from './config.ts';
import { denyTogether } from './deny.ts';
import { lookAt } from './look.ts';
import { mintSession } from './mint.ts';
import { outlivingIn } from './policy.ts';
import { openSite, PATIENCE } from './site.ts';
import type { Site } from './site.ts';
import { specifySession } from './specification.ts';

export interface AwsProviderOptions {
  readonly clock: Clock;
  /** One writer at a role's policies at a time, across all nodes. */
  readonly turns: Turns;
  /** How long one call may take, with all its tries. */
  readonly patience?: Milliseconds;
}

/** Connections are kept for a while; `close` ends them all. */
export type AwsProvider = RemoteProvider & { close(): Promise<void> };

/** More fill several documents, and whoever asked first waits for all of them. */
const MOST_DENIED = 256;
/** A session cannot be shorter at AWS than 15 minutes: what is shorter here is ended by the session's own policy. */
const SHORTEST = seconds(60);
const LONGEST = seconds(3_600);
const USUALLY_WITHIN = seconds(10);
const IDLE_MS = 900_000;

/** A site with its denials gathered. */
interface Desk {
  readonly site: Site;
  usedAt: Instant;
  deny(mark: Mark): Promise<void>;
}

export function awsProvider(options: AwsProviderOptions): AwsProvider {
  const patience = options.patience ?? PATIENCE;
  const desks = new Map<string, Desk>();
  const open = (target: OpenTarget): Site => openSite(target, { ...options, patience, pause });
  const deskOf = (target: OpenTarget): Desk => {
    const { tenant, name, version } = target.version;
    const key = `${tenant}/${name}@${version}`;
    const known = desks.get(key);
    if (known === undefined) forgetIdle(desks, options.clock());
    const desk = known ?? openDesk(open(target), options.clock());
    desk.usedAt = options.clock();
    desks.set(key, desk);
    return desk;
  };
  // The same denial ends a session that there is, and one that a late mint may yet bring.
  const deny = async ({ mark }: Subject, target: OpenTarget): Promise<void> => deskOf(target).deny(mark);
  return {
    kind: 'aws',
    where: 'remote',
    parse(config, context) {
      const parsed = parseAwsConfig(config, context);
      return parsed.ok ? ok(toJson(parsed.value)) : parsed;
    },
    declare: (_target, template) => declarationOf(template),
    specify: specifySession,
    mint: async (order, target) => mintSession(deskOf(target).site, order),
    revoke: deny,
    fence: deny,
    // It goes with a later write, once no session of this name can live any more.
    unfence: async () => {},
    look: async (subject, target) => lookAt(deskOf(target).site, subject),
    // AWS lists no sessions, and which marks are denied says nothing of those that live.
    list: async () => [],
    activity: async () => ({ use: 'unknown', why: 'AWS tells of the use of a session after minutes, in its own log' }),
    check: (target) => checkTarget(() => open(target)),
    async close() {
      const all = [...desks.values()];
      desks.clear();
      for (const { site } of all) site.close();
    },
  };
}

function openDesk(site: Site, now: Instant): Desk {
  const deny = gather({ most: MOST_DENIED, atOnce: 1 }, (marks: readonly Mark[]) => denyTogether(site, marks));
  return { site, usedAt: now, deny };
}

function forgetIdle(desks: Map<string, Desk>, now: Instant): void {
  for (const [key, { site, usedAt }] of desks) {
    if (between(usedAt, now) < IDLE_MS) continue;
    site.close();
    desks.delete(key);
  }
}

/** A session that gets at what outlives it is ended like any other, and that ends nothing of what it got. */
function declarationOf(template: JsonObject): Declaration {
  const parsed = awsTemplate.safeParse(template);
  const outliving = parsed.success ? outlivingIn(parsed.data) : [];
  const isSeen = outliving.length === 0;
  return {
    revokes: { within: USUALLY_WITHIN },
    evidence: isSeen ? 'the session itself, refused three times in a row in every region where it may be used' : null,
    expiryEndsUse: isSeen,
    countsUses: false,
    seesUse: false,
    keepsSecret: true,
    enforces: enforcedBy('aws', template),
    shortest: SHORTEST,
    longest: LONGEST,
  };
}

const toJson = (config: object): JsonObject => JSON.parse(JSON.stringify(config)) as JsonObject;
