/**
 * A tenant's account as its administrator set it up, from `deploy/aws/tenant.yaml`: the agents' role, the control role,
 * and what agents may do. Tickets are users of IAM here: a service that moto and the front both know by its resources.
 */
import {
  AttachRolePolicyCommand,
  CreatePolicyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  GetUserCommand,
  IAMClient,
} from '@aws-sdk/client-iam';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { seconds } from '../../../src/core/time.ts';
import type { MintTerms, OpenTarget, Provider } from '../../../src/core/provider.ts';
import type { Turns } from '../../../src/core/turns.ts';
import { Secret } from '../../../src/core/secret.ts';
import type { Json } from '../../../src/core/canonical.ts';
import { EXTERNAL_ID, openTargetOf, processClock, termsOf } from '../target.ts';
import { MSP, startFront, TENANT } from './front.ts';
import type { Front } from './front.ts';
import { createStack } from './stack.ts';

export const ROLE = 'brevet-agents';
export const REGIONS = ['eu-west-1', 'us-east-1'];

/** What agents may read: tickets. */
const RIGHTS = {
  Version: '2012-10-17',
  Statement: [
    { Effect: 'Allow', Action: ['iam:GetUser', 'iam:ListUserTags'], Resource: `arn:aws:iam::${TENANT}:user/*` },
  ],
};

export const TEMPLATE = {
  allow: [{ actions: ['iam:GetUser'], resources: [`arn:aws:iam::${TENANT}:user/{{ticket}}`] }],
};

export interface AwsWorld {
  readonly front: Front;
  /** What an administrator writes as the target's config. */
  readonly config: {
    readonly role_arn: string;
    readonly control_role_arn: string;
    readonly regions: readonly string[];
    readonly endpoint: string;
  };
  readonly secret: Secret;
  open(provider: Provider): OpenTarget;
  terms(more?: Partial<MintTerms>): MintTerms;
  /** A session of the agents' role that is taken past Brevet, with its own keys. */
  takeOutside(name: string): Promise<Readonly<Record<'access_key_id' | 'secret_access_key' | 'session_token', string>>>;
  /** Whether a credential can read a ticket. */
  reads(credential: Readonly<Record<string, Json | Secret>>, ticket: string): Promise<boolean>;
  /** Another role like the agents', in a stack of its own. */
  addRole(name: string): Promise<void>;
  close(): Promise<void>;
}

/** @param externalIdOf asked once AWS answers: a broker tells it for a target that was put there. */
export async function awsWorld(
  externalIdOf: (front: Front) => Promise<string> = async () => EXTERNAL_ID,
): Promise<AwsWorld> {
  const front = await startFront();
  const externalId = await externalIdOf(front);
  for (const UserName of ['acme-1', 'acme-2']) await front.tenant.send(new CreateUserCommand({ UserName }));
  const { Policy } = await front.tenant.send(
    new CreatePolicyCommand({ PolicyName: 'tickets', PolicyDocument: JSON.stringify(RIGHTS) }),
  );
  const putUp = async (RoleName: string) => {
    const outputs = await createStack(front.moto, RoleName, 'tenant.yaml', {
      BrokerArn: `arn:aws:iam::${MSP}:user/brevet`,
      ExternalId: externalId,
      RoleName,
      PolicyArns: Policy?.Arn ?? '',
    });
    // moto takes no ManagedPolicyArns from a template.
    await front.tenant.send(new AttachRolePolicyCommand({ RoleName, PolicyArn: Policy?.Arn }));
    return outputs;
  };
  const outputs = await putUp(ROLE);
  await front.stranger.send(
    new CreateRoleCommand({
      RoleName: ROLE,
      Path: '/brevet/',
      AssumeRolePolicyDocument: '{"Version":"2012-10-17","Statement":[]}',
    }),
  );
  const config = {
    role_arn: outputs['RoleArn'] ?? '',
    control_role_arn: outputs['ControlRoleArn'] ?? '',
    regions: REGIONS,
    endpoint: front.url,
  };
  const { accessKeyId, secretAccessKey } = front.broker;
  const secret = new Secret(JSON.stringify({ access_key_id: accessKeyId, secret_access_key: secretAccessKey }));
  return {
    front,
    config,
    secret,
    open: (provider) => openTargetOf(provider, config, { secret }),
    terms: (more = {}) => termsOf(TEMPLATE, { parameters: { ticket: 'acme-1' }, ttl: seconds(300), ...more }),
    async takeOutside(name) {
      const sts = new STSClient({ endpoint: front.url, region: 'eu-west-1', credentials: front.broker });
      const { Credentials: given } = await sts.send(
        new AssumeRoleCommand({
          RoleArn: config.role_arn,
          RoleSessionName: name,
          SourceIdentity: name,
          ExternalId: externalId,
        }),
      );
      sts.destroy();
      return {
        access_key_id: given?.AccessKeyId ?? '',
        secret_access_key: given?.SecretAccessKey ?? '',
        session_token: given?.SessionToken ?? '',
      };
    },
    reads: (credential, ticket) => reads(front.url, credential, ticket),
    addRole: async (name) => {
      await putUp(name);
    },
    close: front.close,
  };
}

/** In the region of IAM. */
async function reads(
  endpoint: string,
  credential: Readonly<Record<string, Json | Secret>>,
  ticket: string,
): Promise<boolean> {
  const iam = clientOf(endpoint, credential);
  try {
    const { User } = await iam.send(new GetUserCommand({ UserName: ticket }));
    return User?.UserName === ticket;
  } catch (fault) {
    if (fault instanceof Error && '$fault' in fault) return false;
    throw fault;
  } finally {
    iam.destroy();
  }
}

const shown = (value: Json | Secret | undefined): string => {
  if (value instanceof Secret) return value.reveal();
  return typeof value === 'string' ? value : '';
};

export function clientOf(
  endpoint: string,
  credential: Readonly<Record<string, Json | Secret>>,
  region = 'us-east-1',
): IAMClient {
  return new IAMClient({
    endpoint,
    region,
    maxAttempts: 1,
    credentials: {
      accessKeyId: shown(credential['access_key_id']),
      secretAccessKey: shown(credential['secret_access_key']),
      sessionToken: shown(credential['session_token']),
    },
  });
}

/** Turns in this process's memory: a fake, whose real counterpart is a row of the database. */
export function fakeTurns(): Turns {
  const held = new Map<string, { fence: number; until: number }>();
  const isMine = (name: string, fence: number) => {
    const row = held.get(name);
    return row?.fence === fence && row.until > processClock();
  };
  return {
    take: async (name, hold) => {
      const row = held.get(name) ?? { fence: 0, until: 0 };
      if (row.until > processClock()) return null;
      const fence = row.fence + 1;
      held.set(name, { fence, until: processClock() + hold * 1000 });
      return { name, fence };
    },
    isHeld: async ({ name, fence }) => isMine(name, fence),
    release: async ({ name, fence }) => {
      if (isMine(name, fence)) held.set(name, { fence, until: 0 });
    },
  };
}
