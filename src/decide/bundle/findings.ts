/**
 * What is allowed in a bundle and yet hardly meant. The engine's validator is the first gate, and what stops a bundle
 * is a problem; a finding stops nothing and is told. Only what is certain from the files alone is one: a rule that looks
 * at more than this looks into gives none.
 */
import type { JsonObject } from '../../core/canonical.ts';
import type { Problem, RuleName } from '../../core/policy.ts';
import type { BundleFiles, ProviderKind } from '../../core/registers.ts';
import { ok } from '../../core/result.ts';
import type { Instant } from '../../core/time.ts';
import { CharterFile } from './charter.ts';
import { CHARTER_FILE, ROLES_FILE, ROUTES_FILE, TASKS_FILE } from './files.ts';
import { pairsOf, seeRules, shadowsOf } from './findings/rules.ts';
import type { Pair, SeenRule } from './findings/rules.ts';
import type { Bundle, Role } from './model.ts';
import { RolesFile } from './roles.ts';
import { RoutesFile } from './routes.ts';
import { TasksFile } from './tasks.ts';
import { readYaml } from './yaml.ts';
import type { Placed } from './yaml.ts';

/**
 * - `unreachable_rule`: its conditions hold for no role and task class that it carries, whatever the client is.
 * - `shadowed_permit`: wherever it applies, a forbid that nobody lifts applies too, or a permit that asks for no more.
 * - `idle_ceiling`: no task class of the role has a higher one, so that the role's never narrows anything.
 * - `parameter_not_enforced`: a rule looks at a parameter to which the credential does not hold its holder.
 * - `several_workflows`: a workflow is what one permit lets a role do; of this role no single permit lets it do all.
 * - `review_overdue`: the day on which it was to be looked at again has passed.
 * - `untested_rule`, `untested_task`: no case of the bundle is decided by it, or asks for it.
 * - `role_unheld`, `task_unheld`: nobody holds the role; no agent holds a role that carries the task class.
 * - `route_unreached`: at a client its steps bring an ask to nobody.
 * - `person_unknown`: the routes know somebody whom the register does not.
 */
export const FINDING_KINDS = [
  'unreachable_rule',
  'shadowed_permit',
  'idle_ceiling',
  'parameter_not_enforced',
  'several_workflows',
  'review_overdue',
  'untested_rule',
  'untested_task',
  'role_unheld',
  'task_unheld',
  'route_unreached',
  'person_unknown',
] as const;
export type FindingKind = (typeof FINDING_KINDS)[number];

export interface PolicyFinding extends Problem {
  readonly kind: FindingKind;
}

export interface Looking {
  readonly now: Instant;
  /** Which parameters a credential made by a template holds its holder to. */
  readonly enforces: (kind: ProviderKind, template: JsonObject) => readonly string[];
}

/** Where the parts of a bundle stand, which a loaded one does not keep. */
export interface Places {
  readonly charter: Placed<CharterFile>;
  readonly roles: Placed<RolesFile>;
  readonly tasks: Placed<TasksFile>;
  /** `null`: a version that was kept before there were any. */
  readonly routes: Placed<RoutesFile> | null;
}

/** @param files of a bundle that was loaded. */
export function placesOf(files: BundleFiles): Places {
  const charter = readYaml(CHARTER_FILE, files[CHARTER_FILE] ?? '', CharterFile);
  const roles = readYaml(ROLES_FILE, files[ROLES_FILE] ?? '', RolesFile);
  const tasks = readYaml(TASKS_FILE, files[TASKS_FILE] ?? '', TasksFile);
  const written = files[ROUTES_FILE];
  const routes = written === undefined ? ok(null) : readYaml(ROUTES_FILE, written, RoutesFile);
  if (!charter.ok || !roles.ok || !tasks.ok || !routes.ok)
    throw new Error('a bundle was looked into that does not load');
  return { charter: charter.value, roles: roles.value, tasks: tasks.value, routes: routes.value };
}

/** What the files alone show, in their order. */
export function findingsOf(bundle: Bundle, places: Places, looking: Looking): readonly PolicyFinding[] {
  const schemas = new Map(Object.entries(places.tasks.value.tasks).map(([name, form]) => [name, form.parameters]));
  const pairs = pairsOf(bundle, schemas);
  const rules = seeRules(bundle, pairs);
  return inOrder([
    ...unreachable(rules),
    ...shadowed(rules),
    ...notEnforced(bundle, rules, looking),
    ...idleCeilings(bundle, places),
    ...severalWorkflows(bundle, rules, places),
    ...overdueReviews(places, looking),
  ]);
}

export const inOrder = (findings: readonly PolicyFinding[]): readonly PolicyFinding[] =>
  findings.toSorted((a, b) => (a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1));

const ofRule = (kind: FindingKind, { info }: Pick<SeenRule, 'info'>, what: string): PolicyFinding => ({
  kind,
  file: info.file,
  line: info.line,
  what: `${info.name}: ${what}`,
});

const named = (rules: readonly SeenRule[]): string => rules.map(({ info }) => info.name).join(', ');

const unreachable = (rules: readonly SeenRule[]): PolicyFinding[] =>
  rules
    .filter(({ reaches }) => reaches.length === 0)
    .map((rule) => ofRule('unreachable_rule', rule, 'no role has a task class to which it could apply'));

const shadowed = (rules: readonly SeenRule[]): PolicyFinding[] =>
  [...shadowsOf(rules)].map(([permit, by]) =>
    ofRule('shadowed_permit', permit, `wherever it applies another decides: ${named(by)}`),
  );

/** Of a forbid too: what it lets through for a parameter's sake rests on that parameter. */
function notEnforced(bundle: Bundle, rules: readonly SeenRule[], { enforces }: Looking): PolicyFinding[] {
  return rules.flatMap((rule) =>
    [...rule.parameters].toSorted().flatMap((parameter) => {
      const loose = [...bundle.tasks.values()].filter(
        ({ seenByRules, provider, template }) =>
          seenByRules.includes(parameter) && !enforces(provider, template).includes(parameter),
      );
      if (loose.length === 0) return [];
      const kinds = [...new Set(loose.map(({ provider }) => provider))].toSorted().join(', ');
      const what = `it rests on the parameter ${parameter}, and a credential of ${kinds} does not hold an agent to it`;
      return [ofRule('parameter_not_enforced', rule, what)];
    }),
  );
}

function idleCeilings({ tasks }: Bundle, { roles }: Places): PolicyFinding[] {
  return Object.entries(roles.value.roles).flatMap(([name, role]) =>
    (['ttl', 'uses'] as const).flatMap((of) => {
      const own = role.ceilings?.[of];
      const others = (role.tasks ?? []).map((task) => tasks.get(task as never)?.ceilings[of] ?? 0);
      if (own === undefined || own < Math.max(...others)) return [];
      const what = `roles.${name}: its ceiling on ${of}, ${own}, narrows none of its task classes, which have their own`;
      const line = roles.lineOf(['roles', name, 'ceilings', of]);
      return [{ kind: 'idle_ceiling' as const, file: roles.file, line, what }];
    }),
  );
}

function severalWorkflows({ roles }: Bundle, rules: readonly SeenRule[], places: Places): PolicyFinding[] {
  return [...roles.values()].flatMap((role) => {
    const mine = rules.filter((rule) => rule.info.effect === 'permit' && namesRole(rule, role));
    const tasks = ({ reaches }: SeenRule): readonly Pair[] => reaches.filter((pair) => pair.role === role);
    const whole = new Set(mine.flatMap(tasks)).size;
    if (mine.length < 2 || mine.some((rule) => tasks(rule).length === whole)) return [];
    const what = `roles.${role.name}: it spans the workflows of ${named(mine)}`;
    const line = places.roles.lineOf(['roles', role.name]);
    return [{ kind: 'several_workflows' as const, file: places.roles.file, line, what }];
  });
}

const namesRole = ({ conjuncts }: SeenRule, { name }: Role): boolean =>
  conjuncts.some(
    (one) => one.is === 'relation' && one.right.is === 'entity' && one.right.id === name && one.right.type === 'Role',
  );

function overdueReviews({ charter, roles, tasks }: Places, { now }: Looking): PolicyFinding[] {
  const today = new Date(now).toISOString().slice(0, 10);
  const due = (file: Placed<unknown>, path: readonly string[], day: string): PolicyFinding[] => {
    if (day >= today) return [];
    const what = `${path.length === 0 ? 'the bundle' : path.join('.')}: it was to be looked at again by ${day}`;
    return [{ kind: 'review_overdue', file: file.file, line: file.lineOf([...path, 'next_review']), what }];
  };
  return [
    ...due(charter, [], charter.value.next_review),
    ...Object.entries(roles.value.roles).flatMap(([name, role]) => due(roles, ['roles', name], role.next_review)),
    ...Object.entries(tasks.value.tasks).flatMap(([name, task]) => due(tasks, ['tasks', name], task.next_review)),
  ];
}

/** Rules that decided no case, and task classes that none asks for. */
export function untested(
  bundle: Bundle,
  places: Places,
  tried: readonly { readonly task: string; readonly rules: readonly RuleName[] }[],
): readonly PolicyFinding[] {
  const decided = new Set(tried.flatMap(({ rules }) => rules));
  const asked = new Set(tried.map(({ task }) => task));
  return inOrder([
    ...[...bundle.rules.values()]
      .filter(({ name }) => !decided.has(name))
      .map((info) => ofRule('untested_rule', { info }, 'no case is decided by it')),
    ...ofTasks(
      'untested_task',
      places,
      [...bundle.tasks.keys()].filter((name) => !asked.has(name)),
      'no case asks for it',
    ),
  ]);
}

/** Who holds which role, wherever. */
export type RolesHeld = ReadonlySet<string>;

/** What the files cannot show: that nobody has any use for a role, or a task class. */
export function unheld(bundle: Bundle, places: Places, held: RolesHeld): readonly PolicyFinding[] {
  const roles = [...bundle.roles.values()];
  const carried = new Set(roles.filter(({ name }) => held.has(name)).flatMap(({ tasks }) => [...tasks]));
  const idle = [...bundle.tasks.values()].filter(({ name, humanOnly }) => !humanOnly && !carried.has(name));
  return inOrder([
    ...roles
      .filter(({ name }) => !held.has(name))
      .map(({ name }) => ({
        kind: 'role_unheld' as const,
        file: places.roles.file,
        line: places.roles.lineOf(['roles', name]),
        what: `roles.${name}: nobody holds it`,
      })),
    ...ofTasks(
      'task_unheld',
      places,
      idle.map(({ name }) => name),
      'no agent holds a role that carries it',
    ),
  ]);
}

/** A route that at some clients brings an ask to nobody: all of its asks, or those of some task classes. */
export interface NobodyReached {
  readonly route: string;
  readonly tenants: readonly string[];
  readonly tasks: readonly string[] | null;
}

/** What the files cannot show of the people: whom a route would bring an ask to, and who they are. */
export function unreached(
  { routes }: Places,
  found: readonly NobodyReached[],
  isKnown: (person: string) => boolean,
): readonly PolicyFinding[] {
  if (routes === null) return [];
  const { file, value, lineOf } = routes;
  return inOrder([
    ...found.map(({ route, tenants, tasks }) => ({
      kind: 'route_unreached' as const,
      file,
      line: lineOf(['routes', value.routes.findIndex(({ name }) => name === route)]),
      what: `routes.${route}: at ${tenants.join(', ')} it brings ${tasks === null ? 'an ask' : tasks.join(', ')} to nobody`,
    })),
    ...Object.keys(value.people)
      .filter((person) => !isKnown(person))
      .map((person) => ({
        kind: 'person_unknown' as const,
        file,
        line: lineOf(['people', person]),
        what: `people.${person}: there is no such person`,
      })),
  ]);
}

const ofTasks = (kind: FindingKind, { tasks }: Places, names: readonly string[], what: string): PolicyFinding[] =>
  names.map((name) => ({
    kind,
    file: tasks.file,
    line: tasks.lineOf(['tasks', name]),
    what: `tasks.${name}: ${what}`,
  }));

/** How many of each kind, for a ledger. */
export function countOf(findings: readonly PolicyFinding[]): Readonly<Record<string, number>> {
  const kinds = FINDING_KINDS.map((kind) => [kind, findings.filter((one) => one.kind === kind).length] as const);
  return Object.fromEntries(kinds.filter(([, count]) => count > 0));
}
