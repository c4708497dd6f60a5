/**
 * The examples of a bundle's cases, as the snapshot and the principal that a decision reads: real decisions on
 * imagined clients, with nothing behind them.
 */
import type { AgentPrincipal } from '../authenticate/principal.ts';
import type { AgentName, AssignmentId, PersonName, RoleName, TargetName, TenantName } from '../core/ids.ts';
import type { Agent, Assignment, Enrolment, Person, Tenant } from '../core/registers.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { instant } from '../core/time.ts';
import type { Bundle } from './bundle/model.ts';
import type { ExampleAgent, ExampleTenant } from './bundle/cases.ts';

const OWNER = 'owner' as PersonName;
const OVERSEER = 'overseer' as PersonName;
const NEVER = instant(Number.MAX_SAFE_INTEGER);

export interface Example {
  readonly snapshot: Snapshot;
  readonly principal: AgentPrincipal;
}

/** One agent at one tenant, overseen by somebody who does not own it. */
export function exampleOf(
  bundle: Bundle,
  tenantName: string,
  client: ExampleTenant,
  agentName: string,
  example: ExampleAgent,
): Example {
  const tenant = tenantOf(tenantName, client);
  const agent = agentOf(agentName, example);
  const enrolment = enrolmentOf(tenant, agent);
  const assignments = [
    ...example.roles.map((role, at) => assign(tenant.name, { kind: 'agent', name: agent.name }, role, 'execution', at)),
    assign(tenant.name, { kind: 'person', name: OVERSEER }, oversightRole(bundle), 'oversight', example.roles.length),
  ];
  const persons = new Map([OWNER, OVERSEER].map((name) => [name, personOf(name)]));
  const snapshot: Snapshot = {
    tenant,
    epochs: { tenant: 0, deployment: 0 },
    deployment: {
      epoch: 0,
      inSetup: false,
      stopped: null,
      policy: bundle.version,
      persons,
      operators: new Map(),
      issuers: [],
      assignments: [],
      lapsesAt: NEVER,
    },
    agents: new Map([[agent.name, { agent, enrolment }]]),
    assignments,
    targets: targetsOf(tenant.name, client),
    keys: [],
    lapsesAt: NEVER,
  };
  const by = 'private_key_jwt';
  return { snapshot, principal: { kind: 'agent', tenant: tenant.name, agent, enrolment, by, launchedBy: null } };
}

/** A bundle without one lets nobody oversee, and so decides nothing but forbids. */
const oversightRole = (bundle: Bundle): string =>
  [...bundle.roles.values()].find((role) => role.function === 'oversight')?.name ?? 'overseer';

const tenantOf = (name: string, client: ExampleTenant): Tenant => ({
  name: name as TenantName,
  displayName: name,
  context: {
    regulations: client.regulations,
    dataClasses: client.data_classes,
    autonomy: client.autonomy,
    timeZone: 'UTC',
  },
});

const agentOf = (name: string, example: ExampleAgent): Agent => ({
  name: name as AgentName,
  owner: OWNER,
  deputy: null,
  leftBy: null,
  kind: example.kind,
  purpose: 'example',
  decisions: [],
  vendor: example.vendor,
  model: example.model,
  modelVersion: example.model_version,
  autonomy: example.autonomy,
  data: [],
  active: true,
});

const enrolmentOf = ({ name }: Tenant, agent: Agent): Enrolment => ({
  tenant: name,
  agent: agent.name,
  proof: { by: 'key', jwk: {}, thumbprint: 'example' },
  exception: null,
});

const assign = (
  tenant: TenantName,
  holder: Assignment['holder'],
  role: string,
  of: Assignment['function'],
  at: number,
): Assignment => ({
  id: `example-${at}` as AssignmentId,
  tenant,
  holder,
  role: role as RoleName,
  function: of,
  until: null,
  reviewer: null,
});

const personOf = (name: PersonName): Person => ({ name, displayName: name, email: null, active: true });

const targetsOf = (tenant: TenantName, client: ExampleTenant): Snapshot['targets'] =>
  new Map(
    Object.entries(client.targets).map(([name, target]) => [
      name as TargetName,
      {
        tenant,
        name: name as TargetName,
        version: 1,
        provider: target.provider,
        config: {},
        secret: null,
        jwk: null,
        environment: target.environment,
        dataClasses: target.data_classes,
        mspWide: null,
      },
    ]),
  );
