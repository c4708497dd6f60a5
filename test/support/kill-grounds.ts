/**
 * What agents work at while their nodes are killed: a real one of each of the five kinds of targets, put up once for
 * all kills; with what an agent asks for there, and whether what it got is still worth anything.
 */
import * as assert from 'uvu/assert';
import postgres from 'postgres';
import type { ProviderKind } from '../../src/core/registers.ts';
import { Secret } from '../../src/core/secret.ts';
import { login, readLogin } from '../servers/vault/agent.ts';
import type { Login } from '../servers/vault/agent.ts';
import { targetAt } from './aws/bundle.ts';
import { awsWorld, ROLE } from './aws/world.ts';
import { clientVault } from './client-vault.ts';
import { cloudRead, QUERY, routing, ticketRead, VAULT_READ } from './kill-agent.ts';
import type { Task } from './kill-agent.ts';
import { AT_AWS, bundleForKills, THROUGH_VAULT } from './kill-bundle.ts';
import { awsHoldings, databaseHoldings, vaultHoldings } from './kill-holdings.ts';
import type { Holdings } from './kill-holdings.ts';
import { probedApi } from './kill-probed-api.ts';
import type { Step } from './kill-steps.ts';
import { administer, killWorld } from './kill-world.ts';
import type { KillWorld } from './kill-world.ts';
import type { ClientDatabase } from './target.ts';
import { startTool, toolTarget } from './tool.ts';

export type Credential = Readonly<Record<string, unknown>>;

/** What a lease is asked for: to come to a step, to be ended soon, or to be left alone. */
export type Aim = Step | 'anywhere' | 'bystander';

export interface Ground {
  /** `null`: what is there lives in Brevet alone. */
  readonly holdings: Holdings | null;
  task(aim: Aim): Task;
  /** What an agent does at once with what it got. */
  take(credential: Credential): Promise<Credential>;
  /** @param url of a node. */
  works(taken: Credential, url: string): Promise<boolean>;
}

export interface Grounds {
  readonly world: KillWorld;
  readonly at: Readonly<Record<ProviderKind, Ground>>;
  /** Of all of them. */
  holdings(): readonly Holdings[];
  /** How often the tool was called, by lease. */
  toolCalls(): ReadonlyMap<string, number>;
  close(): Promise<void>;
}

/** A role at AWS has room for so many denials, with as many leases as a kill brings to a step. */
const KILLS_A_ROLE = 80;
/** What nobody can see dead is waited for to its end; AWS's provider gives nothing for less. */
const SHORTEST_AT_AWS = 60;
const ORDINARY = { environment: 'production', data_classes: [] };

/** By which port Brevet reaches a server: its own, unless a test has put something between them. */
export type Way = (provider: ProviderKind, port: number) => Promise<number>;

export async function killGrounds(kills: number, way: Way = async (_, port) => port): Promise<Grounds> {
  const vault = await clientVault({ max_connections: '300' });
  const client = await reachedBy(way, vault.database);
  const world = await killWorld({ client, edit: bundleForKills });
  const [api, tool] = await Promise.all([probedApi(world), startTool()]);
  const through = async (provider: ProviderKind, url: string): Promise<string> =>
    url.replace(/(?<=:)\d+/, String(await way(provider, Number(new URL(url).port))));
  const serving = await world.serve();
  const put = (target: string, body: object) =>
    administer(world, serving.url, 'PUT', `/api/tenants/acme/targets/${target}`, { ...ORDINARY, ...body });
  // It is not on probation.
  await administer(world, serving.url, 'PUT', '/api/tenants/acme/acceptances/report-bot', ACCEPTED);
  await put('tickets-api', {
    provider: 'jwt',
    config: {
      audience: 'https://tickets.acme.example',
      checks: 'introspection',
      probe_url: await through('jwt', api.url),
    },
  });
  await put(
    'psa',
    toolTarget(await through('http', tool.origin), { lease_field: LEASE_FIELD, limits: { calls_per_minute: 100_000 } }),
  );
  const address = await through('vault', vault.config.address);
  await put('reports-vault', {
    provider: 'vault',
    config: { ...vault.config, address },
    secret: vault.secret.reveal(),
  });
  const roles = Array.from({ length: Math.ceil(kills / KILLS_A_ROLE) }, (_, place) => `${ROLE}-${place + 1}`);
  const aws = await awsWorld(async (front) => {
    const endpoint = await through('aws', front.url);
    for (const role of roles) await put(targetOf(role), { ...targetAt({ ...front, url: endpoint }, role), ...SHARED });
    return externalIdAt(world, serving.url, roles[0] ?? '');
  });
  for (const role of roles) await aws.addRole(role);
  await serving.stop();
  let turn = 0;
  const nextRole = (): string => targetOf(roles[turn++ % roles.length] ?? '');
  const at: Grounds['at'] = {
    postgres: {
      holdings: databaseHoldings(world.client),
      task: () => QUERY,
      take: async (credential) => credential,
      works: (credential) => seesTickets(credential),
    },
    vault: {
      holdings: vaultHoldings(vault),
      task: () => VAULT_READ,
      take: async (credential) => {
        const token = new Secret(String(credential['token']));
        const read = await readLogin({ ...credential, token });
        assert.ok(read !== null, 'Vault refused what had just been acknowledged');
        return { ...read };
      },
      works: (taken) => login(vault, taken as unknown as Login).works('select from tickets'),
    },
    aws: {
      holdings: awsHoldings(aws),
      task: (aim) => cloudRead(nextRole(), aim === 'bystander' ? 900 : SHORTEST_AT_AWS),
      take: async (credential) => credential,
      works: (credential) => aws.reads(credential as Record<string, string>, 'acme-1'),
    },
    jwt: {
      holdings: null,
      // Where the commit is the death, and where it has to be seen.
      task: (aim) => routing(isStep(aim) && aim.verb !== 'lease.revoke' ? 'tickets-api' : 'edge-firewall'),
      take: async (credential) => credential,
      works: async () => true,
    },
    http: {
      holdings: null,
      task: (aim) => ticketRead(isStep(aim) && aim.phase === 'use' ? 1 : 3),
      take: async (credential) => credential,
      works: async (credential, url) => (await callTool(credential, url)) === 200,
    },
  };
  return {
    world,
    at,
    holdings: () => Object.values(at).flatMap(({ holdings }) => holdings ?? []),
    toolCalls: () => countBy(tool.seen.map(({ headers }) => String(headers[LEASE_FIELD.name]))),
    async close() {
      await Promise.all([api.close(), tool.close(), aws.close(), vault.vault.stop()]);
      await world.close();
    },
  };
}

async function reachedBy(way: Way, database: ClientDatabase): Promise<ClientDatabase> {
  const nodes = [{ host: database.host, port: await way('postgres', database.port) }];
  return { ...database, config: { ...database.config, nodes } };
}

const ACCEPTED = { model_version: '3.1', tasks: ['report.query', AT_AWS, THROUGH_VAULT], reason: 'The kill tests' };
const LEASE_FIELD = { in: 'header', name: 'x-lease' };
/** One broker's keys at AWS reach all of its tenants. */
const SHARED = { msp_wide: { reason: 'Brevet has one user at AWS' } };

const isStep = (aim: Aim): aim is Step => typeof aim === 'object';

const targetOf = (role: string): string => `at-${role}`;

async function externalIdAt(world: KillWorld, url: string, role: string): Promise<string> {
  const { body } = await administer(world, url, 'GET', `/api/tenants/acme/targets/${targetOf(role)}`);
  const found = /"external_id":"(?<id>[0-9a-f]{32})"/.exec(JSON.stringify(body))?.groups?.['id'];
  if (found === undefined) throw new Error('a target at AWS without its external id');
  return found;
}

const countBy = (names: readonly string[]): ReadonlyMap<string, number> =>
  names.reduce((counts, name) => counts.set(name, (counts.get(name) ?? 0) + 1), new Map<string, number>());

async function seesTickets(credential: Credential): Promise<boolean> {
  const { host, port, database, user, password } = credential as Record<string, string>;
  const sql = postgres({
    max: 1,
    fetch_types: false,
    onnotice: () => {},
    host: host ?? '',
    port: Number(port),
    database: database ?? '',
    user: user ?? '',
    password: password ?? '',
  });
  try {
    return (await sql`select from tickets`).length === 3;
  } catch (fault) {
    if (fault instanceof postgres.PostgresError && fault.code === NO_SUCH_LOGIN) return false;
    throw fault;
  } finally {
    await sql.end();
  }
}

const NO_SUCH_LOGIN = '28P01';

/** @returns the status; `null`: the connection went before the answer was whole. */
export async function callTool({ base_url, token }: Credential, url: string): Promise<number | null> {
  try {
    const { pathname } = new URL(String(base_url));
    const answer = await fetch(`${url}${pathname}/tickets/ACME-1`, {
      headers: { authorization: `Bearer ${String(token)}` },
    });
    await answer.arrayBuffer();
    return answer.status;
  } catch (fault) {
    if (fault instanceof TypeError) return null;
    throw fault;
  }
}
