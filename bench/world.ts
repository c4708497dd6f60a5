/** Who and what a measured broker knows: one client, one agent with the roles it needs, its targets, and an overseer. */
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { JWK } from 'jose';
import { createProver } from '../src/client/assertion.ts';
import { DEMAND_KEY_USE, signDemand } from '../src/core/local-token.ts';
import type { OperatorName } from '../src/core/ids.ts';
import { createKeyring } from '../src/core/seal.ts';
import type { Keyring } from '../src/core/seal.ts';
import { instant } from '../src/core/time.ts';
import { deploymentKey } from '../src/node/key.ts';
import { random } from '../src/node/parts.ts';
import type { BrevetServer } from './servers.ts';

export const TENANT = 'acme';
export const AGENT = 'bench-bot';
export const SERVICE_DESK = 'service-desk';

export interface AgentKey {
  readonly publicKey: JWK;
  readonly privateKey: JWK;
}

export function newAgentKey(): AgentKey {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    publicKey: pair.publicKey.export({ format: 'jwk' }),
    privateKey: { ...pair.privateKey.export({ format: 'jwk' }), alg: 'ES256' },
  };
}

/** What a task's token is asked for with; each number is another resource. */
export const taskForm = (): Readonly<Record<string, string>> => ({
  authorization_details: JSON.stringify([
    {
      type: 'brevet_task',
      task: 'ticket.route',
      resource: `${SERVICE_DESK}/BEN-{n}`,
      parameters: { ticket: 'BEN-{n}', queue: 'network' },
      reason: 'The ticket names a switch',
    },
  ]),
});

export const issuerOf = ({ publicUrl }: BrevetServer): string => `${publicUrl}/t/${TENANT}`;

/** What the client's contract says of the agent's vendor and model. */
const TERMS = {
  vendors: ['in-house'],
  models: [{ model: 'planner', version: '3.1' }],
  training: false,
  retention_days: 30,
};

/** @param targets more of them, by name, as an administrator writes them. @param more task classes, for those. */
export async function populate(
  broker: BrevetServer,
  key: AgentKey,
  targets: Readonly<Record<string, unknown>> = {},
  more: readonly string[] = [],
): Promise<void> {
  const token = await administrator(broker);
  const put = (path: string, body: unknown) => send(broker, 'PUT', path, body, token);
  await put('/api/vendors/in-house', { trains_on_client_data: false, retention_days: 0 });
  await put(`/api/tenants/${TENANT}`, { display_name: 'Acme', autonomy: 'autonomous', terms: TERMS, time_zone: 'UTC' });
  for (const name of ['olga', 'otto']) await put(`/api/people/${name}`, { display_name: name });
  await put(`/api/agents/${AGENT}`, {
    owner: 'olga',
    kind: 'autonomous-agent',
    purpose: 'Is measured',
    vendor: 'in-house',
    model: 'planner',
    model_version: '3.1',
    autonomy: 'autonomous',
    data: [],
  });
  await put(`/api/tenants/${TENANT}/enrolments/${AGENT}`, { jwk: key.publicKey });
  const tasks = ['ticket.route', 'report.query', ...more];
  await put(`/api/tenants/${TENANT}/acceptances/${AGENT}`, { model_version: '3.1', tasks, reason: 'Is measured' });
  await put(`/api/tenants/${TENANT}/targets/${SERVICE_DESK}`, {
    provider: 'jwt',
    config: { audience: 'https://tickets.acme.example', checks: 'introspection' },
    environment: 'production',
  });
  for (const [name, body] of Object.entries(targets)) await put(`/api/tenants/${TENANT}/targets/${name}`, body);
  const assign = (holder: unknown, role: string) =>
    send(broker, 'POST', '/api/assignments', { tenant: TENANT, holder, role }, token);
  for (const role of ['triage', 'reporting']) await assign({ agent: AGENT }, role);
  await assign({ person: 'otto' }, 'overseer');
  await put('/api/operators/otto', { person: 'otto' });
}

export const keyringOf = async ({ dataDir }: Pick<BrevetServer, 'dataDir'>): Promise<Keyring> =>
  createKeyring(await deploymentKey({ dataDir, deploymentKey: null }, async () => 'of this broker'), random);

const administrator = (broker: BrevetServer): Promise<string> => operatorToken(broker, 'ada');

/** A local token, for ten minutes. */
export async function operatorToken(broker: BrevetServer, operator: string): Promise<string> {
  const claims = { operator: operator as OperatorName, jti: randomUUID(), audience: broker.publicUrl };
  const demand = await signDemand((await keyringOf(broker)).derive(DEMAND_KEY_USE), claims, instant(Date.now()));
  const { token } = await send(broker, 'POST', '/api/local-tokens', { demand });
  return String(token);
}

/** For the agent's own calls; good for five minutes. */
export async function agentSession(broker: BrevetServer, { privateKey }: AgentKey): Promise<string> {
  const clock = () => instant(Date.now());
  const prove = createProver(AGENT, issuerOf(broker), { key: privateKey }, { clock, random });
  const form = {
    grant_type: 'client_credentials',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: await prove(),
  };
  const answer = await fetch(`${issuerOf({ ...broker, publicUrl: broker.url })}/token`, {
    method: 'POST',
    body: new URLSearchParams(form),
  });
  const body = (await answer.json()) as { readonly access_token?: string };
  if (body.access_token === undefined) throw new Error(`no session: ${JSON.stringify(body)}`);
  return body.access_token;
}

const TRIES = 5;

export async function send(
  { url }: BrevetServer,
  method: string,
  path: string,
  body: unknown,
  token?: string,
): Promise<Readonly<Record<string, unknown>>> {
  for (let left = TRIES; ; left--) {
    const answer = await fetch(`${url}${path}`, {
      method,
      headers: {
        'content-type': 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify(body),
    });
    const said = (await answer.json()) as Readonly<Record<string, unknown>>;
    if (answer.ok) return said;
    if (answer.status !== 503 || left === 0) throw new Error(`${method} ${path}: ${JSON.stringify(said)}`);
    await pause(200);
  }
}
