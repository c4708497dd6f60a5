/** Whether what a block names is there: a name that is mistyped would stop nothing, and look as if it had. */
import { agentTaskNamed, agentTaskOf } from '../core/block.ts';
import type { BlockOf, BlockScope } from '../core/block.ts';
import { failure } from '../core/failure.ts';
import type { Failure } from '../core/failure.ts';
import { parseId } from '../core/ids.ts';
import type { RoleName, TargetName, TaskName, TenantName } from '../core/ids.ts';
import { nearest } from '../core/nearest.ts';
import { PROVIDER_KINDS } from '../core/registers.ts';
import type { Agent } from '../core/registers.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { activePolicy } from '../decide/active.ts';
import { reachOf } from '../revoke/enforce.ts';
import type { Deps } from '../deps.ts';

/** @returns the refusal of a name that is not there, or `null`. */
export async function namedIn(
  deps: Deps,
  at: Snapshot,
  of: BlockOf,
  tenants: readonly TenantName[],
): Promise<Failure | null> {
  if (of.scope === 'everything') {
    return of.name === '' ? null : failure('invalid_field', 'everything has no name', { path: 'name' });
  }
  if (of.name === '') return failure('invalid_field', `name the ${of.scope}`, { path: 'name' });
  const there = await isThere(deps, at, of, tenants);
  if (there) return null;
  const meant = nearest(of.name, await namesHere(deps, at, of.scope, tenants));
  const hint = meant === null ? HINTS[of.scope] : `Did you mean ${meant}?`;
  return failure('not_found', `there is no ${of.scope} ${of.name} here`, { path: 'name', hint });
}

/** What may have been meant, of what is at the first of these tenants: nothing is told of any other. */
async function namesHere(
  deps: Deps,
  at: Snapshot,
  scope: BlockScope,
  tenants: readonly TenantName[],
): Promise<readonly string[]> {
  const agents = [...at.agents.values()].map(({ agent }) => agent);
  switch (scope) {
    case 'agent':
      return agents.map(({ name }) => name);
    case 'owner':
    case 'vendor':
    case 'model':
      return agents.map((agent) => agent[scope]);
    case 'role':
    case 'task': {
      const bundle = (await activePolicy(deps, at.deployment))?.bundle;
      return [...((scope === 'role' ? bundle?.roles : bundle?.tasks)?.keys() ?? [])];
    }
    case 'agent_task': {
      const tasks = (await activePolicy(deps, at.deployment))?.bundle.tasks.keys() ?? [];
      return [...tasks].flatMap((task) => agents.map(({ name }) => agentTaskNamed(name, task)));
    }
    case 'target':
      return [...at.targets.keys()];
    case 'tenant':
      return tenants;
    case 'provider':
      return PROVIDER_KINDS;
    case 'lease':
    case 'everything':
      return [];
  }
}

const HINTS: Readonly<Record<BlockScope, string>> = {
  lease: 'Copy the whole id, and name its tenant.',
  agent: 'See `brevet inventory` for their names.',
  owner: 'Name the person, not the operator.',
  vendor: 'Write it as the inventory has it.',
  model: 'Write it as the inventory has it, without the version.',
  role: 'Name a role of the active policy.',
  task: 'Name a task class of the active policy.',
  agent_task: 'Name an agent and a task class of the active policy, as agent/task.',
  tenant: 'Name a tenant that you oversee.',
  target: 'Name a target of this tenant.',
  provider: `It is one of ${PROVIDER_KINDS.join(', ')}.`,
  everything: 'Leave the name out.',
};

export async function agentsAt(deps: Deps, tenants: readonly TenantName[]): Promise<readonly Agent[]> {
  const here = new Set(await deps.store.enrolledAt(tenants));
  return (await deps.store.agents()).filter(({ name }) => here.has(name));
}

/** One that owns, or is, nothing there any more may still have something that lives. */
const holds = async (deps: Deps, tenants: readonly TenantName[], of: BlockOf): Promise<boolean> =>
  (await deps.store.unendedWithin(await reachOf(deps, of, tenants))).length > 0;

async function isThere(
  deps: Deps,
  at: Snapshot,
  { scope, name }: BlockOf,
  tenants: readonly TenantName[],
): Promise<boolean> {
  switch (scope) {
    case 'lease': {
      const id = parseId('lse', name);
      return id.ok && (await deps.store.lease(at.tenant.name, id.value)) !== null;
    }
    case 'owner':
    case 'agent':
    case 'vendor':
    case 'model': {
      // Of agents elsewhere, not even that they are there is told.
      const field = scope === 'agent' ? 'name' : scope;
      return (
        (await agentsAt(deps, tenants)).some((agent) => agent[field] === name) ||
        (await holds(deps, tenants, { scope, name }))
      );
    }
    case 'target':
      return at.targets.has(name as TargetName);
    case 'role':
    case 'task': {
      const policy = await activePolicy(deps, at.deployment);
      if (policy === null) return false;
      return scope === 'role' ? policy.bundle.roles.has(name as RoleName) : policy.bundle.tasks.has(name as TaskName);
    }
    case 'agent_task': {
      const { agent, task } = agentTaskOf(name);
      const of = { scope: 'agent', name: agent } as const;
      return agentTaskNamed(agent, task) === name && (await isTaskAndAgent(deps, at, { of, task }, tenants));
    }
    case 'tenant':
      return tenants.some((tenant) => tenant === name);
    case 'provider':
      return PROVIDER_KINDS.some((kind) => kind === name);
    case 'everything':
      return true;
  }
}

const isTaskAndAgent = async (
  deps: Deps,
  at: Snapshot,
  { of, task }: { readonly of: BlockOf; readonly task: TaskName },
  tenants: readonly TenantName[],
): Promise<boolean> =>
  (await isThere(deps, at, of, tenants)) && isThere(deps, at, { scope: 'task', name: task }, tenants);
