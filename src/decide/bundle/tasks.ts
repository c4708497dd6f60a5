/** `tasks.yaml`: a task class is a kind of action, with its scorecard, tier, provider, parameters and ceilings. */
import { z } from 'zod';
import type { JsonObject } from '../../core/canonical.ts';
import type { TaskName } from '../../core/ids.ts';
import { misfit } from '../../core/misfit.ts';
import type { Problem } from '../../core/policy.ts';
import { PROVIDER_KINDS } from '../../core/registers.ts';
import { seconds } from '../../core/time.ts';
import { TEMPLATES } from '../../core/templates.ts';
import {
  IDLE_AFTER,
  LONGEST_TTL,
  UNUSED_AFTER,
  USUAL_TTL,
  ceilingsField,
  idleField,
  nameField,
  stewardship,
  taskField,
  wordsField,
} from './fields.ts';
import { CIRCUMSTANCES } from './model.ts';
import type { TaskClass } from './model.ts';
import { compileParameters, isClosed, parameterProblems } from './parameters.ts';
import { classification, classificationProblems, promotionOf, tierOf, tiersOf } from './scorecard.ts';
import type { Path, Placed } from './yaml.ts';

const anyObject = () => z.record(z.string(), z.json());

const TaskForm = z.strictObject({
  description: wordsField(),
  kind: nameField(),
  ...classification,
  provider: z.enum(PROVIDER_KINDS, { error: `it must be one of ${PROVIDER_KINDS.join(', ')}` }),
  template: anyObject(),
  parameters: anyObject(),
  seen_by_rules: z.array(z.string()).optional(),
  ttl: z.int().min(1).max(LONGEST_TTL).optional(),
  ceilings: ceilingsField().optional(),
  idle: idleField().optional(),
  reads_only: z.boolean().optional(),
  leaves_objects: z.boolean().optional(),
  containment: z.boolean().optional(),
  human_only: z.boolean().optional(),
  requires: z.array(z.enum(CIRCUMSTANCES)).optional(),
  rollback: taskField().optional(),
  ...stewardship,
});
type TaskForm = z.infer<typeof TaskForm>;

export const TasksFile = z.strictObject({ tasks: z.record(taskField(), TaskForm) });
export type TasksFile = z.infer<typeof TasksFile>;

/** Call it on a file without problems alone. */
export function tasksOf({ tasks }: TasksFile): ReadonlyMap<TaskName, TaskClass> {
  return new Map(Object.entries(tasks).map(([name, form]) => [name as TaskName, taskOf(name as TaskName, form)]));
}

function taskOf(name: TaskName, form: TaskForm): TaskClass {
  const usual = form.ttl ?? Math.min(USUAL_TTL, form.ceilings?.ttl ?? USUAL_TTL);
  return {
    name,
    description: form.description,
    kind: form.kind,
    scores: Object.entries(form.scorecard).map(([aspect, score]) => ({ aspect, ...score })),
    tier: tierOf(form),
    promotion: promotionOf(form),
    changes: form.changes ?? [],
    touches: form.touches ?? [],
    provider: form.provider,
    template: form.template,
    parameters: compileParameters(form.parameters),
    schema: form.parameters,
    seenByRules: form.seen_by_rules ?? [],
    ttl: seconds(usual),
    ceilings: { ttl: seconds(form.ceilings?.ttl ?? Math.max(USUAL_TTL, usual)), uses: form.ceilings?.uses ?? 1 },
    idle: { after: seconds(form.idle?.after ?? IDLE_AFTER), unused: seconds(form.idle?.unused ?? UNUSED_AFTER) },
    readsOnly: form.reads_only ?? false,
    leavesObjects: form.leaves_objects ?? false,
    containment: form.containment ?? false,
    humanOnly: form.human_only ?? false,
    requires: form.requires ?? [],
    rollback: (form.rollback ?? null) as TaskName | null,
    owner: form.owner,
    nextReview: form.next_review,
  };
}

export function taskProblems(file: Placed<TasksFile>): Problem[] {
  const { tasks } = file.value;
  return Object.entries(tasks).flatMap(([name, task]) => {
    const found: { path: Path; what: string }[] = [
      ...classificationProblems(task),
      ...rollbackProblems(name, task, tasks),
      ...templateProblems(task),
      ...parameterProblems(task.parameters).map(({ path, what }) => ({ path: ['parameters', ...path], what })),
      ...seenProblems(task),
      ...ceilingProblems(task),
    ];
    return found.map(({ path, what }) => ({
      file: file.file,
      line: file.lineOf(['tasks', name, ...path]),
      what: `tasks.${name}: ${what}`,
    }));
  });
}

/**
 * At tier 2 people hear of it afterwards, so there must be a way back that waits for nobody: with its promotion or
 * without, and whether or not that of the way back has ended.
 */
function rollbackProblems(name: string, task: TaskForm, tasks: TasksFile['tasks']) {
  const { rollback } = task;
  if (rollback === undefined) {
    const needed = tiersOf(task).includes(2);
    return needed ? [{ path: ['scorecard'], what: 'a task class of tier 2 names its rollback class' }] : [];
  }
  const way = tasks[rollback];
  const path = ['rollback'];
  if (way === undefined) return [{ path, what: `there is no task class ${rollback}` }];
  if (rollback === name) return [{ path, what: 'a task class does not undo itself' }];
  if (way.human_only === true) return [{ path, what: `${rollback} is for people alone: no agent would get it` }];
  return tierOf(way) === 3 ? [{ path, what: `${rollback} would have to be approved first: it is of tier 3` }] : [];
}

function templateProblems({ provider, template }: TaskForm): { path: Path; what: string }[] {
  const parsed = TEMPLATES[provider].form.safeParse(template, { error: misfit });
  if (parsed.success) return [];
  return parsed.error.issues.map((issue) => ({
    path: ['template', ...issue.path],
    what: `template for ${provider}: ${[...issue.path.map(String), issue.message].join(': ')}`,
  }));
}

function seenProblems({ seen_by_rules: seen = [], parameters }: TaskForm): { path: Path; what: string }[] {
  return [...seen.entries()]
    .filter(([, name]) => !isClosed(parameters as JsonObject, name))
    .map(([at, name]) => ({
      path: ['seen_by_rules', at],
      what: `${name} is no parameter of a closed form (enum, boolean or integer), so rules may not see it`,
    }));
}

function ceilingProblems({ ttl, ceilings }: TaskForm): { path: Path; what: string }[] {
  if (ttl === undefined || ceilings?.ttl === undefined || ttl <= ceilings.ttl) return [];
  return [{ path: ['ttl'], what: `${ttl} s is over the ceiling of ${ceilings.ttl} s` }];
}
