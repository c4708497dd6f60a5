/** Which files make a bundle, how large they may be, and what no file may hold. */
import { canonicalDigest } from '../../core/canonical.ts';
import type { Problem } from '../../core/policy.ts';
import type { BundleFiles } from '../../core/registers.ts';
import { lineAt } from '../cedar/text.ts';

export const CHARTER_FILE = 'bundle.yaml';
export const SCHEMA_FILE = 'schema.cedarschema';
export const ROLES_FILE = 'roles.yaml';
export const TASKS_FILE = 'tasks.yaml';
export const ROUTES_FILE = 'routes.yaml';
const REQUIRED: readonly string[] = [CHARTER_FILE, SCHEMA_FILE, ROLES_FILE, TASKS_FILE, ROUTES_FILE];
/** Versions that were kept before there were routes have none: under them nobody is asked. */
export const REQUIRED_OF_KEPT = REQUIRED.filter((file) => file !== ROUTES_FILE);

const NAME = '[a-z0-9][a-z0-9-]{0,62}';
export const SHARED_RULES = new RegExp(`^rules/${NAME}\\.cedar$`);
export const TENANT_RULES = new RegExp(`^rules/tenants/(${NAME})/${NAME}\\.cedar$`);
export const CASES = new RegExp(`^cases/${NAME}\\.yaml$`);
/** For editors and readers, and no part of a version. */
const BESIDE = /^(?:README\.md|schemas\/[a-z0-9.-]+\.json)$/;

/** A thousand tenants with ten rules each come to 3 MB; a request body for a bundle ends at 4 MiB. */
const LARGEST_BUNDLE = 4 * 1024 * 1024;
/** A thousand rules come to 400 kB; of YAML nobody reads that much in one piece. */
const LARGEST_RULES = 1024 * 1024;
const LARGEST_YAML = 256 * 1024;
const MOST_FILES = 4000;

/** Bidirectional and invisible marks make a text read otherwise than it works. @see CVE-2021-42574 */
const HIDDEN = /[\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/;
const CONTROL = /[^\P{Cc}\t\n\r]/u;
/** Cedar ends a comment at one, where a reader, and most editors, see the line go on: the rest of it would be in force. */
const LONE_RETURN = /\r(?!\n)/;

/** SHA-256 over the canonical JSON of path -> text, of the files that make the bundle. */
export const bundleVersion = (files: BundleFiles): string => canonicalDigest(partOf(files));

/** The files that make the bundle, without what stands beside them. */
export const partOf = (files: BundleFiles): BundleFiles =>
  Object.fromEntries(Object.entries(files).filter(([path]) => !BESIDE.test(path)));

/** Whether a path is one that a bundle's folder may hold. */
export const isBundlePath = (path: string): boolean =>
  REQUIRED.includes(path) || [SHARED_RULES, TENANT_RULES, CASES, BESIDE].some((form) => form.test(path));

/** Too much to look into: nothing else is then checked. */
export function sizeProblems(files: BundleFiles): Problem[] {
  const entries = Object.entries(files);
  const total = entries.reduce((sum, [, text]) => sum + text.length, 0);
  if (entries.length > MOST_FILES) return [{ file: '.', line: 1, what: `a bundle has at most ${MOST_FILES} files` }];
  if (total > LARGEST_BUNDLE) return [{ file: '.', line: 1, what: `a bundle is at most ${LARGEST_BUNDLE} bytes` }];
  return entries
    .filter(([file, text]) => text.length > largest(file))
    .map(([file]) => ({ file, line: 1, what: `this file is at most ${largest(file)} bytes` }));
}

const largest = (file: string): number => (file.endsWith('.yaml') ? LARGEST_YAML : LARGEST_RULES);

export function fileProblems(files: BundleFiles, required = REQUIRED): Problem[] {
  const missing = required.filter((file) => files[file] === undefined);
  return [
    ...missing.map((file) => ({ file, line: 1, what: 'this file is missing' })),
    ...Object.entries(files).flatMap(([file, text]) => [...pathProblems(file), ...textProblems(file, text)]),
  ];
}

const pathProblems = (file: string): Problem[] =>
  isBundlePath(file) ? [] : [{ file, line: 1, what: `a bundle has no such file; it holds ${PLACES}` }];

const PLACES = `${REQUIRED.join(', ')}, rules/*.cedar, rules/tenants/{tenant}/*.cedar and cases/*.yaml`;

function textProblems(file: string, text: string): Problem[] {
  const found = [HIDDEN, CONTROL, LONE_RETURN].map((form) => form.exec(text)).filter((match) => match !== null);
  return found.map((match) => ({
    file,
    line: lineAt(text, match.index),
    what: `${codeOf(match[0])} is invisible or changes how the line reads`,
  }));
}

export const codeOf = (character: string): string =>
  `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
