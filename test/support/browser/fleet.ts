/**
 * Agents of olga's at work at acme and birch: some credentials live, some are over, and one resource has a name that
 * would deceive.
 */
import { createBrevet } from '../../../src/client/brevet.ts';
import type { Ask, Brevet } from '../../../src/client/brevet.ts';
import type { PrivateJwk } from '../../../src/client/assertion.ts';
import { agentSession } from '../../../src/cli/demo/session.ts';
import type { JsonObject } from '../../../src/core/canonical.ts';
import { must, newKey } from '../../acceptance/broker.ts';
import type { ConsoleWorld } from './world.ts';

const TERMS = {
  vendors: ['in-house'],
  models: [{ model: 'planner', version: '3.1' }],
  training: false,
  retention_days: 30,
};

const AGENT = {
  owner: 'olga',
  deputy: 'dana',
  kind: 'autonomous-agent',
  vendor: 'in-house',
  model: 'planner',
  model_version: '3.1',
  autonomy: 'autonomous',
};

const AGENTS = {
  'triage-bot': {
    role: 'triage',
    purpose: 'Sorts the tickets that come in',
    tasks: ['ticket.route', 'ticket.categorize'],
  },
  'patch-bot': { role: 'patching', purpose: 'Keeps workstations patched', tasks: ['patch.routine'] },
  'kb-bot': { role: 'documentation', purpose: 'Keeps the knowledge base', tasks: ['kb.publish'] },
} as const;

export interface Fleet {
  /** Asks as that agent at that tenant. */
  at(tenant: 'acme' | 'birch', agent: keyof typeof AGENTS): Brevet;
  route(n: number, more?: Partial<Ask>): Ask;
  /** What that agent at acme is ordered to take back. */
  orders(agent: keyof typeof AGENTS): Promise<readonly Ordered[]>;
}

export interface Ordered {
  readonly id: string;
  readonly task: string;
  readonly resource: string;
  readonly parameters: JsonObject;
}

export async function fleet({ ada, place }: ConsoleWorld): Promise<Fleet> {
  for (const name of ['olga', 'dana']) await ada.put(`/api/people/${name}`, { display_name: name });
  const brevets = new Map<string, Brevet>();
  const keys = new Map<string, PrivateJwk>();
  for (const [agent, { purpose }] of Object.entries(AGENTS))
    await ada.put(`/api/agents/${agent}`, { ...AGENT, purpose });
  for (const [tenant, display_name] of [
    ['acme', 'Acme Retail'],
    ['birch', 'Birch Dental'],
  ] as const) {
    await ada.put(`/api/tenants/${tenant}`, {
      display_name,
      autonomy: 'autonomous',
      terms: TERMS,
    });
    for (const target of ['tickets', 'workstations', 'wiki']) {
      await ada.put(`/api/tenants/${tenant}/targets/${target}`, {
        provider: 'jwt',
        environment: 'production',
        config: { audience: `https://${target}.${tenant}.example`, checks: 'introspection' },
        jwk: (await newKey()).publicJwk,
      });
    }
    for (const [agent, { role, tasks }] of Object.entries(AGENTS)) {
      const key = await ada.enrol(tenant, agent);
      await ada.put(`/api/tenants/${tenant}/acceptances/${agent}`, {
        model_version: AGENT.model_version,
        tasks,
        reason: 'They have worked with it for a year',
      });
      await ada.assign({ tenant, holder: { agent }, role });
      keys.set(`${agent}@${tenant}`, key);
      brevets.set(`${agent}@${tenant}`, createBrevet({ url: place.url, tenant, agent, key }));
    }
  }
  return {
    at: (tenant, agent) => brevets.get(`${agent}@${tenant}`) ?? fail(`${agent} is not at ${tenant}`),
    orders: async (agent) => {
      const token = await agentSession(place.url, place.url, agent, keys.get(`${agent}@acme`) ?? fail(agent));
      return (await must('GET', `${place.url}/t/acme/orders`, { token })).body['items'] as readonly Ordered[];
    },
    route: (n, more = {}) => ({
      task: 'ticket.route',
      resource: `tickets/ACME-${n}`,
      parameters: { ticket: `ACME-${n}`, queue: 'network' },
      reason: `Ticket ACME-${n} names a switch that no longer answers`,
      ...more,
    }),
  };
}

const fail = (why: string): never => {
  throw new Error(why);
};
