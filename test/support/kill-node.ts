/** Nodes as processes of their own, which a test may kill, stop and continue. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { FromNode, Hold, Step, ToNode } from './kill-steps.ts';
import type { KillWorld } from './kill-world.ts';
import { freePort } from './port.ts';

const START = [fileURLToPath(new URL('../../src/cli/brevet.js', import.meta.url)), 'start'];
const ARMED = [fileURLToPath(new URL('../kill/node-entry.ts', import.meta.url))];
/** A node that is not ready by then will not be; several tests may be starting some. */
const READY_LIMIT_MS = 60_000;
const ASK_EVERY_MS = 50;

export interface NodeProcess {
  readonly url: string;
  readonly pid: number;
  /** What it logged, for the message of a test that fails. */
  log(): string;
  /** From now on every call that comes to the step stays there, as does, without being told, what comes beside it. */
  arm(step: Step, beside?: Hold | null): void;
  /** What is held goes on. */
  go(): void;
  /** Resolves once so many different leases are at the step. */
  reached(count: number, limitMs: number): Promise<ReadonlySet<string>>;
  signal(name: 'SIGSTOP' | 'SIGCONT'): void;
  /** `kill -9`, and seen to be gone. */
  kill(): Promise<void>;
}

const running = new Set<ChildProcess>();
/** Whatever a failed test left running. */
export const endNodes = (): void => running.forEach((child) => child.kill('SIGKILL'));
process.once('exit', endNodes);

/** @param entry `brevet start` as it is, or the one that can be armed. */
export async function startNode(world: KillWorld, entry: 'start' | 'armed'): Promise<NodeProcess> {
  const port = await freePort();
  const child = spawn(process.execPath, entry === 'start' ? START : ARMED, {
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...world.env, BREVET_LISTEN: `127.0.0.1:${port}` },
    stdio: entry === 'start' ? ['ignore', 'ignore', 'pipe'] : ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  running.add(child);
  const gone = once(child, 'exit').then(() => running.delete(child));
  const lines: string[] = [];
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => lines.push(chunk));
  const reached = new Set<string>();
  child.on('message', ({ reached: lease }: FromNode) => reached.add(lease));
  const url = `http://127.0.0.1:${port}`;
  const log = () => lines.join('').slice(-4_000);
  const say = (message: ToNode) => child.send(message);
  const node: NodeProcess = {
    url,
    pid: child.pid ?? 0,
    log,
    arm: (step, beside = null) => {
      reached.clear();
      say({ arm: step, beside });
    },
    go: () => say({ go: true }),
    async reached(count, limitMs) {
      const until = performance.now() + limitMs;
      while (reached.size < count) {
        if (performance.now() > until || child.exitCode !== null) {
          throw new Error(`${reached.size} of ${count} leases came to the step\n${log()}`);
        }
        await pause(ASK_EVERY_MS);
      }
      return reached;
    },
    signal: (name) => void child.kill(name),
    async kill() {
      child.kill('SIGKILL');
      await gone;
    },
  };
  await ready(node, child);
  return node;
}

async function ready(node: NodeProcess, child: ChildProcess): Promise<void> {
  const until = performance.now() + READY_LIMIT_MS;
  while (!(await isReady(node.url))) {
    if (child.exitCode !== null || performance.now() > until) {
      await node.kill();
      throw new Error(`a node did not come to serve\n${node.log()}`);
    }
    await pause(ASK_EVERY_MS);
  }
}

async function isReady(url: string): Promise<boolean> {
  try {
    const answer = await fetch(`${url}/readyz`);
    await answer.arrayBuffer();
    return answer.status === 200;
  } catch (fault) {
    if (fault instanceof TypeError) return false;
    throw fault;
  }
}
