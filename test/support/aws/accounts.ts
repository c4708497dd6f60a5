/** moto's accounts as their roots see them, and what is known of their roles: now, and in regions that lag behind. */
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { GetPolicyCommand, IAMClient } from '@aws-sdk/client-iam';
import type { Request } from './request.ts';
import { overQuota, viewRole } from './role-policies.ts';
import type { RoleView } from './role-policies.ts';
import { Refused } from './request.ts';

export interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface Reply {
  readonly status: number;
  readonly text: string;
}

export interface Accounts {
  keysOf(account: string): Keys;
  clientOf(account: string): IAMClient;
  /** A role as a region knows it; as it is, without one. `null` where there is none. */
  known(account: string, role: string, region?: string): Promise<RoleView | null>;
  /** Read anew. */
  view(account: string, role: string): Promise<RoleView | null>;
  /** How long a region does not know of what was written, each time that it is asked. */
  lag(region: string, milliseconds: () => number): void;
  forward(request: Request, account: string, body?: string): Promise<Reply>;
  /** A write keeps AWS's quotas, and is known from then on. */
  perform(request: Request, account: string): Promise<Reply>;
  close(): void;
}

/** The policies of a role since a moment. */
interface Snapshot {
  readonly since: number;
  readonly view: RoleView;
}

export async function openAccounts(url: string, names: readonly string[]): Promise<Accounts> {
  const roots = new Map<string, Keys>();
  for (const account of names) roots.set(account, await rootOf(url, account));
  const keysOf = (account: string): Keys => roots.get(account) as Keys;
  const clients = new Map(
    names.map((account) => [
      account,
      new IAMClient({ endpoint: url, region: 'us-east-1', credentials: keysOf(account) }),
    ]),
  );
  const clientOf = (account: string): IAMClient => clients.get(account) as IAMClient;
  const history = new Map<string, readonly Snapshot[]>();
  const lags = new Map<string, () => number>();
  // IAM does one thing at a time with a role, and moto does not.
  const inTurn = oneByOne();

  const remember = async (account: string, role: string): Promise<RoleView | null> => {
    const view = await viewRole(clientOf(account), role);
    const key = `${account}/${role}`;
    if (view === null) history.delete(key);
    else history.set(key, [...(history.get(key) ?? []), { since: Date.now(), view }]);
    return view;
  };
  const forward: Accounts['forward'] = async (request, account, body = request.body) => {
    const signed = request.headers['authorization'] ?? '';
    const authorization = signed.replace(/Credential=[^/]+/, `Credential=${keysOf(account).accessKeyId}`);
    const response = await fetch(url, { method: 'POST', headers: { ...request.headers, authorization }, body });
    return { status: response.status, text: await response.text() };
  };
  return {
    keysOf,
    clientOf,
    forward,
    view: (account, role) => inTurn(() => viewRole(clientOf(account), role)),
    lag: (region, milliseconds) => void lags.set(region, milliseconds),
    async known(account, role, region) {
      const found = history.get(`${account}/${role}`);
      if (found === undefined) return clients.has(account) ? inTurn(() => remember(account, role)) : null;
      const at = Date.now() - (region === undefined ? 0 : (lags.get(region)?.() ?? 0));
      return (found.findLast(({ since }) => since <= at) ?? found[0])?.view ?? null;
    },
    async perform(request, account) {
      const role = request.form.get('RoleName');
      const isWrite = request.service === 'iam' && !/^iam:(?:Get|List)/.test(request.action);
      if (!isWrite) return forward(request, account);
      return inTurn(async () => {
        if (request.action === 'iam:DeletePolicy') await ensureDetached(clientOf(account), request.form);
        const view = role === null ? null : await viewRole(clientOf(account), role);
        const over = overQuota(request.action, request.form, view);
        if (over !== null) throw new Refused(409, 'LimitExceeded', over);
        const done = await forward(request, account);
        if (role !== null) await remember(account, role);
        return done;
      });
    },
    close() {
      for (const client of clients.values()) client.destroy();
    },
  };
}

/** moto deletes a policy that is attached, and its roles then name one that is not there. @see DeletePolicy */
async function ensureDetached(iam: IAMClient, form: URLSearchParams): Promise<void> {
  const PolicyArn = form.get('PolicyArn') ?? '';
  const found = await iam.send(new GetPolicyCommand({ PolicyArn })).catch((fault: unknown) => {
    if (fault instanceof Error && fault.name.startsWith('NoSuchEntity')) return null;
    throw fault;
  });
  if ((found?.Policy?.AttachmentCount ?? 0) === 0) return;
  throw new Refused(409, 'DeleteConflict', 'Cannot delete a policy attached to entities.');
}

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

function oneByOne(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = last.then(work);
    last = mine.catch(() => undefined);
    return mine;
  };
}
