/**
 * A node is killed with `kill -9` at every step of issue and of revoke, with at least eight leases at that step, and
 * started again on the same database. Its agents try again what was lost. Nothing is left that Brevet does not know,
 * nothing that it acknowledged is lost, and what should be dead is.
 *
 *     npm run test:kill -- --kills 60 --seed 7
 */
import { setTimeout as pause } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import postgres from 'postgres';
import { postgresProvider } from '../../src/providers/postgres/provider.ts';
import { ask, complete, leaseOf, newKey, QUERY, receiptOf, routing } from '../support/kill-agent.ts';
import type { Receipt, Reply, Task } from '../support/kill-agent.ts';
import { audit, cutHolds, hastenCleaning, leaseRows, lostReceipts } from '../support/kill-audit.ts';
import type { Audit } from '../support/kill-audit.ts';
import { chanceOf, killArguments } from '../support/kill-chance.ts';
import { endNodes, startNode } from '../support/kill-node.ts';
import type { NodeProcess } from '../support/kill-node.ts';
import { probedApi } from '../support/kill-probed-api.ts';
import type { ProbedApi } from '../support/kill-probed-api.ts';
import { nameOf, STEPS } from '../support/kill-steps.ts';
import type { Step } from '../support/kill-steps.ts';
import { administer, killWorld, sessionAt } from '../support/kill-world.ts';
import type { AgentOfWorld, KillWorld } from '../support/kill-world.ts';
import { openTargetOf, processClock, random } from '../support/target.ts';

/** Every step once, and now and then a moment that is no step. */
const { kills, seed } = killArguments(STEPS.length + 2);
const chance = chanceOf(seed);

const LEAST_IN_FLIGHT = 8;
/** Longer than a mint's deadline and the backoff of work that found its target busy. */
const STEP_LIMIT_MS = 60_000;
const SETTLED_LIMIT_MS = 120_000;
/** Leases that are left alone from one kill to another, so that what must not die is looked at too. */
const BYSTANDERS = 20;

interface Asked {
  readonly key: string;
  readonly task: Task;
  lease: string | null;
  /** The credential left, with 201. */
  acknowledged: boolean;
  login: Readonly<Record<string, unknown>> | null;
  ending: 'no' | 'sent' | 'acknowledged';
}

const asks: Asked[] = [];
const receipts: Receipt[] = [];
/** Answers that named another lease for the same key. */
const doubled: string[] = [];
const refused: string[] = [];
const counts = { kills: 0, inFlight: 0, fewest: Number.POSITIVE_INFINITY };
let world: KillWorld;
let api: ProbedApi;

const test = suite('a node is killed at every step');

test.before(async () => {
  world = await killWorld();
  api = await probedApi(world);
  const serving = await world.serve();
  await administer(world, serving.url, 'PUT', '/api/tenants/acme/targets/tickets-api', {
    provider: 'jwt',
    config: { audience: 'https://tickets.acme.example', checks: 'introspection', probe_url: api.url },
    environment: 'production',
    data_classes: [],
  });
  await serving.stop();
});

test.after(async () => {
  endNodes();
  await api.close();
  await world.close();
});

type Sessions = Readonly<Record<AgentOfWorld, string>>;

async function sessionsAt(url: string): Promise<Sessions> {
  const [report, triage] = await Promise.all([
    sessionAt(world, url, 'report-bot'),
    sessionAt(world, url, 'triage-bot'),
  ]);
  return { 'report-bot': report, 'triage-bot': triage };
}

interface Round {
  readonly node: NodeProcess;
  readonly sessions: Sessions;
}

const taskOf = ({ provider, verb }: Step): Task =>
  // Where the commit is the death, and where it has to be seen.
  provider === 'postgres' ? QUERY : routing(verb === 'lease.revoke' ? 'edge-firewall' : 'tickets-api');

async function begin({ node, sessions }: Round, task: Task): Promise<Asked> {
  const asked: Asked = { key: newKey(), task, lease: null, acknowledged: false, login: null, ending: 'no' };
  asks.push(asked);
  take(asked, await ask(node.url, sessions[task.agent], task, asked.key));
  return asked;
}

function take(asked: Asked, reply: Reply): void {
  const lease = leaseOf(reply);
  if (reply === null) return;
  if (lease !== null && asked.lease !== null && lease !== asked.lease) doubled.push(`${asked.key}: ${lease}`);
  asked.lease ??= lease;
  keep(reply);
  if (reply.status !== 201) return;
  if (asked.acknowledged) doubled.push(`${asked.key}: twice 201`);
  asked.acknowledged = true;
  asked.login = reply.body['credential'] as Asked['login'];
}

function keep(reply: Reply): void {
  const receipt = receiptOf(reply);
  if (reply !== null && reply.status < 300 && receipt !== null) receipts.push(receipt);
}

async function finish({ node, sessions }: Round, asked: Asked, wait: number | null = null): Promise<void> {
  if (asked.lease === null) return;
  if (asked.ending === 'no') asked.ending = 'sent';
  const reply = await complete(node.url, sessions[asked.task.agent], asked.lease, wait);
  if (reply === null) return;
  keep(reply);
  if (reply.status === 200) asked.ending = 'acknowledged';
  else refused.push(`complete ${asked.lease}: ${reply.status} ${JSON.stringify(reply.body)}`);
}

/** What agents do whose broker went away: the same again, with the same key, until there is an answer. */
async function tryAgain(round: Round): Promise<void> {
  const lost = asks.filter(({ lease, acknowledged }) => lease === null && !acknowledged);
  await Promise.all(
    lost.map(async (asked) => {
      const reply = await ask(round.node.url, round.sessions[asked.task.agent], asked.task, asked.key);
      if (reply === null || reply.status >= 300) refused.push(`again: ${JSON.stringify(reply)}`);
      take(asked, reply);
    }),
  );
  const unfinished = asks.filter(({ ending }) => ending === 'sent');
  // Of those whose credential never came, some are given up by their agent, and some are left to the reconciler.
  const givenUp = asks.filter((asked) => !asked.acknowledged && asked.ending === 'no' && chance.next() < 0.7);
  await Promise.all([...unfinished, ...givenUp].map((asked) => finish(round, asked)));
  const bystanders = asks.filter(({ acknowledged, ending }) => acknowledged && ending === 'no');
  await Promise.all(bystanders.slice(0, -BYSTANDERS).map((asked) => finish(round, asked)));
}

const many = (count: number, work: () => Promise<unknown>): Promise<unknown>[] => Array.from({ length: count }, work);

/** @returns what waits for answers, of which most never come. */
async function bringTo(step: Step, round: Round): Promise<{ inFlight: number; waiting: Promise<unknown>[] }> {
  const task = taskOf(step);
  const fromQueue = step.phase === 'reconcile' || step.phase === 'clean';
  const count = LEAST_IN_FLIGHT + (fromQueue ? 0 : chance.whole(0, 4));
  if (step.phase === 'end') {
    const begun = await Promise.all(Array.from({ length: count }, () => begin(round, task)));
    round.node.arm(step);
    const waiting = begun.map((asked) => finish(round, asked));
    const reached = await round.node.reached(LEAST_IN_FLIGHT, STEP_LIMIT_MS);
    return { inFlight: reached.size, waiting };
  }
  round.node.arm(FIRST[step.phase] ?? step);
  const waiting = many(count, () => begin(round, task));
  await moveOn(step, round, waiting);
  const reached = await round.node.reached(LEAST_IN_FLIGHT, STEP_LIMIT_MS);
  return { inFlight: reached.size, waiting };
}

/** Where leases are held until something else has happened, by which they come to their step. */
const FIRST: Partial<Record<Step['phase'], Step>> = {
  overtake: { provider: 'postgres', phase: 'ask', verb: 'mint', when: 'after' },
  // Nothing comes to this one: their mints are lost, and what is left of them is not due yet.
  clean: { provider: 'postgres', phase: 'reconcile', verb: 'unfence', when: 'before' },
};

async function moveOn(step: Step, { node }: Round, asking: readonly Promise<unknown>[]): Promise<void> {
  switch (step.phase) {
    case 'ask':
    case 'end':
    case 'reconcile':
      return;
    case 'overtake':
      await node.reached(LEAST_IN_FLIGHT, STEP_LIMIT_MS);
      await actOnItsOwn(node.url, 'ask-always');
      return node.arm(step);
    case 'clean':
      await Promise.all(asking);
      await noneOpening();
      await hastenCleaning(world);
      return node.arm(step);
  }
}

/** Whether what agents do at acme is permitted, without ending what they hold. */
const actOnItsOwn = (url: string, autonomy: 'autonomous' | 'ask-always') =>
  administer(world, url, 'PUT', '/api/tenants/acme', { display_name: 'Acme Retail', autonomy });

async function noneOpening(): Promise<void> {
  const until = performance.now() + STEP_LIMIT_MS;
  const opening = async () => (await leaseRows(world)).filter(({ state }) => state === 'opening').length;
  while ((await opening()) > 0) {
    assert.ok(performance.now() < until, 'leases whose mint was lost stay open');
    await pause(500);
  }
}

/** A kill at no step in particular, in the middle of everything. */
async function bringAnywhere(round: Round): Promise<{ inFlight: number; waiting: Promise<unknown>[] }> {
  const stopping = new AbortController();
  let inFlight = 0;
  const waiting = many(LEAST_IN_FLIGHT + 4, async () => {
    while (!stopping.signal.aborted) {
      inFlight++;
      const asked = await begin(round, chance.next() < 0.6 ? QUERY : routing('tickets-api'));
      await finish(round, asked);
      inFlight--;
      if (asked.lease === null) return;
    }
  });
  await pause(chance.whole(200, 1_500));
  stopping.abort();
  return { inFlight, waiting };
}

async function killAt(step: Step | null): Promise<void> {
  const node = await startNode(world, 'armed');
  await actOnItsOwn(node.url, 'autonomous');
  const round = { node, sessions: await sessionsAt(node.url) };
  await tryAgain(round);
  await Promise.all([begin(round, QUERY), begin(round, routing('edge-firewall'))]);
  const { inFlight, waiting } = await (step === null ? bringAnywhere(round) : bringTo(step, round));
  await node.kill();
  await Promise.all(waiting);
  counts.kills++;
  counts.inFlight += inFlight;
  counts.fewest = Math.min(counts.fewest, inFlight);
  const seen = await audit(world);
  const place = step === null ? 'anywhere' : nameOf(step);
  console.log(
    `${counts.kills}. ${place}: ${inFlight} in flight, ${seen.leases.length} leases, ${seen.logins.length} logins`,
  );
  mustHold(seen, place);
  await cutHolds(world);
}

function mustHold({ orphans, undead, untold, doubled: twice }: Audit, place: string): void {
  assert.equal(orphans, [], `${place}: logins that no lease names`);
  assert.equal(undead, [], `${place}: logins that live and are called dead`);
  assert.equal(untold, [], `${place}: changes without their entries`);
  assert.equal(twice, [], `${place}: requests with two leases`);
  assert.equal(doubled, [], `${place}: keys with two leases`);
  assert.equal(refused, [], `${place}: refusals of what must be done`);
}

function planned(): (Step | null)[] {
  const plan: (Step | null)[] = [];
  while (plan.length < kills) plan.push(...chance.shuffled([...STEPS, null, null]));
  return plan.slice(0, kills);
}

test(`${kills} kills, then everything is known, kept and dead`, async () => {
  for (const step of planned()) await killAt(step);
  const node = await startNode(world, 'start');
  await actOnItsOwn(node.url, 'autonomous');
  const round = { node, sessions: await sessionsAt(node.url) };
  await tryAgain(round);
  await bystandersLive();
  await Promise.all(asks.filter(({ ending }) => ending !== 'acknowledged').map((asked) => finish(round, asked)));
  const end = await settled();
  mustHold(end, 'in the end');
  await nothingLost(end);
  await nothingLeft(end);
  await node.kill();
  console.log(
    `${counts.kills} kills, ${counts.inFlight} leases in flight at them (fewest ${counts.fewest}), ${asks.length} asked, ` +
      `${asks.filter(({ acknowledged }) => acknowledged).length} acknowledged, ${end.leases.length} leases, ` +
      `${receipts.length} receipts; orphans 0, lost 0, doubled 0`,
  );
  assert.ok(counts.fewest >= LEAST_IN_FLIGHT, `${counts.fewest} leases in flight`);
});

/** Whatever was acknowledged and not ended is still worth what it was. */
async function bystandersLive(): Promise<void> {
  const { leases } = await audit(world);
  const rows = new Map(leases.map((lease) => [lease.id, lease]));
  const living = asks.filter(({ lease, acknowledged, ending }) => {
    const row = rows.get(lease ?? '');
    return acknowledged && ending === 'no' && row !== undefined && Number(row.expires_at) > Date.now() + 5_000;
  });
  assert.ok(living.length > 0, 'nothing was left alone');
  for (const { lease, login, task } of living) {
    assert.is(rows.get(lease ?? '')?.state, 'active', `${lease} was left alone`);
    if (task === QUERY) assert.is(await rowsSeen(login), 3);
  }
}

async function rowsSeen(login: Asked['login']): Promise<number> {
  const { host, port, database, user, password } = login as Record<string, string>;
  const options = { max: 1, fetch_types: false, onnotice: () => {} };
  const sql = postgres({
    ...options,
    host: host ?? '',
    port: Number(port),
    database: database ?? '',
    user: user ?? '',
    password: password ?? '',
  });
  try {
    return (await sql`select from tickets`).length;
  } finally {
    await sql.end();
  }
}

async function settled(): Promise<Audit> {
  const until = performance.now() + SETTLED_LIMIT_MS;
  for (;;) {
    const seen = await audit(world);
    const open = seen.leases.filter(({ state }) => state !== 'revoked' && state !== 'failed');
    if (open.length === 0) return seen;
    if (performance.now() > until) assert.unreachable(`still open: ${JSON.stringify(open.slice(0, 3))}`);
    await pause(500);
  }
}

async function nothingLost({ leases }: Audit): Promise<void> {
  const rows = new Map(leases.map((lease) => [lease.id, lease]));
  const lost = asks
    .filter(({ acknowledged }) => acknowledged)
    .filter(({ lease }) => {
      const row = rows.get(lease ?? '');
      return row === undefined || row.active_at === null || row.state === 'failed';
    });
  assert.equal(lost, [], 'acknowledged and lost');
  assert.equal(await lostReceipts(world, receipts), [], 'acknowledged entries that are not there');
  const unended = asks.filter(({ lease, ending }) => {
    const row = rows.get(lease ?? '');
    return ending === 'acknowledged' && row?.state !== 'revoked' && row?.state !== 'failed';
  });
  assert.equal(unended, [], 'ends acknowledged and lost');
}

async function nothingLeft({ leases, logins }: Audit): Promise<void> {
  const unseen = leases.filter(
    ({ state, death, exposure }) => state === 'revoked' && (death?.how !== 'verified' || exposure === null),
  );
  assert.equal(unseen, [], 'dead, and nobody has seen it');
  assert.equal(
    logins.filter(({ can_login, sessions }) => can_login || sessions > 0),
    [],
    'logins that are left',
  );
  const provider = postgresProvider({ random, clock: processClock });
  const target = openTargetOf(provider, world.client.config, { secret: world.client.secret });
  assert.equal(await provider.list(target), [], 'what the provider lists');
  await provider.close();
}

test.run();
