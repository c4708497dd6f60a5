/**
 * Tries the schema of the rules with an input of each task class: one that does not fit would make every decision a
 * fault.
 */
import type { JsonObject } from '../../core/canonical.ts';
import type { TaskName } from '../../core/ids.ts';
import type { Problem, RuleEngine, RuleSource } from '../../core/policy.ts';
import type { Surroundings } from '../context.ts';
import { inputText, rulesInput } from '../input.ts';
import type { TaskClass } from './model.ts';
import { sampleOf } from './parameters.ts';
import type { TasksFile } from './tasks.ts';
import type { Placed } from './yaml.ts';

const SET = 'trial';

const SURROUNDINGS: Surroundings = {
  environment: 'production',
  data: [],
  changeManaged: false,
  namesRecords: false,
  changeStated: false,
  lawfulBasis: false,
  inChangeWindow: true,
  incident: false,
  frozen: false,
  dataSubjectRequest: false,
  vendorApproved: false,
  vendorExceedsContract: false,
  modelAccepted: false,
};

export function trialProblems(
  engine: RuleEngine,
  schema: RuleSource,
  tasks: ReadonlyMap<TaskName, TaskClass>,
  file: Placed<TasksFile> | null,
): Problem[] {
  engine.install(SET, schema, []);
  const fitting = new Set<string>();
  const found = [...tasks.values()].flatMap((task) => {
    const input = sampleInput(task, file);
    const form = formOf(input, schema);
    if (fitting.has(form)) return [];
    const { errors } = engine.evaluate(SET, input);
    if (errors.length === 0) fitting.add(form);
    return errors.map((error) => ({
      file: file?.file ?? schema.file,
      line: file?.lineOf(['tasks', task.name]) ?? 1,
      what: `tasks.${task.name}: ${error}`,
    }));
  });
  engine.drop(SET);
  return found;
}

const ENUMERATES = /\benum\b/;

/** Alike where the schema cannot tell two inputs apart: it sees types, and names where it enumerates them. */
function formOf(input: JsonObject, { text }: RuleSource): string {
  if (ENUMERATES.test(text)) return inputText(input);
  const context = Object.entries((input['context'] ?? {}) as JsonObject);
  return JSON.stringify(context.map(([name, value]) => [name, typeof value === 'object' ? value : typeof value]));
}

function sampleInput(task: TaskClass, file: Placed<TasksFile> | null) {
  const schema = file?.value.tasks[task.name]?.parameters ?? {};
  const parameters = Object.fromEntries(task.seenByRules.map((name) => [name, sampleOf(schema, name)]));
  return rulesInput({
    role: 'trial',
    task,
    parameters,
    tier: task.tier,
    surroundings: SURROUNDINGS,
    data: [],
    tenantData: [],
    regulations: [],
    contract: null,
    agent: { autonomy: 'advisory', kind: 'service', vendor: '', model: '', modelVersion: '' },
    disputed: false,
    lowConfidence: false,
    wildcard: false,
  });
}
