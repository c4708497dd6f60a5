/**
 * What a test file can hide from uvu, or leave running, found in its source. Sources are read by pattern: a suite is a
 * name bound at the start of a line, and it is run at the start of a line.
 */

/** Every fault of a test file, in words. */
export function findTestProblems(source: string): string[] {
  const code = source.replace(/^\s*\/\*[^]*?\*\//gm, '').replace(/^\s*\/\/.*$/gm, '');
  return [...runProblems(code), ...onlyProblems(code), ...skipProblems(code), ...serverProblems(code)];
}

function runProblems(code: string): string[] {
  const named = [...code.matchAll(/^(?:export )?const (\w+) = suite\b/gm)].map(([, name = '']) => name);
  const made = code.match(/(?<![\w.'"`])suite\s*(?:<[^(]*>)?\(/g) ?? [];
  const bare = /^import\b[^;]*\btest\b[^;]*from 'uvu'/m.test(code) ? ['test'] : [];
  const suites = [...bare, ...named];
  const problems = suites
    .filter((name) => !new RegExp(`^${name}\\.run\\(\\);?$`, 'm').test(code))
    .map((name) => `${name} is never run: \`${name}.run()\` is missing`);
  if (suites.length === 0) problems.push('holds no suite');
  if (made.length > named.length) problems.push('makes a suite without a name of its own at the start of a line');
  return problems;
}

function onlyProblems(code: string): string[] {
  return /\.only\b/.test(code) ? ['`.only` leaves the other tests out'] : [];
}

/** A skip is counted by the runner, and must say what it waits for. */
function skipProblems(code: string): string[] {
  const unnamed = [...code.matchAll(/\.skip\b(?!\(\s*['"`]needs: [^'"`\s])/g)];
  return unnamed.map(() => "`.skip` must name its reason: `.skip('needs: …', …)`");
}

/** A database server outlives the process that started it: one that is left runs beside all the files that come after. */
function serverProblems(code: string): string[] {
  const count = (pattern: RegExp): number => code.match(pattern)?.length ?? 0;
  const left = count(/\b(?:clientDatabase|targetDatabase)\(/g) - count(/\.remove\(\)/g);
  return left > 0 ? ['starts a database server that it never removes: `.remove()` is missing'] : [];
}
