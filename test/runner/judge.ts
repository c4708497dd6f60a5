/** What a test file's output says of it. */
import { stripVTControlCharacters } from 'node:util';

export interface Totals {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export interface FileResult extends Totals {
  readonly problem: string | undefined;
  readonly output: string;
}

/** Judges a file by uvu's own totals and by how it ended. */
export function judge(stdout: string, ended: string | undefined): Totals & { problem: string | undefined } {
  const shown = /^ {2}Total: +(\d+)\n {2}Passed: +(\d+)\n {2}Skipped: +(\d+)$/gm;
  const totals = [...stripVTControlCharacters(stdout).matchAll(shown)].map((found) => found.slice(1).map(Number));
  const [total = 0, passed = 0, skipped = 0] = totals[0] ?? [];
  const found = [ended, findProblem(totals.length, total, passed)].filter((part) => part !== undefined);
  const problem = found.length === 0 ? undefined : found.join('; ');
  // A second set of totals counts the same tests again (uvu runs its queue anew), so no number there can be believed.
  if (totals.length > 1) return { passed: 0, failed: 1, skipped: 0, problem };
  return { passed, skipped, failed: Math.max(total - passed, problem === undefined ? 0 : 1), problem };
}

function findProblem(totals: number, total: number, passed: number): string | undefined {
  if (totals === 0) return 'no totals: is `.run()` missing?';
  if (totals > 1) return 'totals more than once: every `.run()` must come without an `await` between them';
  if (total === 0) return 'ran 0 tests: is `.run()` missing?';
  return passed === total ? undefined : `${total - passed} of ${total} failed`;
}
