/**
 * Every route with whatever may come: no fault, no hang, and nothing of a secret in an answer, a log line or a column.
 */
import { randomInt } from 'node:crypto';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { watch } from '../../src/broker.ts';
import { newId } from '../../src/core/ids.ts';
import { agentBody, answerOf, ASKED, clientForm, must, PERMITTED, REPORT, TERMS, testApp } from '../support/app.ts';
import { clientDatabase, random } from '../support/target.ts';
import { CHARACTER } from '../support/text.ts';

const RUNS = 800;
/** Longer than any route may wait. */
const HANG_MS = 45_000;
const seed = Number(process.env['BREVET_FUZZ_SEED'] ?? randomInt(2 ** 31));

const client = await clientDatabase();
const app = await testApp({ database: client });
const CANARY = 'canary-that-nobody-may-see-7f3a';
app.planted.set('a canary given as a target’s secret', CANARY);

const sessions = {
  triage: await app.session(),
  report: await app.session('report-bot'),
  birch: await app.session('birch-bot', 'birch'),
};
const tokens = {
  ...sessions,
  ada: await app.localToken('ada'),
  otto: await app.localToken('otto'),
};
for (const [name, token] of Object.entries(tokens)) app.planted.set(`the token of ${name}`, token);

const issued = must(await app.call('POST', '/t/acme/requests', { token: sessions.report, body: REPORT }));
const token = must(await app.call('POST', '/t/acme/requests', { token: sessions.triage, body: PERMITTED }));
const credential = (answer: typeof issued, name: string): string =>
  String((answer.body['credential'] as Record<string, unknown>)[name]);
app.planted.set('a login’s password', credential(issued, 'password'));
app.planted.set('an access token', credential(token, 'access_token'));
const lease = (issued.body['lease'] as { id: string }).id;
const mine = (token.body['lease'] as { id: string }).id;
const cursor = String(must(await app.call('GET', '/t/acme/leases?limit=1', { token: sessions.triage })).body['cursor']);

const junk = fc.oneof(
  fc.string({ unit: CHARACTER, maxLength: 40 }),
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.constantFrom(
    '',
    '..',
    '%',
    '%00',
    '%2e%2e%2f',
    "' OR 1=1 --",
    '"; DROP TABLE leases',
    '\u202e',
    'ačmé',
    '__proto__',
  ),
  fc.constantFrom(
    'constructor',
    '*',
    'x'.repeat(300),
    '${7*7}',
    '{{7*7}}',
    '\ud800',
    '<script>',
    '\r\nset-cookie: a=b',
  ),
);
const place: Readonly<Record<string, fc.Arbitrary<string>>> = {
  ':tenant': fc.oneof({ weight: 4, arbitrary: fc.constantFrom('acme', 'birch', 'nowhere') }, junk),
  ':name': fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom('zoe', 'zoe-bot', 'tickets', 'shop-db', 'triage-bot', 'otto') },
    junk,
  ),
  ':id': fc.oneof(
    fc.constantFrom(lease, mine, String(token.body['request']), newId('asg', app.deps.clock(), random), 'lse_'),
    junk,
  ),
  ':code': fc.oneof(fc.constantFrom('not_found', 'internal', 'toString'), junk),
};

const routes = app.app.routes.filter(({ method }) => method !== 'ALL');
const pathOf = (pattern: string): fc.Arbitrary<string> =>
  fc
    .tuple(...pattern.split('/').map((part) => place[part] ?? fc.constant(part)))
    .map((parts) => parts.map((part, at) => (pattern.split('/')[at] === part ? part : encoded(part))).join('/'));

/** As a browser would, or as it is. */
const encoded = (text: string): string => encodeURIComponent(text.toWellFormed());

const jwtTarget = {
  provider: 'jwt',
  config: { audience: 'https://fuzz.example', checks: 'introspection' },
  environment: 'production',
};
const BODIES: readonly object[] = [
  PERMITTED,
  ASKED,
  REPORT,
  { outcome: 'succeeded', summary: 'Done', evidence: [{ reference: 'a' }] },
  { reason: 'A drill' },
  { display_name: 'Zoe', email: 'zoe@example.org' },
  { person: 'otto' },
  agentBody(),
  { url: 'https://issuer.example', platform: 'generic' },
  { display_name: 'x', autonomy: 'autonomous', regulations: ['hipaa'] },
  { kind: 'incident', until: '2100-01-01T00:00:00Z', reason: 'A drill', ask_within: 60 },
  jwtTarget,
  { provider: 'postgres', config: client.config, secret: CANARY, environment: 'production' },
  { jwk: { kty: 'OKP', crv: 'Ed25519', x: 'AA' } },
  { issuer: 'x', claims: { repository_id: '1' } },
  { tenant: 'acme', holder: { agent: 'triage-bot' }, role: 'triage' },
  { tenant: null, holder: { person: 'otto' }, role: 'administrator' },
  { files: { 'roles.yaml': 'roles: {}' } },
  { demand: 'x.y.z' },
];

/** One that fits somewhere, with a member gone, another in its stead, or one too many. */
const bent: fc.Arbitrary<unknown> = fc
  .record({
    body: fc.constantFrom(...BODIES),
    how: fc.constantFrom('whole', 'gone', 'other', 'more'),
    at: fc.nat(9),
    value: fc.oneof(fc.jsonValue({ maxDepth: 3 }), junk),
    name: junk,
  })
  .map(({ body, how, at, value, name }) => {
    const entries: [string, unknown][] = Object.entries(body);
    const place = at % entries.length;
    if (how === 'gone') entries.splice(place, 1);
    if (how === 'other') entries[place] = [entries[place]?.[0] ?? '', value];
    if (how === 'more') entries.push([name, value]);
    return Object.fromEntries(entries) as unknown;
  });

const JWK = { kty: 'EC', crv: 'P-256', x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU' };
/** What a route takes, so that some calls come through. */
const FITTING: Readonly<Record<string, object>> = {
  '/t/:tenant/requests': PERMITTED,
  '/t/:tenant/leases/:id/complete': { outcome: 'succeeded' },
  '/t/:tenant/leases/:id/revoke': { reason: 'A drill' },
  '/api/people/:name': { display_name: 'Zoe' },
  '/api/people/:name/absences': { until: new Date(Date.now() + 86_400_000).toISOString() },
  '/api/operators/:name': { person: 'otto' },
  '/api/agents/:name': agentBody(),
  '/api/issuers/:name': { url: 'https://issuer.example', platform: 'generic' },
  '/api/tenants/:tenant': { display_name: 'x', autonomy: 'autonomous' },
  '/api/vendors/:name': { trains_on_client_data: false, retention_days: 0 },
  '/api/tenants/:tenant/context': { autonomy: 'autonomous', terms: TERMS },
  '/api/tenants/:tenant/situations': { kind: 'freeze', until: '2100-01-01T00:00:00Z', reason: 'A drill' },
  '/api/tenants/:tenant/situations/:id/end': { reason: 'A drill' },
  '/api/tenants/:tenant/targets/:name': jwtTarget,
  '/api/tenants/:tenant/acceptances/:name': { model_version: '1', tasks: ['ticket.route'], reason: 'x' },
  '/api/tenants/:tenant/enrolments/:name': {
    jwk: { ...JWK, y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0' },
  },
  '/api/blocks/preview': { scope: 'everything' },
  // Of one that the other calls do without.
  '/api/blocks': { scope: 'agent', name: 'birch-bot', reason: 'A drill' },
  '/api/blocks/:id/lift': { reason: 'A drill' },
  '/api/reconcile': {},
  '/api/assignments': { tenant: 'acme', holder: { agent: 'zoe-bot' }, role: 'triage' },
};

const formOf = fc.record(
  {
    grant_type: fc.oneof({ weight: 4, arbitrary: fc.constant('client_credentials') }, junk),
    client_assertion_type: fc.constant('urn:ietf:params:oauth:client-assertion-type:jwt-bearer'),
    client_assertion: fc.oneof({ weight: 4, arbitrary: fc.constant('(fresh)') }, junk),
    authorization_details: fc.oneof(
      fc.constantFrom(PERMITTED, ASKED).map((task) => JSON.stringify([{ type: 'brevet_task', ...task }])),
      fc.json(),
      junk,
    ),
    consume: fc.oneof(fc.constantFrom('true', 'false'), junk),
    token: fc.oneof(fc.constantFrom(credential(token, 'access_token'), sessions.triage), junk),
    client_id: fc.oneof(fc.constantFrom('triage-bot', 'target:tickets'), junk),
  },
  { requiredKeys: ['grant_type', 'client_assertion_type', 'client_assertion'] },
);

const contentFor = (path: string) =>
  fc.oneof(
    { weight: 6, arbitrary: fc.constant({ type: 'application/json', text: JSON.stringify(FITTING[path] ?? {}) }) },
    { weight: 5, arbitrary: bent.map((body) => ({ type: 'application/json', text: JSON.stringify(body) })) },
    { weight: 1, arbitrary: fc.json().map((text) => ({ type: 'application/json', text })) },
    { weight: 1, arbitrary: junk.map((text) => ({ type: 'application/json', text })) },
    { weight: 3, arbitrary: formOf.map((form) => ({ type: 'application/x-www-form-urlencoded', form })) },
    { weight: 1, arbitrary: junk.map((text) => ({ type: 'text/plain', text })) },
  );

const query = fc.oneof(
  { weight: 3, arbitrary: fc.constant('') },
  fc
    .dictionary(
      fc.constantFrom('limit', 'cursor', 'tenant', 'agent', 'state', 'wait', 'standing'),
      fc.oneof(fc.constantFrom('0', '1', '200', 'acme', 'active', cursor, `${cursor}x`), junk),
      { maxKeys: 3 },
    )
    .map((fields) => `?${new URLSearchParams(fields).toString()}`),
);

const headersOf = fc.record(
  {
    authorization: fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom(...Object.values(tokens)).map((text) => `Bearer ${text}`) },
      junk.map((text) => `Bearer ${text}`),
      junk,
    ),
    'idempotency-key': fc.oneof(fc.constantFrom('one', 'two'), junk),
    'x-forwarded-for': fc.constant('203.0.113.9'),
    'content-length': fc.constantFrom('0', '1', '99999999', 'NaN'),
    accept: junk,
  },
  { requiredKeys: [] },
);

const calls = fc
  .oneof(fc.constantFrom(...routes), fc.constantFrom(...routes.filter((one) => one.path.startsWith('/t/'))))
  .chain(({ path: pattern, method }) =>
    fc.record({
      path: pathOf(pattern),
      method: fc.oneof({ weight: 9, arbitrary: fc.constant(method) }, fc.constantFrom('PATCH', 'OPTIONS', 'HEAD')),
      query,
      headers: headersOf,
      content: contentFor(pattern),
    }),
  )
  // What is removed is not given again, and the rest of the run would only see that; likewise for those it works with.
  .filter(({ method, path }) => method !== 'DELETE' || !/acme|birch|zoe/.test(path))
  .filter(({ method, path }) => !/PUT|DELETE/.test(method) || !/otto|triage-bot|tickets|shop-db/.test(path));

/** One that is permitted, now and then, so that there is something to find. */
const PERMITTED_CALL: Call = {
  method: 'POST',
  path: '/t/acme/requests',
  query: '',
  headers: { authorization: `Bearer ${sessions.triage}` },
  content: { type: 'application/json', text: JSON.stringify(PERMITTED) },
};

type Call = typeof calls extends fc.Arbitrary<infer T> ? T : never;

async function send({ method, path, query: fields, headers, content: what }: Call) {
  const body =
    'text' in what
      ? what.text
      : new URLSearchParams(
          what.form.client_assertion === '(fresh)'
            ? { ...what.form, ...clientForm(await app.assertion('triage-bot')), grant_type: what.form.grant_type }
            : what.form,
        ).toString();
  const given = Object.fromEntries(
    Object.entries({ 'content-type': what.type, ...headers }).map(([name, value]) => [
      name,
      // What a server's parser would let through.
      value.replace(/[^\t\x20-\x7e\x80-\xff]/g, '?').trim(),
    ]),
  );
  const init = { method, headers: given, ...(method === 'GET' || method === 'HEAD' ? {} : { body }) };
  const env = { incoming: { socket: { remoteAddress: '127.0.0.1' } } };
  return answerOf(await app.app.request(`${path}${fields}`, init, env));
}

const within = async <T>(work: Promise<T>): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('it hangs')), HANG_MS);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
};

/** Which planted secret is in a text, where any is. */
const found = (text: string): string | undefined => [...app.planted].find(([, secret]) => text.includes(secret))?.[0];

/** What left in its own answer may be seen nowhere else. */
function plantSecretsOf(body: Readonly<Record<string, unknown>>): void {
  const given = { ...body, ...(typeof body['credential'] === 'object' ? body['credential'] : {}) };
  for (const name of ['access_token', 'password', 'token']) {
    const secret = (given as Record<string, unknown>)[name];
    if (typeof secret === 'string') app.planted.set(`${name} ${app.planted.size}`, secret);
  }
}

/** Pages say it too. */
const codeOnPage = (text: string): string | undefined =>
  /^<!doctype html>[^]*<dt>Code<\/dt>\s*<dd><code>([a-z_]+)<\/code>/.exec(text)?.[1];

const fuzz = suite('every route');

fuzz(`with whatever comes, seed ${seed}`, async () => {
  await app.deps.store.beat('fuzz');
  const statuses = new Map<number, number>();
  await fc.assert(
    fc.asyncProperty(fc.oneof({ weight: 19, arbitrary: calls }, fc.constant(PERMITTED_CALL)), async (call) => {
      const answer = await within(send(call));
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
      if (answer.status >= 500) throw new Error(`${answer.status} ${answer.text} ${app.logged.at(-1) ?? ''}`);
      assert.is(found(answer.text), undefined);
      assert.is(found(JSON.stringify([...answer.headers])), undefined);
      plantSecretsOf(answer.body);
      if (answer.status >= 400 && answer.text !== '')
        assert.ok(answer.body['code'] ?? answer.body['error'] ?? codeOnPage(answer.text), answer.text);
    }),
    { seed, numRuns: RUNS, endOnFailure: true },
  );
  const leases = await app.sql('select id from leases');
  assert.ok(leases.length > 2, 'nothing was issued');
  // It came far enough to be worth something.
  for (const status of [200, 400, 401, 403, 404]) assert.ok(statuses.has(status), `no ${status} was seen`);
});

fuzz('leaves no secret in a log line', () => {
  for (const line of app.logged) assert.is(found(line), undefined, line);
});

fuzz('leaves no secret in any column of any table', async () => {
  const tables = await app.sql<{ name: string }>(
    `select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind = 'r' and n.nspname not in ('pg_catalog', 'information_schema')`,
  );
  assert.ok(tables.length > 20);
  for (const { name } of tables) {
    const rows = await app.sql<{ row: string }>(`select t::text as row from ${name} t`);
    for (const { row } of rows) assert.is(found(row), undefined, `in ${name}`);
  }
});

fuzz('leaves the broker as able as it was', async () => {
  await watch(app.deps);
  const ready = await app.call('GET', '/readyz');
  assert.is(ready.status, 200, ready.text);
});

fuzz.after(async () => {
  await app.close();
  await client.remove();
});
fuzz.run();
