/** YAML 1.2 of a bundle, read strictly, each problem with its line. */
import { LineCounter, isAlias, isMap, isNode, isScalar, isSeq, parseDocument, visit } from 'yaml';
import type { Document } from 'yaml';
import type { z } from 'zod';
import { misfit } from '../../core/misfit.ts';
import type { Problem } from '../../core/policy.ts';
import { err, ok } from '../../core/result.ts';
import type { Result } from '../../core/result.ts';

export type Path = readonly PropertyKey[];

/** A file's content, and where each part of it stands. */
export interface Placed<T> {
  readonly file: string;
  readonly value: T;
  lineOf(path: Path): number;
}

/** A document, and the lines of its text. */
interface Parsed {
  readonly tree: Document.Parsed;
  readonly lines: LineCounter;
}

/** Of one file and kind: more than anybody reads before the first are mended. */
const MOST_PROBLEMS = 200;

/** Twice as many files as a bundle of the usual size has: what it is compared with mostly has the same ones. */
const MOST_KEPT = 48;
/** Of one text, in UTF-16 units: the longest that ships has 38,000. */
const LONGEST_KEPT = 256 * 1024;

interface Read {
  readonly form: z.ZodType;
  readonly value: unknown;
  /** Those that were asked for, by their paths. */
  readonly lines: Map<string, number>;
}

/**
 * What good texts hold, by themselves, the one unused for longest first. Reading them is most of what loading a bundle
 * takes, and bundles that are loaded one after another differ in a file or two. Where things stand is not kept: a
 * document is many times the size of its text.
 */
const kept = new Map<string, Read>();

/** @returns a value that nobody can change, since whoever reads the same text is given the same one. */
export function readYaml<T>(file: string, text: string, form: z.ZodType<T>): Result<Placed<T>, readonly Problem[]> {
  const known = kept.get(text);
  if (known?.form === form) {
    keep(text, known);
    // This very form made it.
    return ok({ file, value: known.value as T, lineOf: linesOf(text, known.lines) });
  }
  const document = parse(text);
  if (document === null) return err([{ file, line: 1, what: 'it is nested too deeply' }]);
  const faults = documentProblems(file, document);
  if (faults.length > 0) return err(faults);
  const parsed = form.safeParse(document.tree.toJS({ maxAliasCount: 0 }), { error: misfit });
  if (!parsed.success) {
    const lineOf = (path: Path): number => lineAtPath(document, path);
    return err(parsed.error.issues.slice(0, MOST_PROBLEMS).flatMap((issue) => problemsOf(file, issue, lineOf)));
  }
  const value = deeplyFrozen(parsed.data);
  const lines = new Map<string, number>();
  if (text.length <= LONGEST_KEPT) keep(text, { form, value, lines });
  return ok({ file, value, lineOf: linesOf(text, lines) });
}

function keep(text: string, read: Read): void {
  kept.delete(text);
  kept.set(text, read);
  if (kept.size > MOST_KEPT) kept.delete(kept.keys().next().value ?? '');
}

/**
 * Parsed anew when a line is asked for that nobody has asked for before: of most good texts none is, and of others the
 * same ones each time, as of what is found in every bundle that has the text.
 */
function linesOf(text: string, known: Map<string, number>): (path: Path) => number {
  let document: Parsed | null = null;
  return (path) => {
    const key = JSON.stringify(path);
    const before = known.get(key);
    if (before !== undefined) return before;
    document ??= parse(text);
    const line = document === null ? 1 : lineAtPath(document, path);
    known.set(key, line);
    return line;
  };
}

function deeplyFrozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const part of Object.values(value)) deeplyFrozen(part);
  }
  return value;
}

function parse(text: string): Parsed | null {
  const lines = new LineCounter();
  const options = { lineCounter: lines, uniqueKeys: false, stringKeys: true, version: '1.2', schema: 'core' } as const;
  try {
    return { tree: parseDocument(text, options), lines };
  } catch (fault) {
    if (fault instanceof RangeError) return null;
    throw fault;
  }
}

function documentProblems(file: string, { tree, lines }: Parsed): Problem[] {
  const said = [...tree.errors, ...tree.warnings].map(({ pos, message }) => ({
    file,
    line: lines.linePos(pos[0]).line,
    what: message.split('\n', 1)[0]?.replace(/ at line \d+, column \d+:?$/, '') ?? message,
  }));
  const refused: Problem[] = [];
  const lineOf = (node: unknown): number => lines.linePos(startOf(node)).line;
  visit(tree, {
    Node(_key, node) {
      const { anchor } = node as { anchor?: string };
      if (!isAlias(node) && anchor === undefined) return;
      refused.push({ file, line: lineOf(node), what: 'anchors and aliases are not taken: write it out' });
    },
    Map(_key, { items }) {
      // The parser's own check compares every key with every other.
      const seen = new Set<string>();
      for (const { key } of items) {
        const name = isScalar(key) ? String(key.value) : '';
        if (seen.has(name)) refused.push({ file, line: lineOf(key), what: `${name} stands here twice` });
        seen.add(name);
      }
    },
  });
  return [...said, ...refused].slice(0, MOST_PROBLEMS);
}

function problemsOf(file: string, issue: z.core.$ZodIssue, lineOf: (path: Path) => number): Problem[] {
  const { path } = issue;
  const at = path.map(String).join('.');
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.slice(0, MOST_PROBLEMS).map((key) => ({
      file,
      line: lineOf([...path, key]),
      what: `${[...path.map(String), key].join('.')} is not a field here`,
    }));
  }
  const message = issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? issue.message) : issue.message;
  return [{ file, line: lineOf(path), what: at === '' ? message : `${at}: ${message}` }];
}

/** The line of the deepest part of the path that is there. */
function lineAtPath({ tree, lines }: Parsed, path: Path): number {
  let node: unknown = tree.contents;
  let offset = tree.contents?.range[0] ?? 0;
  for (const step of path) {
    const next = stepInto(node, step);
    if (next === null) break;
    ({ node, offset } = next);
  }
  return lines.linePos(offset).line;
}

function stepInto(node: unknown, step: PropertyKey): { node: unknown; offset: number } | null {
  if (isMap(node)) {
    const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
    return pair === undefined ? null : { node: pair.value, offset: startOf(pair.key) };
  }
  const item = isSeq(node) ? node.items[Number(step)] : undefined;
  return item === undefined ? null : { node: item, offset: startOf(item) };
}

const startOf = (node: unknown): number => (isNode(node) ? (node.range?.[0] ?? 0) : 0);
