import { exportJWK, generateKeyPair } from 'jose';
import postgres from 'postgres';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { watch } from '../../src/broker.ts';
import { ProviderUnavailable } from '../../src/core/provider.ts';
import type { Provider } from '../../src/core/provider.ts';
import { cascade } from '../../src/revoke/cascade.ts';
import { sweep } from '../../src/revoke/sweep.ts';
import { agentBody, ahead, clientForm, must, PERMITTED, REPORT, testApp } from '../support/app.ts';
import type { Answer, TestNode } from '../support/app.ts';
import { clientDatabase } from '../support/target.ts';

const client = await clientDatabase();
/** Marks at which the provider does not answer. */
const unanswered = new Set<string>();
/** Whether it answers no mint, and nothing after it. */
let silent = false;
/** Marks that cannot be looked at, and whether that is for good. */
const hidden = new Map<string, boolean>();
/** Whether the end of what is issued ends all use of it. */
let endsByItself = false;
const around = (provider: Provider): Provider =>
  provider.where === 'local'
    ? provider
    : {
        ...provider,
        declare: (target, template) => ({
          ...provider.declare(target, template),
          ...(endsByItself && { expiryEndsUse: true }),
        }),
        mint: (order, target) => {
          if (!silent) return provider.mint(order, target);
          unanswered.add(order.mark);
          return Promise.reject(new ProviderUnavailable('it does not answer'));
        },
        fence: (subject, target) =>
          unanswered.has(subject.mark)
            ? Promise.reject(new ProviderUnavailable('it does not answer'))
            : provider.fence(subject, target),
        revoke: (subject, target) =>
          unanswered.has(subject.mark)
            ? Promise.reject(new ProviderUnavailable('it does not answer'))
            : provider.revoke(subject, target),
        look: (subject, target) =>
          hidden.has(subject.mark)
            ? Promise.resolve({ seen: 'unseen', why: 'nobody can look', forGood: hidden.get(subject.mark) ?? true })
            : provider.look(subject, target),
      };
const app = await testApp({ database: client, around });
const other = await app.node();
let shift = 0;
const later = await app.node({ deps: ahead(() => shift), around });

interface Row {
  readonly id: string;
  readonly state: string;
  readonly cause: string | null;
  readonly mark: string;
  readonly death: { readonly how: string; readonly node: string } | null;
  readonly exposure: string | null;
  readonly expires_at: string;
  readonly revoking_at: string | null;
}
const row = async (lease: string): Promise<Row> => {
  const [found] = await app.sql<Row>(`select * from leases where id = '${lease}'`);
  if (found === undefined) throw new Error(`there is no lease ${lease}`);
  return found;
};
const kinds = async (lease: string): Promise<readonly string[]> =>
  (await app.sql<{ kind: string }>(`select kind from entries where lease = '${lease}' order by at, id`)).map(
    ({ kind }) => kind,
  );
const workOff = async (node: TestNode = app): Promise<void> => {
  await app.sql('update work set due = 0, held_until = 0');
  await sweep(node.deps);
};

interface Held {
  readonly lease: string;
  readonly credential: Record<string, string | number>;
}
async function issued(body: object, agent: string): Promise<Held> {
  const answer = must(await app.call('POST', '/t/acme/requests', { token: await app.session(agent), body }));
  const lease = answer.body['lease'] as { id: string };
  return { lease: lease.id, credential: answer.body['credential'] as Held['credential'] };
}
const login = (more: object = {}) => issued({ ...REPORT, ...more }, 'report-bot');
const token = (more: object = {}) => issued({ ...PERMITTED, ...more }, 'triage-bot');
const connect = ({ host, port, database, user, password }: Held['credential']): postgres.Sql =>
  postgres({
    host: String(host),
    port: Number(port),
    database: String(database),
    user: String(user),
    password: String(password),
    max: 1,
    onnotice: () => undefined,
  });
const end = async (lease: string, act: 'complete' | 'revoke', by: string, body: unknown, query = ''): Promise<Answer> =>
  app.call('POST', `/t/acme/leases/${lease}/${act}${query}`, { token: by, body });
const leaseOf = (answer: Answer) => answer.body['lease'] as Record<string, unknown>;
const rejects = async (query: Promise<unknown>): Promise<boolean> =>
  query.then(
    () => false,
    () => true,
  );

const ending = suite('the end of a lease');

ending('by completion is committed, done at the provider, and proven', async () => {
  const { lease, credential } = await login();
  const open = connect(credential);
  await open`select 1`;
  const outcome = { outcome: 'succeeded', summary: 'Done', evidence: [{ reference: 'ACME-1', digest: 'sha256:00' }] };
  const answer = await end(lease, 'complete', await app.session('report-bot'), outcome);
  assert.is(answer.status, 200, answer.text);
  assert.is(leaseOf(answer)['state'], 'revoked');
  assert.is(leaseOf(answer)['outcome'], 'succeeded');
  assert.is((leaseOf(answer)['death'] as { how: string }).how, 'verified');
  assert.ok(Number(leaseOf(answer)['exposure_ms']) >= 0);
  assert.ok(await rejects(open`select 1`), 'the session that was open');
  await open.end({ timeout: 1 });
  const again = connect(credential);
  assert.ok(await rejects(again`select 1`), 'a new session');
  await again.end({ timeout: 1 });
  assert.equal(await kinds(lease), ['lease.opening', 'lease.active', 'lease.revoking', 'lease.revoked']);
});

ending('whose death was seen leaves the queue nothing to do, and nobody waiting', async () => {
  const waits: (AbortSignal | undefined)[] = [];
  const pausing = await app.node({
    deps: (deps) => ({
      ...deps,
      pause: (ms, over) => {
        waits.push(over);
        return deps.pause(ms, over);
      },
    }),
  });
  const { lease } = await login();
  const sent = { token: await app.session('report-bot'), body: { outcome: 'succeeded' } };
  must(await pausing.call('POST', `/t/acme/leases/${lease}/complete?wait=30`, sent));
  assert.is((await app.sql(`select what from work where what ->> 'lease' = '${lease}'`)).length, 0);
  assert.equal(
    waits.map((over) => over?.aborted),
    [true],
  );
});

ending('keeps what the agent said apart from what was seen', async () => {
  const { lease } = await login();
  await end(lease, 'complete', await app.session('report-bot'), { outcome: 'failed', summary: 'Otto was away' });
  const entries = await app.sql<{ kind: string; text: string }>(
    `select kind, text from entries where lease = '${lease}' order by at, id`,
  );
  assert.not.ok(entries.some(({ text }) => text.includes('Otto')));
  const timeline = await app.call('GET', `/t/acme/leases/${lease}/timeline`, {
    token: await app.session('report-bot'),
  });
  const steps = timeline.body['steps'] as { kind: string; said: object; seen: object; actor: { kind: string } }[];
  assert.equal(
    steps.map(({ kind }) => kind),
    ['request.permitted', 'lease.opening', 'lease.active', 'lease.revoking', 'lease.revoked'],
  );
  const revoking = steps.find(({ kind }) => kind === 'lease.revoking');
  assert.equal(revoking?.said, { summary: 'Otto was away' });
  assert.is(revoking?.actor.kind, 'agent');
  const revoked = steps.find(({ kind }) => kind === 'lease.revoked');
  assert.is(revoked?.actor.kind, 'broker');
  assert.ok(Object.keys(revoked?.seen ?? {}).length > 0);
});

ending('comes once, and a second report changes nothing', async () => {
  const { lease } = await token();
  const by = await app.session();
  const first = await end(lease, 'complete', by, { outcome: 'succeeded' });
  assert.ok(first.body['receipt']);
  const second = await end(lease, 'complete', by, { outcome: 'failed' });
  assert.is(second.status, 200);
  assert.is(second.body['receipt'], null);
  assert.is(leaseOf(second)['outcome'], 'succeeded');
});

ending('that came first by another hand still keeps the agent’s report', async () => {
  const { lease } = await token();
  must(await app.operator('otto', 'POST', `/t/acme/leases/${lease}/revoke`, { reason: 'A drill' }));
  const report = await end(lease, 'complete', await app.session(), { outcome: 'abandoned', summary: 'Cut off' });
  assert.ok(report.body['receipt']);
  assert.is(leaseOf(report)['cause'], 'oversight');
  assert.is(leaseOf(report)['outcome'], 'abandoned');
  assert.equal(await kinds(lease), ['lease.active', 'lease.revoked', 'lease.reported']);
});

const WHO: readonly (readonly [who: string, by: () => Promise<string>, status: number])[] = [
  ['its agent', () => app.session(), 200],
  ['another agent', () => app.session('report-bot'), 404],
  ['an agent of another tenant', () => app.session('birch-bot', 'birch'), 401],
  ['oversight', () => app.localToken('otto'), 200],
  ['administration', () => app.localToken('ada'), 403],
  ['nobody', () => Promise.resolve('nobody'), 401],
];
for (const [who, by, status] of WHO) {
  ending(`by the word of ${who} is answered ${status}`, async () => {
    const { lease } = await token();
    const answer = await end(lease, 'revoke', await by(), { reason: 'A drill' });
    assert.is(answer.status, status, answer.text);
    assert.is((await row(lease)).state, status === 200 ? 'revoked' : 'active');
  });
}

const BODIES: readonly (readonly [act: 'complete' | 'revoke', body: unknown, query: string, code: string])[] = [
  ['complete', {}, '', 'invalid_field'],
  ['complete', { outcome: 'won' }, '', 'invalid_field'],
  ['complete', { outcome: 'succeeded', x: 1 }, '', 'unknown_field'],
  ['complete', { outcome: 'succeeded', evidence: [{ reference: 'a', secret: 'b' }] }, '', 'unknown_field'],
  ['complete', { outcome: 'succeeded', summary: 'x'.repeat(4001) }, '', 'invalid_field'],
  ['complete', { outcome: 'succeeded' }, '?wait=31', 'invalid_field'],
  ['complete', { outcome: 'succeeded' }, '?wait=-1', 'invalid_field'],
  ['complete', { outcome: 'succeeded' }, '?wait=soon', 'invalid_field'],
  ['revoke', {}, '', 'invalid_field'],
  ['revoke', { reason: '' }, '', 'invalid_field'],
];
for (const [act, body, query, code] of BODIES) {
  ending(`${act}${query} with ${JSON.stringify(body).slice(0, 60)} is ${code}, and ends nothing`, async () => {
    const { lease } = await token();
    const answer = await end(lease, act, await app.session(), body, query);
    assert.is(answer.status, 400, answer.text);
    assert.is(answer.body['code'], code);
    assert.is((await row(lease)).state, 'active');
  });
}

ending('raced on two nodes is one end', async () => {
  for (const make of [token, login]) {
    const { lease } = await make();
    const by = await app.localToken('otto');
    const answers = await Promise.all(
      [app, other, app, other].map((node) =>
        node.call('POST', `/t/acme/leases/${lease}/revoke`, { token: by, body: { reason: 'At once' } }),
      ),
    );
    for (const answer of answers) assert.is(leaseOf(answer)['state'], 'revoked', answer.text);
    assert.is(answers.filter(({ body }) => body['receipt'] !== null).length, 1);
    const ends = (await kinds(lease)).filter((kind) => kind.startsWith('lease.revok'));
    assert.equal(ends, make === token ? ['lease.revoked'] : ['lease.revoking', 'lease.revoked']);
    await workOff();
    assert.equal((await kinds(lease)).filter((kind) => kind === 'lease.revoked').length, 1);
  }
});

ending('is for a lease’s agent alone when it completes', async () => {
  const { lease } = await token();
  const answer = await end(lease, 'complete', await app.localToken('otto'), { outcome: 'succeeded' });
  assert.is(answer.status, 401);
});

ending.run();

const patience = suite('a provider that does not answer');

patience('keeps its lease revoking until it does, and the exposure is the truth', async () => {
  const { lease } = await login();
  await client.stop();
  const answer = await end(lease, 'revoke', await app.session('report-bot'), { reason: 'Done' }, '?wait=0');
  assert.is(answer.status, 200, answer.text);
  assert.is(leaseOf(answer)['state'], 'revoking');
  assert.ok(answer.body['receipt']);
  for (let pass = 0; pass < 8; pass++) await workOff();
  assert.is((await row(lease)).state, 'revoking');
  await client.start();
  const before = Date.now();
  await workOff();
  const { state, exposure, death, revoking_at } = await row(lease);
  assert.is(state, 'revoked');
  assert.is(death?.how, 'verified');
  assert.ok(Number(exposure) >= before - Number(revoking_at) - 1000);
});

patience('harms no other lease of the same pass, nor the pass', async () => {
  const [stuck, fine] = [await login(), await login()];
  unanswered.add((await row(stuck.lease)).mark);
  for (const { lease } of [stuck, fine]) {
    await app.call('POST', `/t/acme/leases/${lease}/revoke?wait=0`, {
      token: await app.session('report-bot'),
      body: { reason: 'Done' },
    });
  }
  await workOff();
  assert.is((await row(fine.lease)).state, 'revoked');
  assert.is((await row(stuck.lease)).state, 'revoking');
  unanswered.clear();
  await workOff();
  assert.is((await row(stuck.lease)).state, 'revoked');
});

patience('is asked again without a limit, ever more seldom, and people are told', async () => {
  const { lease } = await login();
  unanswered.add((await row(lease)).mark);
  await end(lease, 'revoke', await app.session('report-bot'), { reason: 'Done' }, '?wait=0');
  const pauses: number[] = [];
  for (let pass = 0; pass < 12; pass++) {
    await workOff();
    const [work] = await app.sql<{ pause: string }>(
      `select due - brevet_now() as pause from work where what ->> 'lease' = '${lease}'`,
    );
    pauses.push(Number(work?.pause));
  }
  assert.ok(
    pauses.every((pause) => pause <= 90_000),
    String(pauses),
  );
  assert.ok((pauses.at(-1) ?? 0) > (pauses[0] ?? 0));
  assert.ok(app.logged.some((line) => line.includes('"error"') && line.includes('work.deferred')));
  unanswered.clear();
  await workOff();
  assert.is((await row(lease)).state, 'revoked');
});

patience('with what can never be seen dead lasts to its own end, and no longer', async () => {
  const { lease } = await login({ ttl: 20 });
  hidden.set((await row(lease)).mark, true);
  await end(lease, 'revoke', await app.session('report-bot'), { reason: 'Done' }, '?wait=0');
  const dues: number[] = [];
  for (let pass = 0; pass < 10; pass++) {
    await workOff();
    const [work] = await app.sql<{ due: string }>(`select due from work where what ->> 'lease' = '${lease}'`);
    dues.push(Number(work?.due));
  }
  const { expires_at } = await row(lease);
  assert.is(dues.at(-1), Number(expires_at), 'by then its backoff is more than half a minute');
  assert.ok((dues[0] ?? 0) < Number(expires_at), 'and yet it is tried before');
  shift = 30_000;
  await workOff(later);
  shift = 0;
  assert.is((await row(lease)).death?.how, 'unverifiable');
  hidden.clear();
});

for (const [what, byItself, over] of [
  ['with what its own end ends lasts no longer, though its provider has gone for good', true, true],
  ['with what its own end does not end lasts on', false, false],
] as const) {
  patience(what, async () => {
    endsByItself = byItself;
    const { lease } = await login({ ttl: 20 });
    endsByItself = false;
    const { mark } = await row(lease);
    unanswered.add(mark);
    hidden.set(mark, false);
    await end(lease, 'revoke', await app.session('report-bot'), { reason: 'Done' }, '?wait=0');
    shift = 30_000;
    await workOff(later);
    assert.is((await row(lease)).state, 'revoking', 'the clock of its provider may be late');
    shift = 120_000;
    await workOff(later);
    shift = 0;
    assert.is((await row(lease)).death?.how ?? null, over ? 'expired' : null);
    unanswered.clear();
    hidden.clear();
    await workOff();
    assert.is((await row(lease)).state, 'revoked');
  });
}

for (const [what, byItself, how] of [
  ['at a mint is waited for until what may have landed is over by itself', true, 'expired'],
  ['at a mint is waited for as long as it takes, where nothing ends what may have landed', false, null],
] as const) {
  patience(what, async () => {
    endsByItself = byItself;
    silent = true;
    const asked = await app.call('POST', '/t/acme/requests', {
      token: await app.session('report-bot'),
      body: { ...REPORT, ttl: 20 },
    });
    endsByItself = false;
    silent = false;
    assert.is(asked.body['code'], 'provider_unavailable', asked.text);
    const [opening] = await app.sql<Row>(`select * from leases where state = 'opening'`);
    const lease = opening?.id ?? '';
    shift = 30_000;
    await workOff(later);
    assert.is((await row(lease)).state, 'opening');
    shift = 120_000;
    await workOff(later);
    // Not there is no proof, since nothing holds its name.
    assert.is((await row(lease)).death?.how ?? null, how);
    await workOff(later);
    const left = await app.sql(`select what from work where what ->> 'lease' = '${lease}'`);
    assert.is(left.length, byItself ? 0 : 1);
    unanswered.clear();
    await workOff(later);
    shift = 0;
    assert.not.ok(['opening', 'revoking'].includes((await row(lease)).state));
  });
}

patience('is found out about by a look where an end was sent in vain', async () => {
  endsByItself = true;
  const { lease } = await login({ ttl: 20 });
  endsByItself = false;
  const { mark } = await row(lease);
  unanswered.add(mark);
  await end(lease, 'revoke', await app.session('report-bot'), { reason: 'Done' }, '?wait=0');
  shift = 120_000;
  await workOff(later);
  assert.is((await row(lease)).state, 'revoking', 'it is still there, and was seen to be');
  unanswered.clear();
  await workOff(later);
  shift = 0;
  assert.is((await row(lease)).death?.how, 'verified');
});

patience.run();

const expiry = suite('expiry');

expiry('is seen by the sweeper, and ended at the provider', async () => {
  const { lease, credential } = await login();
  const open = connect(credential);
  await open`select 1`;
  shift = 1_000_000;
  await watch(later.deps);
  await workOff(later);
  const { state, cause, death } = await row(lease);
  assert.is(state, 'revoked');
  assert.is(cause, 'expired');
  assert.is(death?.how, 'verified');
  assert.ok(await rejects(open`select 1`));
  await open.end({ timeout: 1 });
});

expiry('found three hours late counts its exposure from its end', async () => {
  for (const make of [login, token]) {
    const { lease } = await make();
    const { expires_at } = await row(lease);
    shift = Number(expires_at) - Date.now() + 3 * 3_600_000;
    await watch(later.deps);
    await workOff(later);
    const { state, exposure } = await row(lease);
    assert.is(state, 'revoked');
    assert.ok(Number(exposure) >= 3 * 3_600_000 - 1000, String(exposure));
  }
});

expiry('ends live use by itself where a token is checked offline', async () => {
  const { lease } = await token({ resource: 'gate' });
  const answer = await end(lease, 'revoke', await app.session(), { reason: 'Done' }, '?wait=0');
  assert.is(leaseOf(answer)['state'], 'revoking');
  shift = 61_000;
  await workOff(later);
  const { state, death, exposure } = await row(lease);
  assert.is(state, 'revoked');
  assert.is(death?.how, 'expired');
  assert.ok(Number(exposure) > 50_000, String(exposure));
});

expiry('leaves what is not over alone', async () => {
  const { lease } = await token();
  shift = 0;
  await watch(later.deps);
  assert.is((await row(lease)).state, 'active');
});

expiry.run();

const cascades = suite('what is taken away');

const person = (active: boolean) => ({ display_name: 'olga', active });
/** Whoever comes back is not the owner by that: the deputy takes over. */
async function accepted(): Promise<void> {
  must(await app.operator('ada', 'PUT', '/api/people/olga', person(true)));
  must(await app.operator('ada', 'PUT', '/api/operators/dana', { person: 'dana' }));
  for (const agent of ['triage-bot', 'report-bot', 'birch-bot']) {
    must(await app.operator('dana', 'POST', `/api/agents/${agent}/accept`, {}));
  }
}
const ASSIGN = { tenant: 'acme', holder: { agent: 'triage-bot' }, role: 'triage' };
const assignment = async (wanted: string): Promise<string> => {
  const { body } = must(await app.operator('ada', 'GET', '/api/assignments?tenant=acme'));
  const items = body['items'] as { id: string; role: string; holder: Record<string, unknown> }[];
  return items.find(({ role }) => role === wanted)?.id ?? '';
};
const contextOf = async (changed: object): Promise<Answer> => {
  const { situations: _, ...context } = must(await app.operator('ada', 'GET', '/api/tenants/acme/context')).body;
  return app.operator('ada', 'PUT', '/api/tenants/acme/context', { ...context, ...changed });
};

const TAKEN: readonly (readonly [what: string, take: () => Promise<Answer>, back: () => Promise<unknown>])[] = [
  [
    'an agent that is disabled',
    () => app.operator('ada', 'PUT', '/api/agents/triage-bot', agentBody({ active: false })),
    () => app.operator('ada', 'PUT', '/api/agents/triage-bot', agentBody()),
  ],
  ['an owner who is gone', () => app.operator('ada', 'PUT', '/api/people/olga', person(false)), accepted],
  [
    'an assignment that ends',
    async () => app.operator('ada', 'DELETE', `/api/assignments/${await assignment('triage')}`),
    () => app.operator('ada', 'POST', '/api/assignments', ASSIGN),
  ],
  [
    'the last oversight that ends',
    async () => app.operator('ada', 'DELETE', `/api/assignments/${await assignment('overseer')}`),
    () =>
      app.operator('ada', 'POST', '/api/assignments', {
        tenant: 'acme',
        holder: { person: 'otto' },
        role: 'overseer',
      }),
  ],
  [
    'a contract that lets AI act no more',
    () => contextOf({ autonomy: 'ask-always' }),
    () => contextOf({ autonomy: 'autonomous' }),
  ],
  [
    'a target that is removed',
    () => app.operator('ada', 'DELETE', '/api/tenants/acme/targets/tickets'),
    () => Promise.resolve(),
  ],
];
for (const [what, take, back] of TAKEN) {
  cascades(`${what} takes with it what rests on it`, async () => {
    const held = await token();
    const birch = await app.call('POST', '/t/birch/requests', {
      token: await app.session('birch-bot', 'birch'),
      body: PERMITTED,
    });
    must(await take());
    await workOff();
    const { state, cause } = await row(held.lease);
    assert.is(state, 'revoked');
    assert.is(cause, 'entitlement_ended');
    if (!what.startsWith('an owner')) assert.is((await row(String(leaseOf(birch)['id']))).state, 'active');
    await back();
  });
}

cascades('an enrolment takes with it what rests on the one before, and a first one nothing', async () => {
  must(await app.operator('ada', 'PUT', '/api/agents/new-bot', agentBody()));
  const endingsAfterEnrolling = async (): Promise<number> => {
    const { publicKey } = await generateKeyPair('ES256');
    const body = { jwk: await exportJWK(publicKey) };
    must(await app.operator('ada', 'PUT', '/api/tenants/acme/enrolments/new-bot', body));
    const due = await app.sql(`select what from work where what -> 'over' ->> 'agent' = 'new-bot'`);
    return due.length;
  };
  assert.is(await endingsAfterEnrolling(), 0, 'what is asked for under it would end with the next pass');
  assert.is(await endingsAfterEnrolling(), 1);
  await workOff();
});

const SINCE: readonly (readonly [what: string, change: () => Promise<unknown>])[] = [
  [
    'the agent was disabled and is back',
    async () => {
      must(await app.operator('ada', 'PUT', '/api/agents/triage-bot', agentBody({ active: false })));
      must(await app.operator('ada', 'PUT', '/api/agents/triage-bot', agentBody()));
    },
  ],
  [
    'its assignment ended and was given anew',
    async () => {
      must(await app.operator('ada', 'DELETE', `/api/assignments/${await assignment('triage')}`));
      must(await app.operator('ada', 'POST', '/api/assignments', ASSIGN));
    },
  ],
];
for (const [what, change] of SINCE) {
  cascades(`leaves alone what was granted since ${what}`, async () => {
    const before = await token({ resource: 'other' });
    await change();
    const since = await token({ resource: 'other' });
    await workOff();
    assert.is((await row(before.lease)).state, 'revoked');
    assert.is((await row(since.lease)).state, 'active');
  });
}

cascades('more than one pass of them, too', async () => {
  must(
    await app.operator('ada', 'PUT', '/api/tenants/acme/targets/many', {
      provider: 'jwt',
      config: { audience: 'https://many.acme.example', checks: 'introspection' },
      environment: 'production',
    }),
  );
  const by = await app.session();
  const body = { ...PERMITTED, resource: 'many' };
  for (const answer of await Promise.all(
    Array.from({ length: 70 }, () => app.call('POST', '/t/acme/requests', { token: by, body })),
  )) {
    must(answer);
  }
  must(await app.operator('ada', 'DELETE', '/api/tenants/acme/enrolments/triage-bot'));
  for (let pass = 0; pass < 3; pass++) {
    await app.sql(`update work set due = 0 where what ->> 'task' = 'cascade'`);
    await sweep(app.deps);
  }
  const live = await app.sql(`select id from leases where agent = 'triage-bot' and state <> 'revoked'`);
  assert.is(live.length, 0, JSON.stringify(live));
  const form = clientForm(await app.assertion('triage-bot'));
  assert.is((await app.call('POST', '/t/acme/token', { form })).status, 401);
});

cascades('those behind more than a page that cannot be ended', async () => {
  const { store } = app.deps;
  const live = Array.from({ length: 70 }, (_, n) => ({ tenant: 'acme', lease: `lse_${String(n).padStart(3, '0')}` }));
  const page: typeof store.live = (_over, _since, limit, after) =>
    Promise.resolve(live.filter(({ lease }) => lease > (after ?? '')).slice(0, limit) as never);
  const asked: string[] = [];
  const lease: typeof store.lease = (_tenant, id) => {
    asked.push(id);
    return Number(id.slice(4)) < 64 ? Promise.reject(new Error('its row cannot be read')) : Promise.resolve(null);
  };
  const over = { tenant: null, agent: null, owner: null, target: null, role: null };
  const result = await cascade(
    { ...app.deps, store: { ...store, live: page, lease } },
    { task: 'cascade', tenant: null, over },
  );
  assert.equal(result, { dead: false, why: 'Error: its row cannot be read' });
  assert.is(asked.length, 70);
});

cascades.after(async () => {
  await app.close();
  await client.remove();
});
cascades.run();
