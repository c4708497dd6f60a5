/**
 * A real Vault for tests, built from Go modules: once for a machine, kept by a digest of its sources.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const SOURCES = join(import.meta.dirname, 'vault');
/** Debian's own Go is too old, and one that was unpacked by hand is seldom on the path. */
const GO_FOLDERS = [...(process.env['PATH'] ?? '').split(':'), '/usr/local/go/bin'];

/** The built server. Builds it where nobody has yet, and says how long that took: failing to is a failure. */
export async function vaultBinary(say: (line: string) => void = console.log): Promise<string> {
  const folder = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'brevet-tests');
  const binary = join(folder, `vault-${await digestOfSources()}`);
  if (existsSync(binary)) return binary;
  await mkdir(folder, { recursive: true });
  const started = performance.now();
  say('building Vault for the tests: minutes, once');
  // Whoever builds at the same time makes the same file: the last rename wins.
  const fresh = `${binary}.${process.pid}`;
  try {
    await build(fresh);
    await rename(fresh, binary);
  } finally {
    await rm(fresh, { force: true });
  }
  say(`Vault built in ${Math.round((performance.now() - started) / 1000)} s`);
  return binary;
}

async function digestOfSources(): Promise<string> {
  const hash = createHash('sha256');
  const files = (await readdir(SOURCES)).filter((name) => /\.(?:go|mod|sum)$/.test(name)).toSorted();
  for (const name of files)
    hash
      .update(name)
      .update('\0')
      .update(await readFile(join(SOURCES, name)));
  return hash.digest('hex').slice(0, 16);
}

async function build(to: string): Promise<void> {
  const go = GO_FOLDERS.map((folder) => join(folder, 'go')).find((path) => path.startsWith('/') && existsSync(path));
  if (go === undefined)
    throw new Error('no Go: install 1.25.3 or later in /usr/local/go (see test/support/vault/README.md)');
  const args = ['build', '-trimpath', '-buildvcs=false', '-o', to, '.'];
  const child = spawn(go, args, { cwd: SOURCES, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    said = (said + chunk).slice(-4_000);
  });
  const status = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('exit', resolve));
  if (status !== 0) throw new Error(`Vault could not be built:\n${said}`);
}

/** An answer of Vault's, whatever its status. */
export interface VaultAnswer {
  readonly status: number;
  readonly body: { readonly [name: string]: unknown; readonly data?: Record<string, unknown> | null };
}

export interface TestVault {
  readonly address: string;
  readonly port: number;
  readonly clusterId: string;
  readonly rootToken: string;
  /** A call as root or with another token; throws nothing by its status. */
  call(method: string, path: string, body?: object, token?: string): Promise<VaultAnswer>;
  /** The same as root, which must work. */
  must(method: string, path: string, body?: object): Promise<VaultAnswer['body']>;
  seal(): Promise<void>;
  unseal(): Promise<void>;
  stop(): Promise<void>;
}

interface Started {
  readonly address: string;
  readonly root_token: string;
  readonly unseal_key: string;
}

/** In memory, unsealed, and ended with this process. */
export async function startVault(): Promise<TestVault> {
  const child = spawn(await vaultBinary(), ['127.0.0.1:0'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface(child.stdout);
  const first = await new Promise<string>((resolve, reject) => {
    lines.once('line', resolve);
    child.once('error', reject).once('exit', (code) => reject(new Error(`Vault ended with ${code}`)));
  });
  const { address, root_token, unseal_key } = JSON.parse(first) as Started;
  const call: TestVault['call'] = (method, path, body, token = root_token) =>
    callAt(address, method, path, body, token);
  const must: TestVault['must'] = async (method, path, body) => {
    const answer = await call(method, path, body);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  const health = await must('GET', 'sys/health');
  return {
    address,
    port: Number(new URL(address).port),
    clusterId: String(health['cluster_id']),
    rootToken: root_token,
    call,
    must,
    seal: async () => {
      await must('PUT', 'sys/seal');
    },
    unseal: async () => {
      await must('PUT', 'sys/unseal', { key: unseal_key });
    },
    stop: () =>
      new Promise((stopped) => {
        child.once('exit', () => stopped());
        child.kill('SIGKILL');
      }),
  };
}

async function callAt(
  address: string,
  ...[method, path, body, token]: readonly [string, string, object | undefined, string]
): Promise<VaultAnswer> {
  const response = await fetch(`${address}/v1/${path}`, {
    method,
    headers: { 'X-Vault-Token': token },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    redirect: 'manual',
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? {} : (JSON.parse(text) as VaultAnswer['body']) };
}
