/**
 * The policy of one session, purely: what its task class allows, with the parameters filled in, and what Brevet denies
 * every session. A session may do what this policy and the role's own both allow.
 */
import type { JsonObject } from '../../core/canonical.ts';
import { failure } from '../../core/failure.ts';
import { fillIn, placeholdersIn } from '../../core/placeholder.ts';
import { err, ok } from '../../core/result.ts';
import type { Result } from '../../core/result.ts';
import { meet, placeUnder } from '../../core/templates/aws.ts';
import type { AwsStatement, AwsTemplate } from '../../core/templates/aws.ts';
import { instant, toRfc3339 } from '../../core/time.ts';
import type { Instant } from '../../core/time.ts';

/** @see https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html (Policy) */
export const SESSION_POLICY_CHARACTERS = 2_048;

/** It reads what AWS said about a refusal, given a message of AWS's own: with none, nothing. Asked in every region. */
export const PROBE = 'sts:DecodeAuthorizationMessage';

/**
 * What a session must not get, because it would outlive it: other sessions and identities, tokens that other services
 * honour by themselves, shells and connections that are checked when they are opened alone.
 */
export const OUTLIVING = [
  'sts:AssumeRole*',
  'sts:AssumeRoot',
  'sts:GetServiceBearerToken',
  'sts:GetWebIdentityToken',
  'iam:PassRole',
  'iam:Create*',
  // IAM takes no `*` for the service, so each that has such a token is named.
  'ecr:GetAuthorizationToken',
  'ecr-public:GetAuthorizationToken',
  'codeartifact:GetAuthorizationToken',
  'ssm:StartSession',
  'rds-db:connect',
] as const;

/**
 * The same of single services: logins at databases and queues, credentials for data, shells, pages that are signed in,
 * grants of keys, and identities that are changed. A policy of 2,048 characters has room for few of them, so that each is
 * denied only to a class that could reach it.
 */
export const OUTLIVING_AT_SERVICES = [
  'iam:UpdateAssumeRolePolicy',
  'iam:UpdateLoginProfile',
  'iam:UploadSSHPublicKey',
  'iam:UploadSigningCertificate',
  'iam:ResetServiceSpecificCredential',
  'signin:CreateOAuth2Token',
  'kms:CreateGrant',
  's3:GetDataAccess',
  'lakeformation:GetDataAccess',
  'lakeformation:GetTemporary*',
  'cognito-identity:GetOpenIdToken*',
  'redshift:GetClusterCredentials*',
  'redshift-serverless:GetCredentials',
  'dsql:DbConnect*',
  'elasticache:Connect',
  'memorydb:Connect',
  'kafka-cluster:Connect',
  'ssm:ResumeSession',
  'ecs:ExecuteCommand',
  'ec2-instance-connect:*',
  'lightsail:GetInstanceAccessDetails',
  'sagemaker:CreatePresigned*',
  'airflow:CreateCliToken',
  'airflow:CreateWebLoginToken',
] as const;

const ALL_OUTLIVING = [...OUTLIVING, ...OUTLIVING_AT_SERVICES];

const actionsOf = ({ allow }: AwsTemplate): readonly string[] =>
  allow.flatMap((statement) => statement.actions.map((action) => action.toLowerCase()));

/** What of that which outlives a session is denied to those of a class. */
function deniedTo(template: AwsTemplate): readonly string[] {
  const named = outlivingIn(template);
  const reached = OUTLIVING_AT_SERVICES.filter((pattern) =>
    actionsOf(template).some((action) => meet(action, pattern.toLowerCase())),
  );
  return [...OUTLIVING, ...reached].filter((action) => !named.includes(action));
}

/** What of that a class names; what it reaches by a wildcard alone stays denied. */
export function outlivingIn(template: AwsTemplate): readonly string[] {
  const actions = actionsOf(template);
  return ALL_OUTLIVING.filter((pattern) => {
    const stem = pattern.toLowerCase().replace(/\*$/, '');
    const isOpen = pattern.endsWith('*');
    return actions.some((action) => (isOpen ? action.startsWith(stem) : action === stem));
  });
}

export interface Statement {
  readonly Effect: 'Allow' | 'Deny';
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

export interface PolicyDocument {
  readonly Version: '2012-10-17';
  readonly Statement: readonly Statement[];
}

/** With `{expires_at}` for the end of the lease, in the last statement. */
export function sessionPolicy(
  template: AwsTemplate,
  parameters: JsonObject,
  regions: readonly string[],
): Result<PolicyDocument> {
  const allowed: Statement[] = [];
  for (const statement of template.allow) {
    const filled = fillStatement(statement, parameters);
    if (!filled.ok) return filled;
    allowed.push(filled.value);
  }
  const policy: PolicyDocument = {
    Version: '2012-10-17',
    Statement: [
      ...allowed,
      { Effect: 'Allow', Action: PROBE, Resource: '*' },
      { Effect: 'Deny', Action: deniedTo(template), Resource: '*' },
      everything({ StringNotEquals: { 'aws:RequestedRegion': regions } }),
      everything({ DateGreaterThan: { 'aws:CurrentTime': '{expires_at}' } }),
    ],
  };
  const size = JSON.stringify(endedAt(policy, instant(0))).length;
  if (size <= SESSION_POLICY_CHARACTERS) return ok(policy);
  const detail = `the session policy would have ${size} characters, and AWS takes ${SESSION_POLICY_CHARACTERS}`;
  return err(
    failure('invalid_parameters', detail, { hint: 'Shorter parameters may fit; or the class asks too much.' }),
  );
}

const everything = (Condition: NonNullable<Statement['Condition']>): Statement => ({
  Effect: 'Deny',
  Action: '*',
  Resource: '*',
  Condition,
});

/** @param end on AWS's own clock; the rest of a second is cut off. */
export function endedAt({ Version, Statement }: PolicyDocument, end: Instant): PolicyDocument {
  const at = toRfc3339(end).replace(/\.\d+Z$/, 'Z');
  return {
    Version,
    Statement: [...Statement.slice(0, -1), everything({ DateGreaterThan: { 'aws:CurrentTime': at } })],
  };
}

function fillStatement(
  { actions, resources, conditions = {} }: AwsStatement,
  parameters: JsonObject,
): Result<Statement> {
  const filled: string[] = [];
  for (const resource of resources) {
    const text = fill(resource, parameters, inResource);
    if (!text.ok) return text;
    filled.push(text.value);
  }
  const operators: [string, Record<string, string[]>][] = [];
  for (const [operator, keys] of Object.entries(conditions)) {
    const escape = placeUnder(operator) === 'text' ? asLiteral : asPlain;
    const values = fillKeys(keys, parameters, escape);
    if (!values.ok) return values;
    operators.push([operator, values.value]);
  }
  return ok({
    Effect: 'Allow',
    Action: actions,
    Resource: filled,
    ...(operators.length === 0 ? {} : { Condition: Object.fromEntries(operators) }),
  });
}

function fillKeys(
  keys: Readonly<Record<string, readonly string[]>>,
  parameters: JsonObject,
  escape: Escape,
): Result<Record<string, string[]>> {
  const filled: Record<string, string[]> = {};
  for (const [key, values] of Object.entries(keys)) {
    for (const value of values) {
      const text = fill(value, parameters, escape);
      if (!text.ok) return text;
      (filled[key] ??= []).push(text.value);
    }
  }
  return ok(filled);
}

type Escape = (value: string) => string | null;

/** What AWS takes in a session policy, but for control characters; nothing would let `{{prefix}}*` match everything. */
const TAKEN = /^[\u0020-\u007e\u00a0-\u00ff]+$/;

/** As itself and nothing else, wherever IAM resolves variables. @see the IAM user guide, "Policy variables" */
const asLiteral: Escape = (value) => (TAKEN.test(value) ? value.replace(/[*?$]/g, (found) => `\${${found}}`) : null);

/** A colon would move what follows into another part of the ARN. */
const inResource: Escape = (value) => (value.includes(':') ? null : asLiteral(value));

/** For numbers, times, addresses and the like, where IAM resolves no variable. */
const asPlain: Escape = (value) => (/^[0-9A-Za-z.:/+-]+$/.test(value) ? value : null);

function fill(text: string, parameters: JsonObject, escape: Escape): Result<string> {
  const filled = fillIn(text, parameters, escape);
  if (filled !== null) return ok(filled);
  const at = placeholdersIn(text).find((name) => fillIn(`{{${name}}}`, parameters, escape) === null) ?? '';
  const detail = `the parameter ${at} is missing, or has a value that may not stand in an IAM policy`;
  return err(failure('invalid_parameters', detail, { path: `parameters.${at}` }));
}
