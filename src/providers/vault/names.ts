/**
 * What a lease's things are called in Vault, and what of a request may stand in a name or a path there.
 */
import { base32 } from '../../core/ids.ts';
import type { Random } from '../../core/ids.ts';
import type { Mark } from '../../core/lease.ts';
import { after, instant, seconds } from '../../core/time.ts';
import type { Instant } from '../../core/time.ts';

const SEGMENT = /^[A-Za-z0-9_-](?:[A-Za-z0-9_.-]{0,126}[A-Za-z0-9_-])?$/;

/**
 * A parameter's value as it may stand within a segment; `null` where anything of it would have to be escaped: a slash,
 * what policies take for a pattern, percent signs, spaces, another alphabet. Escaping would leave it to each client
 * whether it is decoded once or twice.
 */
export const segment = (value: string): string | null => (SEGMENT.test(value) && !value.includes('..') ? value : null);

const MARK = /^brevet_([0-7][0-9a-hjkmnp-tv-z]{25})$/;

/** The token role of a lease: what is before the id keeps it apart from another target's at the same Vault. */
export function nameOf(prefix: string, mark: Mark): string {
  return `${prefix}_${ulidOf(mark)}`;
}

function ulidOf(mark: Mark): string {
  const ulid = MARK.exec(mark)?.[1];
  if (ulid === undefined) throw new Error('a mark of another form');
  return ulid;
}

/** `null` where it is none of this target's. */
export function markIn(prefix: string, name: string): Mark | null {
  const mark = `brevet_${name.slice(prefix.length + 1)}`;
  return name.startsWith(`${prefix}_`) && MARK.test(mark) ? (mark as Mark) : null;
}

/** 80 bits: what one agent knows of another's mark does not let it read under the other's name. */
const CHANCE_BYTES = 10;

/** A role of a database engine that is one lease's own, named so that nobody else can name it. */
export const ownRoleName = (prefix: string, mark: Mark, random: Random): string =>
  `${nameOf(prefix, mark)}_${base32(random(CHANCE_BYTES))}`;

export const isOwnRole = (prefix: string, mark: Mark, name: string): boolean =>
  name.startsWith(`${nameOf(prefix, mark)}_`);

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const TIME_CHARACTERS = 10;
/** Clocks of a minute's skew. */
const SKEW = seconds(-60);

/** When the lease was opened, on Brevet's clock. */
export function openedOf(mark: Mark): Instant {
  const time = Array.from(ulidOf(mark).slice(0, TIME_CHARACTERS));
  return instant(time.reduce((sum, character) => sum * 32 + ALPHABET.indexOf(character), 0));
}

/** Nothing that was made for this lease is older, on any clock that is at most a minute off. */
export const earliestOf = (mark: Mark): Instant => after(openedOf(mark), SKEW);
