/**
 * Two nodes on one database: what happens at both at once happens once, and what was taken away through one is gone
 * at the other with the commit.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ASSERTION_TYPE, createProver } from '../../src/client/assertion.ts';
import type { Serving } from '../../src/node/serve.ts';
import { ask, complete, leaseOf, post, QUERY, receiptOf, routing } from '../support/kill-agent.ts';
import type { Task } from '../support/kill-agent.ts';
import { audit } from '../support/kill-audit.ts';
import { administer, call, configOf, killWorld, sessionAt } from '../support/kill-world.ts';
import type { KillWorld } from '../support/kill-world.ts';
import { withAdmin } from '../support/postgres.ts';
import { processClock, random } from '../support/target.ts';
import { readBundle } from '../../src/node/first-bundle.ts';

let world: KillWorld;
let nodes: readonly [Serving, Serving];

const test = suite('two nodes on one database');

test.before(async () => {
  world = await killWorld();
  nodes = [await world.serve(), await world.serve()];
});

test.after(async () => {
  await Promise.all(nodes.map((node) => node.stop()));
  await world.close();
});

const TIMES = 4;

async function tokenWith(assertion: string, url: string): Promise<number> {
  const form = { grant_type: 'client_credentials', client_assertion_type: ASSERTION_TYPE, client_assertion: assertion };
  const answer = await fetch(`${url}/t/acme/token`, { method: 'POST', body: new URLSearchParams(form) });
  await answer.arrayBuffer();
  return answer.status;
}

test('an assertion that comes to both at the same moment is good once', async () => {
  const key = world.keys['report-bot'];
  const prove = createProver('report-bot', `${world.publicUrl}/t/acme`, { key }, { clock: processClock, random });
  for (let time = 0; time < TIMES; time++) {
    const assertion = await prove();
    const statuses = await Promise.all([...nodes, ...nodes].map(({ url }) => tokenWith(assertion, url)));
    assert.equal(statuses.map(String).toSorted(), ['200', '401', '401', '401']);
  }
});

test('one idempotency key at both gives one lease', async () => {
  const token = await sessionAt(world, nodes[0].url, 'triage-bot');
  const task = routing('edge-firewall');
  for (let time = 0; time < TIMES; time++) {
    const replies = await Promise.all([...nodes, ...nodes].map(({ url }) => ask(url, token, task, `same-${time}`)));
    assert.equal(replies.map((reply) => String(reply?.status)).toSorted(), ['200', '200', '200', '201']);
    assert.is(new Set(replies.map(leaseOf)).size, 1);
  }
});

for (const task of [QUERY, routing('edge-firewall')]) {
  test(`racing ends of one lease through both are one death: ${String(task.body['task'])}`, async () => {
    const [one, other] = nodes;
    const token = await sessionAt(world, one.url, task.agent);
    const begun = await Promise.all(Array.from({ length: 8 }, () => ask(one.url, token, task)));
    await Promise.all(
      begun.map(leaseOf).map(async (lease) => {
        assert.ok(lease !== null);
        const revoke = post(`${one.url}/t/acme/leases/${lease}/revoke?wait=10`, world.overseer, { reason: 'A race' });
        const replies = await Promise.all([complete(other.url, token, lease, 10), revoke]);
        for (const reply of replies) assert.is(reply?.status, 200, JSON.stringify(reply?.body));
      }),
    );
    const seen = await audit(world);
    assert.equal(seen.untold, [], 'one entry for each change');
    const states = begun.map(leaseOf).map((lease) => seen.leases.find(({ id }) => id === lease)?.state);
    assert.equal(states, Array<string>(begun.length).fill('revoked'));
  });
}

/** What is taken away and given back, each with the entry that tells it. */
interface Switch {
  off(url: string): Promise<string>;
  on(url: string): Promise<string>;
}

const entryOf = (answer: { readonly body: Readonly<Record<string, unknown>> }): string =>
  receiptOf({ status: 200, retryAfter: null, body: answer.body })?.entry ?? '';

async function agentSwitch(): Promise<Switch> {
  const found = await administer(world, nodes[0].url, 'GET', '/api/agents/triage-bot');
  const { name: _, ...agent } = found.body;
  const put = async (url: string, active: boolean) =>
    entryOf(await administer(world, url, 'PUT', '/api/agents/triage-bot', { ...agent, active }));
  return { off: (url) => put(url, false), on: (url) => put(url, true) };
}

async function assignmentSwitch(): Promise<Switch> {
  return {
    async off(url) {
      const { body } = await administer(world, url, 'GET', '/api/assignments?tenant=acme');
      const items = body['items'] as readonly { id: string; holder: unknown; role: string }[];
      const held = items.find(({ holder, role }) => role === 'triage' && JSON.stringify(holder).includes('triage-bot'));
      return entryOf(await administer(world, url, 'DELETE', `/api/assignments/${held?.id}`));
    },
    async on(url) {
      const assignment = { tenant: 'acme', holder: { agent: 'triage-bot' }, role: 'triage' };
      return entryOf(await administer(world, url, 'POST', '/api/assignments', assignment));
    },
  };
}

async function policySwitch(): Promise<Switch> {
  const files = (await readBundle(configOf(world.env).policyDir)) ?? {};
  const stop =
    '@id("stop-routing")\n@reason("A stop.")\nforbid (principal, action, resource == Task::"ticket.route");\n';
  const activate = async (url: string, bundle: Readonly<Record<string, string>>) =>
    entryOf(await administer(world, url, 'POST', '/api/policy/activate', { files: bundle }));
  return {
    off: (url) => activate(url, { ...files, 'rules/stop.cedar': stop }),
    on: (url) => activate(url, files),
  };
}

/** Asks at both nodes without a pause, until told to stop. */
function fire(token: string, task: Task): () => Promise<{ readonly got: number; readonly refused: number }> {
  const stopping = new AbortController();
  const counts = { got: 0, refused: 0 };
  const shooting = nodes.map(async ({ url }) => {
    while (!stopping.signal.aborted) {
      const reply = await ask(url, token, task);
      if (reply?.status === 201) counts.got++;
      else counts.refused++;
    }
  });
  return async () => {
    stopping.abort();
    await Promise.all(shooting);
    return counts;
  };
}

/**
 * Facts of issuing between the two, in the order of their transactions: a register's holds the lock alone before it
 * takes its number, so a greater number was taken after its commit.
 */
const issuedBetween = (off: string, on: string) =>
  withAdmin(world.database.admin, async (sql) => [
    ...(await sql<{ id: string; kind: string }[]>`
      select e.id, e.kind from entries e, entries off, entries back
      where off.id = ${off} and back.id = ${on} and e.text like '%triage-bot%'
        and e.kind in ('request.permitted', 'lease.opening', 'lease.active')
        and e.xmin::text::bigint between off.xmin::text::bigint and back.xmin::text::bigint`),
  ]);

const CASES: readonly (readonly [string, () => Promise<Switch>])[] = [
  ['an agent is disabled', agentSwitch],
  ['an assignment is ended', assignmentSwitch],
  ['a policy is activated', policySwitch],
];

async function switching({ off, on }: Switch, token: string): Promise<readonly (readonly [string, string])[]> {
  const windows: [string, string][] = [];
  for (let time = 0; time < TIMES; time++) {
    const at = nodes[time % 2] ?? nodes[0];
    await pause(10 + 5 * (time % 5));
    const from = await off(at.url);
    const replies = await Promise.all(nodes.map(({ url }) => ask(url, token, routing('edge-firewall'))));
    for (const reply of replies) assert.ok([401, 403].includes(reply?.status ?? 0), JSON.stringify(reply));
    windows.push([from, await on(at.url)]);
    // However long a busy node takes to go on: the look at what is outside has something to see.
    while ((await ask(at.url, token, routing('edge-firewall')))?.status !== 201) await pause(10);
  }
  return windows;
}

for (const [what, make] of CASES) {
  test(`${what} through the other node: nothing is issued after its commit`, async () => {
    const { off, on } = await make();
    const token = await sessionAt(world, nodes[0].url, 'triage-bot');
    const cease = fire(token, routing('edge-firewall'));
    let windows: Awaited<ReturnType<typeof switching>> = [];
    try {
      windows = await switching({ off, on }, token);
    } finally {
      await cease();
    }
    const { got, refused } = await cease();
    for (const [from, to] of windows) assert.equal(await issuedBetween(from, to), []);
    const gaps = windows.slice(1).map(([from], place) => issuedBetween(windows[place]?.[1] ?? '', from));
    assert.ok((await Promise.all(gaps)).flat().length > 0, 'the same look sees what is issued outside');
    console.log(`${what}: ${TIMES} times under fire, ${got} issued, ${refused} refused, none of them between`);
    assert.ok(got > TIMES && refused > TIMES, 'there was no fire');
    assert.is((await call(nodes[0].url, 'GET', '/readyz')).status, 200);
  });
}

test.run();
