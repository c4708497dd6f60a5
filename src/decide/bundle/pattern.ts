/**
 * What a parameter's pattern must be, beside a regular expression: held at both ends whatever stands between, and such
 * that what repeats can be told apart in one way. The engine tries every way there is, so that forty letters of an
 * agent's could stop a node, and the revocations that wait there.
 */

/** One character by its text in the pattern, or one of the alternatives of a group. */
interface Part {
  readonly is: string | readonly Sequence[];
  readonly least: number;
  readonly most: number;
}
type Sequence = readonly Part[];

/** Why a pattern that the engine compiles is not taken; `null` where it is. */
export function patternFault(pattern: string): string | null {
  if (/\\(?:[1-9]|k<)/.test(pattern.replaceAll('\\\\', ''))) return 'it refers back to what it matched';
  const alternatives = readPattern(pattern);
  if (alternatives.length > 1)
    return 'each of its alternatives is held at one end alone: put them in a group, ^(?:a|b)$';
  return alternatives.some(isAmbiguous)
    ? 'what repeats in it could be told apart in many ways: begin or end each round with a character that it has nowhere else'
    : null;
}

const isAmbiguous = (sequence: Sequence): boolean =>
  sequence.some(
    ({ is, most }) => typeof is !== 'string' && (is.some(isAmbiguous) || (most > 1 && !is.every(isTold(is.length)))),
  );

/** Of several, each begins with another character and has one length; one alone may have a character that ends a round. */
const isTold =
  (alternatives: number) =>
  (body: Sequence, at: number, all: readonly Sequence[]): boolean => {
    if (alternatives === 1)
      return isFixed(body) || marks(body[0], body.slice(1)) || marks(body.at(-1), body.slice(0, -1));
    return isFixed(body) && all.slice(at + 1).every((other) => areDisjoint(held(body[0]), held(other[0])));
  };

const isFixed = (sequence: Sequence): boolean =>
  sequence.every(
    ({ is, least, most }) => least === most && (typeof is === 'string' || (is.length === 1 && is.every(isFixed))),
  );

const marks = (mark: Part | undefined, rest: Sequence): boolean =>
  mark?.least === 1 && mark.most === 1 && rest.every((part) => areDisjoint(held(mark), held(part)));

/** Characters, as far as it takes to tell sets apart: those of ASCII, and all others as one. */
interface Characters {
  readonly ascii: ReadonlySet<number>;
  readonly others: boolean;
}

const ASCII: readonly number[] = Array.from({ length: 128 }, (_, code) => code);
const ANY: Characters = { ascii: new Set(ASCII), others: true };

/** All that it could hold; of nothing, anything. */
const held = (part: Part | undefined): Characters => (part === undefined ? ANY : charactersIn(part.is));

function charactersIn(is: Part['is']): Characters {
  if (typeof is !== 'string') {
    const all = is.flat().map(held);
    return {
      ascii: new Set(all.flatMap(({ ascii }) => [...ascii])),
      others: all.some(({ others }) => others),
    };
  }
  const form = new RegExp(`^(?:${is})$`, 'su');
  const ascii = new Set(ASCII.filter((code) => form.test(String.fromCharCode(code))));
  return { ascii, others: !ASCII_ALONE.test(is) };
}

const areDisjoint = (one: Characters, other: Characters): boolean =>
  !(one.others && other.others) && one.ascii.isDisjointFrom(other.ascii);

/** A letter of ASCII, a class of some of them, or one of those that are short for that. */
const ASCII_ALONE = /^(?:[^\\[.\P{ASCII}]|\\[dw\P{L}]|\[(?!\^)(?:[^\\\]\P{ASCII}]|\\[dw\P{L}])*\])$/u;

const CHARACTER =
  /\[(?:[^\]\\]|\\[^])*\]|\\(?:[pP]\{[^}]*\}|u\{[^}]*\}|u[\da-fA-F]{4}|x[\da-fA-F]{2}|c[A-Za-z]|[^])|[^()|]/uy;
const GROUP = /\((?:\?(?:<?[=!]|<[^>]*>|[a-z-]*:))?/y;
const QUANTIFIER = /(?:([*+?])|\{(\d+)(,?)(\d*)\})\??/y;
const EDGE = /^(?:[$^]|\\[bB])$/;

/** The alternatives of a pattern that the engine compiles. */
function readPattern(pattern: string): readonly Sequence[] {
  let at = 0;
  const take = (form: RegExp): RegExpExecArray | null => {
    form.lastIndex = at;
    const found = form.exec(pattern);
    if (found !== null) at = form.lastIndex;
    return found;
  };
  const times = (): Pick<Part, 'least' | 'most'> => {
    const found = take(QUANTIFIER);
    if (found === null) return { least: 1, most: 1 };
    const [, sign, least = '', comma, most = ''] = found;
    if (sign !== undefined) return { least: sign === '+' ? 1 : 0, most: sign === '?' ? 1 : Infinity };
    return { least: Number(least), most: comma === '' ? Number(least) : most === '' ? Infinity : Number(most) };
  };
  const alternatives = (): Sequence[] => {
    const found: Part[][] = [[]];
    for (;;) {
      const here = found.at(-1) ?? [];
      if (take(GROUP) !== null) {
        const is = alternatives();
        at++;
        here.push({ is, ...times() });
        continue;
      }
      const character = take(CHARACTER)?.[0];
      if (character !== undefined) {
        if (!EDGE.test(character)) here.push({ is: character, ...times() });
        continue;
      }
      if (pattern[at] !== '|') return found;
      at++;
      found.push([]);
    }
  };
  return alternatives();
}
