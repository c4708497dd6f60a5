import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Committed, LiveBudget, Spread, Unmet, Within } from '../../../src/core/change.ts';
import type { AgentName, LeaseId, TaskName, TenantName } from '../../../src/core/ids.ts';
import type { Result } from '../../../src/core/result.ts';
import type { Epochs } from '../../../src/core/snapshot.ts';
import type { Store } from '../../../src/core/store.ts';
import { instant, seconds } from '../../../src/core/time.ts';
import { approvalOf, entryOf, epochsOf, move, opening, requestAt, send, whenOf } from '../../support/lives.ts';
import type { OpenOptions } from '../../support/lives.ts';
import { withAdmin } from '../../support/postgres.ts';
import { ACME, BIRCH, OWEN, testStore, TRIAGE } from '../../support/store.ts';
import type { TestStore } from '../../support/store.ts';

let test: TestStore;
let nodes: readonly [Store, Store];
let epochs: Readonly<Record<string, Epochs>>;
let names = 0;

const before = async () => {
  test = await testStore();
  nodes = [test.store, await test.open()];
  epochs = { [ACME]: await epochsOf(test.store, ACME), [BIRCH]: await epochsOf(test.store, BIRCH) };
};
const after = () => test.close();

/** No two tests share an agent: what one leaves live is no other's. */
const someAgent = (): AgentName => `agent-${++names}` as AgentName;

const outcomeOf = (result: Result<Committed, Unmet>): string => (result.ok ? 'done' : result.error.unmet);
const count = (outcomes: readonly string[], of: string): number => outcomes.filter((outcome) => outcome === of).length;

const budgets = (limits: Within['budgets']): Within => ({ budgets: limits, spread: null });

const life = (agent: AgentName, within: Within, more: Partial<OpenOptions> = {}) =>
  opening({ epochs: epochs[more.tenant ?? ACME] as Epochs, agent, within, ...more });

const open = (agent: AgentName, within: Within, more: Partial<OpenOptions> = {}, node = nodes[0]) =>
  send(node, life(agent, within, more));

async function ask(agent: AgentName, within: Within, expiresIn = 60_000, node = nodes[0]) {
  const at = instant(Date.now());
  const request = { ...requestAt(at), agent, effect: 'ask' } as const;
  const approval = approvalOf(request, { expiresAt: instant(at + expiresIn) });
  const when = whenOf({ epochs: epochs[ACME] as Epochs, within });
  return node.commit({ kind: 'request.ask', tenant: ACME, when, request, approval, work: [] }, [
    entryOf('request.asked'),
  ]);
}

const live = suite('what an agent holds at once');
live.before(before);
live.after(after);

live('is no more than its budget, and says until when it is full', async () => {
  const agent = someAgent();
  const within = budgets({ live_leases: 2 });
  const first = life(agent, within, { ttl: 90_000 });
  assert.is(outcomeOf(await send(nodes[0], first)), 'done');
  assert.is(outcomeOf(await open(agent, within)), 'done');
  const refused = await open(agent, within);
  const until = first.change.lease.expiresAt;
  assert.equal(refused, { ok: false, error: { unmet: 'budget', budget: 'live_leases', until } });
  assert.is(outcomeOf(await open(agent, within, { tenant: BIRCH })), 'done', 'at another tenant');
  assert.is(outcomeOf(await open(someAgent(), within)), 'done', 'of another agent');
  const leases = await withAdmin(test.database.admin, (sql) => sql`select from leases where agent = ${agent}`);
  assert.is(leases.length, 3, 'nothing of it was written');
});

live('is freed by a death, and not by a revocation alone', async () => {
  const agent = someAgent();
  const within = budgets({ live_leases: 1 });
  const { change, entries } = life(agent, within);
  await send(nodes[0], { change, entries });
  const end = (kind: 'revoke' | 'bury', lease: LeaseId) => send(nodes[0], move(kind, lease, epochs[ACME] as Epochs));
  await end('revoke', change.lease.id);
  assert.is(outcomeOf(await open(agent, within)), 'budget', 'it may still be used');
  await end('bury', change.lease.id);
  assert.is(outcomeOf(await open(agent, within)), 'done');
});

live('counts logins beside leases, and one too many takes no other’s place', async () => {
  const agent = someAgent();
  const within = budgets({ live_leases: 3, live_logins: 1 });
  const login = { provider: 'postgres', state: 'opening' } as const;
  const others = budgets({ live_leases: 3 });
  const outcomes = await Promise.all([
    open(agent, within, login),
    open(agent, within, login),
    open(agent, others),
    open(agent, within, login),
    open(agent, others),
    open(agent, others),
  ]);
  const shown = outcomes.map((one) => (one.ok ? 'done' : one.error.unmet === 'budget' ? one.error.budget : ''));
  assert.equal(shown, ['done', 'live_logins', 'done', 'live_logins', 'done', 'live_leases']);
});

live('counts approvals that are open, and none whose time is over', async () => {
  const agent = someAgent();
  const within = budgets({ open_approvals: 2 });
  assert.is(outcomeOf(await ask(agent, within, -1)), 'done');
  assert.is(outcomeOf(await ask(agent, within)), 'done');
  const last = await Promise.all([ask(agent, within), ask(agent, within, 60_000, nodes[1])]);
  assert.equal(last.map(outcomeOf).toSorted(), ['budget', 'done']);
  const [refused] = last.filter((one) => !one.ok);
  assert.ok(refused?.ok === false && refused.error.unmet === 'budget' && (refused.error.until ?? 0) > Date.now());
});

live('gives members of one batch the places that are left, and no more', async () => {
  const agent = someAgent();
  const within = budgets({ live_leases: 5 });
  await open(agent, within);
  const tried = Array.from({ length: 20 }, () => open(agent, within));
  const outcomes = (await Promise.all(tried)).map(outcomeOf);
  assert.equal(outcomes.slice(0, 4), ['done', 'done', 'done', 'done'], 'the first that came');
  assert.is(count(outcomes, 'budget'), 16);
});

live('gives no place to an assertion that was used, and spends that of whoever gets none', async () => {
  const agent = someAgent();
  const within = budgets({ live_leases: 1 });
  await open(someAgent(), budgets({}), { jti: 'one' });
  const outcomes = await Promise.all([open(agent, within, { jti: 'one' }), open(agent, within, { jti: 'two' })]);
  assert.equal(outcomes.map(outcomeOf), ['replayed', 'done']);
  assert.is(outcomeOf(await open(agent, within, { jti: 'three' })), 'budget');
  assert.is(outcomeOf(await open(agent, within, { jti: 'three' })), 'replayed');
});

live('answers a key that was claimed with what it was claimed for, full or not', async () => {
  const agent = someAgent();
  const within = budgets({ live_leases: 1 });
  const key = (name: string) => ({ principal: agent, route: 'POST requests', key: name, digest: 'd' });
  assert.is(outcomeOf(await open(agent, within, { idempotency: key('k') })), 'done');
  assert.is(outcomeOf(await open(agent, within, { idempotency: key('k') })), 'claimed');
  assert.is(outcomeOf(await open(agent, within, { idempotency: key('l') })), 'budget');
  assert.is(
    outcomeOf(await open(agent, budgets({ live_leases: 2 }), { idempotency: key('l') })),
    'done',
    'not claimed',
  );
});

const ROUNDS = 1_000;

live(`gives the last place to one of two nodes, ${ROUNDS} times`, async () => {
  const within = budgets({ live_leases: 1 });
  const agents = Array.from({ length: ROUNDS }, someAgent);
  for (let from = 0; from < ROUNDS; from += 50) {
    const raced = agents.slice(from, from + 50).map(async (agent) => {
      const outcomes = await Promise.all(nodes.map((node) => open(agent, within, {}, node)));
      assert.equal(outcomes.map(outcomeOf).toSorted(), ['budget', 'done']);
    });
    await Promise.all(raced);
  }
});

live('is exact under a crowd at two nodes that ends what it opens', async () => {
  const agent = someAgent();
  const within = budgets({ live_leases: 3 });
  const held = new Set<string>();
  let most = 0;
  let got = 0;
  const crowd = Array.from({ length: 16 }, async (_, at) => {
    const node = nodes[at % 2] ?? nodes[0];
    for (let time = 0; time < 40; time++) {
      const begun = life(agent, within);
      if (outcomeOf(await send(node, begun)) !== 'done') continue;
      const { id } = begun.change.lease;
      held.add(id);
      got++;
      most = Math.max(most, held.size);
      held.delete(id);
      await send(node, move('die', id, epochs[ACME] as Epochs));
    }
  });
  await Promise.all(crowd);
  assert.ok(most <= 3, `${most} were held at once`);
  assert.ok(got > 40, `only ${got} were given`);
});

const MOST = 5;
let tasks = 0;
const someTask = (): TaskName => `many.task-${++tasks}` as TaskName;

const many = (agent: AgentName, task: TaskName, place: string, more: Partial<Spread> = {}): Within => ({
  budgets: {},
  spread: { owner: OWEN, agent, task, place, most: MOST, lookback: seconds(600), asks: false, ...more },
});

const spreading = suite('the same at many tenants');
spreading.before(before);
spreading.after(after);

const places = (upTo: number): string[] => Array.from({ length: upTo }, (_, at) => `place-${at}`);

spreading('is one act from the sixth on: everywhere, and for as long as it is looked back', async () => {
  const [agent, task] = [someAgent(), someTask()];
  const at = async (place: string, more: Partial<Spread> = {}, node = nodes[0]) =>
    outcomeOf(await open(agent, many(agent, task, place, more), {}, node));
  for (const place of places(MOST)) assert.is(await at(place), 'done');
  assert.is(await at('place-0'), 'done', 'five are five, however often');
  assert.is(await at('one-more'), 'spread');
  assert.is(await at('place-0'), 'done', 'what was not done does not count');
  assert.is(await at('one-more', { asks: true }), 'done');
  for (const node of nodes) assert.is(await at('place-0', {}, node), 'spread');
  assert.is(outcomeOf(await open(agent, many(agent, someTask(), 'one-more'))), 'done', 'another task class');
  const text = await withAdmin(test.database.admin, (sql) => sql`update spread set at = at - 601000 returning task`);
  assert.ok(text.length > 0);
  assert.is(await at('later', {}, nodes[1]), 'done');
});

spreading('counts over the agents of an owner, and over the owners of an agent', async () => {
  const task = someTask();
  for (const place of places(MOST)) {
    const agent = someAgent();
    assert.is(outcomeOf(await open(agent, many(agent, task, place))), 'done');
  }
  const agent = someAgent();
  assert.is(outcomeOf(await open(agent, many(agent, task, 'sixth'))), 'spread');
  const alone = { owner: 'somebody' as typeof OWEN };
  assert.is(outcomeOf(await open(agent, many(agent, task, 'sixth', alone))), 'done');
  for (const place of places(MOST - 1)) await open(agent, many(agent, task, place, alone));
  const moved = { owner: 'somebody-else' as typeof OWEN };
  assert.is(outcomeOf(await open(agent, many(agent, task, 'seventh', moved))), 'spread');
});

spreading('writes a row for each, and none for a stream of the same', async () => {
  const [agent, task] = [someAgent(), someTask()];
  const rows = () =>
    withAdmin(test.database.admin, (sql) => sql`select at, xmin::text from spread where agent = ${agent}`);
  const stream = (node: Store) =>
    Promise.all(Array.from({ length: 30 }, () => open(agent, many(agent, task, 'p'), {}, node)));
  for (const outcome of await stream(nodes[0])) assert.is(outcomeOf(outcome), 'done');
  const before = await rows();
  assert.is(before.length, 1);
  for (const node of nodes) await stream(node);
  assert.equal(await rows(), before);
});

spreading(`lets one of two nodes have the last of ${MOST}, 300 times`, async () => {
  const raced = Array.from({ length: 300 }, async () => {
    const [agent, task] = [someAgent(), someTask()];
    for (const place of places(MOST - 1)) await open(agent, many(agent, task, place, { asks: true }));
    const outcomes = await Promise.all(nodes.map((node, at) => open(agent, many(agent, task, `last-${at}`), {}, node)));
    assert.equal(outcomes.map(outcomeOf).toSorted(), ['done', 'spread']);
  });
  await Promise.all(raced);
});

spreading('counts members of one batch with each other', async () => {
  const [agent, task] = [someAgent(), someTask()];
  const outcomes = await Promise.all(places(8).map((place) => open(agent, many(agent, task, place))));
  assert.is(count(outcomes.map(outcomeOf), 'done'), MOST);
});

spreading('takes no place in a budget by what it refuses', async () => {
  const [agent, task] = [someAgent(), someTask()];
  for (const place of places(MOST)) await open(agent, many(agent, task, place));
  const within = { ...many(agent, task, 'one-more'), budgets: { live_leases: MOST + 1 } };
  const other = { ...many(agent, task, 'place-0'), budgets: { live_leases: MOST + 1 } };
  const outcomes = await Promise.all([open(agent, within), open(agent, other)]);
  assert.equal(outcomes.map(outcomeOf), ['spread', 'done']);
});

spreading('is forgotten when no policy looks back as far', async () => {
  const [agent, task] = [someAgent(), someTask()];
  await open(agent, many(agent, task, 'old'));
  await open(agent, many(agent, task, 'new'));
  await withAdmin(test.database.admin, (sql) => sql`update spread set at = at - 3600001 where place = 'old'`);
  const sweeping = await test.open();
  await sweeping.beat('test');
  const rows = await withAdmin(test.database.admin, (sql) => sql`select place from spread where agent = ${agent}`);
  assert.equal(
    rows.map((row) => row['place'] as string),
    ['new'],
  );
});

const free = suite('an admission without a limit');
free.before(before);
free.after(after);

free('counts nothing and locks nothing, beside one that has some', async () => {
  const agent = someAgent();
  const limited = budgets({ live_leases: 1 } satisfies Partial<Record<LiveBudget, number>>);
  const plain = (tenant: TenantName) =>
    send(nodes[0], opening({ epochs: epochs[tenant] as Epochs, agent: TRIAGE, tenant }));
  const outcomes = await Promise.all([open(agent, limited), plain(ACME), open(agent, limited), plain(BIRCH)]);
  assert.equal(outcomes.map(outcomeOf), ['done', 'done', 'budget', 'done']);
});

live.run();
spreading.run();
free.run();
