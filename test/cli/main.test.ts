import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { commands as acceptance } from '../../src/cli/acceptance.ts';
import { commands as agent } from '../../src/cli/agent.ts';
import { commands as apply } from '../../src/cli/apply.ts';
import { commands as approval } from '../../src/cli/approval.ts';
import { commands as approver } from '../../src/cli/approver.ts';
import { commands as assignment } from '../../src/cli/assignment.ts';
import { commands as block } from '../../src/cli/block.ts';
import { commands as change } from '../../src/cli/change.ts';
import { helpOf, readArguments } from '../../src/cli/command.ts';
import type { Command } from '../../src/cli/command.ts';
import { commands as context } from '../../src/cli/context.ts';
import { commands as credentialProcess } from '../../src/cli/credential-process.ts';
import { commands as enrolment } from '../../src/cli/enrolment.ts';
import { commands as exec } from '../../src/cli/exec.ts';
import { commands as inventory } from '../../src/cli/inventory.ts';
import { commands as issuer } from '../../src/cli/issuer.ts';
import { commands as lease } from '../../src/cli/lease.ts';
import { commands as offboard } from '../../src/cli/offboard.ts';
import { commands as operator } from '../../src/cli/operator.ts';
import { commands as order } from '../../src/cli/order.ts';
import { commands as passkey } from '../../src/cli/passkey.ts';
import { commands as pause } from '../../src/cli/pause.ts';
import { commands as person } from '../../src/cli/person.ts';
import { commands as policy } from '../../src/cli/policy.ts';
import { commands as reconcile } from '../../src/cli/reconcile.ts';
import { commands as request } from '../../src/cli/request.ts';
import { commands as trip } from '../../src/cli/trip.ts';
import { commands as review } from '../../src/cli/review.ts';
import { commands as start } from '../../src/cli/start.ts';
import { commands as target } from '../../src/cli/target.ts';
import { commands as tenant } from '../../src/cli/tenant.ts';
import { commands as vendor } from '../../src/cli/vendor.ts';
import { brevet, MAIN } from './cli.ts';
import { residentBrevet } from './resident.ts';

const ALL: readonly Command[] = [
  ...start,
  ...exec,
  ...credentialProcess,
  ...tenant,
  ...context,
  ...person,
  ...passkey,
  ...approval,
  ...approver,
  ...order,
  ...pause,
  ...review,
  ...trip,
  ...operator,
  ...agent,
  ...enrolment,
  ...issuer,
  ...vendor,
  ...target,
  ...assignment,
  ...change,
  ...apply,
  ...offboard,
  ...inventory,
  ...request,
  ...lease,
  ...policy,
  ...acceptance,
  ...block,
  ...reconcile,
];

const POLICY = join(import.meta.dirname, '..', '..', 'policy');

const help = suite('help');

/** As a shell would take it apart: quotes, and settings before the command. */
function words(line: string): string[] {
  const found = [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '');
  return found.slice(found.indexOf('brevet') + 1);
}

for (const command of ALL) {
  help(`of ${command.name} has an example that it takes`, () => {
    assert.match(helpOf(command), `Example:\n  ${command.example}`);
    const args = words(command.example.replace(/^\S+=\$\((.*)\) .*$/, '$1'));
    const own = command.name.split(' ');
    assert.equal(args.slice(0, own.length), own);
    assert.not.throws(() => readArguments(command, args.slice(own.length)));
  });
}

help('names every word of SURFACE that there is so far', async () => {
  const { out, status } = await brevet(['--help']);
  const listed = [...out.matchAll(/^ {2}brevet ([\w-]+) {2}/gm)].map(([, word]) => word);
  assert.equal(new Set(listed), new Set(['demo', ...ALL.map(({ name }) => name.split(' ')[0])]));
  assert.is(status, 0);
});

help('of which version it is, to people and to programs', async () => {
  const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '..', '..', 'package.json'), 'utf8')) as {
    version: string;
  };
  for (const [args, said] of [
    [['--version'], `${version}\n`],
    [['version', '--json'], `${JSON.stringify({ version })}\n`],
  ] as const) {
    const { status, out, err } = await brevet(args);
    assert.equal([status, out, err], [0, said, '']);
  }
});

help('of one command is on stdout, in no colour', async () => {
  const { out, err, status } = await brevet(['lease', 'revoke', '--help'], { env: { FORCE_COLOR: '3' } });
  assert.equal([status, err], [0, '']);
  assert.match(out, /Example:\n {2}brevet lease revoke /);
  assert.not.match(out, '\u001b');
});

help.run();

const usage = suite('usage');

/** What is wrong with each, told on stderr with status 2 and nothing on stdout. */
const WRONG: readonly (readonly [args: readonly string[], told: RegExp])[] = [
  [['tenat', 'list'], /no command tenat; did you mean tenant\?/],
  [['constructor'], /no command constructor/],
  [['lease', 'rvoke'], /no command rvoke; did you mean revoke\?/],
  [['lease', 'show'], /LEASE is missing/],
  [['lease', 'show', 'lse_1'], /--tenant is missing/],
  [['context', 'set', 'freeze', '--tenant', 'acme', '--reason', 'x', '--as', 'ada'], /--until is missing/],
  [['lease', 'show', 'a', 'b', '--tenant', 'acme'], /one argument too many: b/],
  [['tenant', 'put', 'acme', '--colour', 'red'], /Unknown option '--colour'\nSee brevet tenant put --help\.\n$/],
  [['tenant', 'put', 'acme', '--displayname', 'x'], /'--displayname'; did you mean --display-name\?/],
  [['tenant', 'list', '--token-file', MAIN], /main\.ts: this is no token/],
  [['tenant', 'put', 'acme'], /say who calls: --as NAME/],
  [['tenant', 'list', '--as', 'Ada'], /--as is not an operator name/],
  [['tenant', 'list', '--as', 'ada'], /no deployment key at .*deployment\.key \(ENOENT\)/],
  [
    ['tenant', 'put', 'acme', '--as', 'ada', '-f', '/no/such/file'],
    /\/no\/such\/file: there is nothing of this name \(ENOENT\)/,
  ],
  [['issuer', 'put', 'github', '--max-age', 'long', '--as', 'ada'], /--max-age takes a whole number/],
  [['enrolment', 'put', 'bot', '--tenant', 'acme', '--claim', 'x', '--as', 'ada'], /--claim takes name=value/],
  [['assignment', 'put', '--role', 'triage', '--as', 'ada'], /give --person or --agent, one of them/],
  [['exec', '--task', 'a.b', '--resource', 'x'], /a command is missing: put it after --/],
  [['exec', '--', 'true'], /--task is missing/],
  [['exec', '--task', 'a.b', '--resource', 'x', '--', 'true'], /BREVET_TENANT is not set/],
  [
    ['exec', '--tenant', 'a', '--task', 'a.b', '--resource', 'x', '--ttl', '1h', '--', 'true'],
    /--ttl takes a whole number/,
  ],
  [['exec', '--task', 'a.b', '--resource', 'x', '--wait', '1h', '--', 'true'], /--wait takes a whole number/],
  [['approval', 'verify', '/no/such/file'], /\/no\/such\/file: there is nothing of this name \(ENOENT\)/],
  [['approval', 'verify', MAIN], /main\.ts: this is no evidence: an object in JSON, [\w ,]+\nSee brevet approval/],
  [['policy', 'check', '/no/such/folder'], /\/no\/such\/folder: there is nothing of this name \(ENOENT\)/],
];
for (const [args, told] of WRONG) {
  usage(args.join(' '), async () => {
    const { status, out, err } = await residentBrevet(args);
    assert.equal([status, out], [2, ''], err);
    assert.match(err, told);
  });
}

usage('a word that is a command of its own names the others in its help', async () => {
  const { status, out } = await residentBrevet(['pause', '--help']);
  assert.is(status, 0);
  assert.match(out, 'See also:\n  brevet pause list\n  brevet pause end PAUSE\n');
});

usage('a word alone lists its commands', async () => {
  const { status, out } = await residentBrevet(['lease']);
  assert.is(status, 2);
  assert.match(out, 'brevet lease timeline LEASE');
});

usage('is told to programs as JSON', async () => {
  const { err } = await residentBrevet(['lease', 'show', '--json']);
  assert.equal(JSON.parse(err), { code: 'usage', detail: 'LEASE is missing' });
});

usage('problems of the settings are told all at once', async () => {
  const env = { BREVET_LISTEN: 'nowhere', BREVET_LISTN: 'x', BREVET_DEPLOYMENT_KEY: 'canary' };
  const { status, err } = await brevet(['start'], { env });
  assert.is(status, 2);
  for (const name of [
    'BREVET_LISTEN is not host:port',
    'BREVET_DEPLOYMENT_KEY is not 32 bytes',
    'BREVET_LISTN is no setting',
  ]) {
    assert.match(err, name);
  }
  assert.not.match(err, 'canary');
});

usage.run();

const faults = suite('faults');

faults('a broker that is not there ends with 1', async () => {
  const env = { BREVET_OPERATOR_TOKEN: 'canary', BREVET_URL: 'http://127.0.0.1:9' };
  const { status, err } = await brevet(['tenant', 'list'], { env });
  assert.is(status, 1);
  assert.match(err, 'the broker cannot be reached (http://127.0.0.1:9)');
  assert.not.match(err, 'canary');
});

faults('an old Node hands over to the one that came with Brevet', async () => {
  const old = `data:text/javascript,if(process.argv[1].endsWith('brevet.js'))Object.defineProperty(process,'versions',{value:{node:'20.1.0'}})`;
  const node = ['--import', old, MAIN.replace('main.ts', 'brevet.js')];
  const { status, out } = await brevet(['lease', 'revoke', '--help'], { node });
  assert.is(status, 0);
  assert.match(out, 'brevet lease revoke LEASE');
  assert.is((await brevet(['lease', 'rvoke'], { node })).status, 2);
});

faults('an old Node alone says what it needs', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'brevet-cli-'));
  const old = `data:text/javascript,Object.defineProperty(process,'versions',{value:{node:'20.1.0'}})`;
  const entry = join(folder, 'brevet.mjs');
  const { readFileSync } = await import('node:fs');
  writeFileSync(entry, readFileSync(MAIN.replace('main.ts', 'brevet.js')));
  try {
    const { status, err } = await brevet([], { node: ['--import', old, entry] });
    assert.equal([status, err], [1, 'brevet: needs Node 22.18 or later, this is 20.1.0\n']);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

faults.run();

const bundles = suite('policy check');

bundles('needs no broker', async () => {
  const { status, out } = await residentBrevet(['policy', 'check', POLICY]);
  assert.is(status, 0, out);
  assert.match(out, /^no problem; version [0-9a-f]{64}$/m);
  assert.match(out, /^rules\/work\.cedar:\d+: finding: many-endpoints-ask: it rests on the parameter endpoints/m);
  const json = JSON.parse((await residentBrevet(['policy', 'check', POLICY, '--json'])).out) as {
    readonly problems: unknown[];
    readonly findings: readonly { readonly kind: string }[];
  };
  assert.equal(json.problems, []);
  assert.is(json.findings.length, out.trim().split('\n').length - 1);
  assert.equal(new Set(json.findings.map(({ kind }) => kind)), new Set(['parameter_not_enforced']));
});

bundles('has its cases run, and what has none is named', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'brevet-policy-'));
  try {
    cpSync(POLICY, folder, { recursive: true });
    const rule =
      '@id("no-moon")\n@reason("r")\nforbid (principal, action, resource)\nwhen { context.environment == "moon" };\n';
    writeFileSync(join(folder, 'rules', 'moon.cedar'), rule);
    const { status, out } = await residentBrevet(['policy', 'test', folder]);
    assert.is(status, 0, out);
    assert.match(
      out,
      /^rules\/moon\.cedar:1: finding: no-moon: no case is decided by it\n\d+ cases, all as expected\n$/,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

bundles('tells every problem with file and line, and ends with 1', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'brevet-policy-'));
  try {
    writeFileSync(join(folder, 'roles.yaml'), 'roles:\n  x: {}\n');
    writeFileSync(join(folder, 'notes.txt'), 'canary');
    const { status, out } = await residentBrevet(['policy', 'check', folder]);
    assert.is(status, 1);
    assert.match(out, /^roles\.yaml:\d+: /m);
    assert.match(out, /^tasks\.yaml:1: this file is missing$/m);
    assert.match(out, /^notes\.txt:1: a bundle has no such file/m);
    const json = JSON.parse((await residentBrevet(['policy', 'check', folder, '--json'])).out) as {
      problems: unknown[];
    };
    assert.is(json.problems.length, out.trim().split('\n').length);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

bundles.run();
