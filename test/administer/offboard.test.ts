import { setTimeout as pause } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { watch } from '../../src/broker.ts';
import { ProviderUnavailable } from '../../src/core/provider.ts';
import type { Provider } from '../../src/core/provider.ts';
import { agentBody, must, PERMITTED, REPORT, testApp } from '../support/app.ts';
import type { Answer, TestApp } from '../support/app.ts';
import { clientDatabase } from '../support/target.ts';

let isSilent = false;
const around = (provider: Provider): Provider =>
  provider.where === 'local'
    ? provider
    : {
        ...provider,
        revoke: (subject, target) =>
          isSilent ? Promise.reject(new ProviderUnavailable('it does not answer')) : provider.revoke(subject, target),
      };

interface Proof {
  readonly id: string;
  readonly agent: string;
  readonly tenant: string;
  readonly provider: string;
  readonly state: string;
  readonly death: { readonly how: string; readonly evidence: object } | null;
  readonly exposure_ms: number | null;
}

interface Gone {
  readonly answer: Answer;
  readonly proofs: readonly Proof[];
}

async function proofsOf(app: TestApp, query: Readonly<Record<string, string>>): Promise<Proof[]> {
  const proofs: Proof[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const page = new URLSearchParams({ ...query, limit: '20', ...(cursor === '' ? {} : { cursor }) });
    const { body } = must(await app.operator('ada', 'GET', `/api/offboard?${page.toString()}`));
    proofs.push(...(body['items'] as Proof[]));
    cursor = body['cursor'] as string | null;
  }
  return proofs;
}

/** Without it the sweeper would keep its processor from what it waits for. */
const BETWEEN_PASSES_MS = 20;

/** Offboards, with a sweeper at work beside it as on a node. */
async function offboard(app: TestApp, kind: string, name: string, wait = 30): Promise<Gone> {
  const waiting = new AbortController();
  const sweeping = (async () => {
    while (!waiting.signal.aborted) {
      await watch(app.deps);
      await pause(BETWEEN_PASSES_MS);
    }
  })();
  const answer = await app.operator('ada', 'POST', `/api/offboard?wait=${wait}`, { kind, name, reason: 'It is over' });
  waiting.abort();
  await sweeping;
  must(answer);
  return { answer, proofs: await proofsOf(app, { kind, name, since: String(answer.body['since']) }) };
}

const ask = async (app: TestApp, session: string, body: object): Promise<Answer> =>
  app.call('POST', '/t/acme/requests', { token: session, body });

/** A few at a time: a mint that waits for a crowd misses its deadline on a busy machine. */
async function hold(app: TestApp, agent: string, body: object, times: number): Promise<string[]> {
  const session = await app.session(agent);
  const held: string[] = [];
  while (held.length < times) {
    const some = Array.from({ length: Math.min(5, times - held.length) }, () => ask(app, session, body));
    for (const answer of await Promise.all(some)) held.push((must(answer).body['lease'] as { id: string }).id);
  }
  return held;
}

const rows = async (app: TestApp, statement: string): Promise<object[]> => [...(await app.sql(statement))];
const sorted = (names: readonly string[]): string[] => names.toSorted();

const offboarding = suite('offboarding');

offboarding('a person ends all that their two agents hold, at both providers, with a proof for each', async () => {
  const client = await clientDatabase({ max_connections: '300' });
  const app = await testApp({ database: client, around });
  const sessions = [await app.session('triage-bot'), await app.session('report-bot')] as const;
  must(await app.operator('ada', 'PUT', '/api/operators/olga', { person: 'olga' }));
  const role = { holder: { person: 'olga' }, role: 'overseer' };
  must(await app.operator('ada', 'POST', '/api/assignments', { tenant: 'birch', ...role }));
  const held = [...(await hold(app, 'triage-bot', PERMITTED, 25)), ...(await hold(app, 'report-bot', REPORT, 25))];
  const before = await app.deps.store.deploymentEpoch();
  const { answer, proofs } = await offboard(app, 'person', 'olga');
  assert.is(answer.body['alive'], 0);
  assert.is(await app.deps.store.deploymentEpoch(), before + 1, 'one commit');
  assert.equal(sorted(proofs.map(({ id }) => id)), sorted(held));
  assert.equal(sorted([...new Set(proofs.map(({ provider }) => provider))]), ['jwt', 'postgres']);
  for (const { id, state, death, exposure_ms } of proofs) {
    assert.equal([state, death?.how], ['revoked', 'verified'], id);
    assert.ok(Object.keys(death?.evidence ?? {}).length > 0, id);
    assert.ok(exposure_ms !== null && exposure_ms >= 0, id);
  }
  const written = await app.sql<{ lease: string }>(`select lease from entries where kind = 'lease.revoked'`);
  assert.equal(sorted(written.map(({ lease }) => lease)), sorted(held));
  const [entry] = await app.sql<{ text: string }>(`select text from entries where kind = 'register.offboarded'`);
  assert.equal((JSON.parse(entry?.text ?? '{}') as { facts: object }).facts, {
    change: 'person.offboard',
    offboarded: 'person',
    person: 'olga',
    agents: ['birch-bot', 'report-bot', 'triage-bot'],
  });
  assert.not.ok(entry?.text.includes('It is over'), 'the reason stands beside the leaf');
  for (const session of sessions) assert.is((await ask(app, session, PERMITTED)).body['code'], 'owner_gone');
  assert.equal(await rows(app, `select * from assignments where holder = 'olga'`), []);
  assert.equal(await rows(app, `select active from operators where name = 'olga'`), [{ active: false }]);
  await app.close();
  await client.remove();
});

offboarding('a person ends what their agent was given under another, and has the proof of it', async () => {
  const app = await testApp();
  const held = await hold(app, 'triage-bot', PERMITTED, 2);
  must(await app.operator('ada', 'PUT', '/api/agents/triage-bot', agentBody({ owner: 'dana', deputy: null })));
  const { body } = await app.operator('ada', 'POST', '/api/offboard', { kind: 'person', name: 'dana', reason: 'x' });
  assert.is(body['alive'], 2, 'nothing has swept');
  const { answer, proofs } = await offboard(app, 'person', 'dana');
  assert.is(answer.body['alive'], 0);
  const since = String(body['since']);
  const all = await proofsOf(app, { kind: 'person', name: 'dana', since });
  assert.equal(sorted(all.map(({ id }) => id)), sorted(held));
  assert.equal(proofs, all);
  await app.close();
});

offboarding('says what is not dead yet when the time is over', async () => {
  const client = await clientDatabase();
  const app = await testApp({ database: client, around });
  const [login] = await hold(app, 'report-bot', REPORT, 1);
  const [token] = await hold(app, 'triage-bot', PERMITTED, 1);
  isSilent = true;
  const { answer, proofs } = await offboard(app, 'tenant', 'acme', 1);
  isSilent = false;
  assert.is(answer.body['alive'], 1);
  const states = Object.fromEntries(proofs.map(({ id, state, death }) => [id, [state, death?.how ?? null]]));
  assert.equal(states, { [String(login)]: ['revoking', null], [String(token)]: ['revoked', 'verified'] });
  assert.is((await app.operator('ada', 'GET', '/api/tenants/acme')).status, 404);
  await app.close();
  await client.remove();
});

offboarding('a vendor takes its record along, whether it has agents or not', async () => {
  const app = await testApp();
  const record = { trains_on_client_data: false, retention_days: 0 };
  must(await app.operator('ada', 'PUT', '/api/vendors/modelco', record));
  assert.equal((await offboard(app, 'vendor', 'modelco')).proofs, []);
  assert.is((await app.operator('ada', 'GET', '/api/vendors/modelco')).status, 404);
  assert.is((await app.operator('ada', 'PUT', '/api/vendors/modelco', record)).body['code'], 'name_retired');
  const [held] = await hold(app, 'triage-bot', PERMITTED, 1);
  const { proofs } = await offboard(app, 'vendor', 'in-house');
  assert.equal(
    proofs.map(({ id, state }) => [id, state]),
    [[held, 'revoked']],
  );
  assert.equal(await rows(app, `select name from vendors where not retired`), []);
  await app.close();
});

offboarding('an agent, or every agent of a vendor, disables them and leaves the others', async () => {
  const app = await testApp();
  must(await app.operator('ada', 'PUT', '/api/agents/report-bot', agentBody({ vendor: 'Acme AI, Inc.' })));
  must(await app.operator('ada', 'PUT', '/api/agents/birch-bot', agentBody({ vendor: 'Acme AI, Inc.' })));
  const session = await app.session('triage-bot');
  const [held] = await hold(app, 'triage-bot', PERMITTED, 1);
  const vendor = await offboard(app, 'vendor', 'Acme AI, Inc.');
  assert.equal(vendor.proofs, []);
  const active = `select name from agents where active order by name`;
  assert.equal(await rows(app, active), [{ name: 'triage-bot' }]);
  assert.equal(await rows(app, `select holder from assignments where holder in ('report-bot', 'birch-bot')`), []);
  const agent = await offboard(app, 'agent', 'triage-bot');
  assert.equal(
    agent.proofs.map(({ id }) => id),
    [held],
  );
  assert.equal(await rows(app, active), []);
  assert.is((await ask(app, session, PERMITTED)).status, 401);
  await app.close();
});

const REFUSED: readonly (readonly [what: string, by: string, body: object, code: string])[] = [
  ['of nobody', 'ada', { kind: 'person', name: 'nobody', reason: 'x' }, 'not_found'],
  ['of a vendor without agents', 'ada', { kind: 'vendor', name: 'none', reason: 'x' }, 'not_found'],
  ['of an unknown agent', 'ada', { kind: 'agent', name: 'none', reason: 'x' }, 'not_found'],
  ['of an unknown tenant', 'ada', { kind: 'tenant', name: 'none', reason: 'x' }, 'not_found'],
  ['without a reason', 'ada', { kind: 'agent', name: 'triage-bot' }, 'invalid_field'],
  ['of a thing that cannot go', 'ada', { kind: 'role', name: 'triage', reason: 'x' }, 'invalid_field'],
  ['by oversight', 'otto', { kind: 'agent', name: 'triage-bot', reason: 'x' }, 'function_needed'],
  ['of the last administrator', 'ada', { kind: 'person', name: 'ada', reason: 'x' }, 'still_in_use'],
];

offboarding('is refused where it may not be', async () => {
  const app = await testApp();
  const entries = `select id from entries where kind = 'register.offboarded'`;
  for (const [what, by, body, code] of REFUSED) {
    assert.is((await app.operator(by, 'POST', '/api/offboard', body)).body['code'], code, what);
  }
  assert.equal(await rows(app, entries), []);
  const seen = await app.operator('otto', 'GET', '/api/offboard?kind=agent&name=triage-bot&since=2026-01-01T00:00:00Z');
  assert.is(seen.body['code'], 'function_needed');
  await app.close();
});

offboarding.run();
