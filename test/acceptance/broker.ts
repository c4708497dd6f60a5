/** A broker as its users have it: `brevet` as a process of its own, spoken to over HTTP and through its commands. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { exportJWK, generateKeyPair } from 'jose';
import type { JWK } from 'jose';
import { cleanEnvironment } from '../cli/cli.ts';
import type { Ended } from '../cli/cli.ts';
import { brokerFolder } from '../support/cluster.ts';
import { policyWithoutCases } from '../support/policy.ts';
import { freePort } from '../support/port.ts';

export const ROOT = join(import.meta.dirname, '..', '..');

/** Where Brevet lies, by which Node, and as whom it runs. */
export interface Install {
  readonly root: string;
  readonly node: string;
  readonly user?: { readonly uid: number; readonly gid: number };
}

const HERE: Install = { root: ROOT, node: process.execPath };

export interface Process {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly ended: Promise<Ended>;
  /** Both streams, as far as they have come. */
  text(): string;
  /** Once it has said this. Rejects when it ends before. */
  said(text: string): Promise<void>;
  /** To all of its process group, as a terminal sends Ctrl-C. */
  signalGroup(signal: NodeJS.Signals): void;
}

const started = new Set<number>();
process.once('exit', () => {
  for (const pid of started) killGroup(pid, 'SIGKILL');
});

function killGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly install?: Install;
}

/** Where Brevet lies elsewhere, what it compiled lies there too, and goes with it. */
const OWN_CACHE = { NODE_COMPILE_CACHE: undefined };

/** `brevet` with these arguments, in a process group of its own. */
export function run(args: readonly string[], { env = {}, cwd = '/', install = HERE }: RunOptions = {}): Process {
  const child = spawn(install.node, [join(install.root, 'src', 'cli', 'brevet.js'), ...args], {
    cwd,
    env: { ...cleanEnvironment(), ...(install === HERE ? {} : OWN_CACHE), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    ...install.user,
  });
  const pid = child.pid ?? 0;
  started.add(pid);
  const text = { out: '', err: '' };
  const waiting = new Set<() => void>();
  for (const [name, stream] of [
    ['out', child.stdout],
    ['err', child.stderr],
  ] as const) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text[name] += chunk;
      for (const look of waiting) look();
    });
  }
  const ended = new Promise<Ended>((resolve) => {
    // What it left behind may hold its streams open, and would hide that it has ended.
    child.on('exit', (status, signal) => {
      // What has come by then is read before what is set for the end of that turn, however long a turn took.
      setTimeout(() => setImmediate(() => resolve({ status, signal, ...text })), FLUSH_MS);
    });
  });
  return {
    child,
    pid,
    ended,
    text: () => text.out + text.err,
    said: (wanted) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (text.out.includes(wanted) || text.err.includes(wanted)) resolve();
        };
        waiting.add(look);
        look();
        ended.then((end) => reject(new Error(`ended without saying ${wanted}: ${JSON.stringify(end)}`)), reject);
      }),
    signalGroup: (signal) => killGroup(pid, signal),
  };
}

/** What has been written before a process's end arrives within this. */
const FLUSH_MS = 100;

/** The settings of a broker that was given a folder and a free port, and nothing else. */
export interface Place {
  readonly dataDir: string;
  readonly port: number;
  readonly url: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Where a broker served before, or in a folder where none did. */
export async function newPlace(folder?: string): Promise<Place> {
  const port = await freePort();
  const dataDir = folder === undefined ? await brokerFolder('broker') : join(folder, 'data');
  return {
    dataDir,
    port,
    url: `http://localhost:${port}`,
    env: {
      BREVET_DATA_DIR: dataDir,
      BREVET_LISTEN: `127.0.0.1:${port}`,
      BREVET_POLICY_DIR: await policyWithoutCases(),
    },
  };
}

export async function startBroker(
  place: Place,
  {
    args = [],
    env = {},
    install = HERE,
  }: {
    readonly args?: readonly string[];
    readonly env?: Readonly<Record<string, string>>;
    readonly install?: Install;
  } = {},
): Promise<Process> {
  const running = run(['start', ...args], { env: { ...place.env, ...env }, install });
  await running.said('brevet: serving at');
  return running;
}

/** Told as a terminal does, and waited for. */
export async function stopBroker(running: Process): Promise<Ended> {
  running.signalGroup('SIGINT');
  return running.ended;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface Sent {
  readonly token?: string;
  readonly body?: unknown;
  readonly form?: Readonly<Record<string, string>>;
  /** On a connection of its own, so that any process of the broker may answer. */
  readonly alone?: boolean;
}

export async function call(method: string, url: string, { token, body, form, alone }: Sent = {}): Promise<Answer> {
  const response = await fetch(url, {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(alone === true ? { connection: 'close' } : {}),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(form === undefined ? {} : { body: new URLSearchParams(form) }),
  });
  const text = await response.text();
  const parsed: unknown = text.startsWith('{') ? JSON.parse(text) : {};
  return { status: response.status, headers: response.headers, body: parsed as Answer['body'] };
}

export async function must(method: string, url: string, sent: Sent = {}): Promise<Answer> {
  const answer = await call(method, url, sent);
  if (answer.status < 300) return answer;
  throw new Error(`${method} ${url}: ${answer.status} ${JSON.stringify(answer.body)}`);
}

/** As `brevet operator token --as NAME` prints it. */
export async function localToken(place: Place, operator: string): Promise<string> {
  const { status, out, err } = await run(['operator', 'token', '--as', operator], { env: place.env }).ended;
  if (status !== 0) throw new Error(`no token for ${operator}: ${err}`);
  return out.trim();
}

/** An administrator's calls. */
export interface Administrator {
  readonly token: string;
  put(path: string, body: unknown): Promise<Answer>;
  assign(body: unknown): Promise<Answer>;
  /** Enrols the agent with a new key, and answers with its private half. */
  enrol(tenant: string, agent: string): Promise<JWK>;
}

export async function administrator(place: Place, name = 'ada'): Promise<Administrator> {
  const token = await localToken(place, name);
  const put: Administrator['put'] = (path, body) => must('PUT', `${place.url}${path}`, { token, body });
  return {
    token,
    put,
    assign: (body) => must('POST', `${place.url}/api/assignments`, { token, body }),
    async enrol(tenant, agent) {
      const pair = await newKey();
      await put(`/api/tenants/${tenant}/enrolments/${agent}`, { jwk: pair.publicJwk });
      return pair.privateJwk;
    },
  };
}

export async function newKey(): Promise<{ readonly publicJwk: JWK; readonly privateJwk: JWK }> {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  return { publicJwk: await exportJWK(publicKey), privateJwk: { ...(await exportJWK(privateKey)), alg: 'ES256' } };
}

const TERMS = {
  vendors: ['in-house'],
  models: [{ model: 'planner', version: '3.1' }],
  training: false,
  retention_days: 30,
};

const AGENT = {
  owner: 'olga',
  deputy: 'dana',
  kind: 'autonomous-agent',
  purpose: 'Acceptance',
  vendor: 'in-house',
  model: 'planner',
  model_version: '3.1',
  autonomy: 'autonomous',
};

const ACCEPTED = {
  model_version: AGENT.model_version,
  tasks: ['ticket.route', 'firewall.change', 'report.query'],
  reason: 'Acceptance',
};

/** The tenant acme, overseen by otto, where paula approves, and agents of olga's that hold these roles there. */
export async function populate(
  by: Administrator,
  agents: Readonly<Record<string, readonly string[]>>,
): Promise<Readonly<Record<string, JWK>>> {
  await by.put('/api/vendors/in-house', { trains_on_client_data: false, retention_days: 0 });
  await by.put('/api/tenants/acme', { display_name: 'Acme Retail', autonomy: 'autonomous', terms: TERMS });
  for (const name of ['olga', 'dana', 'otto', 'paula']) await by.put(`/api/people/${name}`, { display_name: name });
  await by.put('/api/operators/otto', { person: 'otto' });
  await by.assign({ tenant: 'acme', holder: { person: 'otto' }, role: 'overseer' });
  await by.assign({ tenant: 'acme', holder: { person: 'paula' }, role: 'approver' });
  const keys: Record<string, JWK> = {};
  for (const [agent, roles] of Object.entries(agents)) {
    await by.put(`/api/agents/${agent}`, AGENT);
    keys[agent] = await by.enrol('acme', agent);
    await by.put(`/api/tenants/acme/acceptances/${agent}`, ACCEPTED);
    for (const role of roles) await by.assign({ tenant: 'acme', holder: { agent }, role });
  }
  return keys;
}

/** Until it holds. There is no limit of its own: the runner ends a file that waits in vain. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await pause(LOOK_EVERY_MS);
}

const LOOK_EVERY_MS = 50;

/** The postmaster of a place's own Postgres. */
export const postmaster = ({ dataDir }: Place): number =>
  Number(readFileSync(join(dataDir, 'postgres', 'cluster', 'postmaster.pid'), 'utf8').split('\n')[0]);

/** What its log says, line by line. */
export const events = (running: Process): Record<string, unknown>[] =>
  running
    .text()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
