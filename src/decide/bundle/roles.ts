/** `roles.yaml`: a role is a named set of task classes at named tenants, with ceilings, under one function. */
import { z } from 'zod';
import type { RoleName, TaskName, TenantName } from '../../core/ids.ts';
import type { Problem } from '../../core/policy.ts';
import { FUNCTIONS } from '../../core/registers.ts';
import { seconds } from '../../core/time.ts';
import { LONGEST_TTL, ceilingsField, nameField, stewardship, taskField, wordsField } from './fields.ts';
import type { Role, TaskClass } from './model.ts';
import type { Placed } from './yaml.ts';

const RoleForm = z.strictObject({
  description: wordsField(),
  function: z.enum(FUNCTIONS, {
    error: ({ input }) =>
      Array.isArray(input) ? 'a role has exactly one function' : `it must be one of ${FUNCTIONS.join(', ')}`,
  }),
  tasks: z.array(taskField()).min(1).optional(),
  tenants: z.union([z.literal('all'), z.array(nameField()).min(1)], {
    error: "it must be 'all' or a list of tenants",
  }),
  ceilings: ceilingsField().optional(),
  reads_only: z.boolean().optional(),
  break_glass: z.boolean().optional(),
  ...stewardship,
});
type RoleForm = z.infer<typeof RoleForm>;

export const RolesFile = z.strictObject({ roles: z.record(nameField(), RoleForm) });
export type RolesFile = z.infer<typeof RolesFile>;

export function rolesOf({ roles }: RolesFile): ReadonlyMap<RoleName, Role> {
  return new Map(Object.entries(roles).map(([name, form]) => [name as RoleName, roleOf(name as RoleName, form)]));
}

const roleOf = (name: RoleName, form: RoleForm): Role => ({
  name,
  description: form.description,
  function: form.function,
  tasks: new Set((form.tasks ?? []) as TaskName[]),
  tenants: form.tenants === 'all' ? null : new Set(form.tenants as TenantName[]),
  ceilings:
    form.function === 'execution'
      ? { ttl: seconds(form.ceilings?.ttl ?? LONGEST_TTL), uses: form.ceilings?.uses ?? Number.MAX_SAFE_INTEGER }
      : null,
  readsOnly: form.reads_only === true,
  breakGlass: form.break_glass === true,
  owner: form.owner,
  nextReview: form.next_review,
});

/** What one role says against itself, or against the task classes. */
export function roleProblems(file: Placed<RolesFile>, tasks: ReadonlyMap<TaskName, TaskClass>): Problem[] {
  return Object.entries(file.value.roles).flatMap(([name, role]) => {
    const at = (path: readonly PropertyKey[], what: string): Problem => ({
      file: file.file,
      line: file.lineOf(['roles', name, ...path]),
      what: `roles.${name}: ${what}`,
    });
    const executes = role.function === 'execution';
    return [
      ...(executes && role.tasks === undefined ? [at([], 'an execution role names the task classes it carries')] : []),
      ...(!executes && role.tasks !== undefined
        ? [at(['tasks'], `a role of ${role.function} carries no task classes: functions do not mix`)]
        : []),
      ...(!executes && role.ceilings !== undefined
        ? [at(['ceilings'], `a role of ${role.function} gets no credentials, so it has no ceilings`)]
        : []),
      ...(role.reads_only === true && role.function !== 'oversight'
        ? [at(['reads_only'], 'only a role of oversight reads alone')]
        : []),
      ...(role.break_glass === true && !executes
        ? [at(['break_glass'], 'only a role of execution breaks the glass')]
        : []),
      ...unknownTasks(role, tasks).map(([place, task]) => at(['tasks', place], `there is no task class ${task}`)),
      ...doubledIn(role.tasks ?? []).map(([place, task]) => at(['tasks', place], `${task} stands here twice`)),
    ];
  });
}

const unknownTasks = ({ tasks = [] }: RoleForm, known: ReadonlyMap<TaskName, TaskClass>) =>
  [...tasks.entries()].filter(([, task]) => !known.has(task as TaskName));

const doubledIn = (names: readonly string[]) => [...names.entries()].filter(([at, name]) => names.indexOf(name) < at);
