/**
 * An AWS target as an administrator writes it: the tenant's role, and where its sessions may be used.
 */
import { z } from 'zod';
import { failure } from '../../core/failure.ts';
import { isLoopback } from '../../core/loopback.ts';
import { parseWith } from '../../core/parse.ts';
import type { TargetContext } from '../../core/provider.ts';
import { err, ok } from '../../core/result.ts';
import type { Result } from '../../core/result.ts';

const ROLE_ARN = /^arn:(aws|aws-cn|aws-us-gov):iam::(\d{12}):role\/((?:[!-~]{1,510}\/)?)([\w+=,.@-]{1,64})$/;
const REGION = /^[a-z]{2}(?:-[a-z]+){1,3}-\d{1,2}$/;
/** Each region is asked whether a session is dead. */
const MOST_REGIONS = 20;

const roleArn = () =>
  z.string().regex(ROLE_ARN, 'it must be the ARN of a role, such as arn:aws:iam::123456789012:role/acme');

const written = z.strictObject({
  /** The role whose sessions are given to agents. */
  role_arn: roleArn(),
  /** The role in the same account with which Brevet writes the other's denials; without it, as Brevet itself. */
  control_role_arn: roleArn().optional(),
  /** Where a session may be used. What is global at AWS, such as IAM, counts as us-east-1. */
  regions: z.array(z.string().regex(REGION, 'it must be a region, such as eu-west-1')).min(1).max(MOST_REGIONS),
  /** Instead of AWS's own, for tests: on this machine alone. */
  endpoint: z.url().optional(),
  /** What Brevet derives. Written back as it was read it may stand; it can't be chosen. */
  partition: z.string().optional(),
  account: z.string().optional(),
  external_id: z.string().optional(),
});

const schema = written.required({ partition: true, account: true, external_id: true });

export type AwsConfig = z.infer<typeof schema>;

export interface RoleName {
  readonly partition: string;
  readonly account: string;
  readonly name: string;
}

export function roleOf(arn: string): RoleName {
  const [, partition = '', account = '', , name = ''] = ROLE_ARN.exec(arn) ?? [];
  return { partition, account, name };
}

/** @param endpoints hosts of this machine that may stand in for AWS. */
export function parseAwsConfig(
  input: unknown,
  context: TargetContext,
  endpoints: readonly string[],
): Result<AwsConfig> {
  const parsed = parseWith(written, input);
  if (!parsed.ok) return parsed;
  const { role_arn, control_role_arn, regions, endpoint } = parsed.value;
  const { partition, account } = roleOf(role_arn);
  const derived = { partition, account, external_id: context.externalId };
  for (const name of ['partition', 'account', 'external_id'] as const) {
    const given = parsed.value[name];
    if (given !== undefined && given !== derived[name]) {
      return invalid(name, `${name} is Brevet's to say`, 'Leave it out.');
    }
  }
  if (control_role_arn === role_arn) return invalid('control_role_arn', 'a session could lift its own denial');
  if (control_role_arn !== undefined && roleOf(control_role_arn).account !== account) {
    return invalid('control_role_arn', 'it is in another account than the role that it controls');
  }
  if (new Set(regions).size < regions.length) return invalid('regions', 'a region is named twice');
  if (endpoint !== undefined && !isOpenTo(new URL(endpoint).hostname, endpoints)) {
    return invalid('endpoint', 'only a service on this machine that the broker may call can stand in for AWS');
  }
  return ok({ ...parsed.value, ...derived });
}

const isOpenTo = (host: string, endpoints: readonly string[]): boolean => isLoopback(host) && endpoints.includes(host);

const invalid = (path: string, detail: string, hint?: string) =>
  err(failure('invalid_target', detail, { path, ...(hint === undefined ? {} : { hint }) }));

/** What `parse` made is read back from the register: a row of another form is a fault. */
export const configOf = (config: unknown): AwsConfig => schema.parse(config);

const secret = z.strictObject({
  access_key_id: z.string().regex(/^[A-Z0-9]{16,128}$/),
  secret_access_key: z.string().min(1).max(256),
  session_token: z.string().min(1).max(8_192).optional(),
});

export interface KeyPair {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** @returns `null` for what is no such secret; what is wrong with it is not said, since it would have to be quoted. */
export function keyPairOf(text: string): KeyPair | null {
  const parsed = secret.safeParse(jsonOf(text));
  if (!parsed.success) return null;
  const { access_key_id, secret_access_key, session_token } = parsed.data;
  return {
    accessKeyId: access_key_id,
    secretAccessKey: secret_access_key,
    ...(session_token === undefined ? {} : { sessionToken: session_token }),
  };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
