/**
 * An agent of olga's that may change firewalls at a clinic under HIPAA, where paula, a person of leadership, approves and
 * otto oversees: what it needs to ask, from a shell of its own.
 */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createBrevet } from '../../../src/client/brevet.ts';
import type { Ask, Brevet } from '../../../src/client/brevet.ts';
import { newKey, run } from '../../acceptance/broker.ts';
import type { Process } from '../../acceptance/broker.ts';
import type { ConsoleWorld } from './world.ts';

const AGENT = {
  owner: 'olga',
  deputy: 'dana',
  kind: 'autonomous-agent',
  purpose: 'Keeps the firewalls of clinics as their policy says',
  vendor: 'in-house',
  model: 'planner',
  model_version: '3.1',
  autonomy: 'autonomous',
};

const TERMS = {
  vendors: ['in-house'],
  models: [{ model: 'planner', version: '3.1' }],
  training: false,
  retention_days: 30,
};

export interface FirewallAgent {
  /** `brevet exec`, which waits for people; `sent` are more of its arguments. */
  exec(sent?: Asking): Process;
  /** The same agent, as a program has it. */
  readonly brevet: Brevet;
}

/** What it asks for, in the SDK's words. */
export const CLOSE_TELNET: Ask = {
  task: 'firewall.change',
  resource: 'edge-firewall',
  parameters: { rule: 'telnet-from-outside', action: 'close', port: 23 },
  reason: 'A scan found telnet open to the world',
  change: 'CHG-1042',
  rollback: 'Open the rule again',
  confidence: 0.93,
  trigger: { kind: 'alert', reference: 'SCAN-77' },
};

export interface Asking {
  readonly reason?: string;
  readonly parameters?: Readonly<Record<string, string>>;
  /** The rest of the request, as in a file. */
  readonly more?: Readonly<Record<string, unknown>>;
  readonly args?: readonly string[];
  readonly command?: readonly string[];
}

const RULE = { rule: 'telnet-from-outside', action: 'close', 'port:': '23' };

export async function firewallAgent(
  { ada, place }: ConsoleWorld,
  tenant = 'clinic',
  display_name = 'Northwind Clinic',
): Promise<FirewallAgent> {
  for (const name of ['olga', 'dana']) await ada.put(`/api/people/${name}`, { display_name: name });
  await ada.put(`/api/tenants/${tenant}`, {
    display_name,
    autonomy: 'autonomous',
    terms: TERMS,
    regulations: ['hipaa'],
    data_classes: ['phi'],
  });
  await ada.put(`/api/tenants/${tenant}/targets/edge-firewall`, {
    provider: 'jwt',
    environment: 'production',
    config: { audience: `https://firewall.${tenant}.example`, checks: 'introspection' },
    jwk: (await newKey()).publicJwk,
  });
  await ada.assign({ tenant, holder: { person: 'otto' }, role: 'overseer' });
  await ada.assign({ tenant, holder: { person: 'paula' }, role: 'approver' });
  await ada.put('/api/agents/net-bot', AGENT);
  const key = await ada.enrol(tenant, 'net-bot');
  await ada.put(`/api/tenants/${tenant}/acceptances/net-bot`, {
    model_version: AGENT.model_version,
    tasks: ['firewall.change'],
    reason: 'Agreed with the clinic',
  });
  await ada.assign({ tenant, holder: { agent: 'net-bot' }, role: 'network' });
  const folder = mkdtempSync(join(tmpdir(), 'brevet-net-bot-'));
  const keyFile = join(folder, 'key.json');
  writeFileSync(keyFile, JSON.stringify(key), { mode: 0o600 });
  const env = { BREVET_URL: place.url, BREVET_TENANT: tenant, BREVET_AGENT: 'net-bot', BREVET_AGENT_KEY_FILE: keyFile };
  return {
    brevet: createBrevet({ url: place.url, tenant, agent: 'net-bot', key }),
    exec({ reason = 'A scan found telnet open to the world', parameters = RULE, more = {}, args = [], command } = {}) {
      const said = join(folder, `${Math.random()}.json`);
      writeFileSync(
        said,
        JSON.stringify({
          change: 'CHG-1042',
          rollback: 'Open the rule again',
          confidence: 0.93,
          trigger: { kind: 'alert', reference: 'SCAN-77' },
          ...more,
        }),
      );
      const given = Object.entries(parameters).flatMap(([name, value]) => ['--param', `${name}=${value}`]);
      const asked = ['--task', 'firewall.change', '--resource', 'edge-firewall', '--reason', reason, '--file', said];
      const what = command ?? ['sh', '-c', 'test -n "$BREVET_TOKEN" && echo the rule is closed'];
      return run(['exec', ...asked, ...given, '--wait', '120', '--same-user', ...args, '--', ...what], { env });
    },
  };
}
