/** YAML 1.2 of a bundle, read strictly, each problem with its line. */
import { LineCounter, isAlias, isMap, isNode, isScalar, isSeq, parseDocument, visit } from 'yaml';
import type { Document } from 'yaml';
import type { z } from 'zod';
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

type Parsed = Document.Parsed;

/** Of one file and kind: more than anybody reads before the first are mended. */
const MOST_PROBLEMS = 200;

export function readYaml<T>(file: string, text: string, form: z.ZodType<T>): Result<Placed<T>, readonly Problem[]> {
  const counter = new LineCounter();
  const document = parse(text, counter);
  if (document === null) return err([{ file, line: 1, what: 'it is nested too deeply' }]);
  const faults = documentProblems(file, document, counter);
  if (faults.length > 0) return err(faults);
  const lineOf = (path: Path): number => lineAtPath(document, counter, path);
  const parsed = form.safeParse(document.toJS({ maxAliasCount: 0 }));
  if (parsed.success) return ok({ file, value: parsed.data, lineOf });
  return err(parsed.error.issues.slice(0, MOST_PROBLEMS).flatMap((issue) => problemsOf(file, issue, lineOf)));
}

function parse(text: string, lineCounter: LineCounter): Parsed | null {
  try {
    return parseDocument(text, { lineCounter, uniqueKeys: false, stringKeys: true, version: '1.2', schema: 'core' });
  } catch (fault) {
    if (fault instanceof RangeError) return null;
    throw fault;
  }
}

function documentProblems(file: string, document: Parsed, counter: LineCounter): Problem[] {
  const said = [...document.errors, ...document.warnings].map(({ pos, message }) => ({
    file,
    line: counter.linePos(pos[0]).line,
    what: message.split('\n', 1)[0]?.replace(/ at line \d+, column \d+:?$/, '') ?? message,
  }));
  const refused: Problem[] = [];
  const lineOf = (node: unknown): number => counter.linePos(startOf(node)).line;
  visit(document, {
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
function lineAtPath(document: Parsed, counter: LineCounter, path: Path): number {
  let node: unknown = document.contents;
  let offset = document.contents?.range[0] ?? 0;
  for (const step of path) {
    const next = stepInto(node, step);
    if (next === null) break;
    ({ node, offset } = next);
  }
  return counter.linePos(offset).line;
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
