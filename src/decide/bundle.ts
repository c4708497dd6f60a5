/**
 * A policy bundle, loaded and checked: every problem at once, each with its file and line. Pure, and of the engine's
 * port alone, so that a folder can be checked without a broker.
 */
import type { RoleName, TaskName, TenantName } from '../core/ids.ts';
import type { Problem, RuleEngine, RuleInfo, RuleSource } from '../core/policy.ts';
import type { BundleFiles } from '../core/registers.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import { breakerProblems, breakersOf } from './bundle/breakers.ts';
import { CasesFile, caseProblems } from './bundle/cases.ts';
import { CharterFile } from './bundle/charter.ts';
import {
  CASES,
  CHARTER_FILE,
  REQUIRED_OF_KEPT,
  ROLES_FILE,
  ROUTES_FILE,
  SCHEMA_FILE,
  SHARED_RULES,
  TASKS_FILE,
  TENANT_RULES,
  bundleVersion,
  fileProblems,
  sizeProblems,
} from './bundle/files.ts';
import { limitsOf } from './bundle/limits.ts';
import type { Bundle, Role, TaskClass } from './bundle/model.ts';
import { RolesFile, roleProblems, rolesOf } from './bundle/roles.ts';
import { NO_ROUTES, RoutesFile, routesOf } from './bundle/routes.ts';
import type { Routes } from './bundle/routes.ts';
import { routeProblems } from './bundle/routes/problems.ts';
import { ruleProblems, sourceProblems } from './bundle/rules.ts';
import { TasksFile, taskProblems, tasksOf } from './bundle/tasks.ts';
import { trialProblems } from './bundle/trial.ts';
import { readYaml } from './bundle/yaml.ts';
import type { Placed } from './bundle/yaml.ts';

export { bundleVersion, isBundlePath, partOf } from './bundle/files.ts';
export type { Bundle } from './bundle/model.ts';

export function loadBundle(files: BundleFiles, engine: RuleEngine): Result<Bundle, readonly Problem[]> {
  return load(files, engine, {
    found: fileProblems(files),
    rulesOf: (schema, rules) => engine.check(schema, rules),
    casesOf: (registers, infos) => readCases(files, registers, infos),
  });
}

/**
 * One that was checked whole before it was kept. Its cases, which are the larger part of it and which no decision reads,
 * are read when somebody asks for them; its rules keep the types that they had, since both are in its hash, and each
 * input is held to the schema when it is evaluated. A node stands still while it comes to another version.
 */
export function loadKept(files: BundleFiles, engine: RuleEngine): Result<Bundle, readonly Problem[]> {
  const loaded = load(files, engine, {
    found: fileProblems(files, REQUIRED_OF_KEPT),
    rulesOf: (_schema, rules) => engine.read(rules),
    casesOf: () => ({ files: [], problems: [] }),
  });
  if (!loaded.ok) return loaded;
  const infos = [...loaded.value.rules.values()];
  let cases: Bundle['cases'] | null = null;
  return ok({
    ...loaded.value,
    get cases() {
      cases ??= held(readCases(files, readRegisters(files), infos).files);
      return cases;
    },
  });
}

interface Reading {
  /** Problems with the files themselves. */
  readonly found: readonly Problem[];
  readonly rulesOf: RuleEngine['check'];
  readonly casesOf: (registers: Registers, infos: readonly RuleInfo[]) => ReturnType<typeof readCases>;
}

const held = (placed: readonly Placed<CasesFile>[]): Bundle['cases'] =>
  placed.map(({ file, value }) => ({ file, holds: value }));

function load(
  files: BundleFiles,
  engine: RuleEngine,
  { found, rulesOf, casesOf }: Reading,
): Result<Bundle, readonly Problem[]> {
  const tooMuch = sizeProblems(files);
  if (tooMuch.length > 0) return err(tooMuch);
  const charter = readYaml(CHARTER_FILE, files[CHARTER_FILE] ?? MISSING, CharterFile);
  const registers = readRegisters(files);
  const rules = readRules(files, rulesOf, registers);
  const cases = casesOf(registers, rules.infos);
  const inCharter = charter.ok ? charterProblems(charter.value, registers) : charter.error;
  const problems = inOrder([...found, ...inCharter, ...registers.problems, ...rules.problems, ...cases.problems]);
  if (problems.length > 0 || !charter.ok) return err(problems);
  const { tasks, roles, routes } = registers;
  const trial = trialProblems(engine, rules.schema, tasks, registers.tasksFile);
  if (trial.length > 0) return err(trial);
  return ok({
    version: bundleVersion(files),
    owner: charter.value.value.owner,
    nextReview: charter.value.value.next_review,
    probation: charter.value.value.probation,
    breakers: breakersOf(charter.value.value.breakers),
    ...limitsOf(charter.value.value),
    roles,
    tasks,
    routes,
    rules: new Map(rules.infos.map((rule) => [rule.name, rule])),
    schema: rules.schema,
    shared: rules.shared,
    own: rules.own,
    cases: held(cases.files),
  });
}

/** What it says of task classes is judged where those could be read. */
const charterProblems = (charter: Placed<CharterFile>, { tasksFile }: Registers): readonly Problem[] =>
  tasksFile === null ? [] : breakerProblems(charter, new Set(Object.keys(tasksFile.value.tasks)));

/** What a file that is not there is read as: that it is missing is told once. */
const MISSING = '{ owner: none, next_review: 2000-01-01, probation: 1 }';

interface Registers {
  readonly roles: ReadonlyMap<RoleName, Role>;
  readonly tasks: ReadonlyMap<TaskName, TaskClass>;
  readonly tasksFile: Placed<TasksFile> | null;
  readonly routes: Routes;
  readonly problems: readonly Problem[];
  /** Roles and tasks were read: what others say of their names can be judged. */
  readonly whole: boolean;
}

function readRegisters(files: BundleFiles): Registers {
  const tasksFile = readYaml(TASKS_FILE, files[TASKS_FILE] ?? 'tasks: {}', TasksFile);
  const rolesFile = readYaml(ROLES_FILE, files[ROLES_FILE] ?? 'roles: {}', RolesFile);
  const inTasks = tasksFile.ok ? taskProblems(tasksFile.value) : tasksFile.error;
  // With bad schemas nothing can be compiled, though the names stand.
  const tasks = tasksFile.ok && inTasks.length === 0 ? tasksOf(tasksFile.value.value) : new Map<TaskName, TaskClass>();
  const judged = rolesFile.ok && inTasks.length === 0 ? roleProblems(rolesFile.value, tasks) : [];
  const roles = rolesFile.ok ? rolesOf(rolesFile.value.value) : new Map<RoleName, Role>();
  const whole = rolesFile.ok && tasksFile.ok && inTasks.length === 0;
  const { routes, problems } = readRoutes(files, whole ? { roles, tasks } : null);
  return {
    roles,
    tasks,
    tasksFile: tasksFile.ok ? tasksFile.value : null,
    routes,
    problems: [...inTasks, ...(rolesFile.ok ? judged : rolesFile.error), ...problems],
    whole,
  };
}

/** @param known what it speaks of; `null` where that could not be read. */
function readRoutes(files: BundleFiles, known: Pick<Registers, 'roles' | 'tasks'> | null) {
  const text = files[ROUTES_FILE];
  if (text === undefined) return { routes: NO_ROUTES, problems: [] };
  const file = readYaml(ROUTES_FILE, text, RoutesFile);
  if (!file.ok) return { routes: NO_ROUTES, problems: file.error };
  return { routes: routesOf(file.value.value), problems: known === null ? [] : routeProblems(file.value, known) };
}

interface Rules {
  readonly schema: RuleSource;
  readonly shared: readonly RuleSource[];
  readonly own: ReadonlyMap<TenantName, readonly RuleSource[]>;
  readonly infos: readonly RuleInfo[];
  readonly problems: readonly Problem[];
}

function readRules(files: BundleFiles, rulesOf: Reading['rulesOf'], { roles, tasks, whole }: Registers): Rules {
  const paths = Object.keys(files).toSorted();
  const source = (file: string): RuleSource => ({ file, text: files[file] ?? '' });
  const shared = paths.filter((path) => SHARED_RULES.test(path)).map(source);
  const own = new Map<TenantName, RuleSource[]>();
  for (const path of paths) {
    const tenant = TENANT_RULES.exec(path)?.[1] as TenantName | undefined;
    if (tenant !== undefined) own.set(tenant, [...(own.get(tenant) ?? []), source(path)]);
  }
  const schema = source(SCHEMA_FILE);
  const all = [...shared, ...[...own.values()].flat()];
  const checked = files[SCHEMA_FILE] === undefined ? ok([]) : rulesOf(schema, all);
  const known = { roles: new Set<string>(roles.keys()), tasks: new Set<string>(tasks.keys()) };
  return {
    schema,
    shared,
    own,
    infos: checked.ok ? checked.value : [],
    problems: [
      ...(checked.ok ? checked.value.flatMap(ruleProblems) : checked.error),
      ...(whole ? all.flatMap((rules) => sourceProblems(rules, known)) : []),
    ],
  };
}

function readCases(files: BundleFiles, { roles, whole }: Registers, infos: readonly RuleInfo[]) {
  const paths = Object.keys(files).filter((path) => CASES.test(path));
  const read = paths.toSorted().map((path) => readYaml(path, files[path] ?? '', CasesFile));
  const placed = read.flatMap((file) => (file.ok ? [file.value] : []));
  const known = { roles: new Set<string>(roles.keys()), rules: new Set<string>(infos.map(({ name }) => name)) };
  const judged = whole && infos.length > 0 && placed.length === read.length ? caseProblems(placed, known) : [];
  return { files: placed, problems: [...read.flatMap((file) => (file.ok ? [] : file.error)), ...judged] };
}

const inOrder = (problems: readonly Problem[]): Problem[] =>
  problems.toSorted((a, b) => (a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1));
