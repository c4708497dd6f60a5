/** A real OIDC issuer: its workloads are agents by their bindings, and its people operators, who end set-up. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startOidc } from '../support/oidc.ts';
import type { OidcIssuer } from '../support/oidc.ts';
import { clientDatabase } from '../support/target.ts';
import type { ClientDatabase } from '../support/target.ts';
import { administrator, call, must, newPlace, populate, startBroker, stopBroker } from './broker.ts';
import type { Administrator, Answer, Place, Process } from './broker.ts';

const CLIENT_ID = 'brevet-operators';
const github = (claims: Record<string, string>) => ({
  claims: {
    repository_id: '4711',
    job_workflow_ref: 'acme/reports/.github/workflows/daily.yml@refs/heads/main',
    ...claims,
  },
});
const BINDING = {
  issuer: 'ci',
  claims: {
    repository_id: '4711',
    job_workflow_ref: 'acme/reports/.github/workflows/daily.yml@refs/heads/main',
  },
};
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

let place: Place;
let broker: Process;
let oidc: OidcIssuer;
let client: ClientDatabase;
let local: Administrator;
let audience: string;

const federation = suite('a real OIDC issuer');

federation.before(async () => {
  oidc = await startOidc({
    daily: github({}),
    branch: github({ job_workflow_ref: 'acme/reports/.github/workflows/daily.yml@refs/heads/mine' }),
    recycled: github({ repository_id: '4712' }),
    ada: {},
    bert: {},
    stranger: {},
  });
  place = await newPlace();
  const env = {
    BREVET_OPERATOR_ISSUER: oidc.url,
    BREVET_OPERATOR_CLIENT_ID: CLIENT_ID,
    BREVET_ALLOW_PRIVATE_HOSTS: '127.0.0.1',
  };
  [client, broker] = await Promise.all([clientDatabase(), startBroker(place, { env })]);
  audience = `${place.url}/t/acme`;
  local = await administrator(place);
  await populate(local, { 'report-bot': ['reporting'] });
  await local.put('/api/tenants/acme/targets/shop-db', {
    provider: 'postgres',
    config: client.config,
    secret: client.secret.reveal(),
    environment: 'production',
  });
});
federation.after(async () => {
  await stopBroker(broker);
  await Promise.all([oidc.stop(), client.remove()]);
});

const session = (token: string): Promise<Answer> =>
  call('POST', `${audience}/token`, {
    form: { grant_type: 'client_credentials', client_assertion_type: ASSERTION_TYPE, client_assertion: token },
  });

federation('a workload of an issuer that nobody registered is no client', async () => {
  const { status, body } = await session(await oidc.token('daily', audience));
  assert.is(status, 401);
  assert.is(body['error'], 'invalid_client');
});

federation('an issuer is registered, and an agent bound to one job of one repository', async () => {
  await local.put('/api/issuers/ci', { url: oidc.url, platform: 'github' });
  await local.put('/api/tenants/acme/enrolments/report-bot', BINDING);
});

federation('a binding that leaves the job open is refused', async () => {
  const body = { issuer: 'ci', claims: { repository_id: '4711' } };
  const url = `${place.url}/api/tenants/acme/enrolments/report-bot`;
  const answer = await call('PUT', url, { token: local.token, body });
  assert.is(answer.body['code'], 'invalid_field');
});

federation('token, session, request, credential: a workload does its task', async () => {
  const token = await oidc.token('daily', audience);
  const opened = await session(token);
  assert.is(opened.status, 200, JSON.stringify(opened.body));
  const again = await session(token);
  assert.is(again.status, 200, 'a platform hands out one token many times');

  const asked = await must('POST', `${audience}/requests`, {
    token: String(again.body['access_token']),
    body: { task: 'report.query', resource: 'shop-db', parameters: {}, reason: 'The daily report' },
  });
  assert.is(asked.status, 201);
  const { id } = asked.body['lease'] as { id: string };
  const { user } = asked.body['credential'] as { user: string };
  assert.match(user, /^brevet_/);
  const done = await must('POST', `${audience}/leases/${id}/complete?wait=20`, {
    token: String(opened.body['access_token']),
    body: { outcome: 'succeeded', summary: 'Done' },
  });
  const { state, death } = done.body['lease'] as { state: string; death: { how: string } };
  assert.equal([state, death.how], ['revoked', 'verified']);
});

/** Tokens of the same issuer that prove nobody here. */
const NOBODY: readonly (readonly [what: string, workload: string, audience: (own: string) => string])[] = [
  ['another branch of the same repository', 'branch', (own) => own],
  ['another repository under the same name', 'recycled', (own) => own],
  ['a token for another tenant', 'daily', () => `${place.url}/t/birch`],
  ['a token for the token endpoint', 'daily', (own) => `${own}/token`],
  ['an operator’s token', 'ada', () => CLIENT_ID],
];
for (const [what, workload, meant] of NOBODY) {
  federation(`${what} is refused`, async () => {
    const { status, body } = await session(await oidc.token(workload, meant(audience)));
    assert.equal([status, body['error']], [401, 'invalid_client']);
  });
}

const as = async (person: string, method: string, path: string, body?: unknown): Promise<Answer> =>
  call(method, `${place.url}${path}`, {
    token: await oidc.token(person, CLIENT_ID),
    ...(body === undefined ? {} : { body }),
  });

const inSetUp = async (): Promise<unknown> => (await call('GET', `${place.url}/readyz`)).body['set_up'];

federation('a person of the issuer who is no operator here can do nothing', async () => {
  const { status, body } = await as('stranger', 'GET', '/api/tenants');
  assert.equal([status, body['code']], [401, 'unauthenticated']);
});

federation('a workload’s token is no operator’s', async () => {
  const token = await oidc.token('daily', audience);
  assert.is((await call('GET', `${place.url}/api/tenants`, { token })).status, 401);
});

federation('set-up ends when two administrators have called with tokens of the issuer', async () => {
  await local.put('/api/operators/ada', { person: 'ada', issuer: oidc.url, subject: 'ada' });
  await local.put('/api/people/bert', { display_name: 'Bert' });
  await local.put('/api/operators/bert', { person: 'bert', issuer: oidc.url, subject: 'bert' });
  await local.assign({ tenant: null, holder: { person: 'bert' }, role: 'administrator' });
  assert.is(await inSetUp(), true);
  assert.is((await as('ada', 'GET', '/api/tenants')).status, 200);
  assert.is((await as('ada', 'GET', '/api/tenants')).status, 200);
  assert.is(await inSetUp(), true, 'one person who calls twice is one person');
  assert.is((await as('bert', 'GET', '/api/tenants')).status, 200);
  assert.is(await inSetUp(), false);
});

/** What takes two persons from then on, whoever asks. */
const TAKES_TWO: readonly (readonly [method: string, path: string, body: unknown])[] = [
  ['PUT', '/api/people/carl', { display_name: 'Carl' }],
  ['PUT', '/api/operators/olga', { person: 'olga' }],
  ['POST', '/api/assignments', { tenant: 'acme', holder: { person: 'dana' }, role: 'overseer' }],
  [
    'PUT',
    '/api/tenants/acme/acceptances/report-bot',
    { model_version: '3.1', tasks: ['ticket.route'], reason: 'A quiet year' },
  ],
];
for (const [method, path, body] of TAKES_TWO) {
  federation(`${method} ${path} takes two persons after set-up, by any token`, async () => {
    assert.is((await as('ada', method, path, body)).body['code'], 'takes_two_persons');
    const answer = await call(method, `${place.url}${path}`, { token: local.token, body });
    assert.equal([answer.status, answer.body['code']], [403, 'takes_two_persons']);
  });
}

federation('what takes one goes on, by either token', async () => {
  const body = { display_name: 'Acme Retail', autonomy: 'notify' };
  assert.is((await as('bert', 'PUT', '/api/tenants/acme', body)).status, 200);
  assert.is((await call('PUT', `${place.url}/api/tenants/acme`, { token: local.token, body })).status, 200);
});

federation('taking away takes one', async () => {
  const { body } = await as('bert', 'GET', '/api/assignments?tenant=acme');
  const items = body['items'] as { id: string; role: string }[];
  const reporting = items.find(({ role }) => role === 'reporting')?.id ?? '';
  assert.is((await as('bert', 'DELETE', `/api/assignments/${reporting}`)).status, 200);
});

federation.run();
