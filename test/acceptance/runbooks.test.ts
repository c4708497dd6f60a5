/**
 * `docs/runbooks/`, walked as they stand by the one who oversees Acme: commands typed, a client's real Postgres stopped
 * and started, and every output held against what is shown. With `BREVET_WRITE=1` the pages are written anew.
 */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { JWK } from 'jose';
import { promisify } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createBrevet } from '../../src/client/brevet.ts';
import type { Ask } from '../../src/client/brevet.ts';
import { DATABASE } from '../../src/embedded/provision.ts';
import { embeddedAt } from '../../src/embedded/server.ts';
import { cleanEnvironment } from '../cli/cli.ts';
import { temporaryFolder } from '../support/leftovers.ts';
import { startOidc } from '../support/oidc.ts';
import type { OidcIssuer } from '../support/oidc.ts';
import { essenceOf, typeIn, walkPage } from '../support/page.ts';
import type { Block, Walker } from '../support/page.ts';
import { withAdmin } from '../support/postgres.ts';
import { ADMIN, clientDatabase } from '../support/target.ts';
import type { ClientDatabase } from '../support/target.ts';
import { administrator, must, newKey, newPlace, populate, ROOT, startBroker, stopBroker } from './broker.ts';
import type { Place, Process } from './broker.ts';

const CLIENT = 'brevet';

let place: Place;
let oidc: OidcIssuer;
let broker: Process;
let client: ClientDatabase;
/** Of Brevet's own login there. */
let secret: string;
let folder: string;
let keys: Readonly<Record<string, JWK>>;
/** Of the reader's shell; what a command printed is added to it. */
let shell: Record<string, string> = {};

const walk = suite('runbooks');

walk.before(async () => {
  folder = await temporaryFolder('runbooks');
  const people = { ada: { claims: { sub: 'ada-at-idp' } }, otto: { claims: { sub: 'otto-at-idp' } } };
  const [made, issuer, database] = await Promise.all([newPlace(), startOidc(people), clientDatabase()]);
  oidc = issuer;
  client = database;
  const operators = {
    BREVET_OPERATOR_ISSUER: oidc.url,
    BREVET_OPERATOR_CLIENT_ID: CLIENT,
    BREVET_ALLOW_PRIVATE_HOSTS: '127.0.0.1',
  };
  place = { ...made, env: { ...made.env, ...operators } };
  broker = await startBroker(place);
  const by = await administrator(place);
  keys = await populate(by, { 'triage-bot': ['triage'], 'report-bot': ['reporting'] });
  for (const name of Object.keys(people)) {
    await by.put(`/api/operators/${name}`, { person: name, issuer: oidc.url, subject: `${name}-at-idp` });
    writeFileSync(join(folder, `${name}.token`), await oidc.token(name, CLIENT), { mode: 0o600 });
  }
  secret = client.secret.reveal();
  await by.put('/api/tenants/acme/targets/tickets', await ticketsTarget());
  await by.put('/api/tenants/acme/targets/shop-db', { ...shopTarget(), secret });
  const program = join(folder, 'brevet');
  writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${join(ROOT, 'src/cli/brevet.js')}' "$@"\n`);
  chmodSync(program, 0o755);
});

const ticketsTarget = async () => ({
  provider: 'jwt',
  config: { audience: 'https://tickets.acme.example', checks: 'introspection' },
  environment: 'production',
  jwk: (await newKey()).publicJwk,
});
const shopTarget = () => ({ provider: 'postgres', config: client.config, environment: 'production' });

walk.after(async () => {
  await stopBroker(broker);
  await oidc.stop();
  await client.remove();
});

const ROUTE: Ask = {
  task: 'ticket.route',
  resource: 'tickets',
  parameters: { ticket: 'ACME-1', queue: 'network' },
  reason: 'A ticket came in',
};
const REPORT: Ask = {
  task: 'report.query',
  resource: 'shop-db',
  parameters: { report: 'daily-sales' },
  reason: 'The daily report',
};

/** What each agent holds when the page begins. */
async function hold(agent: string, ask: Ask): Promise<void> {
  await createBrevet({ url: place.url, tenant: 'acme', agent, key: keys[agent] ?? {} }).ask(ask);
}

async function type(command: string): Promise<string> {
  const env = {
    ...cleanEnvironment(),
    ...shell,
    PATH: [folder, process.env['PATH'] ?? ''].join(delimiter),
    BREVET_URL: place.url,
    ...(command.startsWith('brevet exec ')
      ? agentOf('report-bot')
      : { ...place.env, BREVET_OPERATOR_TOKEN: shell['TOKEN'] ?? '' }),
  };
  const shown = await typeIn({ cwd: folder, env }, command);
  remember(shown);
  return shown;
}

const agentOf = (agent: string) => ({ BREVET_AGENT: agent, BREVET_AGENT_KEY_FILE: join(folder, `${agent}.jwk`) });

/** What a later command of the page names, and the output that it is found in. */
const NAMED: readonly (readonly [name: string, shown: RegExp])[] = [
  ['BLOCK', /^block (blk_\w+) stands/m],
  ['LEASE', /^(lse_\w+) /m],
  ['INCIDENT', /^incident (sit_\w+) is set/m],
];

function remember(shown: string): void {
  for (const [name, pattern] of NAMED) {
    const [, found] = pattern.exec(shown) ?? [];
    if (found !== undefined) shell[name] = found;
  }
}

/** Progress is told each second that something changed: how often depends on the machine. */
const lastOfProgress = (shown: string): string => {
  const lines = shown.split('\n');
  return lines.filter((line, at) => !(PROGRESS.test(line) && PROGRESS.test(lines[at + 1] ?? ''))).join('\n');
};
const PROGRESS = /^\d+ ended: /;

const essence = (shown: string): string =>
  essenceOf(lastOfProgress(shown))
    .replace(/\b(brevet)_[0-7][0-9a-hjkmnp-tv-z]{25}\b/g, '$1_…')
    .replace(/\b\d+ ms\b|(?<=_ms )\d+|(?<= T |alive - )\d+\b/g, 'N')
    .replace(/\bsystem_identifier \d+/g, 'system_identifier …')
    .replace(/\b127\.0\.0\.1:\d+/g, 'HOST')
    .replace(/\b[0-9a-f]{16}\b/g, '…');

/** Run where its first line says, or in the client's database; what it answers last stands below it, a line for each row. */
async function inDatabase(text: string): Promise<string> {
  const [first = '', ...others] = text.replace(/(?:^-- .*\n)+$(?![^])/m, '').split(/^/m);
  const where = first.startsWith('-- in ') ? first : '';
  const statement = `${where === '' ? first : ''}${others.join('')}`;
  const to = where === '' ? client.superuser : (await embeddedAt(place.dataDir)).connection(DATABASE);
  const run = (): Promise<readonly unknown[]> => withAdmin(to, (sql) => sql.unsafe(statement).values());
  // Brevet may be ending the same login at that moment: readers are told to run it twice.
  const answers = await run().catch(run);
  // Of several statements each has a list of its own.
  const rows = (/;\n[^]/.test(statement) ? answers.at(-1) : answers) as readonly unknown[][];
  const shown = rows.map((row) => `-- ${row.map(String).join(' | ')}\n`);
  return `${where}${statement}${shown.join('')}-- (${rows.length} rows)\n`;
}

const take = ({ kind, text }: Block): string | Promise<string> => (kind === 'sql' ? inDatabase(text) : text);

async function walked(name: string, happens: Walker['happens'] = {}): Promise<void> {
  shell = { ...shell, TOKEN: await oidc.token('otto', CLIENT) };
  const count = await walkPage(join(ROOT, 'docs', 'runbooks', name), { type, take, happens, essence });
  assert.ok(count >= 5, `${count} commands`);
}

/** What each agent holds as a page begins. */
async function working(): Promise<void> {
  await hold('triage-bot', ROUTE);
  await hold('report-bot', REPORT);
}

walk('an agent is compromised', async () => {
  await hold('report-bot', REPORT);
  writeFileSync(join(folder, 'report-bot.jwk'), JSON.stringify(keys['report-bot']), { mode: 0o600 });
  const { privateJwk } = await newKey();
  writeFileSync(join(folder, 'new.jwk'), JSON.stringify(privateJwk), { mode: 0o600 });
  await walked('agent-compromised.md');
  keys = { ...keys, 'report-bot': privateJwk };
});

walk('a provider is down while we must revoke', async () => {
  await working();
  await walked('provider-down.md', {
    "Acme's database is down": () => client.stop(),
    "Acme's database is back": () => client.start(),
  });
});

/** By its own administrator; Brevet is told by a command of the page. */
const changePassword = {
  "Acme gives Brevet's login another password": async () => {
    secret = randomBytes(24).toString('base64url');
    writeFileSync(join(folder, 'shop-db.password'), secret);
    await withAdmin(client.superuser, (sql) => sql.unsafe(`ALTER ROLE ${ADMIN} LOGIN PASSWORD '${secret}'`));
  },
};

walk('a client is compromised', async () => {
  await working();
  const { jwk, ...tickets } = await ticketsTarget();
  for (const [name, words] of Object.entries({
    'shop-db.yaml': shopTarget(),
    'tickets.yaml': tickets,
    'tickets.jwk': jwk,
  }))
    writeFileSync(join(folder, name), JSON.stringify(words));
  shell = { TOMORROW: new Date(Date.now() + 86_400_000).toISOString() };
  await walked('client-compromised.md', changePassword);
});

walk('the database or the key is suspect', async () => {
  await working();
  shell = { BACKUP: join(folder, 'backup') };
  const start = async () => {
    broker = await startBroker(place);
  };
  await walked('brevet-suspect.md', {
    ...changePassword,
    'the broker is stopped': () => stopBroker(broker),
    'the broker is started': start,
    'the night before, a backup and agents at work': async () => {
      const path = `${place.url}/api/blocks/${shell['BLOCK']}/lift`;
      await must('POST', path, { token: shell['TOKEN'] ?? '', body: { reason: 'Another story' } });
      await stopBroker(broker);
      await promisify(execFile)('cp', ['-a', place.dataDir, shell['BACKUP'] ?? '']);
      await start();
      await working();
    },
  });
});

walk.run();
