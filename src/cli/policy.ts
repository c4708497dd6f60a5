import * as cedar from '@cedar-policy/cedar-wasm/nodejs';
import { enforcedBy } from '../core/provider.ts';
import { instant } from '../core/time.ts';
import { bundleVersion, loadBundle } from '../decide/bundle.ts';
import { findingsOf, placesOf, untested } from '../decide/bundle/findings.ts';
import { failedOf, runCases } from '../decide/cases.ts';
import type { CaseOutcome } from '../decide/cases.ts';
import { createCedar } from '../decide/cedar.ts';
import { createRulebook } from '../decide/rulebook.ts';
import { EXIT, UsageError } from './command.ts';
import type { Command } from './command.ts';
import { OPERATOR_OPTIONS, operatorLine } from './operator-line.ts';
import type { Body } from './operator-line.ts';
import { foundIn, foundOut } from './findings.ts';
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
  says: 'Tells every problem of a bundle, and what is hardly meant. Needs no broker. Ends with 1 where there is a problem.',
  takes: ['[FOLDER]'],
  example: 'brevet policy check ./policy',
  run: async (given, terminal) => {
    const files = readBundleFolder(given.text('FOLDER') ?? HERE);
    const loaded = loadBundle(files, createCedar(cedar));
    if (!loaded.ok) {
      print(terminal, { version: null, problems: loaded.error, findings: [] }, () => told(loaded.error));
      return EXIT.fault;
    }
    const { version } = loaded.value;
    const findings = findingsOf(loaded.value, placesOf(files), { now: instant(Date.now()), enforces: enforcedBy });
    print(terminal, { version, problems: [], findings }, () =>
      [...foundOut(findings), `no problem; version ${version}`].join('\n'),
    );
    return EXIT.done;
  },
};

const test: Command = {
  name: 'policy test',
  says: 'Runs the cases of a bundle, and names what has none. Needs no broker. Ends with 1 where one comes out otherwise.',
  takes: ['[FOLDER]'],
  example: 'brevet policy test ./policy',
  run: async (given, terminal) => {
    const engine = createCedar(cedar);
    const folder = given.text('FOLDER') ?? HERE;
    return withBundle(terminal, folder, engine, (bundle) => {
      const outcomes = runCases(bundle, createRulebook(engine));
      const failed = failedOf(outcomes);
      const findings = untested(bundle, placesOf(readBundleFolder(folder)), outcomes);
      print(terminal, { cases: outcomes.length, failed, findings }, () =>
        [...foundOut(findings), outcome(outcomes.length, failed)].join('\n'),
      );
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
  options: {
    reason: { takes: 'TEXT', says: 'why it changes', needed: true },
    until: { takes: 'TIME', says: 'take back what it widens at this time (RFC 3339)' },
    ...OPERATOR_OPTIONS,
  },
  example: `brevet policy propose ./policy --reason 'Freeze the firewall' --token-file token`,
  run: async (given, terminal) => {
    const until = given.text('until');
    const files = readBundleFolder(given.text('FOLDER') ?? HERE);
    const body = { files, reason: given.need('reason'), ...(until === undefined ? {} : { until }) };
    const line = await operatorLine(given);
    return proposed(terminal, await line.send({ method: 'POST', path: '/api/policy/propose', body }));
  },
};

const activate: Command = {
  name: 'policy activate',
  says: 'Activates what another person proposed; in set-up, and there alone, a folder by itself.',
  takes: ['[FOLDER or CHANGE]'],
  options: {
    hash: { takes: 'HASH', says: 'of the change as you saw it' },
    revoke: { says: 'end what is live and would not be given any more' },
    ...OPERATOR_OPTIONS,
  },
  example: 'brevet policy activate chg_01jq… --hash 6f1e… --token-file token',
  run: async (given, terminal) => {
    const what = given.text('FOLDER or CHANGE') ?? HERE;
    const hash = given.text('hash');
    if (hash === undefined && what.startsWith('chg_')) throw new UsageError('--hash is missing: see change show');
    if (hash === undefined && given.flag('revoke')) throw new UsageError('--revoke goes with a change');
    const body =
      hash === undefined
        ? { files: readBundleFolder(what) }
        : { change: what, hash, ...(given.flag('revoke') ? { revoke: true } : {}) };
    const line = await operatorLine(given);
    const answer = await line.send({ method: 'POST', path: '/api/policy/activate', body });
    const named = 'files' in body ? `the policy ${bundleVersion(body.files)}` : `the policy of ${what}`;
    return acknowledge(terminal, answer, [...foundIn(answer), `${named} is active`].join('\n'));
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
