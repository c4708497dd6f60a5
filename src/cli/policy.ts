import * as cedar from '@cedar-policy/cedar-wasm/nodejs';
import { bundleVersion, checkBundle } from '../decide/bundle.ts';
import { runCases } from '../decide/cases.ts';
import type { CaseOutcome } from '../decide/cases.ts';
import { createCedar } from '../decide/cedar.ts';
import { createRulebook } from '../decide/rulebook.ts';
import { EXIT, UsageError } from './command.ts';
import type { Command } from './command.ts';
import { OPERATOR_OPTIONS, operatorLine } from './operator-line.ts';
import type { Body } from './operator-line.ts';
import { diff } from './policy-diff.ts';
import { explainCommand } from './policy-explain.ts';
import { HERE, readBundleFolder, told, withBundle } from './policy-folder.ts';
import { sod } from './policy-sod.ts';
import { summary } from './policy-summary.ts';
import { proposed } from './propose.ts';
import { acknowledge, printList } from './register.ts';
import { print, printable, shown, table } from './terminal.ts';

const check: Command = {
  name: 'policy check',
  says: 'Tells every problem of a bundle, with file and line. Needs no broker. Ends with 1 where there is one.',
  takes: ['[FOLDER]'],
  example: 'brevet policy check ./policy',
  run: async (given, terminal) => {
    const files = readBundleFolder(given.text('FOLDER') ?? HERE);
    const problems = checkBundle(files, createCedar(cedar));
    const version = problems.length === 0 ? bundleVersion(files) : null;
    print(terminal, { version, problems }, () =>
      version === null ? told(problems) : `no problem; version ${version}`,
    );
    return problems.length === 0 ? EXIT.done : EXIT.fault;
  },
};

const test: Command = {
  name: 'policy test',
  says: 'Runs the cases of a bundle. Needs no broker. Ends with 1 where one comes out otherwise than expected.',
  takes: ['[FOLDER]'],
  example: 'brevet policy test ./policy',
  run: async (given, terminal) => {
    const engine = createCedar(cedar);
    return withBundle(terminal, given.text('FOLDER') ?? HERE, engine, (bundle) => {
      const outcomes = runCases(bundle, createRulebook(engine));
      const failed = outcomes.filter(({ differences }) => differences.length > 0);
      print(terminal, { cases: outcomes.length, failed }, () => outcome(outcomes.length, failed));
      return failed.length === 0 ? EXIT.done : EXIT.fault;
    });
  },
};

function outcome(cases: number, failed: readonly CaseOutcome[]): string {
  if (failed.length === 0) return `${cases} cases, all as expected`;
  const rows = failed.map(({ file, name, differences }) => [file, name, differences.join('; ')].map(printable));
  return `${table(['file', 'case', 'what differs'], rows)}\n${failed.length} of ${cases} cases differ`;
}

const propose: Command = {
  name: 'policy propose',
  says: 'Checks a bundle, runs its cases, and proposes it for another person to activate.',
  takes: ['[FOLDER]'],
  options: { reason: { takes: 'TEXT', says: 'why it changes', needed: true }, ...OPERATOR_OPTIONS },
  example: `brevet policy propose ./policy --reason 'Freeze the firewall' --token-file token`,
  run: async (given, terminal) => {
    const body = { files: readBundleFolder(given.text('FOLDER') ?? HERE), reason: given.need('reason') };
    const line = await operatorLine(given);
    return proposed(terminal, await line.send({ method: 'POST', path: '/api/policy/propose', body }));
  },
};

const activate: Command = {
  name: 'policy activate',
  says: 'Activates what another person proposed; in set-up, and there alone, a folder by itself.',
  takes: ['[FOLDER or CHANGE]'],
  options: { hash: { takes: 'HASH', says: 'of the change as you saw it' }, ...OPERATOR_OPTIONS },
  example: 'brevet policy activate chg_01jq… --hash 6f1e… --token-file token',
  run: async (given, terminal) => {
    const what = given.text('FOLDER or CHANGE') ?? HERE;
    const hash = given.text('hash');
    if (hash === undefined && what.startsWith('chg_')) throw new UsageError('--hash is missing: see change show');
    const body = hash === undefined ? { files: readBundleFolder(what) } : { change: what, hash };
    const line = await operatorLine(given);
    const answer = await line.send({ method: 'POST', path: '/api/policy/activate', body });
    const named = 'files' in body ? `the policy ${bundleVersion(body.files)}` : `the policy of ${what}`;
    return acknowledge(terminal, answer, `${named} is active`);
  },
};

const rollback: Command = {
  name: 'policy rollback',
  says: 'Goes back to a version that was active before, at once. Another person looks at it afterwards.',
  takes: ['VERSION'],
  options: { reason: { takes: 'TEXT', says: 'why', needed: true }, ...OPERATOR_OPTIONS },
  example: `brevet policy rollback 644c2573… --reason 'Routing stands still' --token-file token`,
  run: async (given, terminal) => {
    const body = { version: given.need('VERSION'), reason: given.need('reason') };
    const line = await operatorLine(given);
    const answer = await line.send({ method: 'POST', path: '/api/policy/rollback', body });
    const { id, hash } = (answer['change'] ?? {}) as Body;
    const owed = `another administrator looks at it: brevet change confirm ${shown(id)} --hash ${shown(hash)}`;
    return acknowledge(terminal, answer, `the policy ${body.version} is active again; ${owed}`);
  },
};

const versions: Command = {
  name: 'policy versions',
  says: 'Lists the versions that are kept, and which of them is active.',
  options: OPERATOR_OPTIONS,
  example: 'brevet policy versions --as ada',
  run: async (given, terminal) => {
    const line = await operatorLine(given);
    const columns = ['version', 'added_at', 'active', 'active_before'];
    printList(terminal, await line.all('/api/policy/versions'), columns);
    return EXIT.done;
  },
};

export const commands: readonly Command[] = [
  check,
  test,
  explainCommand,
  diff,
  summary,
  sod,
  propose,
  activate,
  rollback,
  versions,
];
