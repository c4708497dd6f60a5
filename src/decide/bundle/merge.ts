/** A bundle without what an earlier change brought to it: a merge of three, as in a version control system. Pure. */
import { diff3Merge } from 'node-diff3';
import type { BundleFiles } from '../../core/registers.ts';
import { err, ok } from '../../core/result.ts';
import type { Result } from '../../core/result.ts';

export interface Change {
  readonly before: BundleFiles;
  readonly after: BundleFiles;
}

/** @returns the files, or the paths in which both changed the same lines. */
export function without({ before, after }: Change, later: BundleFiles): Result<BundleFiles, readonly string[]> {
  const paths = [...new Set([before, after, later].flatMap((files) => Object.keys(files)))].toSorted();
  const merged = paths.map((path) => [path, mergeOne(later[path], after[path], before[path])] as const);
  const torn = merged.flatMap(([path, text]) => (text === TORN ? [path] : []));
  if (torn.length > 0) return err(torn);
  return ok(Object.fromEntries(merged.filter((one): one is [string, string] => typeof one[1] === 'string')));
}

/** A file that is not there is `undefined`. */
type Text = string | undefined;
const TORN = Symbol('both changed it');

function mergeOne(later: Text, after: Text, before: Text): Text | typeof TORN {
  if (after === before || later === before) return later;
  if (later === after) return before;
  if (later === undefined || after === undefined || before === undefined) return TORN;
  const parts = diff3Merge(later.split('\n'), after.split('\n'), before.split('\n'));
  const lines = parts.flatMap(({ ok: same }) => same ?? []);
  return parts.some(({ conflict }) => conflict !== undefined) ? TORN : lines.join('\n');
}
