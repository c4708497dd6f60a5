import { inspect } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createBrevet } from '../../src/client/brevet.ts';
import type { Ask, Brevet, BrevetOptions } from '../../src/client/brevet.ts';
import { ACCESS_REQUEST_FIELDS } from '../../src/decide/request.ts';
import { BrevetIncomplete, BrevetRefused, BrevetUnavailable, BrevetWaiting } from '../../src/client/error.ts';
import { LeaseOver } from '../../src/client/lease.ts';
import { instant } from '../../src/core/time.ts';
import { AGENT, fakeBroker, LEASE_END, PASSWORD, problem, TENANT } from './fake-broker.ts';
import type { FakeBroker, Fault } from './fake-broker.ts';

const ASK: Ask = { task: 'db.report', resource: 'crm', reason: 'weekly numbers' };
const QUICK = { tries: 3, firstDelay: 1, longestDelay: 2000 };

let broker: FakeBroker;

const open = (options: Partial<BrevetOptions> = {}): Brevet =>
  createBrevet({ url: broker.url, tenant: TENANT, agent: AGENT, key: broker.key, retry: QUICK, ...options });

async function caught(act: () => Promise<unknown>): Promise<unknown> {
  try {
    return `no error but ${inspect(await act())}`;
  } catch (error) {
    return error;
  }
}

function withBroker(made: ReturnType<typeof suite>): void {
  made.before.each(async () => {
    broker = await fakeBroker();
  });
  made.after.each(() => broker.stop());
}

const life = suite('a task');
withBroker(life);

life('is asked for, used and done', async () => {
  const lease = await open().ask(ASK);
  assert.is(await lease.use(({ password }) => password), PASSWORD);
  const ended = await lease.done({ outcome: 'succeeded', summary: 'ok' });
  assert.equal(ended, {
    id: 'lse_1',
    state: 'revoked',
    expiresAt: LEASE_END,
    death: 'verified',
    exposureMs: 12,
    receipt: { entry: 'ent_1', leafHash: 'aa' },
  });
  assert.instance(await caught(() => lease.use(() => 1)), LeaseOver);
});

life('in one call gives back what the work gave', async () => {
  const result = await open().task(ASK, (credential) => `as ${String(credential['user'])}`);
  assert.is(result, 'as brevet_x');
  assert.is(broker.live.size, 0);
  assert.equal(JSON.parse(broker.arrived.at(-1)?.body ?? ''), { outcome: 'succeeded' });
});

life('that waits for people has the broker wait, and asks again while there is time', async () => {
  let now = Date.now();
  const states = ['pending', 'pending', 'approved'];
  broker.answering('/requests/req_1', ({ query }) => {
    now += Number(/^wait=(\d+)$/.exec(query)?.[1]) * 1000;
    return { status: 200, body: { approval: { state: states.shift() } } };
  });
  const brevet = open({ clock: () => instant(now) });
  assert.is((await brevet.answerTo('req_1', { seconds: 50 })).state, 'approved');
  const looks = broker.arrived.filter(({ path }) => path.endsWith('/req_1')).map(({ query }) => query);
  assert.equal(looks, ['wait=20', 'wait=20', 'wait=10']);
  states.push('pending');
  assert.is((await brevet.answerTo('req_1', { seconds: 3 })).state, 'pending');
});

life('that throws is completed as failed, and its own error thrown', async () => {
  const own = new RangeError(`with ${PASSWORD}`);
  const error = await caught(() =>
    open().task(ASK, () => {
      throw own;
    }),
  );
  assert.is(error, own);
  assert.is(broker.live.size, 0);
  assert.equal(JSON.parse(broker.arrived.at(-1)?.body ?? ''), {
    outcome: 'failed',
    summary: 'The task threw RangeError.',
  });
});

life('whose outcome cannot be told is completed all the same', async () => {
  const own = new TypeError('no such outcome');
  const outcome = () => {
    throw own;
  };
  assert.is(await caught(() => open().task(ASK, () => 42, { outcome })), own);
  assert.is(broker.live.size, 0);
});

life('that throws hides nothing when the broker is gone', async () => {
  broker.failing('/complete', 'drop', 'drop', 'drop');
  const own = new Error('mine');
  const incomplete: unknown[] = [];
  const error = await caught(() =>
    open().task(ASK, () => Promise.reject(own), { onIncomplete: (told) => incomplete.push(told) }),
  );
  assert.is(error, own);
  assert.instance(incomplete[0], BrevetIncomplete);
});

life('that cannot be completed says so, with its result', async () => {
  broker.failing('/complete', problem(503, 'database_unavailable'), 'drop', 'drop');
  const error = await caught(() => open().task(ASK, () => 42));
  assert.instance(error, BrevetIncomplete);
  assert.equal([(error as BrevetIncomplete).result, (error as BrevetIncomplete).expiresAt], [42, LEASE_END]);
  assert.instance((error as BrevetIncomplete).cause, BrevetUnavailable);
});

life('shows its credential to nobody', async () => {
  const lease = await open().ask(ASK);
  assert.not.match(inspect(lease, { depth: 9, showHidden: true }) + JSON.stringify(lease), PASSWORD);
});

life.run();

const answers = suite('an answer');
withBroker(answers);

answers('that is no is typed', async () => {
  broker.failing('/requests', problem(403, 'not_permitted', { hint: 'Ask for less.', path: 'task', rule: 'r' }));
  const error = await caught(() => open().ask(ASK));
  assert.instance(error, BrevetRefused);
  const { code, detail, hint, path, status, requestId, members } = error as BrevetRefused;
  assert.equal(
    { code, detail, hint, path, status, requestId, rule: members['rule'] },
    {
      code: 'not_permitted',
      detail: 'because of not_permitted',
      hint: 'Ask for less.',
      path: 'task',
      status: 403,
      requestId: 'r1',
      rule: 'r',
    },
  );
  assert.is(broker.paths().filter((path) => path.endsWith('/requests')).length, 1);
});

answers('that is a fault is no refusal, and says by what to ask about it', async () => {
  broker.failing('/requests', problem(500, 'internal'));
  const error = await caught(() => open().ask(ASK));
  assert.instance(error, BrevetUnavailable);
  const { status, code, requestId } = (error as BrevetUnavailable).problem ?? {};
  assert.equal([status, code, requestId], [500, 'internal', 'r1']);
  assert.is(broker.paths().filter((path) => path.endsWith('/requests')).length, 1, 'who knows what it did');
});

for (const [said, told] of [
  ['7', 7_000],
  ['0', 0],
  [null, null],
] as const) {
  answers(`that comes too often says after how long it may be asked again: ${said ?? 'nothing'}`, async () => {
    const headers = said === null ? {} : { 'retry-after': said };
    broker.failing('/requests', { ...problem(429, 'too_many_requests'), headers });
    const error = await caught(() => open().ask(ASK));
    assert.instance(error, BrevetRefused);
    assert.is((error as BrevetRefused).retryAfterMs, told);
    assert.is(broker.paths().filter((path) => path.endsWith('/requests')).length, 1, 'when is the caller’s to choose');
  });
}

answers('is not awaited to what cannot be said', async () => {
  const parameters: Record<string, unknown> = {};
  parameters['itself'] = parameters;
  const error = await caught(() => open().ask({ ...ASK, parameters: parameters as NonNullable<Ask['parameters']> }));
  assert.instance(error, TypeError);
  assert.match(String(error), 'circular');
});

answers('of the OAuth endpoint is typed by the same code', async () => {
  const error = await caught(() => open({ agent: 'somebody-else' }).ask(ASK));
  assert.is((error as BrevetRefused).code, 'invalid_client');
});

answers('that a person is asked is no refusal', async () => {
  const body = { request: 'req_9', decision: { effect: 'ask' }, approval: { id: 'apr_9', state: 'open' } };
  broker.failing('/requests', { status: 202, body });
  const error = await caught(() => open().ask(ASK));
  assert.instance(error, BrevetWaiting);
  assert.equal([(error as BrevetWaiting).request, (error as BrevetWaiting).approval], ['req_9', 'apr_9']);
});

answers('that is a redirect is never followed', async () => {
  broker.failing('/token', 'redirect', 'redirect', 'redirect');
  assert.instance(await caught(() => open().ask(ASK)), BrevetUnavailable);
  assert.not.ok(broker.paths().includes('/elsewhere'));
});

answers.run();

const retries = suite('faults');
withBroker(retries);

/** Each list of faults at a path, and how often the path was called until the task was done. */
const HEALED: readonly (readonly [path: string, faults: readonly Fault[], calls: number])[] = [
  ['/token', [problem(503, 'database_unavailable', {})], 2],
  ['/token', ['drop', 'drop'], 3],
  ['/requests', [{ ...problem(503, 'contended'), headers: { 'retry-after': '0' } }], 2],
  [
    '/requests',
    [
      { status: 502, body: '<html>bad gateway</html>' },
      { status: 504, body: '' },
    ],
    3,
  ],
  ['/requests', ['drop'], 2],
  ['/complete', ['drop-late', problem(503, 'contended')], 3],
  ['/requests', [problem(401, 'unauthenticated')], 2],
];
for (const [path, faults, calls] of HEALED) {
  retries(
    `at ${path} heal: ${faults.map((fault) => (typeof fault === 'object' ? fault.status : fault)).join()}`,
    async () => {
      broker.failing(path, ...faults);
      assert.is(await open().task(ASK, () => 'done'), 'done');
      assert.is(broker.paths().filter((came) => came.endsWith(path)).length, calls);
      assert.is(broker.live.size, 0);
    },
  );
}

retries('make a fresh assertion for each try, and one idempotency key for all', async () => {
  broker.failing('/token', 'drop-late', 'drop-late');
  broker.failing('/requests', 'drop', 'drop');
  await open().ask(ASK);
  const sent = (end: string) => broker.arrived.filter(({ path }) => path.endsWith(end));
  const assertions = sent('/token').map(({ body }) => new URLSearchParams(body).get('client_assertion'));
  assert.is(new Set(assertions).size, 3);
  assert.is(new Set(sent('/requests').map(({ headers }) => headers['idempotency-key'])).size, 1);
});

retries('a lease whose credential was lost on the way is given up, and asked for anew', async () => {
  broker.failing('/requests', 'drop-late');
  const lease = await open().ask(ASK);
  assert.is(lease.id, 'lse_2');
  assert.equal([...broker.live], ['lse_2']);
  const completion = broker.arrived.find(({ path }) => path.endsWith('lse_1/complete'));
  assert.match(completion?.body ?? '', 'abandoned');
});

retries('end after as many tries as allowed, with what the broker said', async () => {
  broker.failing('/requests', ...Array.from({ length: 9 }, () => problem(503, 'sweeper_late')));
  const error = await caught(() => open().ask(ASK));
  assert.instance(error, BrevetUnavailable);
  assert.is((error as BrevetUnavailable).problem?.code, 'sweeper_late');
  assert.is(broker.paths().filter((path) => path.endsWith('/requests')).length, 3);
});

retries('do not wait longer than allowed', async () => {
  broker.failing('/requests', { ...problem(503, 'issuing_stopped'), headers: { 'retry-after': '3600' } });
  const error = await caught(() => open().ask(ASK));
  assert.is((error as BrevetUnavailable).problem?.retryAfterMs, 3_600_000);
  assert.is(broker.paths().filter((path) => path.endsWith('/requests')).length, 1);
});

retries('a broker that hangs is given up at each call’s own time', async () => {
  broker.failing('/token', 'hang', 'hang', 'hang');
  const error = await caught(() => open({ timeouts: { session: 20 } }).ask(ASK));
  assert.match(String(error), 'did not answer within 20 ms');
  assert.is(broker.arrived.length, 3);
});

retries('a caller who gives up is heard', async () => {
  broker.failing('/requests', 'hang');
  const giveUp = new AbortController();
  const asking = caught(() => open().ask(ASK, { signal: giveUp.signal }));
  while (!broker.paths().some((path) => path.endsWith('/requests'))) await new Promise((turn) => setTimeout(turn, 2));
  giveUp.abort(new Error('enough'));
  assert.is(String(await asking), 'Error: enough');
  assert.is(broker.paths().filter((path) => path.endsWith('/requests')).length, 1);
});

retries.run();

const sessions = suite('a session');
withBroker(sessions);

sessions('is kept until shortly before its end', async () => {
  let now = 1_000_000_000_000;
  const brevet = open({ clock: () => instant(now), key: broker.key });
  // The assertion is of that clock, which the fake's verifier does not share: it takes a workload's token here.
  const kept = open({ clock: () => instant(now), workloadToken: 'workload-token' });
  const tokens = (): number => broker.paths().filter((path) => path.endsWith('/token')).length;
  assert.instance(await caught(() => brevet.ask(ASK)), BrevetRefused);
  const before = tokens();
  for (const [later, calls] of [
    [0, 1],
    [269_000, 1],
    [1_000, 2],
  ] as const) {
    now += later;
    await kept.ask(ASK);
    assert.is(tokens() - before, calls, `after ${later}`);
  }
});

sessions('asks a platform for its token each time', async () => {
  broker.session.seconds = 1;
  let asked = 0;
  const workloadToken = (): string => {
    asked += 1;
    return 'workload-token';
  };
  const options: BrevetOptions = { url: broker.url, tenant: TENANT, agent: AGENT, workloadToken };
  const brevet = createBrevet(options);
  await brevet.ask(ASK);
  await brevet.ask(ASK);
  assert.is(asked, 2);
});

sessions.run();

const opening = suite('opening the SDK');

opening('refuses a broker that tokens would reach in the clear', () => {
  const options = { tenant: TENANT, agent: AGENT, workloadToken: 'x' };
  for (const [url, told] of [
    ['http://us:er@brevet.example/?key', /must begin with https:.*: http:\/\/brevet\.example$/],
    ['localhost:8420', /must begin with https:.*: this one begins with localhost:$/],
    ['brevet.example', /must begin with https:.*: this is no URL$/],
  ] as const) {
    assert.throws(() => createBrevet({ ...options, url }), told);
  }
});

const WRONG_KEYS = [
  { kty: 'EC', crv: 'P-256', x: 'a', y: 'b' },
  { kty: 'oct', k: 'c2VjcmV0' },
  { kty: 'EC', crv: 'secp256k1', x: 'a', y: 'b', d: 'topsecret' },
];
for (const key of WRONG_KEYS) {
  opening(`refuses the key ${key.kty} ${key.crv ?? ''} without showing it`, () => {
    const act = (): Brevet => createBrevet({ url: 'https://b.example', tenant: TENANT, agent: AGENT, key });
    assert.throws(act, (error: Error) => error instanceof TypeError && !error.message.includes('topsecret'));
  });
}

for (const algorithm of ['ES256', 'PS256', 'EdDSA']) {
  opening(`proves itself with ${algorithm}`, async () => {
    broker = await fakeBroker(algorithm);
    try {
      assert.is((await open().ask(ASK)).id, 'lse_1');
    } finally {
      await broker.stop();
    }
  });
}

/** A field that is missing here, or too many, does not compile. */
const ASKABLE: Readonly<Record<keyof Ask, true>> = {
  task: true,
  resource: true,
  parameters: true,
  reason: true,
  role: true,
  order: true,
  launched_by: true,
  ttl: true,
  uses: true,
  trigger: true,
  data_considered: true,
  data_classes: true,
  purpose: true,
  legal_basis: true,
  environment: true,
  confidence: true,
  model: true,
  model_version: true,
  evidence: true,
  rollback: true,
  change: true,
  plan: true,
  urgency: true,
};

opening('an agent can ask all that the broker takes', () => {
  assert.equal(Object.keys(ASKABLE).toSorted(), ACCESS_REQUEST_FIELDS.toSorted());
});

opening.run();
