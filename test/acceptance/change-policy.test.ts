/**
 * `docs/how-to/change-policy.md`, walked as it stands: its files are written, its commands run, and every output held
 * against what it shows. With `BREVET_WRITE=1` the page is written anew with what was seen.
 */
import { appendFileSync, chmodSync, cpSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connectionUrl } from '../../src/embedded/connection.ts';
import { cleanEnvironment } from '../cli/cli.ts';
import { temporaryFolder } from '../support/leftovers.ts';
import { startOidc } from '../support/oidc.ts';
import type { OidcIssuer } from '../support/oidc.ts';
import { essenceOf, typeIn, walkPage } from '../support/page.ts';
import type { Block } from '../support/page.ts';
import { freePort } from '../support/port.ts';
import { testDatabase } from '../support/postgres.ts';
import type { TestDatabase } from '../support/postgres.ts';
import { administrator, must, newKey, populate, ROOT, startBroker, stopBroker } from './broker.ts';
import type { Place, Process } from './broker.ts';

const PAGE = join(ROOT, 'docs', 'how-to', 'change-policy.md');
const CLIENT = 'brevet';

let database: TestDatabase;
let oidc: OidcIssuer;
let nodes: readonly Process[] = [];
let folder: string;
let balancer: Awaited<ReturnType<typeof startBalancer>>;
/** Of the reader's shell; what a command printed is added to it. */
const shell: Record<string, string> = {};

/** One address for both nodes: each connection goes to the next. */
async function startBalancer(ports: readonly number[]) {
  let turn = 0;
  const sockets = new Set<{ destroy(): void }>();
  const server = createServer((near) => {
    const far = connect(ports[turn++ % ports.length] ?? 0, '127.0.0.1');
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => {
        near.destroy();
        far.destroy();
      });
    }
    near.pipe(far).pipe(near);
  });
  const port = await freePort();
  await new Promise<void>((listening) => server.listen(port, '127.0.0.1', listening));
  const close = () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return { url: `http://localhost:${port}`, close };
}

const walk = suite('how to change the policy');

walk.before(async () => {
  folder = await temporaryFolder('walk');
  const people = Object.fromEntries(['ada', 'alan'].map((name) => [name, { claims: { sub: `${name}-at-idp` } }]));
  const ports = [await freePort(), await freePort()];
  [database, oidc, balancer] = await Promise.all([testDatabase(), startOidc(people), startBalancer(ports)]);
  const places = ports.map((port): Place => placeOf(port));
  const [first] = places;
  if (first === undefined) throw new Error('there is no node');
  // One after the other: the first takes the bundle in, and the other finds it active.
  for (const place of places) nodes = [...nodes, await startBroker(place)];
  const by = await administrator(first);
  await must('PUT', `${first.url}/api/people/alan`, { token: by.token, body: { display_name: 'Alan' } });
  for (const name of ['ada', 'alan']) {
    const body = { person: name, issuer: oidc.url, subject: `${name}-at-idp` };
    await by.put(`/api/operators/${name}`, body);
    writeFileSync(join(folder, `${name}.token`), await oidc.token(name, CLIENT), { mode: 0o600 });
  }
  await by.assign({ tenant: null, holder: { person: 'alan' }, role: 'administrator' });
  const keys = await populate(by, { 'triage-bot': ['triage'] });
  const { publicJwk } = await newKey();
  await by.put('/api/tenants/acme/targets/tickets', {
    provider: 'jwt',
    config: { audience: 'https://tickets.acme.example', checks: 'introspection' },
    environment: 'production',
    jwk: publicJwk,
  });
  for (const name of ['ada', 'alan']) {
    await must('GET', `${first.url}/api/people`, { token: readFileSync(join(folder, `${name}.token`), 'utf8') });
  }
  writeFileSync(join(folder, 'bot.jwk'), JSON.stringify(keys['triage-bot']), { mode: 0o600 });
  cpSync(join(ROOT, 'policy'), join(folder, 'policy'), { recursive: true });
  const program = join(folder, 'brevet');
  writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${join(ROOT, 'src/cli/brevet.js')}' "$@"\n`);
  chmodSync(program, 0o755);
});

walk.after(async () => {
  await Promise.all(nodes.map(stopBroker));
  balancer.close();
  await oidc.stop();
  await database.drop();
});

const deploymentKey = randomBytes(32).toString('base64');

/** A node on the shared database; both are reached by one address. */
function placeOf(port: number): Place {
  const env = {
    DATABASE_URL: connectionUrl(database.serve),
    BREVET_MIGRATE_URL: connectionUrl(database.owner),
    BREVET_DEPLOYMENT_KEY: deploymentKey,
    BREVET_PUBLIC_URL: balancer.url,
    BREVET_LISTEN: `127.0.0.1:${port}`,
    BREVET_POLICY_DIR: join(ROOT, 'policy'),
    BREVET_OPERATOR_ISSUER: oidc.url,
    BREVET_OPERATOR_CLIENT_ID: CLIENT,
    BREVET_ALLOW_PRIVATE_HOSTS: '127.0.0.1',
  };
  return { dataDir: folder, port, url: `http://localhost:${port}`, env };
}

/** As a reader types it. @returns what the terminal shows. */
async function type(command: string): Promise<string> {
  const env = {
    ...cleanEnvironment(),
    ...shell,
    PATH: [folder, process.env['PATH'] ?? ''].join(delimiter),
    BREVET_URL: balancer.url,
    BREVET_AGENT: 'triage-bot',
    BREVET_AGENT_KEY_FILE: join(folder, 'bot.jwk'),
  };
  const shown = await typeIn({ cwd: folder, env }, command);
  remember(shown);
  return shown;
}

/** What a later command of the page names. */
function remember(shown: string): void {
  const proposed = /change confirm (chg_\w+) --hash ([0-9a-f]{64})/.exec(shown);
  if (proposed !== null) Object.assign(shell, { CHANGE: proposed[1], HASH: proposed[2] });
  const before = /^([0-9a-f]{64}) .* false +true$/m.exec(shown);
  if (before !== null) Object.assign(shell, { BEFORE: before[1] });
}

/** A file, which the words before it name last. */
function take({ text, before }: Block): string {
  const [, file = ''] = [...before.matchAll(/`(next\/[\w/.-]+)`/g)].at(-1) ?? [];
  const path = join(folder, file);
  if (file.endsWith('tasks.yaml')) appendFileSync(path, `\n${text}`);
  else writeFileSync(path, text);
  return text;
}

walk('shows what is seen', async () => {
  const count = await walkPage(PAGE, { type, take, essence: essenceOf });
  assert.ok(count > 15, `${count} commands`);
});

walk.run();
