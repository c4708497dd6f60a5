/** A role's policies as IAM holds them: Brevet's denials, and how much of the quotas others use. */
import {
  AttachRolePolicyCommand,
  CreatePolicyCommand,
  DeletePolicyCommand,
  DeleteRolePolicyCommand,
  DetachRolePolicyCommand,
  GetPolicyCommand,
  GetPolicyVersionCommand,
  GetRoleCommand,
  GetRolePolicyCommand,
  ListAttachedRolePoliciesCommand,
  ListPoliciesCommand,
  ListRolePoliciesCommand,
  PutRolePolicyCommand,
} from '@aws-sdk/client-iam';
import type { AttachedPolicy, Policy, Role } from '@aws-sdk/client-iam';
import { ProviderUnavailable } from '../../core/provider.ts';
import type { Mark } from '../../core/lease.ts';
import type { Instant } from '../../core/time.ts';
import { beforeIn, charactersOf, isMadeFor, marksIn, PREFIX, textOf } from './denial.ts';
import type { RoleState, Segment } from './denial.ts';
import { AwsRefusal } from './fault.ts';
import { roleNameOf, send } from './site.ts';
import type { Site } from './site.ts';

const PATH = '/brevet/';

/** @throws {ProviderUnavailable} also where it is another role, or in another account. */
export async function readRole(site: Site): Promise<Role> {
  const RoleName = roleNameOf(site);
  const { Role } = await send(site, 'read the role', (abortSignal) =>
    site.iam.send(new GetRoleCommand({ RoleName }), { abortSignal }),
  );
  if (Role?.Arn !== site.config.role_arn) {
    throw new ProviderUnavailable(`${site.name} is another role, or in another account, than it was set up with`);
  }
  return Role;
}

export async function readState(site: Site): Promise<RoleState> {
  await readRole(site);
  const [inline, managed] = await Promise.all([readInline(site), readAttached(site)]);
  const found = [...inline, ...managed];
  return {
    segments: found.flatMap(({ where, name, marks }) => (marks === null ? [] : [{ where, name, marks }])),
    older: found.flatMap(({ where, name, before }) => (before === null ? [] : [{ where, name, before }])),
    foreignCharacters: inline.reduce((sum, { marks, characters }) => sum + (marks === null ? characters : 0), 0),
    foreignAttached: managed.filter(({ marks }) => marks === null).length,
  };
}

interface Found {
  readonly where: Segment['where'];
  readonly name: string;
  readonly characters: number;
  /** `null` for what is no denial of Brevet's of single sessions. */
  readonly marks: readonly Mark[] | null;
  /** `null` for what is none of the whole role. */
  readonly before: Instant | null;
}

async function readInline(site: Site): Promise<readonly Found[]> {
  const names: string[] = [];
  let marker: string | undefined;
  do {
    const page = await send(site, "list the role's policies", (abortSignal) =>
      site.iam.send(new ListRolePoliciesCommand({ RoleName: roleNameOf(site), ...(marker && { Marker: marker }) }), {
        abortSignal,
      }),
    );
    names.push(...(page.PolicyNames ?? []));
    marker = page.IsTruncated === true ? page.Marker : undefined;
  } while (marker !== undefined);
  const found = await Promise.all(names.map((name) => readInlineOne(site, name)));
  return found.filter((one) => one !== null);
}

/** `null`: it went while it was read. */
async function readInlineOne(site: Site, name: string): Promise<Found | null> {
  const answer = await orGone(() =>
    send(site, 'read a policy of the role', (abortSignal) =>
      site.iam.send(new GetRolePolicyCommand({ RoleName: roleNameOf(site), PolicyName: name }), { abortSignal }),
    ),
  );
  if (answer === null) return null;
  const document = decodeURIComponent(answer.PolicyDocument ?? '');
  const isOurs = name.startsWith(PREFIX);
  return {
    where: 'inline',
    name,
    characters: charactersOf(document),
    marks: isOurs ? marksIn(document) : null,
    before: isOurs ? beforeIn(document) : null,
  };
}

async function readAttached(site: Site): Promise<readonly Found[]> {
  const attached: AttachedPolicy[] = [];
  let marker: string | undefined;
  do {
    const page = await send(site, "list the role's managed policies", (abortSignal) =>
      site.iam.send(
        new ListAttachedRolePoliciesCommand({ RoleName: roleNameOf(site), ...(marker && { Marker: marker }) }),
        { abortSignal },
      ),
    );
    attached.push(...(page.AttachedPolicies ?? []));
    marker = page.IsTruncated === true ? page.Marker : undefined;
  } while (marker !== undefined);
  const found = await Promise.all(attached.map((policy) => readManagedOne(site, policy)));
  return found.filter((one) => one !== null);
}

async function readManagedOne(site: Site, { PolicyName = '', PolicyArn = '' }: AttachedPolicy): Promise<Found | null> {
  const foreign: Found = { where: 'managed', name: PolicyName, characters: 0, marks: null, before: null };
  if (!PolicyName.startsWith(PREFIX) || PolicyArn !== arnOf(site, PolicyName)) return foreign;
  return orGone(async () => {
    const { Policy } = await send(site, 'read a managed policy', (abortSignal) =>
      site.iam.send(new GetPolicyCommand({ PolicyArn }), { abortSignal }),
    );
    const { PolicyVersion } = await send(site, 'read a managed policy', (abortSignal) =>
      site.iam.send(new GetPolicyVersionCommand({ PolicyArn, VersionId: Policy?.DefaultVersionId }), { abortSignal }),
    );
    const document = decodeURIComponent(PolicyVersion?.Document ?? '');
    return { ...foreign, marks: marksIn(document), before: beforeIn(document) };
  });
}

const arnOf = ({ config }: Site, name: string): string =>
  `arn:${config.partition}:iam::${config.account}:policy${PATH}${name}`;

export const writeSegment = (site: Site, { marks, ...place }: Segment): Promise<void> =>
  writeDenial(site, place, textOf(marks));

export async function writeDenial(
  site: Site,
  { where, name }: Pick<Segment, 'where' | 'name'>,
  document: string,
): Promise<void> {
  if (where === 'inline') {
    await send(site, 'write a denial', (abortSignal) =>
      site.iam.send(
        new PutRolePolicyCommand({ RoleName: roleNameOf(site), PolicyName: name, PolicyDocument: document }),
        { abortSignal },
      ),
    );
    return;
  }
  await createPolicy(site, name, document);
  try {
    await send(site, 'attach a denial', (abortSignal) =>
      site.iam.send(new AttachRolePolicyCommand({ RoleName: roleNameOf(site), PolicyArn: arnOf(site, name) }), {
        abortSignal,
      }),
    );
  } catch (fault) {
    // One that is attached after all is not deleted by this: IAM refuses that. What is not deleted for another reason
    // denies nobody, and goes before the next is made; that it was not attached is what is told, and tried again.
    await deletePolicy(site, name).catch(() => undefined);
    throw fault;
  }
}

async function createPolicy(site: Site, name: string, document: string): Promise<void> {
  try {
    await send(site, 'make a managed policy', (abortSignal) =>
      site.iam.send(
        new CreatePolicyCommand({
          PolicyName: name,
          Path: PATH,
          PolicyDocument: document,
          Description: 'Sessions that Brevet has revoked',
        }),
        { abortSignal },
      ),
    );
  } catch (fault) {
    // A try whose answer was lost: nobody else makes one of this name.
    if (!(fault instanceof AwsRefusal && fault.code.startsWith('EntityAlreadyExists'))) throw fault;
  }
}

/** No fault when it is not there. */
export async function removeDenial(site: Site, { where, name }: Pick<Segment, 'where' | 'name'>): Promise<void> {
  const RoleName = roleNameOf(site);
  if (where === 'inline') {
    await orGone(() =>
      send(site, 'take a denial away', (abortSignal) =>
        site.iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName: name }), { abortSignal }),
      ),
    );
    return;
  }
  await orGone(() =>
    send(site, 'take a denial away', (abortSignal) =>
      site.iam.send(new DetachRolePolicyCommand({ RoleName, PolicyArn: arnOf(site, name) }), { abortSignal }),
    ),
  );
  await orGone(() => deletePolicy(site, name));
}

/** The managed ones that were made for this role and stand nowhere: whoever made them did not come to attach them. */
export async function readUnattached(site: Site): Promise<readonly string[]> {
  const found: Policy[] = [];
  let marker: string | undefined;
  do {
    const page = await send(site, "list the account's policies", (abortSignal) =>
      site.iam.send(new ListPoliciesCommand({ Scope: 'Local', PathPrefix: PATH, ...(marker && { Marker: marker }) }), {
        abortSignal,
      }),
    );
    found.push(...(page.Policies ?? []));
    marker = page.IsTruncated === true ? page.Marker : undefined;
  } while (marker !== undefined);
  return found
    .filter(({ AttachmentCount }) => AttachmentCount === 0)
    .map(({ PolicyName = '' }) => PolicyName)
    .filter((name) => isMadeFor(roleNameOf(site), name));
}

/**
 * In a turn at the role, in which nobody else is about to attach one. IAM deletes none that is attached after all, and a
 * writer who has lost its turn finds its own gone, and writes it again.
 */
export async function removeUnattached(site: Site): Promise<void> {
  for (const name of (await readUnattached(site).catch(letGo)) ?? []) await deletePolicy(site, name).catch(letGo);
}

/** No denial waits for it: what AWS does not show or delete now goes before the next is made. */
function letGo(fault: unknown): null {
  if (fault instanceof ProviderUnavailable) return null;
  throw fault;
}

const deletePolicy = (site: Site, name: string) =>
  send(site, 'delete a managed policy', (abortSignal) =>
    site.iam.send(new DeletePolicyCommand({ PolicyArn: arnOf(site, name) }), { abortSignal }),
  );

async function orGone<T>(call: () => Promise<T>): Promise<T | null> {
  try {
    return await call();
  } catch (fault) {
    if (fault instanceof AwsRefusal && fault.code.startsWith('NoSuchEntity')) return null;
    throw fault;
  }
}
