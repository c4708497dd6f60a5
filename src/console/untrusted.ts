/**
 * Words that an agent wrote, shown so that they cannot pass for anything else: every mark that would hide, turn or move
 * text is written out, and words whose letters could be taken for others are marked. Nothing in them is markup.
 *
 * @see Unicode Technical Report 36, sections 2.5 to 2.7 (mixed-script, whole-script and bidirectional spoofing)
 */
import { html } from 'hono/html';
import type { Markup } from './layout.ts';

/** What is between two marks, a mark, or a word with letters that could be taken for others. */
export interface Piece {
  readonly kind: 'plain' | 'hidden' | 'alike';
  readonly text: string;
}

/**
 * Controls, bidirectional marks, spaces of no width, joiners, fillers, variation selectors, tags, halves of characters,
 * the blank of Braille, and what Unicode calls unassigned or private; a line feed and an ordinary space are none of them.
 */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]|(?! )\p{Zs}/u;

const ALPHABETS: readonly RegExp[] = [
  /\p{Script=Latin}/u,
  /\p{Script=Cyrillic}/u,
  /\p{Script=Greek}/u,
  /\p{Script=Armenian}/u,
  /\p{Script=Cherokee}/u,
];

/** Letters of Cyrillic and Greek that are drawn as Latin ones are: a word of them alone is one alphabet, and reads as another. */
const DRAWN_AS_LATIN = /^[аеорсухіјѕԁһԛԝӏвкмнтгзАВЕКМНОРСТУХІЈЅԌԚԜοαρυνιγτκΑΒΕΖΗΙΚΜΝΟΡΤΥΧ\p{P}\p{N}\s]+$/u;
/** Letters for phonetics, which look like ordinary ones, and more marks on one letter than any writing has. */
const ODD = /[\u0250-\u02AF\u1D00-\u1DBF\uA720-\uA7FF]|\p{M}{4}/u;

function isAlike(whole: string): boolean {
  const word = Array.from(whole)
    .filter((character) => !HIDDEN.test(character))
    .join('');
  if (!/\p{L}/u.test(word)) return false;
  if (ALPHABETS.filter((alphabet) => alphabet.test(word)).length > 1) return true;
  // Full-width, mathematical and other forms of a letter, which are another letter to a program.
  const composed = word.normalize('NFC');
  if (composed.normalize('NFKC') !== composed || ODD.test(composed)) return true;
  return /\p{L}.*\p{L}/u.test(word) && DRAWN_AS_LATIN.test(word);
}

export function piecesOf(text: string): readonly Piece[] {
  const pieces: Piece[] = [];
  for (const word of text.split(/(?<=\s)|(?=\s)/u)) {
    const kind = isAlike(word) ? 'alike' : 'plain';
    for (const character of word) {
      const isHidden = character !== '\n' && HIDDEN.test(character);
      append(pieces, isHidden ? { kind: 'hidden', text: codeOf(character) } : { kind, text: character });
    }
  }
  return pieces;
}

function append(pieces: Piece[], piece: Piece): void {
  const last = pieces.at(-1);
  if (last?.kind === piece.kind && piece.kind !== 'hidden') {
    pieces[pieces.length - 1] = { kind: last.kind, text: last.text + piece.text };
  } else pieces.push(piece);
}

const codeOf = (character: string): string =>
  `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;

/** Isolated, so that text that runs the other way turns nothing around it. */
export const untrusted = (text: string): Markup => html`<bdi>${piecesOf(text).map(drawn)}</bdi>`;

function drawn({ kind, text }: Piece): Markup | string {
  switch (kind) {
    case 'plain':
      return text;
    case 'hidden':
      return html`<b class="hidden-mark" title="a character that would not be seen">${text}</b>`;
    case 'alike':
      return html`<b class="alike-mark" title="letters that can be taken for others">${text}</b>`;
  }
}
