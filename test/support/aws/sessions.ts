/** Sessions as AWS gives them, and what it lets each do. Signatures are not checked: who holds a key id is its holder. */
import type { Accounts, Keys, Reply } from './accounts.ts';
import { evaluate } from './evaluate.ts';
import type { Call, Policies } from './evaluate.ts';
import { decode, Refused } from './request.ts';
import type { Request } from './request.ts';
import type { RoleView } from './role-policies.ts';

export interface Session extends Keys {
  readonly account: string;
  readonly role: string;
  readonly principal: string;
  readonly userId: string;
  readonly sourceIdentity: string | null;
  readonly policy: unknown;
  readonly tags: readonly (readonly [key: string, value: string])[];
  readonly issuedAt: number;
  readonly expiresAt: number;
}

export interface Sessions {
  readonly all: ReadonlyMap<string, Session>;
  /** @throws {Refused} where the role does not trust the caller, or AWS's limits are passed. */
  assume(request: Request, caller: { readonly arn: string; readonly isSession: boolean }): Promise<Reply>;
  /** What a session is given, packed: no more characters of policy and tags than these. */
  pack(most: number): void;
  /** @throws {Refused} where the session may not. */
  allow(request: Request, session: Session): Promise<void>;
}

export function openSessions(accounts: Accounts, now: () => number): Sessions {
  const all = new Map<string, Session>();
  let packed = Number.POSITIVE_INFINITY;
  return {
    all,
    pack: (most) => void (packed = most),
    async assume(request, caller) {
      const arn = request.form.get('RoleArn') ?? '';
      const [, account = '', role = ''] = /^arn:aws:iam::(\d{12}):role\/(?:.*\/)?([^/]+)$/.exec(arn) ?? [];
      const view = await accounts.known(account, role);
      if (view === null || view.arn !== arn) throw notTrusted(caller.arn, arn);
      const given = givenIn(request.form, view, caller.isSession);
      await ensureTrusted(request, { account, caller: caller.arn, view }, given);
      await ensureSized(given.policy);
      ensurePacked(given, packed);
      const reply = await accounts.forward(request, account);
      const session = sessionIn(reply, { account, role, view, given, now: now() });
      all.set(session.accessKeyId, session);
      return { status: reply.status, text: corrected(reply.text, session) };
    },
    async allow(request, session) {
      if (request.token !== session.sessionToken)
        throw new Refused(403, 'InvalidClientTokenId', 'The token is invalid');
      if (now() >= session.expiresAt) throw new Refused(403, 'ExpiredToken', 'The security token is expired');
      // It ignores every denial.
      if (request.action === 'sts:GetCallerIdentity') return;
      const view = await accounts.known(session.account, session.role, request.region);
      if (view === null) throw new Refused(403, 'InvalidClientTokenId', 'The token is invalid');
      const call = await callOf(accounts, request, session, now());
      const refusal = await evaluate(call, policiesOf(view, session.policy));
      if (refusal === null) return;
      const what = `${call.action} on resource: ${call.resource} ${refusal}`;
      throw new Refused(403, 'AccessDenied', `User: ${session.principal} is not authorized to perform: ${what}`);
    },
  };
}

const notTrusted = (caller: string, arn: string): Refused =>
  new Refused(403, 'AccessDenied', `User: ${caller} is not authorized to perform: sts:AssumeRole on resource: ${arn}`);

type Given = ReturnType<typeof givenIn>;

async function ensureTrusted(
  { form }: Request,
  { account, caller, view }: { readonly account: string; readonly caller: string; readonly view: RoleView },
  given: Given,
): Promise<void> {
  const context = {
    ...(form.get('ExternalId') === null ? {} : { 'sts:ExternalId': form.get('ExternalId') ?? '' }),
    ...(given.source === null ? {} : { 'sts:SourceIdentity': given.source }),
    'sts:RoleSessionName': given.name,
    ...Object.fromEntries(given.tags.map(([key, value]) => [`aws:RequestTag/${key}`, value])),
    ...(given.tags.length === 0 ? {} : { 'aws:TagKeys': given.tags.map(([key]) => key) }),
  };
  for (const action of given.actions) {
    const call = { principal: caller, account, action, resource: view.arn, context };
    const refusal = await evaluate(call, { identity: [['administrator', ALL]], resource: view.trust });
    if (refusal !== null) throw notTrusted(caller, view.arn);
  }
}

function sessionIn(
  { text }: Reply,
  {
    account,
    role,
    view,
    given,
    now,
  }: {
    readonly account: string;
    readonly role: string;
    readonly view: RoleView;
    readonly given: Given;
    readonly now: number;
  },
): Session {
  const read = (tag: string) => new RegExp(`<${tag}>([^<]*)</${tag}>`).exec(text)?.[1] ?? '';
  return {
    accessKeyId: read('AccessKeyId'),
    secretAccessKey: read('SecretAccessKey'),
    sessionToken: decode(read('SessionToken')),
    account,
    role,
    principal: `arn:aws:sts::${account}:assumed-role/${role}/${given.name}`,
    userId: `${view.id}:${given.name}`,
    sourceIdentity: given.source,
    policy: given.policy === null ? undefined : (JSON.parse(given.policy) as unknown),
    tags: given.tags,
    issuedAt: now,
    expiresAt: Math.floor(now / 1000 + given.seconds) * 1000,
  };
}

/** moto has a clock and ids of its own. */
const corrected = (text: string, { expiresAt, userId }: Session): string =>
  text
    .replace(/<Expiration>[^<]*/, `<Expiration>${new Date(expiresAt).toISOString()}`)
    .replace(/<AssumedRoleId>[^<]*/, `<AssumedRoleId>${userId}`);

async function callOf(accounts: Accounts, request: Request, session: Session, now: number): Promise<Call> {
  const { resource, context } = await resourceOf(request, session.account, accounts.known);
  return {
    principal: session.principal,
    account: session.account,
    action: request.action,
    resource,
    context: {
      ...context,
      'aws:userid': session.userId,
      'aws:PrincipalArn': session.principal.replace(':sts:', ':iam:').replace(/assumed-role\/([^/]+)\/.*/, 'role/$1'),
      ...(session.sourceIdentity === null ? {} : { 'aws:SourceIdentity': session.sourceIdentity }),
      'aws:TokenIssueTime': new Date(session.issuedAt).toISOString(),
      'aws:CurrentTime': new Date(now).toISOString(),
      'aws:RequestedRegion': request.region,
      ...Object.fromEntries(session.tags.map(([key, value]) => [`aws:PrincipalTag/${key}`, value])),
    },
  };
}

const ALL = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] };

const policiesOf = (view: RoleView, session: unknown): Policies => ({
  identity: [...view.inline, ...view.attached].map(
    ([name, document]) => [name, JSON.parse(document) as unknown] as const,
  ),
  session,
  boundary: view.boundary,
});

/** On what a call acts, for those calls that the tests make. */
async function resourceOf(
  { action, form }: Request,
  account: string,
  known: (account: string, role: string) => Promise<RoleView | null>,
) {
  const context: Record<string, string> = {};
  const policyArn = form.get('PolicyArn');
  const role = form.get('RoleName');
  if (role !== null) {
    if (policyArn !== null) context['iam:PolicyARN'] = policyArn;
    const view = await known(account, role);
    if (view?.boundaryArn !== undefined) context['iam:PermissionsBoundary'] = view.boundaryArn;
    return { resource: view?.arn ?? `arn:aws:iam::${account}:role/${role}`, context };
  }
  const user = form.get('UserName');
  if (user !== null) return { resource: `arn:aws:iam::${account}:user/${user}`, context };
  if (policyArn !== null) return { resource: policyArn, context };
  if (action === 'iam:CreatePolicy') {
    return {
      resource: `arn:aws:iam::${account}:policy${form.get('Path') ?? '/'}${form.get('PolicyName') ?? ''}`,
      context,
    };
  }
  return { resource: form.get('RoleArn') ?? '*', context };
}

/** What a caller gives a session, within AWS's limits. @see the reference of AssumeRole */
function givenIn(form: URLSearchParams, view: RoleView, isChained: boolean) {
  const invalid = (what: string) => new Refused(400, 'ValidationError', what);
  const name = form.get('RoleSessionName') ?? '';
  const source = form.get('SourceIdentity');
  const seconds = Number(form.get('DurationSeconds') ?? 3_600);
  const tags = tagsIn(form);
  const policy = form.get('Policy');
  if (![name, source ?? name].every((text) => /^[\w+=,.@-]{2,64}$/.test(text))) throw invalid('a name is malformed');
  if (!(seconds >= 900 && seconds <= Math.min(view.maxSession, isChained ? 3_600 : 43_200)))
    throw invalid('DurationSeconds');
  if (tags.length > 50) throw invalid('too many tags');
  const isTag = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;
  if (tags.some(([key, value]) => !isTag.test(key + value) || key.length > 128 || value.length > 256))
    throw invalid('a tag');
  return {
    name,
    source,
    seconds,
    tags,
    policy,
    actions: [
      'sts:AssumeRole',
      ...(tags.length === 0 ? [] : ['sts:TagSession']),
      ...(source === null ? [] : ['sts:SetSourceIdentity']),
    ],
  };
}

function tagsIn(form: URLSearchParams): readonly (readonly [string, string])[] {
  const found: [string, string][] = [];
  for (let place = 1; form.has(`Tags.member.${place}.Key`); place += 1) {
    found.push([form.get(`Tags.member.${place}.Key`) ?? '', form.get(`Tags.member.${place}.Value`) ?? '']);
  }
  return found;
}

/** How AWS packs it does not say, only that it had to be less. @see PackedPolicyTooLarge of AssumeRole */
function ensurePacked({ policy, tags }: Given, most: number): void {
  const size = (policy ?? '').length + tags.flat().join('').length;
  if (size <= most) return;
  const percent = Math.ceil((size / most) * 100);
  const message = `Packed size of session tags consumes ${percent}% of allotted space.`;
  throw new Refused(400, 'PackedPolicyTooLarge', message);
}

/** @see the pattern and length of AssumeRole's Policy */
async function ensureSized(policy: string | null): Promise<void> {
  if (policy === null) return;
  if (policy.length > 2_048 || !/^[\t\n\r\u0020-\u00ff]+$/.test(policy)) {
    throw new Refused(400, 'ValidationError', 'the session policy is too long or malformed');
  }
  const call = {
    principal: 'arn:aws:sts::111122223333:assumed-role/r/s',
    account: '111122223333',
    action: 'sts:GetAccessKeyInfo',
    resource: '*',
    context: {},
  };
  await evaluate(call, { identity: [], session: JSON.parse(policy) as unknown });
}
