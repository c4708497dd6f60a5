/**
 * Who is asked, in which order and for how long. Pure. Whoever knows the client comes first, those on duty before those
 * who are not; who has a part in it, holds another function, is away, of too low a level or asked too much is not
 * asked, and that is said. Nothing here makes a yes of silence: what reaches nobody is for the caller to refuse.
 */
import { functionAt } from '../authenticate/principal.ts';
import { heldAs } from '../core/held.ts';
import type { PersonName, RoleName, TaskName } from '../core/ids.ts';
import { LEVELS, isBelow } from '../core/route.ts';
import type { Level, Quorum, RouteKind, RouteStep, Skipped, SkippedFor, Urgency } from '../core/route.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { after, seconds } from '../core/time.ts';
import type { Instant, Seconds } from '../core/time.ts';
import { isInWindow, isWithin } from '../core/windows.ts';
import type { Bundle } from './bundle/model.ts';
import type { RouteConditions, RouteRule, StepRule } from './bundle/routes.ts';
import type { Tier } from './decision.ts';
import { lasts, roleHeld } from './segregation.ts';
import type { Part } from './segregation.ts';

export interface Routed {
  readonly route: string;
  readonly steps: readonly RouteStep[];
}

/** An ask, as far as it matters to whom it goes. */
export interface Routing {
  readonly bundle: Bundle;
  readonly snapshot: Snapshot;
  readonly task: TaskName;
  /** Effective. */
  readonly tier: Tier;
  readonly urgency: Urgency;
  /** One is open at the client. */
  readonly incident: boolean;
  readonly manyTenants: boolean;
  /** Who has a part in it, and which. */
  readonly parts: ReadonlyMap<PersonName, Part>;
  /** How many asks wait for each person, over all tenants; one who is not in it has none. */
  readonly open: ReadonlyMap<PersonName, number>;
  /** When the first step begins. */
  readonly at: Instant;
}

/** @returns `null` where the bundle has no route for it, which nobody then answers. */
export function routeOf(asked: Routing): Routed | null {
  const rule = asked.bundle.routes.routes.find(({ when }) => matches(when, asked));
  return rule === undefined ? null : { route: rule.name, steps: stepsOf(rule, asked) };
}

function matches({ kinds, tenants, tiers, urgency, hours }: RouteConditions, asked: Routing): boolean {
  const { name, context } = asked.snapshot.tenant;
  const mine = kindsOf(asked);
  return (
    (kinds === null || kinds.some((kind) => mine.includes(kind))) &&
    (tenants === null || tenants.includes(name)) &&
    (tiers === null || tiers.includes(asked.tier)) &&
    (urgency === null || urgency === asked.urgency) &&
    (hours === null || isInWindow(hours, context.timeZone, asked.at))
  );
}

function kindsOf({ bundle, task, manyTenants }: Routing): readonly RouteKind[] {
  const own = bundle.routes.tasks.get(task)?.kind;
  return [...(own === undefined ? [] : [own]), ...(manyTenants ? (['several-tenants'] as const) : [])];
}

/** Each step's people are those of the moment at which it begins. */
export function stepsOf({ steps }: RouteRule, asked: Routing): readonly RouteStep[] {
  let at = asked.at;
  return steps.map((rule) => {
    const step = stepOf(rule, { ...asked, at });
    at = after(at, step.within);
    return step;
  });
}

function stepOf(rule: StepRule, asked: Routing): RouteStep {
  const least = higher(rule.level, asked.bundle.routes.tasks.get(asked.task)?.level ?? LEVELS[0]);
  const { groups, quorum } = groupsOf(rule, least, asked);
  const asks = quorum === null ? [] : namesOf(groups.flatMap((group) => group.asks));
  const others = namesOf(groups.flatMap((group) => [...group.asks, ...group.others]));
  return {
    name: rule.whom.join(' and '),
    within: quorum === null ? seconds(0) : withinOf(rule, asked),
    quorum: quorum ?? { of: 'any', count: rule.quorum },
    asks,
    backups: others.filter((person) => !asks.includes(person)),
    skipped: onceEach(groups.flatMap((group) => group.skipped)).filter(({ person }) => !asks.includes(person)),
  };
}

const higher = (a: Level, b: Level): Level => (isBelow(a, b) ? b : a);
const namesOf = (persons: readonly PersonName[]): readonly PersonName[] => [...new Set(persons)].toSorted();
const onceEach = (skipped: readonly Skipped[]): readonly Skipped[] => [
  ...new Map(skipped.map((one) => [one.person, one])).values(),
];

function withinOf({ within }: StepRule, { bundle, incident, urgency }: Routing): Seconds {
  const { longestStep } = bundle.routes;
  const most = [incident ? longestStep.incident : within, urgency === 'urgent' ? longestStep.urgent : within];
  return seconds(Math.min(within, ...most));
}

interface Group {
  readonly asks: readonly PersonName[];
  /** Who could be asked beside these. */
  readonly others: readonly PersonName[];
  readonly skipped: readonly Skipped[];
}

/** @returns `quorum: null` where too few can be asked for it. */
function groupsOf(rule: StepRule, least: Level, asked: Routing): { groups: readonly Group[]; quorum: Quorum | null } {
  const [first, second] = rule.whom;
  if (first === undefined) return { groups: [], quorum: null };
  if (second === undefined) {
    const group = groupOf({ role: first, rule, least }, asked, ({ length }) => length >= rule.quorum);
    const isReached = group.asks.length >= rule.quorum;
    return { groups: [group], quorum: isReached ? { of: 'any', count: rule.quorum } : null };
  }
  const one = groupOf({ role: first, rule, least }, asked, ({ length }) => length > 0);
  // One person sits for one group alone.
  const [only, ...more] = one.asks;
  const isAnother = (person: PersonName): boolean => more.length > 0 || person !== only;
  const other = groupOf({ role: second, rule, least }, asked, (asks) => asks.some(isAnother));
  const isReached = only !== undefined && other.asks.some(isAnother);
  return { groups: [one, other], quorum: isReached ? { of: 'each', groups: [one.asks, other.asks] } : null };
}

interface Seat {
  readonly role: RoleName;
  readonly rule: StepRule;
  readonly least: Level;
}

/** First who is on duty, then their backups on duty, then those off duty: as many ranks as it takes. */
function groupOf(
  { role, rule, least }: Seat,
  asked: Routing,
  isEnough: (asks: readonly PersonName[]) => boolean,
): Group {
  const members = standingOf(role, least, asked);
  const backups = standingOf(rule.backup, least, asked).filter(
    ({ person }) => !members.some((one) => one.person === person),
  );
  const ranks = [
    ...[members, backups].map((all) => all.filter(({ why }) => why === null)),
    ...[members, backups].map((all) => all.filter(({ why }) => why === 'off_duty')),
  ].map((rank) => rank.map(({ person }) => person));
  let taken = 0;
  let asks: readonly PersonName[] = [];
  while (taken < ranks.length && !isEnough(asks)) {
    asks = [...asks, ...(ranks[taken] ?? [])];
    taken += 1;
  }
  return {
    asks,
    others: ranks.slice(taken).flat(),
    // Backups that nobody had to think of are not worth a word.
    skipped: (taken > 1 ? [...members, ...backups] : members).flatMap(({ person, why }) =>
      why === null ? [] : [{ person, why }],
    ),
  };
}

interface Candidate {
  readonly person: PersonName;
  /** `null`: may be asked. */
  readonly why: SkippedFor | null;
}

/** Everybody active who holds the role here, in the order of their names. */
function standingOf(role: RoleName, least: Level, asked: Routing): readonly Candidate[] {
  const { bundle, snapshot, at } = asked;
  const held = heldAs(snapshot.assignments, role).filter(
    (assignment) =>
      assignment.function === 'approval' &&
      assignment.holder.kind === 'person' &&
      lasts(assignment, at) &&
      roleHeld(bundle, assignment, snapshot) !== null,
  );
  const persons = namesOf(held.map(({ holder }) => holder.name as PersonName));
  return persons
    .filter((person) => snapshot.deployment.persons.get(person)?.active === true)
    .map((person) => ({ person, why: whyNotAsked(person, least, asked) }));
}

/** Whether a person's level is the task class's least, wherever they were asked. */
export function hasLevel({ routes }: Bundle, task: TaskName, person: PersonName): boolean {
  const level = routes.people.get(person)?.level ?? LEVELS[0];
  return !isBelow(level, routes.tasks.get(task)?.level ?? LEVELS[0]);
}

function isAway({ deployment }: Snapshot, person: PersonName, at: Instant): boolean {
  const absence = deployment.absences.get(person);
  return absence !== undefined && isWithin([absence], at);
}

function whyNotAsked(person: PersonName, least: Level, asked: Routing): SkippedFor | null {
  const { bundle, snapshot, parts, open, at } = asked;
  const { people, mostOpen } = bundle.routes;
  const approver = people.get(person);
  const part = parts.get(person);
  if (part !== undefined) return part;
  if (functionAt(snapshot, person, at) !== 'approval') return 'other_function';
  if (isAway(snapshot, person, at)) return 'away';
  if (isBelow(approver?.level ?? LEVELS[0], least)) return 'level';
  if ((open.get(person) ?? 0) >= mostOpen) return 'asked_too_much';
  return approver !== undefined && isInWindow(approver.duty, approver.timeZone, at) ? null : 'off_duty';
}
