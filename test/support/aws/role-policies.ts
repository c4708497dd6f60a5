/** A role's policies as moto holds them now, as root of its account; and the quotas that moto does not keep. */
import {
  GetPolicyCommand,
  GetPolicyVersionCommand,
  GetRoleCommand,
  GetRolePolicyCommand,
  ListAttachedRolePoliciesCommand,
  ListRolePoliciesCommand,
} from '@aws-sdk/client-iam';
import type { IAMClient } from '@aws-sdk/client-iam';

/** Written here anew, from AWS's documents: what the provider believes is not what it is measured by. */
export const INLINE_CHARACTERS = 10_240;
export const MANAGED_CHARACTERS = 6_144;
export const MANAGED_POLICIES = 10;
export const POLICY_VERSIONS = 5;

export interface RoleView {
  readonly arn: string;
  readonly id: string;
  readonly maxSession: number;
  readonly trust: unknown;
  readonly boundary?: unknown;
  readonly boundaryArn?: string;
  readonly inline: readonly (readonly [name: string, document: string])[];
  readonly attached: readonly (readonly [arn: string, document: string])[];
}

const parse = (document: string | undefined): unknown => JSON.parse(decodeURIComponent(document ?? '{}'));

/** @returns `null` where there is no such role. */
export async function viewRole(iam: IAMClient, RoleName: string): Promise<RoleView | null> {
  const answer = await iam.send(new GetRoleCommand({ RoleName })).catch((fault: unknown) => {
    if (fault instanceof Error && fault.name.startsWith('NoSuchEntity')) return null;
    throw fault;
  });
  const role = answer?.Role;
  if (role === undefined) return null;
  const { PolicyNames = [] } = await iam.send(new ListRolePoliciesCommand({ RoleName }));
  const { AttachedPolicies = [] } = await iam.send(new ListAttachedRolePoliciesCommand({ RoleName }));
  const boundary = role.PermissionsBoundary?.PermissionsBoundaryArn;
  return {
    arn: role.Arn ?? '',
    id: role.RoleId ?? '',
    maxSession: role.MaxSessionDuration ?? 3_600,
    trust: parse(role.AssumeRolePolicyDocument),
    ...(boundary === undefined
      ? {}
      : { boundaryArn: boundary, boundary: JSON.parse(await managed(iam, boundary)) as unknown }),
    inline: await Promise.all(
      PolicyNames.map(async (PolicyName) => {
        const { PolicyDocument } = await iam.send(new GetRolePolicyCommand({ RoleName, PolicyName }));
        return [PolicyName, decodeURIComponent(PolicyDocument ?? '')] as const;
      }),
    ),
    attached: await Promise.all(
      AttachedPolicies.map(async ({ PolicyArn = '' }) => [PolicyArn, await managed(iam, PolicyArn)] as const),
    ),
  };
}

async function managed(iam: IAMClient, PolicyArn: string): Promise<string> {
  const { Policy } = await iam.send(new GetPolicyCommand({ PolicyArn }));
  const answer = await iam.send(new GetPolicyVersionCommand({ PolicyArn, VersionId: Policy?.DefaultVersionId }));
  return decodeURIComponent(answer.PolicyVersion?.Document ?? '');
}

const characters = (text: string): number => text.replace(/\s/g, '').length;

/** Why AWS would refuse a write that moto takes; `null` where it would not. */
export function overQuota(action: string, form: URLSearchParams, role: RoleView | null): string | null {
  const document = form.get('PolicyDocument') ?? '';
  switch (action) {
    case 'iam:PutRolePolicy': {
      const others = (role?.inline ?? []).filter(([name]) => name !== form.get('PolicyName'));
      const sum = others.reduce((total, [, text]) => total + characters(text), characters(document));
      return sum > INLINE_CHARACTERS ? `Maximum policy size of ${INLINE_CHARACTERS} bytes exceeded` : null;
    }
    case 'iam:CreatePolicy':
    case 'iam:CreatePolicyVersion':
      return characters(document) > MANAGED_CHARACTERS
        ? `Cannot exceed quota for PolicySize: ${MANAGED_CHARACTERS}`
        : null;
    case 'iam:AttachRolePolicy': {
      const others = (role?.attached ?? []).filter(([arn]) => arn !== form.get('PolicyArn'));
      return others.length >= MANAGED_POLICIES ? `Cannot exceed quota for PoliciesPerRole: ${MANAGED_POLICIES}` : null;
    }
    default:
      return null;
  }
}
