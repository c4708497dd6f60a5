/**
 * Agents of olga's at work at acme and birch: some credentials live, some are over, and one resource has a name that
 * would deceive.
 */
import { createBrevet } from '../../../src/client/brevet.ts';
import type { Ask, Brevet } from '../../../src/client/brevet.ts';
import { newKey } from '../../acceptance/broker.ts';
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
} as const;

export interface Fleet {
  /** Asks as that agent at that tenant. */
  at(tenant: 'acme' | 'birch', agent: keyof typeof AGENTS): Brevet;
  route(n: number, more?: Partial<Ask>): Ask;
}

export async function fleet({ ada, place }: ConsoleWorld): Promise<Fleet> {
  for (const name of ['olga', 'dana']) await ada.put(`/api/people/${name}`, { display_name: name });
  const brevets = new Map<string, Brevet>();
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
    for (const target of ['tickets', 'workstations']) {
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
      brevets.set(`${agent}@${tenant}`, createBrevet({ url: place.url, tenant, agent, key }));
    }
  }
  return {
    at: (tenant, agent) => brevets.get(`${agent}@${tenant}`) ?? fail(`${agent} is not at ${tenant}`),
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
