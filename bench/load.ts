/** Load from a process of its own, so that making it costs the measured process nothing but the machine. */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { JWK } from 'jose';
import type { Connection } from './connection.ts';

/** Tokens for as many different resources, each asked for with an assertion of its own. */
export interface TokenLoad {
  readonly kind: 'tokens';
  readonly port: number;
  /** `{tenant}` in it, and in the audience, stands for each of the tenants in turn. */
  readonly path: string;
  readonly client: string;
  readonly audience: string;
  readonly tenants?: readonly string[];
  readonly key: JWK;
  /** The same for all; `{n}` stands for the resource's number. */
  readonly form: Readonly<Record<string, string>>;
  readonly resources: number;
  readonly connections: number;
  readonly requests: number;
  /** The run ends then, if it has not before. */
  readonly seconds?: number;
}

/** Logins, each asked for and completed before the connection asks for its next. */
export interface LoginLoad {
  readonly kind: 'logins';
  readonly port: number;
  readonly tenant: string;
  readonly token: string;
  readonly resource: string;
  readonly connections: number;
  readonly requests: number;
  /** The run ends then, if it has not before. */
  readonly seconds?: number;
}

/** The same call of a tool over and over. */
export interface CallLoad {
  readonly kind: 'calls';
  readonly port: number;
  /** One for each connection, in turn. */
  readonly callers: readonly { readonly path: string; readonly token: string }[];
  readonly connections: number;
  readonly requests: number;
  /** The run ends then, if it has not before. */
  readonly seconds?: number;
}

/** Logins of Vault's database engine, each read and its lease revoked before the connection reads its next. */
export interface VaultLoad {
  readonly kind: 'vault-logins';
  readonly port: number;
  readonly token: string;
  readonly role: string;
  readonly connections: number;
  readonly requests: number;
  /** The run ends then, if it has not before. */
  readonly seconds?: number;
}

export type Load = TokenLoad | LoginLoad | CallLoad | VaultLoad;

/** What one connection does over and over, until there is no more to do. */
export type Step = (connection: Connection, number: number) => Promise<void>;

/** Of one run; times in milliseconds. */
export interface Measured {
  readonly count: number;
  readonly perSecond: number;
  readonly mean: number;
  readonly p50: number;
  readonly p99: number;
}

/** As the generator tells it. */
export interface Loaded extends Measured {
  /** Its own processor time for one, in microseconds. */
  readonly processor: number;
}

export type Reply = { readonly measured: Loaded } | { readonly fault: string };

export interface Generator {
  readonly pid: number | undefined;
  /** Whatever it sends is signed and built before the first byte goes out. Rejects if any answer is not the good one. */
  run(load: Load): Promise<Loaded>;
  stop(): Promise<void>;
}

export function startGenerator(): Generator {
  const child = fork(fileURLToPath(new URL('load/generator.ts', import.meta.url)));
  return {
    pid: child.pid,
    async run(load) {
      const reply = next(child);
      child.send(load);
      const told = await reply;
      if ('fault' in told) throw new Error(`load on port ${load.port}: ${told.fault}`);
      return told.measured;
    },
    stop: () =>
      new Promise((resolve) => {
        child.once('exit', () => resolve());
        child.disconnect();
      }),
  };
}

function next(child: ChildProcess): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const gone = (): void => reject(new Error('the load generator ended'));
    child.once('exit', gone);
    child.once('message', (reply: Reply) => {
      child.off('exit', gone);
      resolve(reply);
    });
  });
}

/** @param times of each, in milliseconds. @param seconds that all of them took. */
export function summaryOf(times: readonly number[], seconds: number): Measured {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  const mean = times.reduce((sum, time) => sum + time, 0) / times.length;
  return { count: times.length, perSecond: times.length / seconds, mean, p50: at(0.5), p99: at(0.99) };
}

/** Whether a run that begins now is over; one without a limit never is. */
export function overAfter(seconds = Infinity): () => boolean {
  const until = performance.now() + seconds * 1000;
  return () => performance.now() >= until;
}
