/**
 * A store over a database of its own, with a small world in it that came there by real commits: two tenants, the
 * people and operators who keep them, two agents, their targets and one policy version.
 */
import { randomBytes } from 'node:crypto';
import { canonicalDigest } from '../../src/core/canonical.ts';
import type { NewWork } from '../../src/core/change.ts';
import type { RegisterChange } from '../../src/core/change/register.ts';
import { makeEntry } from '../../src/core/entry.ts';
import type { Entry, EntryDraft } from '../../src/core/entry.ts';
import { newId } from '../../src/core/ids.ts';
import type {
  AgentName,
  OperatorName,
  PersonName,
  Random,
  RoleName,
  TargetName,
  TaskName,
  TenantName,
} from '../../src/core/ids.ts';
import type { Log } from '../../src/core/log.ts';
import type {
  Acceptance,
  Agent,
  Assignment,
  Holder,
  RoleFunction,
  Situation,
  TargetVersion,
} from '../../src/core/registers.ts';
import { createKeyring } from '../../src/core/seal.ts';
import type { Keyring } from '../../src/core/seal.ts';
import type { Store } from '../../src/core/store.ts';
import { instant } from '../../src/core/time.ts';
import type { Instant } from '../../src/core/time.ts';
import { openStore } from '../../src/store/open.ts';
import type { StoreOptions } from '../../src/store/open.ts';
import { testDatabase } from './postgres.ts';
import type { TestDatabase } from './postgres.ts';

export const ACME = 'acme' as TenantName;
export const BIRCH = 'birch' as TenantName;
export const TRIAGE = 'triage-bot' as AgentName;
export const PATCHER = 'patch-bot' as AgentName;
/** Administers the deployment. */
export const ADA = 'ada' as PersonName;
/** Administers the deployment, too. */
export const ALAN = 'alan' as PersonName;
/** Oversees both tenants, and owns no agent. */
export const OLGA = 'olga' as PersonName;
/** Approves at both tenants. */
export const PAULA = 'paula' as PersonName;
/** Owns the agents. */
export const OWEN = 'owen' as PersonName;
export const TICKETS = 'tickets' as TargetName;

/** What the seeded policy version says of its roles; its files are no whole bundle. */
export const FUNCTIONS: Readonly<Record<string, RoleFunction>> = {
  administrator: 'administration',
  overseer: 'oversight',
  approver: 'approval',
  triage: 'execution',
  patching: 'execution',
};

export interface TestStore {
  readonly store: Store;
  readonly database: TestDatabase;
  readonly keyring: Keyring;
  readonly random: Random;
  readonly clock: () => Instant;
  readonly log: Log;
  /** Another node on the same database. */
  open(options?: Partial<StoreOptions>): Promise<Store>;
  /** A change of registers with its entry, which must succeed. */
  change(change: RegisterChange, work?: readonly NewWork[]): Promise<void>;
  entry(draft?: Partial<EntryDraft>): Entry;
  /** Closes every node and drops the database. */
  close(): Promise<void>;
}

export const random: Random = (bytes) => new Uint8Array(randomBytes(bytes));

export const silent: Log = { info: () => {}, warn: () => {}, error: () => {} };

/** @param world `false` leaves the broker empty, with nothing but its tables. */
export async function testStore({ world = true }: { readonly world?: boolean } = {}): Promise<TestStore> {
  const database = await testDatabase();
  const keyring = await createKeyring(random(32), random);
  const opened: Store[] = [];
  const open = async (options: Partial<StoreOptions> = {}) => {
    const store = await openStore({
      database: database.serve,
      keyring,
      node: 'test',
      log: silent,
      mode: 'node',
      ...options,
    });
    opened.push(store);
    return store;
  };
  const store = await open();
  const offset = await store.clockOffset();
  const clock = () => instant(Date.now() + offset);
  const entry = (draft: Partial<EntryDraft> = {}) =>
    makeEntry(
      {
        tenant: null,
        kind: 'register.put',
        at: clock(),
        actor: { kind: 'operator', name: 'ada', person: ADA, by: 'oidc' },
        accountable: ADA,
        inSetup: false,
        facts: {},
        ...draft,
      },
      random,
    );
  const change = async (what: RegisterChange, work: readonly NewWork[] = []) => {
    const done = await store.commit({ kind: 'register', change: what, work, deploymentEpoch: null }, [entry()]);
    if (!done.ok) throw new Error(`${what.kind}: ${JSON.stringify(done.error)}`);
    store.forget(null);
  };
  const test: TestStore = {
    store,
    database,
    keyring,
    random,
    clock,
    log: silent,
    open,
    change,
    entry,
    async close() {
      await Promise.all(opened.map((one) => one.close()));
      await database.drop();
    },
  };
  if (world) await makeWorld(test);
  return test;
}

async function makeWorld({ change, keyring }: TestStore): Promise<void> {
  await change({
    kind: 'setup.begin',
    person: personOf(ADA),
    operator: operatorOf(ADA),
    assignment: assignmentOf({ kind: 'person', name: ADA }, 'administrator', null),
  });
  const files = { 'roles.yaml': Object.keys(FUNCTIONS).join('\n') };
  const version = canonicalDigest(files);
  await change({ kind: 'policy.activate', version, files, functions: FUNCTIONS, reading: [], onlyFirst: true });
  for (const name of [ALAN, OLGA, PAULA, OWEN]) {
    await change({ kind: 'person.put', person: personOf(name) });
    await change({ kind: 'operator.put', operator: operatorOf(name) });
  }
  for (const name of [TRIAGE, PATCHER]) await change({ kind: 'agent.put', agent: agentOf(name) });
  for (const tenant of [ACME, BIRCH]) await makeTenant({ change, keyring }, tenant);
  await change({
    kind: 'assignment.put',
    assignment: assignmentOf({ kind: 'person', name: ALAN }, 'administrator', null),
  });
  for (const person of [ADA, ALAN]) await change({ kind: 'setup.witness', person });
}

async function makeTenant({ change }: Pick<TestStore, 'change' | 'keyring'>, tenant: TenantName): Promise<void> {
  const context = { regulations: [], dataClasses: [], autonomy: 'autonomous', timeZone: 'UTC' } as const;
  await change({ kind: 'tenant.put', tenant: { name: tenant, displayName: tenant, context }, keys: [] });
  await change({
    kind: 'target.put',
    target: targetOf(tenant, TICKETS),
    audience: `https://${tenant}.example`,
    secretHash: null,
  });
  for (const agent of [TRIAGE, PATCHER]) {
    const thumbprint = `${agent} at ${tenant}`;
    const proof = { by: 'key', jwk: { kty: 'OKP' }, thumbprint } as const;
    await change({ kind: 'enrolment.put', enrolment: { tenant, agent, proof, exception: null } });
  }
  const held: readonly (readonly [Holder, string])[] = [
    [{ kind: 'person', name: OLGA }, 'overseer'],
    [{ kind: 'person', name: PAULA }, 'approver'],
    [{ kind: 'agent', name: TRIAGE }, 'triage'],
    [{ kind: 'agent', name: PATCHER }, 'patching'],
  ];
  for (const [holder, role] of held) {
    await change({ kind: 'assignment.put', assignment: assignmentOf(holder, role, tenant) });
  }
}

export const personOf = (name: PersonName) => ({ name, displayName: name, email: null, active: true });

/** An operator of the person's own name. */
export const operatorOf = (person: PersonName) => ({
  name: person as string as OperatorName,
  person,
  issuer: 'https://id.example',
  subject: person,
  active: true,
});

export const agentOf = (name: AgentName, more: Partial<Agent> = {}): Agent => ({
  name,
  owner: OWEN,
  deputy: null,
  formerOwners: [],
  leftBy: null,
  kind: 'service',
  purpose: 'tests',
  decisions: [],
  vendor: 'acme',
  model: 'm',
  modelVersion: '1',
  autonomy: 'autonomous',
  data: [],
  active: true,
  ...more,
});

export const targetOf = (tenant: TenantName, name: TargetName): Omit<TargetVersion, 'version'> => ({
  tenant,
  name,
  provider: 'jwt',
  config: { audience: `https://${tenant}.example` },
  secret: null,
  jwk: null,
  environment: 'production',
  dataClasses: [],
  mspWide: null,
});

/** An incident that has begun. */
export const situationOf = (tenant: TenantName, until: Instant, more: Partial<Situation> = {}): Situation => ({
  id: newId('sit', until, random),
  tenant,
  kind: 'incident',
  resource: null,
  from: instant(until - 86_400_000),
  until,
  askWithin: null,
  author: OLGA,
  ...more,
});

/** By two persons, of the agent as `agentOf` has it. */
export const acceptanceOf = (tenant: TenantName, agent: AgentName, more: Partial<Acceptance> = {}): Acceptance => ({
  tenant,
  agent,
  model: 'm',
  modelVersion: '1',
  tasks: ['ticket.route' as TaskName],
  reason: 'A quiet year',
  authors: [ADA, ALAN],
  inSetup: false,
  ...more,
});

/** With the function that the seeded policy gives the role. */
export const assignmentOf = (
  holder: Holder,
  role: string,
  tenant: TenantName | null,
  until: Instant | null = null,
): Assignment => ({
  id: newId('asg', instant(Date.now()), random),
  tenant,
  holder,
  role: role as RoleName,
  function: FUNCTIONS[role] ?? 'execution',
  until,
  reviewer: null,
});
