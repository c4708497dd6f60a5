/**
 * What stands before moto and makes of it an AWS that can be believed: a call made with a session goes through only if
 * an independent evaluator allows it under the role's policies as moto holds them now, the session's own policy, its
 * name, its source identity and the time; and writes keep AWS's quotas. Calls by users are let through: they are the
 * administrators of their accounts.
 */
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { IAMClient } from '@aws-sdk/client-iam';
import { evaluate, MalformedPolicy } from './evaluate.ts';
import type { Call, Policies } from './evaluate.ts';
import { startMoto } from './moto.ts';
import { overQuota, viewRole } from './role-policies.ts';
import type { RoleView } from './role-policies.ts';

export const MSP = '999988887777';
export const TENANT = '111122223333';
const STRANGER = '444455556666';

export interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** One call as it came. */
export interface Seen {
  readonly action: string;
  readonly region: string;
  readonly form: URLSearchParams;
  readonly status: number;
}

export interface Front {
  readonly url: string;
  /** Brevet's own user, in the MSP's account. */
  readonly broker: Keys;
  /** The administrator of the tenant's account. */
  readonly tenant: IAMClient;
  /** The account that answers when this is repointed. */
  readonly stranger: IAMClient;
  /** moto itself, as root of the tenant's account: for what has to be set up by other services. */
  readonly moto: { readonly url: string; readonly keys: Keys };
  readonly calls: readonly Seen[];
  /** How far AWS's clock is ahead of this machine's. */
  skew(milliseconds: number): void;
  /** How long a region does not know of what was written. */
  lag(region: string, milliseconds: number): void;
  view(role: string): Promise<RoleView>;
  /** Every answer takes so long. */
  slow(milliseconds: number): void;
  stall(): void;
  cut(): void;
  /** Another AWS answers, where everything is called the same and nothing is. */
  repoint(): void;
  /** From now on AWS does what it is asked by this action, and its answer is lost. */
  lose(action: string): void;
  restore(): void;
  /** The keys of every session that was ever given. */
  sessions(): readonly (Keys & { readonly sourceIdentity: string | null })[];
  close(): Promise<void>;
}

interface Session extends Keys {
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

/** The policies of a role since a moment. */
interface Snapshot {
  readonly since: number;
  readonly view: RoleView;
}

class Refused extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

interface Request {
  readonly service: string;
  readonly region: string;
  readonly keyId: string;
  readonly token: string | undefined;
  readonly body: string;
  readonly form: URLSearchParams;
  readonly action: string;
  readonly headers: Record<string, string>;
}

export async function startFront(): Promise<Front> {
  const moto = await startMoto();
  const roots = new Map<string, Keys>();
  for (const account of [TENANT, MSP, STRANGER]) roots.set(account, await rootOf(moto.url, account));
  const rootClient = (account: string) =>
    new IAMClient({ endpoint: moto.url, region: 'us-east-1', credentials: roots.get(account) as Keys });
  const clients = new Map([...roots.keys()].map((account) => [account, rootClient(account)]));
  const clientOf = (account: string): IAMClient => clients.get(account) as IAMClient;

  const broker: Keys = { accessKeyId: 'AKIABREVETBROKER0001', secretAccessKey: 'broker-secret-0123456789' };
  const administrator: Keys = { accessKeyId: 'AKIATENANTADMIN00001', secretAccessKey: 'tenant-secret-0123456789' };
  const users = new Map([
    [broker.accessKeyId, { account: MSP, arn: `arn:aws:iam::${MSP}:user/brevet` }],
    [administrator.accessKeyId, { account: TENANT, arn: `arn:aws:iam::${TENANT}:user/admin` }],
  ]);
  const sessions = new Map<string, Session>();
  const history = new Map<string, Snapshot[]>();
  const lags = new Map<string, number>();
  const calls: Seen[] = [];
  const sockets = new Set<Socket>();
  let skew = 0;
  let trouble: 'none' | 'stall' | 'cut' | 'repoint' = 'none';
  let held: (() => void)[] = [];
  let lost: string | null = null;
  let delay = 0;
  const now = () => Date.now() + skew;

  // IAM does one thing at a time with a role, and moto does not.
  const inTurn = oneByOne();
  const viewNow = async (account: string, role: string): Promise<RoleView | null> => {
    const view = await viewRole(clientOf(account), role);
    const key = `${account}/${role}`;
    if (view === null) history.delete(key);
    else history.set(key, [...(history.get(key) ?? []), { since: Date.now(), view }]);
    return view;
  };
  /** As a region knows it; as it is, without one. */
  const known = async (account: string, role: string, region?: string): Promise<RoleView | null> => {
    const found = history.get(`${account}/${role}`);
    if (found === undefined) return clients.has(account) ? inTurn(() => viewNow(account, role)) : null;
    const at = Date.now() - (region === undefined ? 0 : (lags.get(region) ?? 0));
    return (found.findLast(({ since }) => since <= at) ?? found[0])?.view ?? null;
  };

  const forward = async (request: Request, account: string, body = request.body) => {
    const root = roots.get(account) as Keys;
    const headers = {
      ...request.headers,
      authorization: (request.headers['authorization'] ?? '').replace(
        /Credential=[^/]+/,
        `Credential=${root.accessKeyId}`,
      ),
    };
    const response = await fetch(moto.url, { method: 'POST', headers, body });
    return { status: response.status, text: await response.text() };
  };

  const allowSession = async (request: Request, session: Session): Promise<void> => {
    if (request.token !== session.sessionToken)
      throw new Refused(403, 'InvalidClientTokenId', 'The security token is invalid');
    if (now() >= session.expiresAt)
      throw new Refused(403, 'ExpiredToken', 'The security token included in the request is expired');
    if (request.action === 'sts:GetCallerIdentity') return;
    const view = await known(session.account, session.role, request.region);
    if (view === null) throw new Refused(403, 'InvalidClientTokenId', 'The security token is invalid');
    const call = await callOf(request, session);
    const refusal = await evaluate(call, policiesOf(view, session.policy));
    if (refusal === null) return;
    const message = `User: ${session.principal} is not authorized to perform: ${call.action} on resource: ${call.resource} ${refusal}`;
    throw new Refused(403, 'AccessDenied', message);
  };
  const callOf = async (request: Request, session: Session): Promise<Call> => {
    const { context, ...call } = { ...(await resourceOf(request, session.account, known)) };
    return {
      principal: session.principal,
      account: session.account,
      action: request.action,
      ...call,
      context: {
        ...context,
        'aws:userid': session.userId,
        'aws:PrincipalArn': session.principal.replace(':sts:', ':iam:').replace(/assumed-role\/([^/]+)\/.*/, 'role/$1'),
        ...(session.sourceIdentity === null ? {} : { 'aws:SourceIdentity': session.sourceIdentity }),
        'aws:TokenIssueTime': new Date(session.issuedAt).toISOString(),
        'aws:CurrentTime': new Date(now()).toISOString(),
        'aws:RequestedRegion': request.region,
        ...Object.fromEntries(session.tags.map(([key, value]) => [`aws:PrincipalTag/${key}`, value])),
      },
    };
  };

  const assume = async (request: Request, caller: { readonly arn: string }, isChained: boolean) => {
    const { form } = request;
    const arn = form.get('RoleArn') ?? '';
    const [, account = '', name = ''] = /^arn:aws:iam::(\d{12}):role\/(?:.*\/)?([^/]+)$/.exec(arn) ?? [];
    if (trouble === 'repoint') {
      const elsewhere = request.body.replaceAll(account, STRANGER);
      return forward(request, STRANGER, elsewhere);
    }
    const denied = () =>
      new Refused(
        403,
        'AccessDenied',
        `User: ${caller.arn} is not authorized to perform: sts:AssumeRole on resource: ${arn}`,
      );
    const view = await known(account, name);
    if (view === null || view.arn !== arn) throw denied();
    const given = givenIn(form, view, isChained);
    const id = `${view.id}:${given.name}`;
    for (const action of given.actions) {
      const refusal = await evaluate(
        {
          principal: caller.arn,
          account,
          action,
          resource: arn,
          context: {
            ...(form.get('ExternalId') === null ? {} : { 'sts:ExternalId': form.get('ExternalId') ?? '' }),
            ...(given.source === null ? {} : { 'sts:SourceIdentity': given.source }),
            'sts:RoleSessionName': given.name,
            ...Object.fromEntries(given.tags.map(([key, value]) => [`aws:RequestTag/${key}`, value])),
            ...(given.tags.length === 0 ? {} : { 'aws:TagKeys': given.tags.map(([key]) => key) }),
          },
        },
        { identity: [['administrator', ALL]], resource: view.trust },
      );
      if (refusal !== null) throw denied();
    }
    await sizedPolicy(given.policy);
    const answer = await forward(request, account);
    const read = (tag: string) => new RegExp(`<${tag}>([^<]*)</${tag}>`).exec(answer.text)?.[1] ?? '';
    const expiresAt = Math.floor((now() + given.seconds * 1000) / 1000) * 1000;
    sessions.set(read('AccessKeyId'), {
      accessKeyId: read('AccessKeyId'),
      secretAccessKey: read('SecretAccessKey'),
      sessionToken: decode(read('SessionToken')),
      account,
      role: name,
      principal: `arn:aws:sts::${account}:assumed-role/${name}/${given.name}`,
      userId: id,
      sourceIdentity: given.source,
      policy: given.policy === null ? undefined : (JSON.parse(given.policy) as unknown),
      tags: given.tags,
      issuedAt: now(),
      expiresAt,
    });
    const text = answer.text
      .replace(/<Expiration>[^<]*/, `<Expiration>${new Date(expiresAt).toISOString()}`)
      .replace(/<AssumedRoleId>[^<]*/, `<AssumedRoleId>${id}`);
    return { status: answer.status, text };
  };

  const answer = async (request: Request): Promise<{ readonly status: number; readonly text: string }> => {
    const user = users.get(request.keyId);
    const session = trouble === 'repoint' ? undefined : sessions.get(request.keyId);
    if (user === undefined && session === undefined) {
      throw new Refused(403, 'InvalidClientTokenId', 'The security token included in the request is invalid');
    }
    if (session !== undefined) await allowSession(request, session);
    const account = trouble === 'repoint' ? STRANGER : (session?.account ?? user?.account ?? '');
    switch (request.action) {
      case 'sts:AssumeRole':
        return assume(request, { arn: session?.principal ?? user?.arn ?? '' }, session !== undefined);
      case 'sts:DecodeAuthorizationMessage':
        throw new Refused(400, 'InvalidAuthorizationMessageException', 'The message is not valid');
      default:
        return perform(request, account);
    }
  };
  const perform = async (request: Request, account: string) => {
    const role = request.form.get('RoleName');
    const isWrite = request.service === 'iam' && !/^iam:(?:Get|List)/.test(request.action);
    if (!isWrite) return forward(request, account);
    return inTurn(async () => {
      const view = role === null ? null : await viewRole(clientOf(account), role);
      const over = overQuota(request.action, request.form, view);
      if (over !== null) throw new Refused(409, 'LimitExceeded', over);
      const done = await forward(request, account);
      if (role !== null) await viewNow(account, role);
      return done;
    });
  };

  const server = createServer((incoming, outgoing) => {
    serve(incoming, outgoing).catch((fault: unknown) => outgoing.destroy(fault as Error));
  });
  const serve = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    if (trouble === 'cut') return void incoming.socket.destroy();
    const request = await read(incoming);
    await new Promise((resolve) => setTimeout(resolve, delay));
    if (trouble === 'stall') await new Promise<void>((resolve) => held.push(resolve));
    const { status, text } = await answer(request).catch((fault: unknown) => {
      if (fault instanceof Refused) return { status: fault.status, text: errorOf(fault) };
      if (fault instanceof MalformedPolicy)
        return { status: 400, text: errorOf(new Refused(400, 'MalformedPolicyDocument', fault.message)) };
      console.error(fault);
      return { status: 500, text: errorOf(new Refused(500, 'InternalFailure', 'the front failed')) };
    });
    if (request.action === lost) return void incoming.socket.destroy();
    calls.push({ action: request.action, region: request.region, form: request.form, status });
    outgoing.writeHead(status, { 'content-type': 'text/xml', date: new Date(now()).toUTCString() }).end(text);
  };
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const hangUp = () => sockets.forEach((socket) => socket.destroy());
  const tenant = new IAMClient({ endpoint: url, region: 'us-east-1', credentials: administrator });
  return {
    url,
    broker,
    tenant,
    stranger: clientOf(STRANGER),
    moto: { url: moto.url, keys: roots.get(TENANT) as Keys },
    calls,
    skew: (milliseconds) => void (skew = milliseconds),
    lag: (region, milliseconds) => void lags.set(region, milliseconds),
    view: async (role) => {
      const view = await inTurn(() => viewRole(clientOf(TENANT), role));
      if (view === null) throw new Error(`there is no role ${role}`);
      return view;
    },
    slow: (milliseconds) => void (delay = milliseconds),
    stall: () => void (trouble = 'stall'),
    cut: () => {
      trouble = 'cut';
      hangUp();
    },
    repoint: () => void (trouble = 'repoint'),
    lose: (action) => void (lost = action),
    sessions: () => [...sessions.values()],
    restore: () => {
      lost = null;
      delay = 0;
      trouble = 'none';
      for (const go of held.splice(0)) go();
      held = [];
    },
    close: async () => {
      tenant.destroy();
      for (const client of clients.values()) client.destroy();
      hangUp();
      await new Promise((closed) => server.close(closed));
      await moto.close();
    },
  };
}

function oneByOne(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = last.then(work);
    last = mine.catch(() => undefined);
    return mine;
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

/** moto knows the account of a session's keys, whatever role it was for. */
async function rootOf(url: string, account: string): Promise<Keys> {
  const sts = new STSClient({
    endpoint: url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'AKIAROOT', secretAccessKey: 'root' },
  });
  const { Credentials } = await sts.send(
    new AssumeRoleCommand({
      RoleArn: `arn:aws:iam::${account}:role/root`,
      RoleSessionName: 'root',
      DurationSeconds: 43_200,
    }),
  );
  sts.destroy();
  const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '' } = Credentials ?? {};
  return { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken };
}

async function read(incoming: IncomingMessage): Promise<Request> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks).toString('utf8');
  const form = new URLSearchParams(body);
  const authorization = incoming.headers.authorization ?? '';
  const scope = /Credential=([^/]+)\/\d{8}\/([^/]+)\/([^/]+)\/aws4_request/.exec(authorization);
  const [, keyId = '', region = '', service = ''] = scope ?? [];
  const token = incoming.headers['x-amz-security-token'];
  return {
    service,
    region,
    keyId,
    token: Array.isArray(token) ? token[0] : token,
    body,
    form,
    action: `${service}:${form.get('Action') ?? ''}`,
    headers: {
      authorization,
      'content-type': incoming.headers['content-type'] ?? 'application/x-www-form-urlencoded',
      ...(typeof incoming.headers['x-amz-date'] === 'string' ? { 'x-amz-date': incoming.headers['x-amz-date'] } : {}),
    },
  };
}

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

/** @see the pattern and length of AssumeRole's Policy */
async function sizedPolicy(policy: string | null): Promise<void> {
  if (policy === null) return;
  if (policy.length > 2_048 || !/^[\t\n\r\u0020-\u00ff]+$/.test(policy)) {
    throw new Refused(400, 'ValidationError', 'the session policy is too long or malformed');
  }
  const call = {
    principal: `arn:aws:sts::${TENANT}:assumed-role/r/s`,
    account: TENANT,
    action: 'sts:GetAccessKeyInfo',
    resource: '*',
    context: {},
  };
  await evaluate(call, { identity: [], session: JSON.parse(policy) as unknown });
}

const decode = (text: string): string => text.replaceAll('&amp;', '&').replaceAll('&lt;', '<').replaceAll('&gt;', '>');
const encode = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

const errorOf = ({ code, message, status }: Refused): string =>
  `<ErrorResponse><Error><Type>${status < 500 ? 'Sender' : 'Receiver'}</Type><Code>${code}</Code><Message>${encode(message)}</Message></Error><RequestId>front</RequestId></ErrorResponse>`;
