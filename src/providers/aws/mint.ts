/** Takes a session of the role, bound to one lease by its name, its source identity, its tags and its policy. */
import { AssumeRoleCommand } from '@aws-sdk/client-sts';
import type { AssumeRoleCommandOutput } from '@aws-sdk/client-sts';
import { MintTooLarge, ProviderUnavailable } from '../../core/provider.ts';
import type { Minted, MintOrder } from '../../core/provider.ts';
import { Secret } from '../../core/secret.ts';
import { between, milliseconds, toRfc3339 } from '../../core/time.ts';
import type { Instant } from '../../core/time.ts';
import { roleOf } from './config.ts';
import type { KeyPair } from './config.ts';
import { ensureRoom } from './deny.ts';
import { AwsRefusal } from './fault.ts';
import { endedAt } from './policy.ts';
import { probe } from './probe.ts';
import { send } from './site.ts';
import type { Site } from './site.ts';
import { sessionOf } from './specification.ts';
import type { SessionReference, SessionSpecification } from './specification.ts';

/** @throws {ProviderUnavailable} by the deadline at the latest; what AWS still gives then is given to nobody. */
export async function mintSession(site: Site, order: MintOrder): Promise<Minted> {
  const left = ensureInTime(site, order);
  const over = new AbortController();
  const late = async (): Promise<never> => {
    await site.pause(milliseconds(left), over.signal);
    throw deadlinePassed(site);
  };
  try {
    return await Promise.race([takeSession(site, order), late()]);
  } finally {
    over.abort();
  }
}

async function takeSession(site: Site, order: MintOrder): Promise<Minted> {
  const session = sessionOf(order.specification);
  const [toAws] = await Promise.all([site.awsTime(), ensureRoom(site)]);
  const answer = await assume(site, order, session, toAws);
  const { keys, reference } = readAnswer(site, order, answer);
  const probed = await provenOpen(site, order, session, keys);
  // What lands later is not given to anybody; the fence ends it.
  ensureInTime(site, order);
  return {
    reference: { ...reference, probed } satisfies SessionReference,
    credential: {
      type: 'aws',
      account: session.account,
      role_arn: session.role_arn,
      region: session.regions[0] ?? '',
      access_key_id: keys.accessKeyId,
      secret_access_key: new Secret(keys.secretAccessKey),
      session_token: new Secret(keys.sessionToken),
      expires_at: toRfc3339(order.expiresAt),
    },
    keep: new Secret(
      JSON.stringify({
        access_key_id: keys.accessKeyId,
        secret_access_key: keys.secretAccessKey,
        session_token: keys.sessionToken,
      }),
    ),
  };
}

function ensureInTime(site: Site, { deadline }: MintOrder): number {
  const left = between(site.clock(), deadline);
  if (left <= 0) throw deadlinePassed(site);
  return left;
}

const deadlinePassed = ({ name }: Site): ProviderUnavailable =>
  new ProviderUnavailable(`${name} did not give the session: the deadline has passed`);

async function assume(
  site: Site,
  order: MintOrder,
  session: SessionSpecification,
  toAws: (ours: Instant) => Instant,
): Promise<AssumeRoleCommandOutput> {
  const command = new AssumeRoleCommand({
    RoleArn: session.role_arn,
    ExternalId: session.external_id,
    RoleSessionName: order.mark,
    SourceIdentity: order.mark,
    DurationSeconds: session.duration_seconds,
    Tags: Object.entries(session.tags).map(([Key, Value]) => ({ Key, Value })),
    Policy: JSON.stringify(endedAt(session.policy, toAws(order.expiresAt))),
  });
  const left = ensureInTime(site, order);
  try {
    return await send(site, 'assume the role', (abortSignal) => site.sts.send(command, { abortSignal }), left);
  } catch (fault) {
    throw isTooLarge(fault) ? new MintTooLarge('AWS packs the session policy and tags into more than it takes') : fault;
  }
}

/** How AWS packs them it does not say, so that what has the right number of characters can still be too large. */
const isTooLarge = (fault: unknown): boolean =>
  fault instanceof AwsRefusal && fault.code.startsWith('PackedPolicyTooLarge');

type SessionKeys = KeyPair & Required<Pick<KeyPair, 'sessionToken'>>;

function readAnswer(
  { config, name }: Site,
  { mark }: MintOrder,
  { Credentials: given, AssumedRoleUser: user }: AssumeRoleCommandOutput,
): { readonly keys: SessionKeys; readonly reference: Omit<SessionReference, 'probed'> } {
  const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = given ?? {};
  const { partition, account, name: role } = roleOf(config.role_arn);
  if (user?.Arn !== `arn:${partition}:sts::${account}:assumed-role/${role}/${mark}`) {
    throw new ProviderUnavailable(`${name} gave a session of another role, or of another account`);
  }
  if (AccessKeyId === undefined || SecretAccessKey === undefined || SessionToken === undefined || !Expiration) {
    throw new ProviderUnavailable(`${name} answered without a session`);
  }
  return {
    keys: { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken },
    reference: {
      account,
      user_id: user.AssumedRoleId ?? '',
      access_key_id: AccessKeyId,
      session_ends: Expiration.toISOString(),
    },
  };
}

/**
 * Whether the session is let through by what will tell its death. One that is refused already is behind a fence, or of
 * a role whose own policies refuse the probe: its death could never be seen.
 */
async function provenOpen(
  site: Site,
  { expiresAt }: MintOrder,
  { regions }: SessionSpecification,
  keys: SessionKeys,
): Promise<boolean> {
  const answers = await probe(site, keys, regions);
  if (answers.every((answer) => answer.is === 'let through')) return true;
  // It came with its own end in the past, and is refused by that.
  if (site.clock() >= expiresAt) return false;
  const odd = answers.find((answer) => answer.is !== 'let through');
  throw new ProviderUnavailable(`the new session of ${site.name} is ${odd?.is} in ${odd?.region}`);
}
