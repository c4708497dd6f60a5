/** Who answers for an agent that is new at a tenant, so that it need not prove itself there first. */
import { z } from 'zod';
import { failure } from '../core/failure.ts';
import type { AgentName, TaskName } from '../core/ids.ts';
import { parseWith, taskName, words } from '../core/parse.ts';
import type { Acceptance } from '../core/registers.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { Snapshot } from '../core/snapshot.ts';
import type { OperatorPrincipal } from '../authenticate/principal.ts';
import { EVERYTHING } from './registers.ts';
import type { Parsed } from './registers.ts';

const MOST_TASKS = 500;

export const acceptanceBody = z.strictObject({
  /** That of the register, said again: who accepts knows what they accept. */
  model_version: words(100),
  tasks: z.array(taskName()).min(1).max(MOST_TASKS),
  reason: words(500),
});

/** @param known the task classes of the active bundle. */
export function parseAcceptance(
  at: Snapshot,
  called: AgentName,
  { person }: OperatorPrincipal,
  known: ReadonlyMap<TaskName, unknown>,
  input: unknown,
): Result<Parsed> {
  const parsed = parseWith(acceptanceBody, input);
  if (!parsed.ok) return parsed;
  const agent = at.agents.get(called)?.agent;
  if (agent === undefined) return err(failure('not_found', `${called} is not enrolled here`));
  const { model, modelVersion } = agent;
  if (parsed.value.model_version !== modelVersion) {
    const hint = 'Accept the version that is registered, or register the other one first.';
    const detail = `${called} is registered with version ${modelVersion} of ${model}`;
    return err(failure('version_conflict', detail, { path: 'model_version', hint }));
  }
  const tasks = [...new Set(parsed.value.tasks)].toSorted();
  const unknown = tasks.find((task) => !known.has(task));
  if (unknown !== undefined) {
    return err(failure('not_found', `the bundle has no task class ${unknown}`, { path: 'tasks' }));
  }
  const { reason } = parsed.value;
  const { inSetup } = at.deployment;
  const tenant = at.tenant.name;
  return ok(accepting({ tenant, agent: called, model, modelVersion, tasks, reason, authors: [person], inSetup }));
}

const accepting = (acceptance: Acceptance): Parsed => {
  const { tenant, agent, model, modelVersion, tasks, reason, inSetup } = acceptance;
  return {
    change: { kind: 'acceptance.put', acceptance },
    facts: { tenant, agent, model, model_version: modelVersion, tasks: [...tasks], in_setup: inSetup },
    said: { reason },
    takesTwo: 'to accept an agent without a probation',
    ends: null,
  };
};

/** On probation again; what was issued without one ends. */
export const endAcceptance = (at: Snapshot, agent: AgentName): Parsed => {
  const tenant = at.tenant.name;
  return {
    change: { kind: 'acceptance.remove', tenant, agent },
    facts: { tenant, agent },
    said: {},
    takesTwo: null,
    ends: { ...EVERYTHING, tenant, agent },
  };
};
