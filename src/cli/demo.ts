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
import { CLIENT_ID, startIssuer } from './demo/issuer.ts';
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
  const port = await freePort();
  const publicUrl = `http://localhost:${port}`;
  const issuer = await startIssuer(publicUrl, PEOPLE);
  undo.push(() => issuer.stop());
  const serving = await startBroker(sandbox, { port, publicUrl, issuer: issuer.url }, log);
  undo.push(() => serving.stop());
  const database = await startClientsDatabase(join(sandbox, 'client'));
  undo.push(() => database.stop());
  terminal.out(`Brevet serves at ${serving.url}, with a Postgres of its own in ${sandbox}.`);
  terminal.out(`The client Acme has a Postgres too, at ${database.host}:${database.port}.`);
  const psa = await startPsa();
  undo.push(() => psa.stop());
  const world = await populate(serving.deps, serving.url, { database: database.target, psa: psa.target, issuer });
  await play(story, serving, { ...world, psa });
  terminal.out(`\nAll of it happened, in ${Math.round((performance.now() - began) / 100) / 10} s.`);
  if (stay === null) return;
  const key = world.keys['report-bot'];
  await keepServing({ sandbox, publicUrl, database, key }, terminal, stay);
}

/** Who signs in there, and what each is. */
const PEOPLE = {
  paula: 'approves at Acme',
  otto: 'oversees: sees what agents do, ends it, takes it back',
  ada: 'administers, and confirms what takes two',
};

interface Place {
  readonly port: number;
  readonly publicUrl: string;
  readonly issuer: string;
}

async function startBroker(sandbox: string, { port, publicUrl, issuer }: Place, log: string[]): Promise<Serving> {
  const config = readConfig({
    BREVET_DATA_DIR: join(sandbox, 'broker'),
    BREVET_LISTEN: `127.0.0.1:${port}`,
    BREVET_PUBLIC_URL: publicUrl,
    BREVET_ALLOW_PRIVATE_HOSTS: '127.0.0.1',
    BREVET_OPERATOR_ISSUER: issuer,
    BREVET_OPERATOR_CLIENT_ID: CLIENT_ID,
    BREVET_POLICY_DIR: fileURLToPath(new URL('../../policy', import.meta.url)),
  });
  if (!config.ok) throw new DemoFailed(config.error.map(({ name, what }) => `${name} ${what}`).join('; '));
  return serve(config.value, { log: lineLog((line) => void log.push(line)) });
}

interface Staying {
  readonly sandbox: string;
  readonly publicUrl: string;
  readonly database: ClientsDatabase;
  readonly key: unknown;
}

async function keepServing(
  { sandbox, publicUrl, database: { host, port }, key }: Staying,
  terminal: Terminal,
  stay: Promise<void>,
): Promise<void> {
  const keyFile = join(sandbox, 'report-bot.jwk');
  await writeFile(keyFile, JSON.stringify(key), { mode: 0o600 });
  const asked = join(sandbox, 'firewall.json');
  await writeFile(asked, JSON.stringify(FIREWALL_CHANGE));
  terminal.out(
    [
      `\nStill serving (Ctrl-C ends it). The client's database is at ${host}:${port}. Try:`,
      `  export BREVET_URL=${publicUrl} BREVET_TENANT=acme BREVET_AGENT=report-bot BREVET_AGENT_KEY_FILE=${keyFile}`,
      `  export BREVET_DATA_DIR=${join(sandbox, 'broker')} BREVET_PUBLIC_URL=${publicUrl}`,
      '  npx brevet exec --tenant acme --task report.query --resource shop-db --same-user -- psql -c "TABLE sales"',
      '  npx brevet lease list --as otto',
      '',
      `Decide yourself: people sign in at an identity provider of the sandbox's own, which believes anyone.`,
      `  1. ${publicUrl}/account/passkeys/new  as paula, who approves: enrol a passkey`,
      `  2. ${publicUrl}/changes  as ada, in another browser or a private window: confirm it, since a passkey takes two`,
      `  3. npx brevet exec ${ASKING.join(' ')} --file ${asked} --wait 900 --same-user -- echo closed`,
      `  4. ${publicUrl}/approvals  as paula: say yes, and the command goes on`,
      `  5. ${publicUrl}/leases?state=all  as otto, who oversees: the whole story`,
    ].join('\n'),
  );
  await stay;
}

const ASKING = [
  '--task firewall.change --resource edge-firewall',
  '--param rule=telnet-from-outside --param action=close --param port:=23',
];
/** What else it says. */
const FIREWALL_CHANGE = { change: 'CHG-1042', rollback: 'Open the rule again', confidence: 0.93 };

export const commands: readonly Command[] = [demo];
