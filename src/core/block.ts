/**
 * The kill switch: nothing inside its scope is issued, passes introspection or the gateway, and what is live there is
 * revoked. It stands at those tenants where its author oversees, each of which has a row of its own.
 */
import type { AgentName, BlockId, LeaseId, PersonName, RoleName, TargetName, TaskName, TenantName } from './ids.ts';
import type { LeaseTerms } from './lease.ts';
import type { Agent, ProviderKind } from './registers.ts';
import type { Instant } from './time.ts';

export const BLOCK_SCOPES = [
  'lease',
  'agent',
  'owner',
  'vendor',
  'model',
  'role',
  'task',
  'agent_task',
  'tenant',
  'target',
  'provider',
  'everything',
] as const;
export type BlockScope = (typeof BLOCK_SCOPES)[number];

/** What is blocked: the name of one of these, as it stands in a lease or in the register of agents. */
export interface BlockOf {
  readonly scope: BlockScope;
  /**
   * Empty for `everything`. A model is named as the register has it, whatever its version; one agent's task class as
   * `{agent}/{task}`.
   */
  readonly name: string;
}

/** A block as it stands at one tenant. */
export interface Block extends BlockOf {
  readonly id: BlockId;
  readonly tenant: TenantName;
  /** Those of its owner, vendor or model when it was raised: what an agent is said to be since then frees none of them. */
  readonly agents: readonly AgentName[];
  readonly author: PersonName;
  readonly from: Instant;
  /** `null`: until it is lifted. */
  readonly until: Instant | null;
}

/** Neither name has a slash in it. */
export const agentTaskNamed = (agent: AgentName, task: TaskName): string => `${agent}/${task}`;

export function agentTaskOf(name: string): { readonly agent: AgentName; readonly task: TaskName } {
  const [agent = '', task = ''] = name.split('/', 2);
  return { agent: agent as AgentName, task: task as TaskName };
}

/** What may be inside a block's scope: a lease, or what would become one. */
export interface Blockable {
  readonly tenant: TenantName;
  readonly agent: Pick<Agent, 'name' | 'vendor' | 'model'>;
  /** The agent's owner now, and of a lease the one when it was issued. */
  readonly owners: readonly PersonName[];
  readonly role: RoleName;
  readonly task: TaskName;
  readonly target: TargetName;
  readonly provider: ProviderKind;
  /** `null` for what is not yet one. */
  readonly lease: LeaseId | null;
}

/** Of a lease, and its agent as the register has it now. */
export const blockableOf = (
  lease: Pick<LeaseTerms, 'tenant' | 'owner' | 'role' | 'task' | 'target' | 'provider' | 'id'>,
  agent: Pick<Agent, 'name' | 'owner' | 'vendor' | 'model'>,
): Blockable => ({
  tenant: lease.tenant,
  agent,
  owners: [agent.owner, lease.owner],
  role: lease.role,
  task: lease.task,
  target: lease.target,
  provider: lease.provider,
  lease: lease.id,
});

export function isInside({ scope, name, agents }: BlockOf & Pick<Block, 'agents'>, what: Blockable): boolean {
  if (agents.includes(what.agent.name)) return true;
  switch (scope) {
    case 'lease':
      return what.lease === name;
    case 'agent':
      return what.agent.name === name;
    case 'owner':
      return what.owners.some((owner) => owner === name);
    case 'vendor':
      return what.agent.vendor === name;
    case 'model':
      return what.agent.model === name;
    case 'role':
      return what.role === name;
    case 'task':
      return what.task === name;
    case 'agent_task':
      return agentTaskNamed(what.agent.name, what.task) === name;
    case 'tenant':
      return what.tenant === name;
    case 'target':
      return what.target === name;
    case 'provider':
      return what.provider === name;
    case 'everything':
      return true;
  }
}

/** The first block that what is asked for, or lives, stands inside of. */
export const blockOver = (blocks: readonly Block[], what: Blockable, now: Instant): Block | null =>
  blocks.find((block) => (block.until === null || block.until > now) && isInside(block, what)) ?? null;
