/**
 * Somebody else's words as they may be shown: on one line, bounded, and with what hides or turns text made visible.
 * It is text still: whoever shows it escapes it for the place where it stands.
 */

/**
 * Controls, bidirectional and invisible marks, fillers, the blank of Braille, tags, halves of characters, what Unicode
 * calls unassigned or private, and spaces that are no ordinary one; not how an emoji is drawn. @see CVE-2021-42574
 */
const HIDDEN =
  /(?![\ufe0f ])[\p{Cc}\p{Cf}\p{Cn}\p{Co}\p{Surrogate}\p{Default_Ignorable_Code_Point}\p{Zl}\p{Zp}\p{Zs}\u2800]/gu;

const codeOf = (character: string): string =>
  `[U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}]`;

/** More marks than this on one letter are no writing. */
const STACKED = /(\p{M}{4})\p{M}+/gu;

/** @param limit in characters as they are shown; what is longer says so. */
export function visible(text: string, limit: number): string {
  const shown = text
    .replaceAll(/\s*[\r\n]+\s*/g, ' ⏎ ')
    .replaceAll('\t', ' ')
    .replaceAll(HIDDEN, codeOf)
    .replaceAll(STACKED, '$1');
  const characters = Array.from(shown);
  return characters.length <= limit ? shown : `${characters.slice(0, limit - 1).join('')}…`;
}
