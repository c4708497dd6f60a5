/**
 * A block is raised through one of two nodes while eight agents ask at both, as fast as they can, for what all five
 * providers give, and while mints of theirs are on their way at every server. After its commit nothing is issued, and
 * what was on its way is dead and counted.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { agentSession } from '../../../src/cli/demo/session.ts';
import { PROVIDER_KINDS } from '../../../src/core/registers.ts';
import type { ProviderKind } from '../../../src/core/registers.ts';
import type { Serving } from '../../../src/node/serve.ts';
import { newKey } from '../../acceptance/broker.ts';
import { ask, leaseOf } from '../../support/kill-agent.ts';
import { audit } from '../../support/kill-audit.ts';
import { AT_AWS, THROUGH_VAULT } from '../../support/kill-bundle.ts';
import { killGrounds } from '../../support/kill-grounds.ts';
import type { Grounds } from '../../support/kill-grounds.ts';
import { wrapProvider } from '../../support/kill-wraps.ts';
import type { Place } from '../../support/kill-wraps.ts';
import { administer, must } from '../../support/kill-world.ts';
import { withAdmin } from '../../support/postgres.ts';

const AGENTS = Array.from({ length: 8 }, (_, place) => `fast-bot-${place + 1}`);
const ACCEPTED = ['report.query', 'ticket.route', 'ticket.read', AT_AWS, THROUGH_VAULT];
/** Before the block, and after its answer. */
const FIRE_MS = 1_500;
const OVER_LIMIT_MS = 120_000;

interface Shot {
  readonly provider: ProviderKind;
  readonly sentAt: number;
  readonly answeredAt: number;
  readonly status: number;
  readonly code: unknown;
  readonly lease: string | null;
}

let grounds: Grounds;
let nodes: readonly [Serving, Serving];
let sessions: readonly string[];

/** One mint of each kind of server stays there, once the test wants that, until it lets them go. */
const REMOTE = ['postgres', 'vault', 'aws'] as const;
const onTheirWay = new Map<ProviderKind, string>();
const gate = Promise.withResolvers<void>();
let isHolding = false;

async function hold({ verb, when, provider, of }: Place): Promise<void> {
  if (!isHolding || verb !== 'mint' || when !== 'after' || onTheirWay.has(provider)) return;
  // Any of the others, held in the place of one of these, would leave it out.
  if (!REMOTE.some((kind) => kind === provider)) return;
  onTheirWay.set(provider, of);
  await gate.promise;
}

const test = suite('a block while eight agents ask through two nodes');

test.before(async () => {
  grounds = await killGrounds(1);
  const { world } = grounds;
  const around = (provider: Parameters<typeof wrapProvider>[0]) => wrapProvider(provider, hold);
  nodes = [await world.serve({ around }), await world.serve({ around })];
  const { url } = nodes[0];
  const { name: _, ...like } = (await administer(world, url, 'GET', '/api/agents/report-bot')).body;
  const enrol = async (agent: string): Promise<string> => {
    const { publicJwk, privateJwk } = await newKey();
    await administer(world, url, 'PUT', `/api/agents/${agent}`, like);
    await administer(world, url, 'PUT', `/api/tenants/acme/enrolments/${agent}`, { jwk: publicJwk });
    const accepted = { model_version: '3.1', tasks: ACCEPTED, reason: 'It races' };
    await administer(world, url, 'PUT', `/api/tenants/acme/acceptances/${agent}`, accepted);
    for (const role of ['reporting', 'triage']) {
      await administer(world, url, 'POST', '/api/assignments', { tenant: 'acme', holder: { agent }, role });
    }
    return agentSession(url, world.publicUrl, agent, privateJwk);
  };
  const made: string[] = [];
  for (const agent of AGENTS) made.push(await enrol(agent));
  sessions = made;
});

test.after(async () => {
  gate.resolve();
  await Promise.all(nodes.map((node) => node.stop()));
  await grounds.close();
});

/** Each agent at either node in turn, for one kind after another, until told to stop. */
function fire(): () => Promise<readonly Shot[]> {
  const stopping = new AbortController();
  const shots: Shot[] = [];
  const shooting = sessions.map(async (token, place) => {
    for (let turn = place; !stopping.signal.aborted; turn++) {
      const provider = PROVIDER_KINDS[turn % PROVIDER_KINDS.length] ?? 'jwt';
      const node = nodes[Math.floor(turn / PROVIDER_KINDS.length) % 2 === 0 ? 0 : 1];
      const sentAt = performance.now();
      const reply = await ask(node.url, token, grounds.at[provider].task('bystander'));
      assert.ok(reply !== null, 'no node went away');
      const answeredAt = performance.now();
      const { status, body } = reply;
      shots.push({ provider, sentAt, answeredAt, status, code: body['code'], lease: leaseOf(reply) });
    }
  });
  return async () => {
    stopping.abort();
    await Promise.all(shooting);
    return shots;
  };
}

/** The number of a transaction is taken under the lock that a block holds alone: a greater one was committed after it. */
const issuedAfter = (block: string) =>
  withAdmin(grounds.world.database.admin, async (sql) => [
    ...(await sql<{ id: string; kind: string }[]>`
      select e.id, e.kind from entries e
      where e.kind in ('request.permitted', 'lease.opening', 'lease.active') and e.xmin::text::bigint >= (
        select max(b.xmin::text::bigint) from entries b where b.kind = 'block.raised' and b.text like ${`%${block}%`})`),
  ]);

interface Row {
  readonly id: string;
  readonly provider: ProviderKind;
  readonly state: string;
  readonly cause: string | null;
  readonly block: string | null;
  readonly how: string | null;
  readonly active_at: string | null;
}
const rows = (): Promise<readonly Row[]> =>
  withAdmin(grounds.world.database.admin, async (sql) => [
    ...(await sql<Row[]>`
      select id, provider, state, cause, block, death->>'how' as how, active_at from leases where agent like 'fast-bot-%'`),
  ]);

test('after its commit no credential leaves, and what was on its way is killed and counted', async () => {
  const { world } = grounds;
  const overseer = await world.token(nodes[0].url, 'otto');
  const cease = fire();
  try {
    await pause(FIRE_MS);
    isHolding = true;
    while (onTheirWay.size < REMOTE.length) await pause(10);
    const body = { scope: 'everything', reason: 'INC-11: eight of them at once' };
    const raised = await must(nodes[0].url, 'POST', '/api/blocks', { token: overseer, body });
    const answered = performance.now();
    const block = String(raised.body['id']);
    gate.resolve();
    await pause(FIRE_MS);
    const shots = await cease();
    await seenToHold(block, answered, shots);
  } finally {
    gate.resolve();
    await cease();
  }
});

async function seenToHold(block: string, answered: number, shots: readonly Shot[]): Promise<void> {
  const after = shots.filter(({ sentAt }) => sentAt > answered);
  assert.ok(after.length > AGENTS.length, 'there was no fire after it');
  assert.equal([...new Set(after.map(({ status, code }) => `${status} ${String(code)}`))], ['403 blocked']);
  assert.equal(await issuedAfter(block), []);

  const progress = await whenOver(block);
  const all = await rows();
  const ended = all.filter((lease) => lease.block === block);
  assert.is(progress['ended'], ended.length, 'the report counts what it ended');
  assert.is(progress['alive'], 0);
  for (const lease of all) assert.ok(lease.state === 'revoked' || lease.state === 'failed', JSON.stringify(lease));

  const flying = ended.filter(({ active_at }) => active_at === null);
  for (const provider of REMOTE) {
    const lease = flying.find(({ id }) => id === onTheirWay.get(provider));
    assert.equal([lease?.state, lease?.cause, lease?.how], ['revoked', 'blocked', 'verified'], provider);
    assert.not(
      shots.some(({ status, lease: id }) => status === 201 && id === lease?.id),
      'it was withheld',
    );
  }
  const { orphans, undead, untold } = await audit(grounds.world, grounds.holdings());
  assert.equal({ orphans, undead, untold }, { orphans: [], undead: [], untold: [] });
  for (const provider of PROVIDER_KINDS) {
    assert.ok(
      shots.some((shot) => shot.provider === provider && shot.status === 201),
      `nothing was issued at ${provider}`,
    );
  }
  const got = shots.filter(({ status }) => status === 201).length;
  const worst = String(progress['worst_exposure_ms']);
  console.log(
    `${shots.length} asked, ${got} issued, ${after.length} asked after the block: none of them issued; ` +
      `${ended.length} ended by it, ${flying.length} on their way; worst exposure ${worst} ms`,
  );
}

async function whenOver(block: string): Promise<Readonly<Record<string, unknown>>> {
  for (const began = Date.now(); ;) {
    const token = await grounds.world.token(nodes[1].url, 'otto');
    const { body } = await must(nodes[1].url, 'GET', `/api/blocks/${block}?wait=10`, { token });
    const progress = body['progress'] as Readonly<Record<string, unknown>>;
    if (progress['over'] === true) return progress;
    assert.ok(Date.now() - began < OVER_LIMIT_MS, `it is not over: ${JSON.stringify(progress)}`);
  }
}

test.run();
