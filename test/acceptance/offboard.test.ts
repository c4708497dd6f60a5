/**
 * A person goes, who owned two agents with fifty live leases of both providers; then a vendor, then a tenant. Each time
 * one command ends all of it and shows each death; and what it ended is tried again, where it was used.
 */
import { randomUUID } from 'node:crypto';
import { importJWK, SignJWT } from 'jose';
import type { JWK } from 'jose';
import postgres from 'postgres';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createBrevet } from '../../src/client/brevet.ts';
import type { Ask } from '../../src/client/brevet.ts';
import type { AgentLease } from '../../src/client/lease.ts';
import { withAdmin } from '../support/postgres.ts';
import { clientDatabase } from '../support/target.ts';
import type { ClientDatabase } from '../support/target.ts';
import { administrator, call, must, newKey, newPlace, populate, run, startBroker, stopBroker } from './broker.ts';
import type { Administrator, Place, Process } from './broker.ts';

const ROUTE: Ask = {
  task: 'ticket.route',
  resource: 'tickets',
  parameters: { ticket: 'ACME-1', queue: 'network' },
  reason: 'A ticket came in',
};
const REPORT: Ask = { task: 'report.query', resource: 'shop-db', parameters: {}, reason: 'The daily report' };

/** Of each kind, for each of olga's agents: fifty in all. */
const HELD: readonly (readonly [agent: string, ask: Ask, times: number])[] = [
  ['triage-bot', ROUTE, 13],
  ['triage-bot', REPORT, 12],
  ['report-bot', ROUTE, 12],
  ['report-bot', REPORT, 13],
];
/** Those that olga does not own, of the vendors `in-house` and `modelco`. */
const OTHERS = ['dana-bot', 'late-bot'] as const;

let place: Place;
let broker: Process;
let client: ClientDatabase;
let by: Administrator;
let keys: Readonly<Record<string, JWK>>;
let apiKey: JWK;

const leaving = suite('offboarding');

leaving.before(async () => {
  place = await newPlace();
  [client, broker] = await Promise.all([clientDatabase({ max_connections: '300' }), startBroker(place)]);
  by = await administrator(place);
  const api = await newKey();
  const both = ['triage', 'reporting'];
  keys = await populate(by, { 'triage-bot': both, 'report-bot': both, 'dana-bot': both, 'late-bot': both });
  apiKey = api.privateJwk;
  await by.put('/api/tenants/acme/targets/tickets', {
    provider: 'jwt',
    config: { audience: 'https://tickets.acme.example', checks: 'introspection' },
    environment: 'production',
    jwk: api.publicJwk,
  });
  await by.put('/api/tenants/acme/targets/shop-db', {
    provider: 'postgres',
    config: client.config,
    secret: client.secret.reveal(),
    environment: 'production',
  });
  await by.put('/api/vendors/modelco', { trains_on_client_data: false, retention_days: 0 });
  await by.put('/api/tenants/acme', { display_name: 'Acme Retail', terms: await termsWith('modelco') });
  for (const agent of OTHERS) {
    const vendor = agent === 'late-bot' ? 'modelco' : 'in-house';
    const { name, ...card } = (await must('GET', `${place.url}/api/agents/${agent}`, { token: by.token })).body;
    assert.is(name, agent);
    await by.put(`/api/agents/${agent}`, { ...card, owner: 'dana', deputy: null, vendor });
  }
});
leaving.after(async () => {
  await stopBroker(broker);
  await client.remove();
});

async function termsWith(vendor: string): Promise<object> {
  const { body } = await must('GET', `${place.url}/api/tenants/acme`, { token: by.token });
  const terms = body['terms'] as { readonly vendors: readonly string[] };
  return { ...terms, vendors: [...terms.vendors, vendor] };
}

const bot = (agent: string) => createBrevet({ url: place.url, tenant: 'acme', agent, key: keys[agent] ?? {} });

/** A few at a time: a mint that waits for a crowd misses its deadline on a busy machine. */
async function hold(agent: string, ask: Ask, times: number): Promise<AgentLease[]> {
  const brevet = bot(agent);
  const held: AgentLease[] = [];
  while (held.length < times) {
    const some = Array.from({ length: Math.min(5, times - held.length) }, () => brevet.ask(ask));
    held.push(...(await Promise.all(some)));
  }
  return held;
}

interface Login {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
}

const loginOf = (lease: AgentLease): Promise<Login> => lease.use((credential) => credential as unknown as Login);
const tokenOf = (lease: AgentLease): Promise<string> => lease.use(({ access_token: token }) => String(token));

const openSession = ({ host, port, database, user, password }: Login) =>
  postgres({ host, port, database, user, password, max: 1, onnotice: () => undefined });

/** The code that Postgres refuses it with, or `null` where it lets it in. */
async function tried(login: Login): Promise<string | null> {
  const session = openSession(login);
  try {
    await session`select count(*) from tickets`;
    return null;
  } catch (error) {
    return error instanceof postgres.PostgresError ? error.code : String(error);
  } finally {
    await session.end();
  }
}

const WRONG_LOGIN = '28P01';

/** What the API behind the target is told of a token. */
async function isActive(token: string): Promise<unknown> {
  const issuer = `${place.url}/t/acme`;
  const now = Math.floor(Date.now() / 1000);
  const me = 'target:tickets';
  const assertion = await new SignJWT({ iss: me, sub: me, aud: issuer, jti: randomUUID(), iat: now, exp: now + 60 })
    .setProtectedHeader({ alg: 'ES256' })
    .sign(await importJWK(apiKey, 'ES256'));
  const form = {
    token,
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: assertion,
  };
  return (await must('POST', `${issuer}/introspect`, { form })).body['active'];
}

interface Told {
  readonly alive: number;
  readonly leases: readonly {
    readonly id: string;
    readonly provider: string;
    readonly state: string;
    readonly death: { readonly how: string; readonly evidence: object; readonly at: string } | null;
    readonly exposure_ms: number | null;
  }[];
}

async function offboard(kind: string, name: string): Promise<Told> {
  const args = ['offboard', kind, name, '--reason', 'It is over', '--as', 'ada', '--json'];
  const { status, out, err } = await run(args, { env: place.env }).ended;
  assert.is(status, 0, err);
  return JSON.parse(out) as Told;
}

/** One for each. What another offboarding ended a moment before may be shown with it, since nodes’ clocks differ. */
function assertDead({ alive, leases }: Told, held: readonly AgentLease[]): void {
  assert.is(alive, 0);
  for (const { id } of held)
    assert.ok(
      leases.some((one) => one.id === id),
      id,
    );
  for (const { id, state, death, exposure_ms: exposure } of leases) {
    assert.equal([state, death?.how], ['revoked', 'verified'], id);
    assert.ok(Object.keys(death?.evidence ?? {}).length > 0, id);
    assert.ok(exposure !== null && exposure >= 0, id);
  }
}

const logins = () =>
  withAdmin(client.superuser, async (sql) => {
    const rows = await sql<{ rolname: string }[]>`select rolname from pg_roles where rolname like 'brevet\\_0%'`;
    return rows.map(({ rolname }) => rolname);
  });

/** dana's, who stays. */
const spared: Record<string, AgentLease[]> = {};

leaving(
  'a person with two agents and fifty live leases: all dead, each with a proof, and none works any more',
  async () => {
    for (const agent of OTHERS) spared[agent] = [await bot(agent).ask(ROUTE), await bot(agent).ask(REPORT)];
    const held: AgentLease[] = [];
    for (const [agent, ask, times] of HELD) held.push(...(await hold(agent, ask, times)));
    const byLogin = held.filter((_, at) => at >= 13 && at < 25).concat(held.slice(37));
    const byToken = held.filter((lease) => !byLogin.includes(lease));
    const [passwords, tokens] = [await Promise.all(byLogin.map(loginOf)), await Promise.all(byToken.map(tokenOf))];
    assert.is(passwords.length + tokens.length, 50);
    for (const login of passwords) assert.is(await tried(login), null, 'it works');
    for (const token of tokens) assert.is(await isActive(token), true);
    const open = passwords.slice(0, 3).map(openSession);
    for (const session of open) await session`select 1`;

    const told = await offboard('person', 'olga');
    assertDead(told, held);
    assert.is(told.leases.length, held.length, 'and nothing else');
    assert.equal(
      ['jwt', 'postgres'].map((kind) => told.leases.filter(({ provider }) => provider === kind).length),
      [25, 25],
    );
    for (const login of passwords) assert.is(await tried(login), WRONG_LOGIN, login.user);
    for (const token of tokens) assert.is(await isActive(token), false);
    for (const session of open) {
      // The pool would open another one, and that is refused too.
      assert.ok(
        await session`select 1`.then(
          () => false,
          () => true,
        ),
      );
      await session.end();
    }
    const living = await Promise.all(OTHERS.map((agent) => loginOf((spared[agent] ?? [])[1] as AgentLease)));
    assert.equal((await logins()).toSorted(), living.map(({ user }) => user).toSorted());
    for (const login of living) assert.is(await tried(login), null, 'what others own lives on');
    for (const agent of ['triage-bot', 'report-bot']) {
      const asked = await bot(agent)
        .ask(ROUTE)
        .then(() => 'issued', String);
      assert.match(asked, 'owner_gone');
    }
  },
);

leaving('the inventory says whom nobody answers for, and what each is for', async () => {
  const { status, out } = await run(['inventory', '--as', 'ada'], { env: place.env }).ended;
  assert.is(status, 0);
  const lineOf = (agent: string) => out.split('\n').find((line) => line.startsWith(agent)) ?? '';
  assert.match(out, /^NAME +OWNER +KIND +PURPOSE +VENDOR +MODEL +AUTONOMY +TENANTS +DATA +DECISIONS +LAST USE +UNUSED/);
  assert.match(lineOf('report-bot'), /olga .*Acceptance .*acme .*nobody answers for it$/);
  assert.not.match(lineOf('dana-bot'), 'nobody');
});

leaving('a vendor: its agents and its record, and those of no other', async () => {
  const held = spared['dana-bot'] ?? [];
  assertDead(await offboard('vendor', 'in-house'), held);
  assert.is(await tried(await loginOf(held[1] as AgentLease)), WRONG_LOGIN);
  assert.is(await isActive(await tokenOf(held[0] as AgentLease)), false);
  const record = await call('GET', `${place.url}/api/vendors/in-house`, { token: by.token });
  assert.is(record.status, 404);
  assert.is(await isActive(await tokenOf((spared['late-bot'] ?? [])[0] as AgentLease)), true, 'modelco’s');
});

leaving('a tenant: what was held there, and its name, which nobody gets again', async () => {
  const held = spared['late-bot'] ?? [];
  assertDead(await offboard('tenant', 'acme'), held);
  assert.is(await tried(await loginOf(held[1] as AgentLease)), WRONG_LOGIN);
  assert.equal(await logins(), []);
  assert.is((await call('GET', `${place.url}/t/acme/jwks`)).status, 404);
  const again = await call('PUT', `${place.url}/api/tenants/acme`, { token: by.token, body: { display_name: 'Acme' } });
  assert.equal([again.status, again.body['code']], [409, 'name_retired']);
});

leaving('an agent, after its owner: disabled, with nothing left to end', async () => {
  const { status, err } = await run(['offboard', 'agent', 'triage-bot', '--reason', 'x', '--as', 'ada'], {
    env: place.env,
  }).ended;
  assert.is(status, 0, err);
  const { body } = await must('GET', `${place.url}/api/agents/triage-bot`, { token: by.token });
  assert.is(body['active'], false);
});

leaving.run();
