/**
 * The way of an ask among people: step after step, who is asked, how many must say yes, and for how long before the
 * next are asked. What follows the last step is its end, never a yes.
 */
import type { PersonName } from './ids.ts';
import { after, seconds } from './time.ts';
import type { Instant, Seconds } from './time.ts';

/** Of approvers, from the least. */
export const LEVELS = ['technician', 'senior', 'manager', 'leadership'] as const;
export type Level = (typeof LEVELS)[number];

export const isBelow = (level: Level, least: Level): boolean => LEVELS.indexOf(level) < LEVELS.indexOf(least);

/** What it takes to know what is asked. `several-tenants` is no kind of a task class: it is how often it is done. */
export const ROUTE_KINDS = ['security', 'client-infrastructure', 'data', 'several-tenants'] as const;
export type RouteKind = (typeof ROUTE_KINDS)[number];

/** An agent's own word for how soon it needs an answer: it shortens what people are given, and lowers nothing. */
export const URGENCIES = ['routine', 'urgent'] as const;
export type Urgency = (typeof URGENCIES)[number];

/** How many yeses it takes: so many of those who are asked, or one from each of two groups. Persons count. */
export type Quorum =
  | { readonly of: 'any'; readonly count: number }
  | { readonly of: 'each'; readonly groups: readonly (readonly PersonName[])[] };

/**
 * Why somebody who could be thought of is not asked. `owns`, `owned` and `launched` are conflicts: what an agent does
 * is not judged by those who have a part in it. One `off_duty` is not asked while somebody else is on duty.
 */
export const SKIPPED_FOR = [
  'owns',
  'owned',
  'launched',
  'other_function',
  'level',
  'away',
  'asked_too_much',
  'off_duty',
] as const;
export type SkippedFor = (typeof SKIPPED_FOR)[number];

export interface Skipped {
  readonly person: PersonName;
  readonly why: SkippedFor;
}

export interface RouteStep {
  /** The role, or the two, that it asks. */
  readonly name: string;
  /** 0 where it reaches nobody: the next step's people are asked at once. */
  readonly within: Seconds;
  readonly quorum: Quorum;
  /** In the order of their names; empty where too few could be asked. */
  readonly asks: readonly PersonName[];
  /** Who would be asked next, were one of these away: the backup role's people, and those of the step off duty. */
  readonly backups: readonly PersonName[];
  readonly skipped: readonly Skipped[];
}

export const reachesSomebody = (steps: readonly RouteStep[]): boolean => steps.some(({ asks }) => asks.length > 0);

/** How few persons’ yes is enough somewhere on the way; 0 where it reaches nobody. */
export function fewestYeses(steps: readonly RouteStep[]): number {
  const reached = steps.filter(({ asks }) => asks.length > 0);
  const takes = reached.map(({ quorum }) => (quorum.of === 'any' ? quorum.count : quorum.groups.length));
  return takes.length === 0 ? 0 : Math.min(...takes);
}

/** How long the whole way is: the end of its last step. */
export const routeLasts = (steps: readonly RouteStep[]): Seconds =>
  seconds(steps.reduce((sum, { within }) => sum + within, 0));

/** The step whose people are asked at a moment, and when it ends; `null` once the last has ended. */
export function stepAt(
  steps: readonly RouteStep[],
  askedAt: Instant,
  now: Instant,
): { readonly step: number; readonly endsAt: Instant } | null {
  let endsAt = askedAt;
  for (const [step, { within }] of steps.entries()) {
    endsAt = after(endsAt, within);
    if (now < endsAt) return { step, endsAt };
  }
  return null;
}
