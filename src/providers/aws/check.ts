/**
 * What is wrong with a target before first use: the trust, the rights and the room. A session is taken that may do
 * nothing but be probed, for a minute, and is then denied, as any other will be.
 */
import { AssumeRoleCommand } from '@aws-sdk/client-sts';
import type { Role } from '@aws-sdk/client-iam';
import { ProviderUnavailable } from '../../core/provider.ts';
import type { Finding } from '../../core/provider.ts';
import { after, between, seconds } from '../../core/time.ts';
import { PREFIX, roomLeft } from './denial.ts';
import { AwsRefusal } from './fault.ts';
import { endedAt, PROBE } from './policy.ts';
import type { PolicyDocument } from './policy.ts';
import { probe } from './probe.ts';
import { readRole, readState, readUnattached, removeDenial, writeSegment } from './role.ts';
import { send } from './site.ts';
import type { Site } from './site.ts';
import type { Mark } from '../../core/lease.ts';

const refuse = (what: string, remedy: string): Finding => ({ level: 'refuse', what, remedy });
const warn = (what: string, remedy: string): Finding => ({ level: 'warn', what, remedy });

const TEMPLATES = 'Compare it with deploy/aws/tenant.yaml.';
const SHORTEST_SESSION = 900;
const LONGEST_LEASE = 3_600;
const CHECKED_FOR = seconds(60);
/** Signatures are refused when clocks are five minutes apart, and ends are said on AWS's. */
const CLOCK_OFF_MS = 60_000;
/** Of no lease: the time in it is long over. */
const CHECK_MARK = `brevet_${'0'.repeat(26)}` as Mark;
const ROOM_WANTED = 500;

/** Over clients of its own, which end with it. @param open throws where the target cannot be used at all. */
export async function checkTarget(open: () => Site): Promise<readonly Finding[]> {
  const site = attempt(open);
  if (typeof site === 'string') return [refuse(site, 'Write the secret as JSON: access_key_id, secret_access_key.')];
  try {
    const [clock, role, session] = await Promise.all([
      findings(() => clockFindings(site), 'See that Brevet reaches AWS, and has credentials there.'),
      findings(() => roleFindings(site), `Let the control role read the role and write its denials. ${TEMPLATES}`),
      findings(
        () => sessionFindings(site),
        `Let Brevet assume the role, with tags and a source identity. ${TEMPLATES}`,
      ),
    ]);
    return [...clock, ...role, ...session];
  } finally {
    site.close();
  }
}

function attempt(open: () => Site): Site | string {
  try {
    return open();
  } catch (fault) {
    if (fault instanceof ProviderUnavailable) return fault.message;
    throw fault;
  }
}

async function findings(look: () => Promise<readonly Finding[]>, remedy: string): Promise<readonly Finding[]> {
  try {
    return await look();
  } catch (fault) {
    if (fault instanceof ProviderUnavailable) return [refuse(fault.message, remedy)];
    throw fault;
  }
}

async function clockFindings(site: Site): Promise<readonly Finding[]> {
  const now = site.clock();
  const off = Math.abs(between(now, (await site.awsTime())(now)));
  return off > CLOCK_OFF_MS
    ? [warn("AWS's clock is more than a minute off Brevet's", 'Let the database keep time.')]
    : [];
}

async function roleFindings(site: Site): Promise<readonly Finding[]> {
  const [role, state] = await Promise.all([readRole(site), readState(site)]);
  const room = roomLeft(state, site.clock());
  await rehearse(site);
  return [
    ...trustFindings(site, role),
    ...((role.MaxSessionDuration ?? LONGEST_LEASE) < LONGEST_LEASE
      ? [warn('the role gives no sessions of an hour', 'Raise its MaxSessionDuration to 3600.')]
      : []),
    ...(room < ROOM_WANTED
      ? [
          warn(
            `the role has room for ${room} denials in 13 hours`,
            'Detach managed policies, or give it fewer of its own.',
          ),
        ]
      : []),
    ...(await leftoverFindings(site)),
  ];
}

/** Denials are written without it: a stack from before it was asked for is no reason to refuse. */
async function leftoverFindings(site: Site): Promise<readonly Finding[]> {
  try {
    await readUnattached(site);
    return [];
  } catch (fault) {
    if (!(fault instanceof AwsRefusal && fault.isDenial)) throw fault;
    const what = 'Brevet cannot see the managed policies that it made and could not attach, and they stay';
    return [warn(what, `Let the control role list policies. ${TEMPLATES}`)];
  }
}

/** Whether denials can be written and taken away, inline and managed: of a session that there never was. */
async function rehearse(site: Site): Promise<void> {
  for (const where of ['inline', 'managed'] as const) {
    const segment = { where, name: `${PREFIX}check-${site.clock().toString(36)}`, marks: [CHECK_MARK] };
    await writeSegment(site, segment);
    await removeDenial(site, segment);
  }
}

interface TrustStatement {
  readonly Effect?: unknown;
  readonly Action?: unknown;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** They give no session by themselves. */
const HARMLESS = new Set(['sts:TagSession', 'sts:SetSourceIdentity']);

function trustFindings({ config }: Site, { AssumeRolePolicyDocument = '' }: Role): readonly Finding[] {
  const open = statementsIn(AssumeRolePolicyDocument).filter(({ Effect, Action, Condition = {} }) => {
    const actions: readonly unknown[] = Array.isArray(Action) ? Action : [Action];
    const isHarmless = actions.every((action) => typeof action === 'string' && HARMLESS.has(action));
    return Effect !== 'Deny' && !isHarmless && Condition['StringEquals']?.['sts:ExternalId'] !== config.external_id;
  });
  if (open.length === 0) return [];
  return [
    refuse(
      'the role can be assumed without the external id of this tenant',
      `Let every statement of its trust policy demand StringEquals sts:ExternalId ${config.external_id}.`,
    ),
  ];
}

/** A document that cannot be read has no statement that demands anything. */
function statementsIn(document: string): readonly TrustStatement[] {
  try {
    const { Statement } = JSON.parse(decodeURIComponent(document)) as { Statement?: unknown };
    return (Array.isArray(Statement) ? Statement : [Statement]) as readonly TrustStatement[];
  } catch {
    return [{ Effect: 'Allow', Action: 'sts:AssumeRole' }];
  }
}

async function sessionFindings(site: Site): Promise<readonly Finding[]> {
  const { config, clock } = site;
  const end = (await site.awsTime())(after(clock(), CHECKED_FOR));
  const answer = await send(site, 'assume the role', (abortSignal) =>
    site.sts.send(
      new AssumeRoleCommand({
        RoleArn: config.role_arn,
        ExternalId: config.external_id,
        RoleSessionName: CHECK_MARK,
        SourceIdentity: CHECK_MARK,
        DurationSeconds: SHORTEST_SESSION,
        Tags: ['tenant', 'agent', 'task', 'request'].map((of) => ({ Key: `brevet:${of}`, Value: 'check' })),
        Policy: JSON.stringify(endedAt(ONLY_PROBED, end)),
      }),
      { abortSignal },
    ),
  );
  const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '' } = answer.Credentials ?? {};
  const keys = { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken };
  const answers = await probe(site, keys, config.regions);
  return answers
    .filter(({ is }) => is !== 'let through')
    .map((odd) =>
      refuse(
        `in ${odd.region} a session's death could not be seen: its probe is ${odd.is === 'unknown' ? odd.why : odd.is}`,
        `Let the role itself allow ${PROBE}, and enable the region. ${TEMPLATES}`,
      ),
    );
}

/** Its last statement is made its end. */
const ONLY_PROBED: PolicyDocument = {
  Version: '2012-10-17',
  Statement: [
    { Effect: 'Allow', Action: PROBE, Resource: '*' },
    { Effect: 'Deny', Action: '*', Resource: '*' },
  ],
};
