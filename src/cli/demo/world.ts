/** The people, tenants, targets and agents of the demo, made through the API as an administrator would. */
import { randomBytes } from 'node:crypto';
import { exportJWK, generateKeyPair } from 'jose';
import type { JWK } from 'jose';
import { signDemand, DEMAND_KEY_USE } from '../../core/local-token.ts';
import type { OperatorName } from '../../core/ids.ts';
import type { Deps } from '../../deps.ts';
import type { DemoIssuer } from './issuer.ts';
import { DemoFailed } from './story.ts';

export interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

export async function call(url: string, method: string, path: string, more: Sent = {}): Promise<Answer> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: {
      ...(more.token === undefined ? {} : { authorization: `Bearer ${more.token}` }),
      ...(more.body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(more.body === undefined ? {} : { body: JSON.stringify(more.body) }),
  });
  return { status: response.status, body: (await response.json()) as Answer['body'] };
}

export interface Sent {
  readonly token?: string;
  readonly body?: unknown;
}

/** A local token, as `brevet operator token --as NAME` gets it. */
export async function localToken(
  deps: Pick<Deps, 'keyring' | 'publicUrl' | 'clock'>,
  url: string,
  operator: string,
): Promise<string> {
  const claims = {
    operator: operator as OperatorName,
    jti: randomBytes(16).toString('hex'),
    audience: deps.publicUrl,
  };
  const demand = await signDemand(deps.keyring.derive(DEMAND_KEY_USE), claims, deps.clock());
  const { body } = await must(url, 'POST', '/api/local-tokens', { body: { demand } });
  return String(body['token']);
}

export async function must(url: string, method: string, path: string, more: Sent = {}): Promise<Answer> {
  const answer = await call(url, method, path, more);
  if (answer.status < 300) return answer;
  throw new DemoFailed(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
}

export interface World {
  readonly administrator: string;
  readonly overseer: string;
  readonly keys: Readonly<Record<'report-bot' | 'triage-bot', JWK>>;
}

const AGENT = {
  owner: 'olga',
  deputy: 'dana',
  kind: 'autonomous-agent',
  vendor: 'in-house',
  model: 'planner',
  model_version: '3.1',
  autonomy: 'autonomous',
  data: [],
};

const TERMS = {
  vendors: ['in-house'],
  models: [{ model: 'planner', version: '3.1' }],
  training: false,
  retention_days: 30,
};

const TENANTS = {
  acme: { display_name: 'Acme Retail', autonomy: 'autonomous', terms: TERMS, time_zone: 'Europe/Zurich' },
  'northwind-clinic': {
    display_name: 'Northwind Clinic',
    regulations: ['hipaa'],
    data_classes: ['phi'],
    autonomy: 'notify',
    terms: TERMS,
    time_zone: 'America/Chicago',
  },
};

const FIREWALL = {
  provider: 'jwt',
  config: { audience: 'https://firewall.acme.example', checks: 'introspection' },
  environment: 'production',
};

/** The client's own database, and the tool that the MSP works its clients' tickets with, as targets are written. */
interface Clients {
  readonly database: unknown;
  readonly psa?: unknown;
  /** Where its people sign in. */
  readonly issuer?: Pick<DemoIssuer, 'url' | 'subjectOf'>;
}

/** Two tenants, people of whom each holds one function, two agents, four targets. */
export async function populate(deps: Deps, url: string, { database, psa, issuer }: Clients): Promise<World> {
  const administrator = await localToken(deps, url, 'ada');
  const put = (path: string, body: unknown) => must(url, 'PUT', path, { token: administrator, body });
  const assign = (body: unknown) => must(url, 'POST', '/api/assignments', { token: administrator, body });
  await put('/api/vendors/in-house', { trains_on_client_data: false, retention_days: 0 });
  for (const [name, body] of Object.entries(TENANTS)) await put(`/api/tenants/${name}`, body);
  for (const name of ['olga', 'dana', 'otto', 'paula']) await put(`/api/people/${name}`, { display_name: name });
  const there = (person: string) =>
    issuer === undefined ? {} : { issuer: issuer.url, subject: issuer.subjectOf(person) };
  for (const person of ['ada', 'otto', 'paula']) await put(`/api/operators/${person}`, { person, ...there(person) });
  await put('/api/agents/report-bot', { ...AGENT, purpose: 'Writes the daily reports' });
  await put('/api/agents/triage-bot', { ...AGENT, purpose: 'Routes tickets' });
  await put('/api/tenants/acme/targets/shop-db', database);
  if (psa !== undefined) await put('/api/tenants/acme/targets/psa', psa);
  await put('/api/tenants/acme/targets/edge-firewall', FIREWALL);
  await put('/api/tenants/acme/targets/password-store', {
    ...FIREWALL,
    config: { audience: 'https://passwords.acme.example', checks: 'introspection' },
    data_classes: ['credentials'],
  });
  const keys = { 'report-bot': await enrol(put, 'report-bot'), 'triage-bot': await enrol(put, 'triage-bot') };
  // Neither is on probation: in set-up one administrator may say so, and the register keeps that it was in set-up.
  const accept = (agent: string, tasks: readonly string[]) =>
    put(`/api/tenants/acme/acceptances/${agent}`, { model_version: AGENT.model_version, tasks, reason: 'The demo' });
  await accept('report-bot', ['report.query', 'ticket.route']);
  await accept('triage-bot', ['ticket.route', 'ticket.read']);
  for (const role of ['reporting', 'network', 'triage']) {
    await assign({ tenant: 'acme', holder: { agent: 'report-bot' }, role });
  }
  await assign({ tenant: 'acme', holder: { agent: 'triage-bot' }, role: 'triage' });
  for (const tenant of Object.keys(TENANTS)) {
    await assign({ tenant, holder: { person: 'otto' }, role: 'overseer' });
    await assign({ tenant, holder: { person: 'paula' }, role: 'approver' });
  }
  return { administrator, overseer: await localToken(deps, url, 'otto'), keys };
}

async function enrol(put: (path: string, body: unknown) => Promise<unknown>, agent: string): Promise<JWK> {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  await put(`/api/tenants/acme/enrolments/${agent}`, { jwk: await exportJWK(publicKey) });
  return { ...(await exportJWK(privateKey)), alg: 'ES256' };
}
