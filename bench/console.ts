/** The console: what its pages weigh and take while much waits, and what pages that are open cost. */
import { createHash, randomBytes } from 'node:crypto';
import { Agent, get } from 'node:http';
import type { ClientRequest } from 'node:http';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { launchBrowser } from '../test/support/browser/chromium.ts';
import { alternate, median, ratioOf, rowOf } from './figures.ts';
import type { Contender } from './figures.ts';
import { fillAsks, fillSessions } from './fill.ts';
import type { Generator } from './load.ts';
import { residentMegabytes } from './machine.ts';
import type { Plan } from './plan.ts';
import { startBrevet } from './servers.ts';
import type { BrevetServer } from './servers.ts';
import { brevetAsk } from './tokens.ts';
import type { Outcome } from './tokens.ts';
import { agentSession, newAgentKey, operatorToken, populate, send, TENANT } from './world.ts';
import type { AgentKey } from './world.ts';

const APPROVER = 'paula';
const COOKIE = '__Host-brevet';
const FEW = 100;
const WAITING = 10_000;
const STREAMS = 1_000;
const CONNECTIONS = 64;
/** Times that one page is fetched in a round. */
const FETCHES = 20;
/** Times that it is looked at for each round. */
const PAINTS = 4;
/** All streams are there, and the first look at what they show is over. */
const SETTLE_MS = 3_000;

const FIREWALL = {
  'edge-firewall': {
    provider: 'jwt',
    config: { audience: 'https://firewall.acme.example', checks: 'introspection' },
    environment: 'production',
  },
};

export async function measureConsole(folder: string, plan: Plan, generator: Generator): Promise<Outcome> {
  const key = newAgentKey();
  const broker = await startBrevet({ dataDir: join(folder, 'broker') });
  try {
    await populate(broker, key, FIREWALL, ['firewall.change']);
    await addApprover(broker);
    const asked = await ask(broker, key);
    const cookies = await signIn(broker, STREAMS);
    const pages = await measurePages(broker, plan, { asked, cookie: cookies[0] ?? '' });
    const streams = await measureStreams(broker, plan, { key, cookies, generator });
    return { rows: [...pages.rows, ...streams.rows], ratios: { ...pages.ratios, ...streams.ratios } };
  } finally {
    await broker.stop();
  }
}

async function addApprover(broker: BrevetServer): Promise<void> {
  const token = await operatorToken(broker, 'ada');
  await send(broker, 'PUT', `/api/people/${APPROVER}`, { display_name: APPROVER }, token);
  await send(broker, 'PUT', `/api/operators/${APPROVER}`, { person: APPROVER }, token);
  const holding = { tenant: TENANT, holder: { person: APPROVER }, role: 'approver' };
  await send(broker, 'POST', '/api/assignments', holding, token);
  await send(
    broker,
    'POST',
    '/api/assignments',
    { ...holding, holder: { agent: 'bench-bot' }, role: 'network' },
    token,
  );
}

/** @returns the approval's id. */
async function ask(broker: BrevetServer, key: AgentKey): Promise<string> {
  const request = {
    task: 'firewall.change',
    resource: 'edge-firewall',
    parameters: { rule: 'telnet-from-outside', action: 'close', port: 23 },
    reason: 'A scan found telnet open to the world',
    change: 'CHG-1042',
    rollback: 'Open the rule again',
  };
  const answer = await send(broker, 'POST', `/t/${TENANT}/requests`, request, await agentSession(broker, key));
  return (answer['approval'] as { readonly id: string }).id;
}

async function signIn(broker: BrevetServer, count: number): Promise<readonly string[]> {
  const secrets = Array.from({ length: count }, () => randomBytes(32).toString('hex'));
  await fillSessions(
    broker,
    APPROVER,
    secrets.map((secret) => createHash('sha256').update(secret).digest('hex')),
  );
  return secrets;
}

interface Paging {
  readonly asked: string;
  readonly cookie: string;
}

async function measurePages(broker: BrevetServer, plan: Plan, { asked, cookie }: Paging): Promise<Outcome> {
  const decision = `/approvals/${TENANT}/${asked}`;
  const times = new Map<number, number[]>();
  // Both sides of the ratio in one run: filled anew for each round, since one database cannot hold both.
  for (let round = 0; round < plan.rounds; round++) {
    for (const count of [FEW, plan.leases]) {
      await fillAsks(broker, count);
      plan.told(`${count} that wait`, round);
      times.set(count, [...(times.get(count) ?? []), await fetched(broker, '/approvals', cookie)]);
    }
  }
  await fillAsks(broker, WAITING);
  const looks = { cookie, count: plan.rounds * PAINTS };
  const paints = await firstPaints(broker, decision, looks);
  const least = await firstPaints(broker, '/healthz', looks);
  const [few, most] = [times.get(FEW) ?? [], times.get(plan.leases) ?? []];
  const script = scriptOf(await page(broker, decision, cookie));
  const weights = await Promise.all(
    [decision, '/approvals', script].map(async (path) => kilobytes(await page(broker, path, cookie))),
  );
  return {
    rows: [
      rowOf('list-few', `approvals listed, ${FEW} waiting`, 'ms', few),
      rowOf('list-most', `the same, ${plan.leases} waiting`, 'ms', most),
      rowOf('decision-paint', `decision page to first paint in chromium, ${WAITING} waiting`, 'ms', paints),
      rowOf('least-paint', 'what the same browser takes over a page of a few bytes', 'ms', least),
      rowOf('decision-weight', 'decision page, gzipped', 'KB', [weights[0] ?? Number.NaN]),
      rowOf('list-weight', 'approvals list of 50, gzipped', 'KB', [weights[1] ?? Number.NaN]),
      rowOf('script-weight', 'script, gzipped', 'KB', [weights[2] ?? Number.NaN]),
    ],
    ratios: { console_list_most_over_few: ratioOf(most, few), console_paint_ms: median(paints) },
  };
}

async function page({ url }: BrevetServer, path: string, cookie: string): Promise<string> {
  const answer = await fetch(`${url}${path}`, { headers: { cookie: `${COOKIE}=${cookie}` }, redirect: 'error' });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${(await answer.text()).slice(0, 300)}`);
  return answer.text();
}

/** The median, of one page after another, after a first. */
async function fetched(broker: BrevetServer, path: string, cookie: string): Promise<number> {
  const times: number[] = [];
  for (let n = 0; n <= FETCHES; n++) {
    const began = performance.now();
    await page(broker, path, cookie);
    if (n > 0) times.push(performance.now() - began);
  }
  return median(times);
}

const scriptOf = (html: string): string => /<script src="([^"]+)"/.exec(html)?.[1] ?? '';
const kilobytes = (text: string): number => gzipSync(text).length / 1024;

/** As the browser itself tells it, from the start of the navigation; its style and script are kept from the first. */
async function firstPaints(
  { publicUrl }: BrevetServer,
  path: string,
  { cookie, count }: { readonly cookie: string; readonly count: number },
): Promise<number[]> {
  const browser = await launchBrowser();
  try {
    const context = await browser.newContext({ baseURL: publicUrl });
    // As a page over TLS would be given it; browsers send it to localhost without.
    const url = publicUrl.replace('http:', 'https:');
    await context.addCookies([{ name: COOKIE, value: cookie, url, secure: true, httpOnly: true }]);
    const tab = await context.newPage();
    const paints: number[] = [];
    for (let n = 0; n <= count; n++) {
      await tab.goto(path);
      const paint = await tab.evaluate<number>(FIRST_PAINT);
      if (n > 0) paints.push(paint);
    }
    return paints;
  } finally {
    await browser.close();
  }
}

const FIRST_PAINT = `new Promise((painted) => {
  new PerformanceObserver((list, observer) => {
    observer.disconnect();
    painted(list.getEntries()[0].startTime);
  }).observe({ type: 'paint', buffered: true });
})`;

interface Streaming {
  readonly key: AgentKey;
  readonly cookies: readonly string[];
  readonly generator: Generator;
}

async function measureStreams(
  broker: BrevetServer,
  plan: Plan,
  { key, cookies, generator }: Streaming,
): Promise<Outcome> {
  const issuing = { ...brevetAsk(broker, key), ...plan.window, connections: CONNECTIONS };
  await generator.run({ ...issuing, requests: plan.warmUp });
  const held: number[] = [];
  const contenders: Contender<number>[] = [
    { name: 'no page open', run: async () => (await generator.run(issuing)).perSecond },
    {
      name: `${STREAMS} pages open`,
      run: async () => {
        const before = await residentMegabytes(broker.process.pid);
        const streams = await openAll(broker, cookies);
        await pause(SETTLE_MS);
        held.push((await residentMegabytes(broker.process.pid)) - before);
        const { perSecond } = await generator.run(issuing);
        for (const stream of streams) stream.destroy();
        await pause(SETTLE_MS);
        return perSecond;
      },
    },
  ];
  const results = await alternate(plan.rounds, contenders, plan.told);
  const [alone, beside] = [results.get('no page open') ?? [], results.get(`${STREAMS} pages open`) ?? []];
  return {
    rows: [
      rowOf('streams-none', 'issues with no page open; 64 connections', 'per second', alone),
      rowOf('streams-1000', `the same, with ${STREAMS} pages open`, 'per second', beside),
      rowOf('streams-memory', `more resident memory with ${STREAMS} pages open`, 'MB', held),
    ],
    ratios: { console_issue_with_streams_over_without: ratioOf(beside, alone), console_streams_mb: median(held) },
  };
}

/** Each on a connection of its own, with a session of its own, as so many browsers have. */
async function openAll({ port }: BrevetServer, cookies: readonly string[]): Promise<readonly ClientRequest[]> {
  const agent = new Agent({ maxSockets: Infinity });
  return Promise.all(
    cookies.map(
      (cookie) =>
        new Promise<ClientRequest>((resolve, reject) => {
          const options = { port, host: '127.0.0.1', agent, headers: { cookie: `${COOKIE}=${cookie}` } };
          const request = get({ ...options, path: '/live/approvals' }, (answer) => {
            if (answer.statusCode !== 200) return reject(new Error(`a stream: ${answer.statusCode}`));
            answer.resume();
            answer.on('error', () => undefined);
            resolve(request);
          });
          request.on('error', reject);
        }),
    ),
  );
}
