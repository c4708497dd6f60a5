/**
 * What the rules are asked: flat, in one order, and without a clock, an id or free text, so that the same facts are
 * the same bytes and an answer may be kept.
 */
import type { Json, JsonObject } from '../core/canonical.ts';
import type { Agent, DataClass, TenantContext } from '../core/registers.ts';
import type { TaskClass } from './bundle/model.ts';
import type { Tier } from './decision.ts';

/** All from registers, except the booleans that a request's claims can only raise. */
export interface Facts {
  readonly role: string;
  readonly task: Pick<
    TaskClass,
    'name' | 'kind' | 'provider' | 'readsOnly' | 'leavesObjects' | 'containment' | 'changes' | 'touches' | 'seenByRules'
  >;
  /** Checked against the task class's schema. */
  readonly parameters: JsonObject;
  /** Effective. */
  readonly tier: Tier;
  readonly environment: string;
  /** Behind the target, and what the request adds to it; what the task class touches is added here. */
  readonly data: readonly DataClass[];
  readonly tenantData: readonly DataClass[];
  readonly regulations: readonly string[];
  readonly contract: TenantContext['autonomy'];
  readonly agent: Pick<Agent, 'autonomy' | 'kind' | 'vendor' | 'model' | 'modelVersion'>;
  /** The request says otherwise than the registers. */
  readonly disputed: boolean;
  readonly lowConfidence: boolean;
  /** The resource is a pattern over more than one thing. */
  readonly wildcard: boolean;
}

const asSet = (values: readonly string[]): string[] => [...new Set(values)].toSorted();

export function rulesInput(facts: Facts, approved = false): JsonObject {
  const { task, agent } = facts;
  return {
    principal: { type: 'Role', id: facts.role },
    action: { type: 'Action', id: 'perform' },
    resource: { type: 'Task', id: task.name },
    context: {
      tier: facts.tier,
      approved,
      kind: task.kind,
      provider: task.provider,
      reads_only: task.readsOnly,
      leaves_objects: task.leavesObjects,
      containment: task.containment,
      changes: asSet(task.changes),
      environment: facts.environment,
      data: asSet([...facts.data, ...task.touches]),
      tenant_data: asSet(facts.tenantData),
      regulations: asSet(facts.regulations),
      contract: facts.contract ?? 'none',
      autonomy: agent.autonomy,
      agent_kind: agent.kind,
      vendor: agent.vendor,
      model: agent.model,
      model_version: agent.modelVersion,
      disputed: facts.disputed,
      low_confidence: facts.lowConfidence,
      wildcard: facts.wildcard,
      parameters: seen(task.seenByRules, facts.parameters),
    },
  };
}

/** Those that rules may see, and that were given. */
function seen(names: readonly string[], parameters: JsonObject): JsonObject {
  const given: [string, Json][] = [];
  for (const name of names) {
    const value = parameters[name];
    if (value !== undefined) given.push([name, value]);
  }
  return Object.fromEntries(given);
}

/** Its bytes: members always come in one order. */
export const inputText = (input: JsonObject): string => JSON.stringify(input);
