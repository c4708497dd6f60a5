/** Lengths of time in words. */

/** `90` is `1 min 30 s`; nothing is rounded away that would matter to who reads it. */
export function spanOf(seconds: number): string {
  const parts: readonly (readonly [n: number, unit: string])[] = [
    [Math.floor(seconds / 3600), 'h'],
    [Math.floor((seconds % 3600) / 60), 'min'],
    [seconds % 60, 's'],
  ];
  const said = parts.filter(([n]) => n > 0).map(([n, unit]) => `${n} ${unit}`);
  return said.length === 0 ? '0 s' : said.join(' ');
}
