/** moto's server: STS and IAM as far as it goes. It knows no conditions and no session policies: see `front.ts`. */
import { spawn } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';
import { freePort } from '../port.ts';
import { pythonWithMoto } from './venv.ts';

export interface Moto {
  readonly url: string;
  close(): Promise<void>;
}

/** Loading it takes some seconds on a busy machine. */
const START_MS = 90_000;

export async function startMoto(): Promise<Moto> {
  const python = await pythonWithMoto();
  const began = performance.now();
  const port = await freePort();
  const child = spawn(python, ['-m', 'moto.server', '-H', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => child.on('exit', () => resolve()));
  const url = `http://127.0.0.1:${port}`;
  while (!(await answers(url))) {
    if (child.exitCode !== null) throw new Error(`moto ended with ${child.exitCode}`);
    if (performance.now() - began > START_MS) throw new Error('moto did not start');
    await wait(100);
  }
  console.log(`moto answers after ${Math.round(performance.now() - began)} ms`);
  return {
    url,
    close: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

const answers = (url: string): Promise<boolean> =>
  fetch(`${url}/moto-api/`).then(
    (response) => response.ok,
    () => false,
  );
