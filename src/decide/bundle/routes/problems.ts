/** What routes say against themselves, against the roles and against the task classes. */
import type { RoleName, TaskName } from '../../../core/ids.ts';
import type { Problem } from '../../../core/policy.ts';
import { LEVELS, isBelow } from '../../../core/route.ts';
import type { Level } from '../../../core/route.ts';
import type { Role, TaskClass } from '../model.ts';
import { LONGEST_ROUTE_MINUTES, rolesOfStep, routesOf } from '../routes.ts';
import type { RouteConditions, RouteForm, RouteRule, RoutesFile, StepForm } from '../routes.ts';
import type { Path, Placed } from '../yaml.ts';

interface Known {
  readonly roles: ReadonlyMap<RoleName, Role>;
  readonly tasks: ReadonlyMap<TaskName, TaskClass>;
}

interface Said {
  readonly path: Path;
  readonly what: string;
}

export function routeProblems(file: Placed<RoutesFile>, known: Known): Problem[] {
  const { routes } = file.value;
  const found = [
    ...taskProblems(file.value, known),
    ...routes.flatMap((route, at) => [
      ...orderProblems(routes, at),
      ...lengthProblems(route, at),
      ...route.steps.flatMap((step, place) => stepProblems(step, ['routes', at, 'steps', place], route.name, known)),
    ]),
    ...urgencyProblems(routesOf(file.value).routes),
  ];
  return found.map(({ path, what }) => ({ file: file.file, line: file.lineOf(path), what }));
}

/** What changes protection or holds protected data is not answered by whoever happens to be there. */
function taskProblems({ tasks }: RoutesFile, known: Known): Said[] {
  const needed = [...known.tasks.values()].filter(({ changes, touches }) => changes.length + touches.length > 0);
  return [
    ...Object.keys(tasks)
      .filter((task) => !known.tasks.has(task as TaskName))
      .map((task) => ({ path: ['tasks', task], what: `tasks.${task}: there is no task class ${task}` })),
    ...needed
      .filter(({ name }) => tasks[name] === undefined)
      .map(({ name, changes, touches }) => ({
        path: ['tasks'],
        what: `tasks: ${name} is missing: it ${changes.length > 0 ? `changes ${changes.join(', ')}` : `touches ${touches.join(', ')}`}`,
      })),
  ];
}

/** The last is for all, and no other: what stands behind one for all is never reached. */
function orderProblems(routes: readonly RouteForm[], at: number): Said[] {
  const route = routes[at];
  if (route === undefined) return [];
  const { name, when = {} } = route;
  const isForAll = Object.keys(when).length === 0;
  const isLast = at === routes.length - 1;
  const before = routes.slice(0, at).some((other) => other.name === name);
  return [
    ...(before ? [{ path: ['routes', at, 'name'], what: `routes.${name}: ${name} stands here twice` }] : []),
    ...(isLast && !isForAll
      ? [{ path: ['routes', at, 'when'], what: `routes.${name}: the last route is for all, so it has no conditions` }]
      : []),
    ...(!isLast && isForAll
      ? [{ path: ['routes', at], what: `routes.${name}: it is for all, so none behind it is ever reached` }]
      : []),
  ];
}

function lengthProblems({ name, steps }: RouteForm, at: number): Said[] {
  const length = steps.reduce((sum, step) => sum + step.within_minutes, 0);
  if (length <= LONGEST_ROUTE_MINUTES) return [];
  const what = `routes.${name}: it lasts ${length} minutes, and nobody waits longer than ${LONGEST_ROUTE_MINUTES}`;
  return [{ path: ['routes', at, 'steps'], what }];
}

function stepProblems(step: StepForm, path: Path, name: string, { roles }: Known): Said[] {
  const say = (field: string, what: string): Said => ({ path: [...path, field], what: `routes.${name}: ${what}` });
  const whom = rolesOfStep(step);
  const named = [...whom.map((role) => ['whom', role] as const), ['backup', step.backup as RoleName] as const];
  return [
    ...named.flatMap(([field, role]) => {
      const of = roles.get(role)?.function;
      if (of === 'approval') return [];
      return [
        say(field, of === undefined ? `there is no role ${role}` : `${role} is a role of ${of}, so answers nothing`),
      ];
    }),
    ...(whom.includes(step.backup as RoleName) ? [say('backup', `${step.backup} is no backup for itself`)] : []),
    ...(new Set(whom).size < whom.length ? [say('whom', 'one of each takes two roles')] : []),
    ...(whom.length > 1 && step.quorum !== undefined ? [say('quorum', 'with two roles it is one of each')] : []),
  ];
}

/** An agent's own word must not lead to people of a lower level, to fewer of them, or to more time. */
function urgencyProblems(routes: readonly RouteRule[]): Said[] {
  return routes.flatMap((route, at) => {
    if (route.when.urgency !== 'urgent') return [];
    return otherwise(routes.slice(at + 1), route.when).flatMap((other) => {
      const freer = freerIn(route, other);
      if (freer === null) return [];
      const what = `routes.${route.name}: calling it urgent only shortens, and ${other.name} ${freer}`;
      return [{ path: ['routes', at], what }];
    });
  });
}

/** The routes that the same ask could take were it not urgent. */
function otherwise(later: readonly RouteRule[], when: RouteConditions): readonly RouteRule[] {
  const others = later.filter((other) => other.when.urgency !== 'urgent' && overlap(other.when, when));
  const end = others.findIndex((other) => covers(other.when, when));
  return end < 0 ? others : others.slice(0, end + 1);
}

const LISTS = ['kinds', 'tenants', 'tiers'] as const;

const overlap = (a: RouteConditions, b: RouteConditions): boolean =>
  LISTS.every((list) => {
    const [one, other]: readonly (readonly unknown[] | null)[] = [a[list], b[list]];
    return one === null || other === null || (one ?? []).some((value) => other?.includes(value));
  });

const covers = (wide: RouteConditions, narrow: RouteConditions): boolean =>
  wide.hours === null &&
  LISTS.every((list) => {
    const [all, some]: readonly (readonly unknown[] | null)[] = [wide[list], narrow[list]];
    return all === null || (some !== null && (some ?? []).every((value) => all?.includes(value)));
  });

function freerIn(urgent: RouteRule, other: RouteRule): string | null {
  if (isBelow(weakest(urgent), weakest(other))) return `asks nobody below ${weakest(other)}`;
  if (yeses(urgent) < yeses(other)) return 'takes more to say yes';
  return lasts(urgent) > lasts(other) ? 'ends sooner' : null;
}

const weakest = ({ steps }: RouteRule): Level =>
  LEVELS.find((level) => steps.some((step) => step.level === level)) ?? LEVELS[0];
const yeses = ({ steps }: RouteRule): number => Math.min(...steps.map(({ whom, quorum }) => whom.length * quorum));
const lasts = ({ steps }: RouteRule): number => steps.reduce((sum, { within }) => sum + within, 0);
