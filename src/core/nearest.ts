/** The name that somebody who mistyped one may have meant. */

/** Beyond this share of a word's letters, it is another word. */
const WRONG_SHARE = 1 / 3;

/** The known name with the fewest letters changed, added or left out; `null` where none is near. */
export function nearest(word: string, known: readonly string[]): string | null {
  const ranked = known
    .map((name) => ({ name, distance: distance(word, name) }))
    .toSorted((a, b) => a.distance - b.distance);
  const [best] = ranked;
  return best !== undefined && best.distance <= Math.ceil(best.name.length * WRONG_SHARE) ? best.name : null;
}

/** @see https://en.wikipedia.org/wiki/Levenshtein_distance, with two rows. */
function distance(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const kept = (above[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(kept, (above[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    above = current;
  }
  return above[b.length] ?? 0;
}
