/**
 * What stands before moto and makes of it an AWS that can be believed: a call made with a session goes through only if
 * an independent evaluator allows it under the role's policies as moto holds them now, the session's own policy, its
 * name, its source identity and the time; and writes keep AWS's quotas. Calls by users are let through: they are the
 * administrators of their accounts.
 */
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { IAMClient } from '@aws-sdk/client-iam';
import { openAccounts } from './accounts.ts';
import type { Keys, Reply } from './accounts.ts';
import { MalformedPolicy } from './evaluate.ts';
import { startMoto } from './moto.ts';
import { errorOf, read, Refused } from './request.ts';
import type { Request } from './request.ts';
import type { RoleView } from './role-policies.ts';
import { openSessions } from './sessions.ts';

export const MSP = '999988887777';
export const TENANT = '111122223333';
const STRANGER = '444455556666';

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
  lag(region: string, milliseconds: () => number): void;
  view(role: string): Promise<RoleView>;
  /** Every answer takes so long. */
  slow(milliseconds: number): void;
  stall(): void;
  cut(): void;
  /** Another AWS answers, where everything is called the same and nothing is. */
  repoint(): void;
  /** From now on AWS packs a session's policy and tags into less than they have characters: it takes no more than these. */
  pack(most: number): void;
  /** From now on AWS does what it is asked by this action, and its answer is lost. */
  lose(action: string): void;
  /** From now on AWS refuses these, whoever asks. */
  refuse(...actions: readonly string[]): void;
  restore(): void;
  /** The keys of every session that was ever given. */
  sessions(): readonly (Keys & { readonly sourceIdentity: string | null })[];
  close(): Promise<void>;
}

const BROKER: Keys = { accessKeyId: 'AKIABREVETBROKER0001', secretAccessKey: 'broker-secret-0123456789' };
const ADMINISTRATOR: Keys = { accessKeyId: 'AKIATENANTADMIN00001', secretAccessKey: 'tenant-secret-0123456789' };
const USERS = new Map([
  [BROKER.accessKeyId, { account: MSP, arn: `arn:aws:iam::${MSP}:user/brevet` }],
  [ADMINISTRATOR.accessKeyId, { account: TENANT, arn: `arn:aws:iam::${TENANT}:user/admin` }],
]);

export async function startFront(): Promise<Front> {
  const moto = await startMoto();
  const accounts = await openAccounts(moto.url, [TENANT, MSP, STRANGER]);
  const calls: Seen[] = [];
  let skew = 0;
  let trouble: 'none' | 'stall' | 'cut' | 'repoint' = 'none';
  let held: (() => void)[] = [];
  let lost: string | null = null;
  let barred: readonly string[] = [];
  let delay = 0;
  const now = () => Date.now() + skew;
  const sessions = openSessions(accounts, now);

  const answer = async (request: Request): Promise<Reply> => {
    const user = USERS.get(request.keyId);
    const session = trouble === 'repoint' ? undefined : sessions.all.get(request.keyId);
    if (user === undefined && session === undefined) {
      throw new Refused(403, 'InvalidClientTokenId', 'The security token included in the request is invalid');
    }
    if (session !== undefined) await sessions.allow(request, session);
    if (barred.includes(request.action)) throw new Refused(403, 'AccessDenied', 'It is refused by a test');
    // Where everything is called the same.
    if (trouble === 'repoint') return accounts.forward(request, STRANGER, request.body.replaceAll(TENANT, STRANGER));
    switch (request.action) {
      case 'sts:AssumeRole':
        return sessions.assume(request, {
          arn: session?.principal ?? user?.arn ?? '',
          isSession: session !== undefined,
        });
      case 'sts:DecodeAuthorizationMessage':
        throw new Refused(400, 'InvalidAuthorizationMessageException', 'The message is not valid');
      default:
        return accounts.perform(request, session?.account ?? user?.account ?? '');
    }
  };
  const serve = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    if (trouble === 'cut') return void incoming.socket.destroy();
    const request = await read(incoming);
    await new Promise((resolve) => setTimeout(resolve, delay));
    if (trouble === 'stall') await new Promise<void>((resolve) => held.push(resolve));
    const { status, text } = await answer(request).catch(refusalOf);
    if (request.action === lost) return void incoming.socket.destroy();
    calls.push({ action: request.action, region: request.region, form: request.form, status });
    outgoing.writeHead(status, { 'content-type': 'text/xml', date: new Date(now()).toUTCString() }).end(text);
  };
  const { url, hangUp, close } = await listen((incoming, outgoing) => {
    serve(incoming, outgoing).catch((fault: unknown) => outgoing.destroy(fault as Error));
  });
  const tenant = new IAMClient({ endpoint: url, region: 'us-east-1', credentials: ADMINISTRATOR });
  return {
    url,
    broker: BROKER,
    tenant,
    stranger: accounts.clientOf(STRANGER),
    moto: { url: moto.url, keys: accounts.keysOf(TENANT) },
    calls,
    skew: (milliseconds) => void (skew = milliseconds),
    lag: accounts.lag,
    view: async (role) => {
      const view = await accounts.view(TENANT, role);
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
    pack: (most) => sessions.pack(most),
    lose: (action) => void (lost = action),
    refuse: (...actions) => void (barred = actions),
    sessions: () => [...sessions.all.values()],
    restore: () => {
      lost = null;
      barred = [];
      sessions.pack(Number.POSITIVE_INFINITY);
      delay = 0;
      trouble = 'none';
      for (const go of held) go();
      held = [];
    },
    close: async () => {
      tenant.destroy();
      accounts.close();
      await close();
      await moto.close();
    },
  };
}

function refusalOf(fault: unknown): Reply {
  if (fault instanceof Refused) return { status: fault.status, text: errorOf(fault) };
  if (fault instanceof MalformedPolicy) return refusalOf(new Refused(400, 'MalformedPolicyDocument', fault.message));
  console.error(fault);
  return refusalOf(new Refused(500, 'InternalFailure', 'the front failed'));
}

async function listen(serve: (incoming: IncomingMessage, outgoing: ServerResponse) => void) {
  const sockets = new Set<Socket>();
  const server = createServer(serve);
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const hangUp = () => sockets.forEach((socket) => socket.destroy());
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    hangUp,
    close: async () => {
      hangUp();
      await new Promise((closed) => server.close(closed));
    },
  };
}
