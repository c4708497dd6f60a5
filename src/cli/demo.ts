/**
 * The main job, whole, on a sandbox of its own: a broker, a client's database, people, two tenants, two agents, and one
 * credential that is issued, used, ended and proven dead.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readConfig } from '../config.ts';
import { serve } from '../node.ts';
import type { Serving } from '../node/serve.ts';
import { EXIT } from './command.ts';
import type { Command } from './command.ts';
import { freePort, startClientsDatabase } from './demo/clients-database.ts';
import type { ClientsDatabase } from './demo/clients-database.ts';
import { play } from './demo/play.ts';
import { startPsa } from './demo/psa.ts';
import { DemoFailed, tellOn } from './demo/story.ts';
import { populate } from './demo/world.ts';
import { lineLog } from './log.ts';
import type { Terminal } from './terminal.ts';

const demo: Command = {
  name: 'demo',
  says: 'Shows the whole life of a credential on a sandbox in a temporary folder, and leaves nothing behind.',
  options: { stay: { says: 'keep serving, and print commands to try' } },
  example: 'brevet demo',
  run: async (given, terminal) => {
    const sandbox = await mkdtemp(join(tmpdir(), 'brevet-demo-'));
    const undo: (() => Promise<unknown>)[] = [() => rm(sandbox, { recursive: true, force: true })];
    const told = stopSignal();
    try {
      await onSandbox(sandbox, undo, terminal, given.flag('stay') ? told : null);
    } finally {
      for (const step of undo.toReversed()) await step();
    }
    return EXIT.done;
  },
};

const stopSignal = (): Promise<void> =>
  new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve());
  });

async function onSandbox(
  sandbox: string,
  undo: (() => Promise<unknown>)[],
  terminal: Terminal,
  stay: Promise<void> | null,
): Promise<void> {
  const story = tellOn(terminal);
  const began = performance.now();
  const log: string[] = [];
  const serving = await startBroker(sandbox, log);
  undo.push(() => serving.stop());
  const database = await startClientsDatabase(join(sandbox, 'client'));
  undo.push(() => database.stop());
  terminal.out(`Brevet serves at ${serving.url}, with a Postgres of its own in ${sandbox}.`);
  terminal.out(`The client Acme has a Postgres too, at ${database.host}:${database.port}.`);
  const psa = await startPsa();
  undo.push(() => psa.stop());
  const world = await populate(serving.deps, serving.url, { database: database.target, psa: psa.target });
  await play(story, serving, { ...world, psa });
  terminal.out(`\nAll of it happened, in ${Math.round((performance.now() - began) / 100) / 10} s.`);
  if (stay !== null) await keepServing(sandbox, serving, database, world.keys['report-bot'], terminal, stay);
}

async function startBroker(sandbox: string, log: string[]): Promise<Serving> {
  const port = await freePort();
  const config = readConfig({
    BREVET_DATA_DIR: join(sandbox, 'broker'),
    BREVET_LISTEN: `127.0.0.1:${port}`,
    BREVET_PUBLIC_URL: `http://localhost:${port}`,
    BREVET_ALLOW_PRIVATE_HOSTS: '127.0.0.1',
    BREVET_POLICY_DIR: fileURLToPath(new URL('../../policy', import.meta.url)),
  });
  if (!config.ok) throw new DemoFailed(config.error.map(({ name, what }) => `${name} ${what}`).join('; '));
  return serve(config.value, { log: lineLog((line) => void log.push(line)) });
}

async function keepServing(
  sandbox: string,
  serving: Serving,
  { host, port }: ClientsDatabase,
  key: unknown,
  terminal: Terminal,
  stay: Promise<void>,
): Promise<void> {
  const keyFile = join(sandbox, 'report-bot.jwk');
  await writeFile(keyFile, JSON.stringify(key), { mode: 0o600 });
  terminal.out(
    [
      `\nStill serving (Ctrl-C ends it). The client's database is at ${host}:${port}. Try:`,
      `  export BREVET_URL=${serving.deps.publicUrl} BREVET_TENANT=acme BREVET_AGENT=report-bot BREVET_AGENT_KEY_FILE=${keyFile}`,
      `  export BREVET_DATA_DIR=${join(sandbox, 'broker')} BREVET_PUBLIC_URL=${serving.deps.publicUrl}`,
      '  npx brevet exec --tenant acme --task report.query --resource shop-db --same-user -- psql -c "TABLE sales"',
      '  npx brevet lease list --as otto',
    ].join('\n'),
  );
  await stay;
}

export const commands: readonly Command[] = [demo];
