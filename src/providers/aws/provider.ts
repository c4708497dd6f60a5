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
import { ok } from '../../core/result.ts';
import { awsTemplate } from '../../core/templates/aws.ts';
import { seconds } from '../../core/time.ts';
import { parseAwsConfig } from './config.ts';
import type { Desks, DeskOptions } from './desks.ts';
import { outlivingIn } from './policy.ts';
import { specifySession } from './specification.ts';

export interface AwsProviderOptions extends DeskOptions {
  /** Hosts of this machine that a target may name in place of AWS, for tests. */
  readonly endpoints?: readonly string[];
}

/** Connections are kept for a while; `close` ends them all. */
export type AwsProvider = RemoteProvider & { close(): Promise<void> };

/** A session cannot be shorter at AWS than 15 minutes: what is shorter here is ended by the session's own policy. */
const SHORTEST = seconds(60);
const LONGEST = seconds(3_600);
const USUALLY_WITHIN = seconds(10);

export function awsProvider({ endpoints = [], ...options }: AwsProviderOptions): AwsProvider {
  let known: Desks | null = null;
  // The SDK is loaded by the first target that needs it: most of a node's start would be that.
  const desks = async (): Promise<Desks> => {
    const { openDesks } = await import('./desks.ts');
    known ??= openDesks(options);
    return known;
  };
  // The same denial ends a session that there is, and one that a late mint may yet bring.
  const deny = async ({ mark }: Subject, target: OpenTarget): Promise<void> => (await desks()).deny(mark, target);
  return {
    kind: 'aws',
    where: 'remote',
    parse(config, context) {
      const parsed = parseAwsConfig(config, context, endpoints);
      return parsed.ok ? ok(toJson(parsed.value)) : parsed;
    },
    declare: (_target, template) => declarationOf(template),
    specify: specifySession,
    mint: async (order, target) => (await desks()).mint(order, target),
    revoke: deny,
    fence: deny,
    // It goes with a later write, once no session of this name can live any more.
    unfence: async () => {},
    look: async (subject, target) => (await desks()).look(subject, target),
    // AWS lists no sessions, and which marks are denied says nothing of those that live.
    list: async () => [],
    activity: async () => ({ use: 'unknown', why: 'AWS tells of the use of a session after minutes, in its own log' }),
    endAll: async (target, before) => (await desks()).denyOlder(before, target),
    check: async (target) => (await desks()).check(target),
    close: async () => known?.close(),
  };
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
