/**
 * How sessions are denied at their role, purely: which documents there are, and what to write and take away.
 *
 * IAM has no compare-and-set, so no document is ever written twice: each is made once, under a name of its own, and
 * taken away only after others that hold all of it were read back. Two writers who do not know of each other can then
 * at worst deny a session twice. New denials go into inline policies; when those are full they move to managed ones.
 */
import type { Mark } from '../../core/lease.ts';
import { between, instant, parseInstant, seconds, toRfc3339 } from '../../core/time.ts';
import type { Instant } from '../../core/time.ts';
import type { PolicyDocument, Statement } from './policy.ts';

/** @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html (white space does not count) */
export const QUOTAS: Quotas = { inline: 10_240, managed: 6_144, attached: 10 };

export interface Quotas {
  /** Characters of all inline policies of a role together. */
  readonly inline: number;
  /** Characters of one managed policy. */
  readonly managed: number;
  /** Managed policies at one role. */
  readonly attached: number;
}

/** By which Brevet's policies are known, and which its own rights can be bound to. */
export const PREFIX = 'brevet-deny-';

/** An account's managed policies stand in one list, so their names say for which role they were made. */
export const managedPrefixOf = (role: string): string => `${PREFIX}${role}-`;

/** Whether a turn made it for this role, whose name another's may begin with. */
export function isMadeFor(role: string, name: string): boolean {
  const prefix = managedPrefixOf(role);
  return name.startsWith(prefix) && /^\d+-[0-9a-z]+-(?:\d+|older)$/.test(name.slice(prefix.length));
}

/** A document of denials at the role. */
export interface Segment {
  readonly where: 'inline' | 'managed';
  readonly name: string;
  readonly marks: readonly Mark[];
}

/** A denial of every session of the role that was given before a moment. */
export interface Older extends Pick<Segment, 'where' | 'name'> {
  /** On AWS's clock, in whole seconds. */
  readonly before: Instant;
}

/** What there is at the role: ours, and how much of its quotas others use, denials of the whole role included. */
export interface RoleState {
  readonly segments: readonly Segment[];
  readonly older: readonly Older[];
  readonly foreignCharacters: number;
  readonly foreignAttached: number;
}

export interface Plan {
  /** Whose sessions are all long over, or denied by others too: taken away first. */
  readonly drop: readonly Pick<Segment, 'where' | 'name'>[];
  readonly write: readonly Pick<Segment, 'where' | 'marks'>[];
  /** Held in what is written: taken away after that was read back. */
  readonly supersede: readonly Segment[];
  /** For which there is no room. */
  readonly left: readonly Mark[];
}

/** Every session bears its mark as its name, which is the end of its `aws:userid`, and as its source identity. */
export function denialOf(marks: readonly Mark[]): PolicyDocument {
  return {
    Version: '2012-10-17',
    Statement: [
      denied({ StringLike: { 'aws:userid': marks.map((mark) => `*:${mark}`) } }),
      denied({ StringEquals: { 'aws:SourceIdentity': marks } }),
    ],
  };
}

const denied = (Condition: NonNullable<Statement['Condition']>): Statement => ({
  Effect: 'Deny',
  Action: '*',
  Resource: '*',
  Condition,
});

export const textOf = (marks: readonly Mark[]): string => JSON.stringify(denialOf(marks));

/** @returns `null` for a document that is not ours, or that somebody has changed: it is left alone. */
export function marksIn(document: string): readonly Mark[] | null {
  const marks = [...document.matchAll(/"\*:(brevet_[0-7][0-9a-hjkmnp-tv-z]{25})"/g)].map((found) => found[1] as Mark);
  return marks.length > 0 && document.replace(/\s/g, '') === textOf(marks) ? marks : null;
}

/** @see the IAM user guide, "Revoking IAM role temporary security credentials" */
export const textOfOlder = (before: Instant): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [denied({ DateLessThan: { 'aws:TokenIssueTime': toRfc3339(before).replace('.000Z', 'Z') } })],
  } satisfies PolicyDocument);

/** @returns `null` for a document that is no such denial of ours. */
export function beforeIn(document: string): Instant | null {
  const text = /"aws:TokenIssueTime":\s*"([0-9T:-]+Z)"/.exec(document)?.[1];
  const before = text === undefined ? null : parseInstant(text);
  return before !== null && document.replace(/\s/g, '') === textOfOlder(before) ? before : null;
}

/** What IAM counts. */
export const charactersOf = (document: string): number => document.replace(/\s/g, '').length;

/**
 * A mint that was sent before its deadline can land as long as its signature is taken (15 minutes), its session lives
 * an hour at the most, and the longest session that AWS knows is waited for on top: pruned too early it would revive.
 */
const NEEDED_FOR = seconds(15 * 60 + 3_600 + 12 * 3_600 + 60);

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const TIME_CHARACTERS = 10;

/** Marks are ULIDs, which begin with the time when their lease was opened. */
const openedAt = (mark: Mark): Instant => {
  const [, ulid = ''] = mark.split('_');
  let time = 0;
  for (let at = 0; at < TIME_CHARACTERS; at += 1) time = time * 32 + ALPHABET.indexOf(ulid.charAt(at));
  return instant(time);
};

export const isOver = (mark: Mark, now: Instant): boolean => between(openedAt(mark), now) > NEEDED_FOR * 1000;

/** The longest session that AWS knows was over by then, on a clock of its own. */
const LONGEST_SESSION = seconds(12 * 3_600 + 5 * 60);

export const isPast = ({ before }: Older, now: Instant): boolean => between(before, now) > LONGEST_SESSION * 1000;

const EMPTY = textOf([]).length;
const EACH = textOf(['brevet_00000000000000000000000000' as Mark]).length - EMPTY + 2;
const charactersFor = (count: number): number => EMPTY + count * EACH;
const fittingIn = (characters: number): number => Math.max(0, Math.floor((characters - EMPTY) / EACH));

/** More inline documents than this are made one: each repeats the frame, and is a call to read. */
const MOST_INLINE = 6;
/** Inline documents with more are left as they are: to write them anew would need their room twice. */
const SMALL = 32;
/** Managed documents with fewer are made part of the next that is written. */
const HALF_EMPTY = 60;

/** @param wanted those that must be denied from now on; all that is denied stays so until it is over. */
export function planDenials(state: RoleState, wanted: readonly Mark[], now: Instant, quotas = QUOTAS): Plan {
  const kept = neededOf(state, now);
  const over = state.segments.filter((segment) => !kept.some((one) => one.segment === segment));
  const drop = [...over, ...state.older.filter((older) => isPast(older, now))];
  const held = new Set(kept.flatMap(({ marks }) => marks));
  const fresh = [...new Set(wanted)].filter((mark) => !held.has(mark));
  if (fresh.length === 0) return { drop, write: [], supersede: [], left: [] };
  return { drop, ...placed(kept, fresh, roomAt(state, kept, quotas), quotas) };
}

interface Living {
  readonly segment: Segment;
  readonly marks: readonly Mark[];
}

/**
 * Without those whose sessions are all over, and those that others stand for: whoever wrote these was killed before it
 * took the old ones away. One order for all decides which of two stays, so that no two writers each take away what the
 * other one keeps; the newest comes first, since it holds what was moved into it.
 */
function neededOf({ segments }: RoleState, now: Instant): readonly Living[] {
  const held = new Set<Mark>();
  return segments.toSorted(newestFirst).flatMap((segment) => {
    const marks = segment.marks.filter((mark) => !isOver(mark, now));
    if (marks.every((mark) => held.has(mark))) return [];
    for (const mark of marks) held.add(mark);
    return [{ segment, marks }];
  });
}

/** By the numbers in their names, of which a later turn has a longer or a greater one. */
const newestFirst = ({ name: one }: Segment, { name: other }: Segment): number =>
  other.length - one.length || (one < other ? 1 : -1);

interface Room {
  /** Denials that still fit into one more inline document. */
  readonly inline: number;
  /** Managed policies that can still be attached. */
  readonly slots: number;
}

function roomAt(state: RoleState, kept: readonly Living[], quotas: Quotas): Room {
  const { inline, managed } = partsOf(kept);
  const used = inline.reduce((sum, { segment }) => sum + charactersFor(segment.marks.length), state.foreignCharacters);
  return {
    inline: fittingIn(quotas.inline - used),
    slots: Math.max(0, quotas.attached - state.foreignAttached - managed.length),
  };
}

const partsOf = (kept: readonly Living[]) => ({
  inline: kept.filter(({ segment }) => segment.where === 'inline'),
  managed: kept.filter(({ segment }) => segment.where === 'managed'),
});

type Placing = Omit<Plan, 'drop'>;

/** The first of these ways that there is room for, what is written anew included. */
function placed(kept: readonly Living[], fresh: readonly Mark[], room: Room, quotas: Quotas): Placing {
  const { inline, managed } = partsOf(kept);
  const each = fittingIn(quotas.managed);
  const small = inline.filter(({ marks }) => marks.length <= SMALL);
  const underfull = managed.filter(({ marks }) => marks.length < HALF_EMPTY);
  const ways = [
    () => (inline.length < MOST_INLINE ? asOne([], fresh, room) : null),
    () => asOne(small, fresh, room),
    () => asManaged([...inline, ...underfull], fresh, room, each),
    () => asManaged(inline, fresh, room, each),
    () => asManaged([], fresh, room, each),
  ];
  for (const way of ways) {
    const found = way();
    if (found !== null) return found;
  }
  return asFits(fresh, room, each);
}

const together = (old: readonly Living[], fresh: readonly Mark[]): readonly Mark[] => [
  ...new Set([...old.flatMap(({ marks }) => marks), ...fresh]),
];
const segmentsOf = (old: readonly Living[]): readonly Segment[] => old.map(({ segment }) => segment);

function asOne(old: readonly Living[], fresh: readonly Mark[], room: Room): Placing | null {
  const marks = together(old, fresh);
  if (marks.length > room.inline) return null;
  return { write: [{ where: 'inline', marks }], supersede: segmentsOf(old), left: [] };
}

function asManaged(old: readonly Living[], fresh: readonly Mark[], room: Room, each: number): Placing | null {
  const marks = together(old, fresh);
  if (each === 0 || Math.ceil(marks.length / each) > room.slots) return null;
  return { write: managedOf(marks, each), supersede: segmentsOf(old), left: [] };
}

/** Nothing is moved any more: what fits is denied. */
function asFits(fresh: readonly Mark[], room: Room, each: number): Placing {
  const beside = Math.min(room.inline, fresh.length);
  const most = beside + room.slots * each;
  return {
    write: [
      ...(beside === 0 ? [] : [{ where: 'inline' as const, marks: fresh.slice(0, beside) }]),
      ...managedOf(fresh.slice(beside, most), each),
    ],
    supersede: [],
    left: fresh.slice(most),
  };
}

function managedOf(marks: readonly Mark[], each: number): Plan['write'] {
  const documents = Math.ceil(marks.length / Math.max(1, each));
  return Array.from({ length: documents }, (_, place) => ({
    where: 'managed' as const,
    marks: marks.slice(place * each, (place + 1) * each),
  }));
}

/** How many more sessions could be denied now. */
export function roomLeft(state: RoleState, now: Instant, quotas = QUOTAS): number {
  const room = roomAt(state, neededOf(state, now), quotas);
  return room.inline + room.slots * fittingIn(quotas.managed);
}
