/**
 * The examples of a bundle's cases, as the snapshot and the principal that a decision reads: real decisions on
 * imagined clients, with nothing behind them.
 */
import type { AgentPrincipal } from '../authenticate/principal.ts';
import type {
  AgentName,
  AssignmentId,
  PersonName,
  RoleName,
  SituationId,
  TargetName,
  TenantName,
  VendorName,
} from '../core/ids.ts';
import { contextOf, vendorOf } from '../core/context-form.ts';
import { NO_CONTEXT } from '../core/registers.ts';
import type { Agent, Assignment, Enrolment, Person, Situation, Tenant } from '../core/registers.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { instant, parseInstant, seconds } from '../core/time.ts';
import type { Instant } from '../core/time.ts';
import { intervalsAround } from '../core/windows.ts';
import type { Bundle } from './bundle/model.ts';
import type { ExampleAgent, ExampleSituation, ExampleTenant } from './bundle/cases.ts';

const OWNER = 'owner' as PersonName;
const OVERSEER = 'overseer' as PersonName;
const APPROVER = 'approver' as PersonName;
const NEVER = instant(Number.MAX_SAFE_INTEGER);

/** Of examples that say no time, and so do not depend on it. */
export const USUALLY = instant(Date.UTC(2026, 0, 1));

/** When it is looked at, and what holds at the client then. */
export interface ExampleMoment {
  readonly now?: Instant;
  readonly situations?: readonly ExampleSituation[];
}

export interface Example {
  readonly snapshot: Snapshot;
  readonly principal: AgentPrincipal;
}

/** One agent at one tenant, overseen by somebody who does not own it, and those of the routes who could approve. */
export function exampleOf(
  bundle: Bundle,
  tenantName: string,
  client: ExampleTenant,
  agentName: string,
  example: ExampleAgent,
  { now = USUALLY, situations = [] }: ExampleMoment = {},
): Example {
  const tenant = tenantOf(tenantName, client);
  const agent = agentOf(agentName, example);
  const enrolment = enrolmentOf(tenant, agent);
  const assignments = [
    ...example.roles.map((role, at) => assign(tenant.name, { kind: 'agent', name: agent.name }, role, 'execution', at)),
    assign(
      tenant.name,
      { kind: 'person', name: OVERSEER },
      rolesOf(bundle, 'oversight')[0] ?? 'oversight',
      'oversight',
      example.roles.length,
    ),
    ...approversOf(bundle).flatMap((name, at) =>
      rolesOf(bundle, 'approval').map((role, place) =>
        assign(tenant.name, { kind: 'person', name }, role, 'approval', `${at}-${place}`),
      ),
    ),
  ];
  const persons = new Map([OWNER, OVERSEER, ...approversOf(bundle)].map((name) => [name, personOf(name)]));
  const snapshot: Snapshot = {
    tenant,
    epochs: { tenant: 0, deployment: 0 },
    deployment: {
      epoch: 0,
      inSetup: false,
      stopped: null,
      widening: null,
      policiesBefore: [],
      policy: bundle.version,
      reading: new Set(),
      persons,
      absences: new Map(),
      operators: new Map(),
      passkeys: new Map(),
      issuers: [],
      vendors: vendorsOf(bundle),
      assignments: [],
      lapsesAt: NEVER,
    },
    agents: new Map([[agent.name, { agent, enrolment }]]),
    acceptances: example.accepted === false ? new Map() : acceptancesOf(bundle, tenant.name, agent),
    assignments,
    lateNotices: new Set(),
    blocks: [],
    pauses: [],
    trips: [],
    situations: situations.map((one, at) => situationOf(tenant.name, one, at, now)),
    windows: intervalsAround(tenant.context.windows, tenant.context.timeZone, now),
    targets: targetsOf(tenant.name, client),
    keys: [],
    lapsesAt: NEVER,
  };
  const by = 'private_key_jwt';
  return { snapshot, principal: { kind: 'agent', tenant: tenant.name, agent, enrolment, by, launchedBy: null } };
}

/** A bundle without a role of oversight that acts lets nobody oversee, and so decides nothing but forbids. */
const rolesOf = (bundle: Bundle, of: 'oversight' | 'approval'): readonly string[] =>
  [...bundle.roles.values()].filter((role) => role.function === of && !role.readsOnly).map(({ name }) => name);

/** The routes' own people, each in every role of theirs: what is asked is then answered by somebody of its level. */
const approversOf = ({ routes }: Bundle): readonly PersonName[] =>
  routes.people.size === 0 ? [APPROVER] : [...routes.people.keys()];

function tenantOf(name: string, client: ExampleTenant): Tenant {
  const { targets: _, ...context } = client;
  return { name: name as TenantName, displayName: name, context: { ...NO_CONTEXT, ...contextOf(context) } };
}

function vendorsOf({ cases }: Bundle): Snapshot['deployment']['vendors'] {
  const written = cases.flatMap(({ holds }) => Object.entries(holds.vendors ?? {}));
  return new Map(written.map(([name, form]) => [name as VendorName, vendorOf(name as VendorName, form)]));
}

/** One that says no beginning has begun. */
function situationOf(tenant: TenantName, form: ExampleSituation, at: number, now: Instant): Situation {
  const { kind, resource = null, from, until, ask_within: within } = form;
  return {
    id: `example-${at}` as SituationId,
    tenant,
    kind,
    resource,
    from: (from === undefined ? null : parseInstant(from)) ?? now,
    until: parseInstant(until) ?? now,
    askWithin: within === undefined ? null : seconds(within),
    author: OVERSEER,
  };
}

const agentOf = (name: string, example: ExampleAgent): Agent => ({
  name: name as AgentName,
  owner: OWNER,
  deputy: null,
  formerOwners: [],
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

const acceptancesOf = (bundle: Bundle, tenant: TenantName, agent: Agent): Snapshot['acceptances'] => {
  const { name, model, modelVersion } = agent;
  const tasks = [...bundle.tasks.keys()];
  const reason = 'example';
  return new Map([
    [name, { tenant, agent: name, model, modelVersion, tasks, reason, authors: [OVERSEER, OWNER], inSetup: false }],
  ]);
};

const assign = (
  tenant: TenantName,
  holder: Assignment['holder'],
  role: string,
  of: Assignment['function'],
  at: number | string,
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
