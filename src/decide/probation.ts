/**
 * What is new at a tenant (an agent, a version of its model, a task class) asks, until it has proven itself or somebody
 * answers for it. Runs that people approved cannot be counted while nobody can approve, so that an acceptance alone
 * lifts it: the bundle's number of runs is what will.
 */
import type { TaskName } from '../core/ids.ts';
import type { Agent } from '../core/registers.ts';
import type { Snapshot } from '../core/snapshot.ts';

/** Of another model, or another version of it, nothing was accepted. */
export function isOnProbation(
  { acceptances }: Pick<Snapshot, 'acceptances'>,
  { name, model, modelVersion }: Pick<Agent, 'name' | 'model' | 'modelVersion'>,
  task: TaskName,
): boolean {
  const accepted = acceptances.get(name);
  return accepted?.model !== model || accepted.modelVersion !== modelVersion || !accepted.tasks.includes(task);
}
