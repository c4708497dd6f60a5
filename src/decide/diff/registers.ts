/**
 * What differs in the files themselves: much of it no answer of the grid can show. What cannot be put in order, such
 * as the scope that a credential is given, counts as wider when it differs.
 */
import { canonicalText } from '../../core/canonical.ts';
import type { Json } from '../../core/canonical.ts';
import { toRfc3339 } from '../../core/time.ts';
import { LEVELS } from '../../core/route.ts';
import type { BreakerLimit, Spike } from '../bundle/breakers.ts';
import type { Bundle, Role, TaskClass } from '../bundle/model.ts';
import type { Approver, RouteRule, Routes } from '../bundle/routes.ts';

export interface RegisterDifference {
  /** `bundle`, `roles.{name}`, `tasks.{name}`, `breakers.{name}`, `routes` and what is in them, `cases` or `schema`. */
  readonly where: string;
  readonly field: string;
  /** `null`: it is not there. */
  readonly before: Json;
  readonly after: Json;
  readonly widening: boolean;
}

/** A field of something, and whether a second value of it is the wider. */
interface Field<T> {
  readonly name: string;
  readonly of: (thing: T) => Json;
  readonly wider: (before: Json, after: Json) => boolean;
}

const field = <T>(name: string, of: (thing: T) => Json, wider: Field<T>['wider']): Field<T> => ({ name, of, wider });

const never = (): boolean => false;
const always = (): boolean => true;
const list = (value: Json): readonly Json[] => (Array.isArray(value) ? (value as readonly Json[]) : []);
const more = (before: Json, after: Json): boolean => Number(after) > Number(before);
const less = (before: Json, after: Json): boolean => Number(after) < Number(before);
const later = (before: Json, after: Json): boolean => (after ?? '') > (before ?? '');
/** `null` is no limit. */
const looser = (before: Json, after: Json): boolean => before !== null && (after === null || more(before, after));
const longer = (before: Json, after: Json): boolean => list(after).some((one) => !list(before).includes(one));
const shorter = (before: Json, after: Json): boolean => longer(after, before);
/** `null` is all of them. */
const broader = (before: Json, after: Json): boolean => before !== null && (after === null || longer(before, after));
const turnsOn = (_before: Json, after: Json): boolean => after === true;
const turnsOff = (_before: Json, after: Json): boolean => after === false;

const BUNDLE: readonly Field<Bundle>[] = [
  field('owner', ({ owner }) => owner, never),
  field('next_review', ({ nextReview }) => nextReview, later),
  field('probation', ({ probation }) => probation, less),
  field('budgets.requests_per_minute', ({ budgets }) => budgets.requestsPerMinute, looser),
  ...(['live_leases', 'live_logins', 'open_approvals'] as const).map((name) =>
    field<Bundle>(`budgets.${name}`, ({ budgets }) => budgets.live[name] ?? null, looser),
  ),
  field('many_tenants.most', ({ manyTenants }) => manyTenants.most, more),
  field('many_tenants.within', ({ manyTenants }) => manyTenants.lookback, less),
  field('notices.within', ({ tellWithin }) => tellWithin, more),
  field('breakers.spike', ({ breakers }) => breakers.spike as unknown as Json, rarer),
];

/** A spike that is gone, or takes more to be one. */
function rarer(before: Json, after: Json): boolean {
  if (before === null || after === null) return after === null;
  const [old, now] = [before, after] as unknown as readonly [Spike, Spike];
  return now.trips > old.trips || now.tenants > old.tenants || now.within < old.within;
}

/** What stops less, or later, is the wider. */
const BREAKER: readonly Field<BreakerLimit>[] = [
  field('signal', ({ signal }) => signal, always),
  field('count', ({ count }) => count, more),
  field('within', ({ within }) => within, less),
  field(
    'to',
    ({ to }) => to,
    (_before, after) => after === 'ask',
  ),
  field(
    'tasks',
    ({ tasks }) => (tasks === null ? null : [...tasks].toSorted()),
    (before, after) => broader(after, before),
  ),
];

const ROLE: readonly Field<Role>[] = [
  field('description', ({ description }) => description, never),
  field('function', ({ function: of }) => of, always),
  field('tasks', ({ tasks }) => [...tasks].toSorted(), longer),
  field('tenants', ({ tenants }) => (tenants === null ? null : [...tenants].toSorted()), broader),
  field('ceilings.ttl', ({ ceilings }) => ceilings?.ttl ?? 0, more),
  field('ceilings.uses', ({ ceilings }) => ceilings?.uses ?? 0, more),
  // Fewer who can end anything.
  field('reads_only', ({ readsOnly }) => readsOnly, turnsOn),
  // One person may give it, for a short time; or it is given as any other, for good.
  field('break_glass', ({ breakGlass }) => breakGlass, always),
  field('owner', ({ owner }) => owner, never),
  field('next_review', ({ nextReview }) => nextReview, later),
];

const TASK: readonly Field<TaskClass>[] = [
  field('description', ({ description }) => description, never),
  field('kind', ({ kind }) => kind, always),
  field('tier', ({ tier }) => tier, less),
  field('promotion', promotionJson, promoted),
  field('changes', ({ changes }) => changes, shorter),
  field('touches', ({ touches }) => touches, shorter),
  field('provider', ({ provider }) => provider, always),
  field('template', ({ template }) => template, always),
  field('parameters', ({ schema }) => schema, always),
  field('seen_by_rules', ({ seenByRules }) => seenByRules, shorter),
  field('ttl', ({ ttl }) => ttl, more),
  field('ceilings.ttl', ({ ceilings }) => ceilings.ttl, more),
  field('ceilings.uses', ({ ceilings }) => ceilings.uses, more),
  field('idle.after', ({ idle }) => idle.after, more),
  field('idle.unused', ({ idle }) => idle.unused, more),
  field('reads_only', ({ readsOnly }) => readsOnly, turnsOn),
  field('leaves_objects', ({ leavesObjects }) => leavesObjects, turnsOff),
  field('containment', ({ containment }) => containment, turnsOn),
  field('human_only', ({ humanOnly }) => humanOnly, turnsOff),
  field('requires', ({ requires }) => requires, shorter),
  field('rollback', ({ rollback }) => rollback, always),
  field('owner', ({ owner }) => owner, never),
  field('next_review', ({ nextReview }) => nextReview, later),
];

const ROUTES: readonly Field<Routes>[] = [
  field('most_open', ({ mostOpen }) => mostOpen, never),
  field('device_bound', ({ deviceBound }) => deviceBound, shorter),
  field('step_minutes.incident', ({ longestStep }) => longestStep.incident / 60, never),
  field('step_minutes.urgent', ({ longestStep }) => longestStep.urgent / 60, never),
  // The first that matches is taken.
  field('order', ({ routes }) => routes.map(({ name }) => name), always),
];

const rankOf = (level: Json): number => LEVELS.findIndex((one) => one === level);

const APPROVER: readonly Field<Approver>[] = [
  field(
    'level',
    ({ level }) => level,
    (before, after) => rankOf(after) > rankOf(before),
  ),
  field('time_zone', ({ timeZone }) => timeZone, never),
  field('duty', ({ duty }) => duty as unknown as Json, never),
];

type Answering = Routes['tasks'] extends ReadonlyMap<string, infer Each> ? Each : never;

const ANSWERING: readonly Field<Answering>[] = [
  field('kind', ({ kind }) => kind, always),
  field(
    'level',
    ({ level }) => level,
    (before, after) => rankOf(after) < rankOf(before),
  ),
];

const ROUTE: readonly Field<RouteRule>[] = [
  field('when', ({ when }) => ({ ...when }) as unknown as Json, always),
  field('steps', ({ steps }) => steps as unknown as Json, always),
];

function promotionJson({ promotion }: TaskClass): Json {
  return promotion === null ? null : { tier: promotion.tier, until: toRfc3339(promotion.until) };
}

/** Any that was not there, frees more or lasts longer. */
function promoted(before: Json, after: Json): boolean {
  if (after === null || before === null) return after !== null;
  const [old, now] = [before, after] as unknown as readonly [Promoted, Promoted];
  return now.tier < old.tier || now.until > old.until;
}

interface Promoted {
  readonly tier: number;
  readonly until: string;
}

export function registerDifferences(before: Bundle, after: Bundle): RegisterDifference[] {
  return [
    ...fieldDifferences('bundle', BUNDLE, before, after),
    ...entries('roles', ROLE, before.roles, after.roles),
    ...entries('tasks', TASK, before.tasks, after.tasks),
    ...entries('breakers', BREAKER, before.breakers.limits, after.breakers.limits),
    ...routeDifferences(before.routes, after.routes),
    ...caseDifferences(before, after),
    ...(before.schema.text === after.schema.text
      ? []
      : [{ where: 'schema', field: 'text', before: 'one', after: 'another', widening: false }]),
  ];
}

const routeDifferences = (before: Routes, after: Routes): RegisterDifference[] => [
  ...fieldDifferences('routes', ROUTES, before, after),
  ...entries('routes.people', APPROVER, before.people, after.people),
  ...entries('routes.tasks', ANSWERING, before.tasks, after.tasks),
  ...entries('routes', ROUTE, named(before), named(after)),
];

const named = ({ routes }: Routes): ReadonlyMap<string, RouteRule> => new Map(routes.map((one) => [one.name, one]));

const fieldDifferences = <T>(where: string, known: readonly Field<T>[], before: T, after: T): RegisterDifference[] =>
  known.flatMap(({ name, of, wider }) => {
    const [old, now] = [of(before), of(after)];
    if (canonicalText(old) === canonicalText(now)) return [];
    return [{ where, field: name, before: old, after: now, widening: wider(old, now) }];
  });

function entries<T>(
  folder: 'roles' | 'tasks' | 'breakers' | 'routes' | 'routes.people' | 'routes.tasks',
  known: readonly Field<T>[],
  before: ReadonlyMap<string, T>,
  after: ReadonlyMap<string, T>,
): RegisterDifference[] {
  const names = [...new Set([...before.keys(), ...after.keys()])].toSorted();
  return names.flatMap((name) => {
    const [old, now] = [before.get(name), after.get(name)];
    const where = `${folder}.${name}`;
    if (old !== undefined && now !== undefined) return fieldDifferences(where, known, old, now);
    const is = old === undefined ? { before: null, after: 'there' } : { before: 'there', after: null };
    // A breaker frees by going, all others by coming.
    return [{ where, field: 'all', ...is, widening: (old === undefined) !== (folder === 'breakers') }];
  });
}

/** What a case held fast is held no more; a case that came is nothing to look at. */
function caseDifferences(before: Bundle, after: Bundle): RegisterDifference[] {
  const [old, now] = [casesOf(before), casesOf(after)];
  return [...old].flatMap(([name, text]) => {
    const kept = now.get(name);
    if (kept === text) return [];
    const is = { before: 'there', after: kept === undefined ? null : 'another' };
    return [{ where: 'cases', field: name, ...is, widening: false }];
  });
}

const casesOf = ({ cases }: Bundle): ReadonlyMap<string, string> =>
  new Map(
    cases.flatMap(({ holds }) => (holds.cases ?? []).map((one) => [one.name, canonicalText(one as Json)] as const)),
  );
