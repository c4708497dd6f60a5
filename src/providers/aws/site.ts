/**
 * A version of a target with the clients that it takes: as Brevet itself for STS, as the control role for IAM. Every
 * call is bounded in tries and in time, and every fault is told without what AWS sent.
 */
import { IAMClient } from '@aws-sdk/client-iam';
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { ProviderUnavailable } from '../../core/provider.ts';
import type { OpenTarget } from '../../core/provider.ts';
import type { Turns } from '../../core/turns.ts';
import { between, instant, milliseconds } from '../../core/time.ts';
import type { Clock, Instant, Milliseconds } from '../../core/time.ts';
import { configOf, keyPairOf, roleOf } from './config.ts';
import type { AwsConfig, KeyPair } from './config.ts';
import { faultOf } from './fault.ts';

/** For one call with all its tries: an issue waits for several of them, within the mint's deadline. */
export const PATIENCE = milliseconds(5_000);
const CONNECT_MS = 2_000;
const TRIES = 3;
/** Clocks drift slowly. */
const CLOCK_MEASURED_FOR_MS = 60_000;
/** The least that AWS gives. */
const CONTROL_SECONDS = 900;

export interface SiteOptions {
  readonly clock: Clock;
  readonly turns: Turns;
  readonly patience: Milliseconds;
  pause(milliseconds: Milliseconds, over?: AbortSignal): Promise<void>;
}

export interface Site extends SiteOptions {
  readonly config: AwsConfig;
  readonly name: string;
  readonly sts: STSClient;
  readonly iam: IAMClient;
  /** For how many more denials there was room at the role, when that was last looked at. */
  readonly room: { left: number | null; at: Instant };
  /** A client for one session in one region, which whoever opens it destroys. */
  sessionClient(keys: KeyPair, region: string): STSClient;
  /** Turns our instants into AWS's, never into later ones. Measures its clock where that was long ago. */
  awsTime(): Promise<(ours: Instant) => Instant>;
  close(): void;
}

/** @throws {ProviderUnavailable} where the target's secret is no pair of keys. */
export function openSite(target: OpenTarget, options: SiteOptions): Site {
  const config = configOf(target.version.config);
  const measured: Measured = { ahead: null, at: instant(0) };
  const common = { ...clientOptions(config), region: config.regions[0] ?? 'us-east-1' };
  const own = keysOf(target);
  const sts = new STSClient({ ...common, ...(own === null ? {} : { credentials: own }) });
  watchClock(sts, options.clock, measured);
  const site: Site = {
    ...options,
    config,
    name: target.version.name,
    room: { left: null, at: instant(0) },
    sts,
    iam: new IAMClient({ ...common, credentials: () => controlKeys(site, own) }),
    sessionClient: (keys, region) => new STSClient({ ...clientOptions(config), region, credentials: keys }),
    awsTime: async () => {
      if (measured.ahead === null || between(measured.at, options.clock()) > CLOCK_MEASURED_FOR_MS) {
        await send(site, 'say who Brevet is', (abortSignal) =>
          sts.send(new GetCallerIdentityCommand({}), { abortSignal }),
        );
      }
      const { ahead } = measured;
      if (ahead === null) throw new ProviderUnavailable(`${site.name} answered without a time`);
      return (ours) => instant(ours + ahead);
    },
    close: () => {
      sts.destroy();
      site.iam.destroy();
    },
  };
  return site;
}

function keysOf({ secret, version }: OpenTarget): KeyPair | null {
  if (secret === null) return null;
  const keys = keyPairOf(secret.reveal());
  if (keys === null) throw new ProviderUnavailable(`the secret of ${version.name} is no pair of AWS keys`);
  return keys;
}

const clientOptions = ({ endpoint }: AwsConfig) => ({
  ...(endpoint === undefined ? {} : { endpoint }),
  maxAttempts: TRIES,
  requestHandler: { connectionTimeout: CONNECT_MS, requestTimeout: PATIENCE, throwOnRequestTimeout: true },
});

interface Measured {
  /** How far AWS's clock is ahead of ours, at the least: its answers say whole seconds, and were on their way. */
  ahead: number | null;
  at: Instant;
}

function watchClock(client: STSClient, clock: Clock, measured: Measured): void {
  client.middlewareStack.add(
    (next) => async (call) => {
      const answer = await next(call);
      const date = Date.parse(dateOf(answer.response) ?? '');
      if (Number.isNaN(date)) return answer;
      const now = clock();
      measured.ahead = date - now;
      measured.at = now;
      return answer;
    },
    { step: 'deserialize', name: 'watchClock', priority: 'low' },
  );
}

function dateOf(response: unknown): string | undefined {
  if (typeof response !== 'object' || response === null || !('headers' in response)) return undefined;
  return (response.headers as Record<string, string>)['date'];
}

/** The control role, where there is one; the SDK asks again shortly before they end. */
async function controlKeys(site: Site, own: KeyPair | null) {
  const { control_role_arn, external_id } = site.config;
  if (control_role_arn === undefined) return own ?? site.sts.config.credentials();
  const answer = await send(site, 'assume the control role', (abortSignal) =>
    site.sts.send(
      new AssumeRoleCommand({
        RoleArn: control_role_arn,
        RoleSessionName: 'brevet-control',
        ExternalId: external_id,
        DurationSeconds: CONTROL_SECONDS,
      }),
      { abortSignal },
    ),
  );
  const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = answer.Credentials ?? {};
  if (AccessKeyId === undefined || SecretAccessKey === undefined || SessionToken === undefined) {
    throw new ProviderUnavailable('AWS answered without the credentials of the control role');
  }
  return {
    accessKeyId: AccessKeyId,
    secretAccessKey: SecretAccessKey,
    sessionToken: SessionToken,
    ...(Expiration === undefined ? {} : { expiration: Expiration }),
  };
}

/**
 * One call. @param what completes "AWS could not be asked to …".
 * @param within a shorter time than the site's patience.
 * @throws {ProviderUnavailable} for whatever AWS or the network did.
 */
export async function send<T>(
  { patience }: Pick<Site, 'patience'>,
  what: string,
  call: (abort: AbortSignal) => Promise<T>,
  within: number = patience,
): Promise<T> {
  try {
    return await call(AbortSignal.timeout(Math.max(1, Math.min(within, patience))));
  } catch (fault) {
    throw faultOf(fault, what);
  }
}

export const roleNameOf = ({ config }: Pick<Site, 'config'>): string => roleOf(config.role_arn).name;
