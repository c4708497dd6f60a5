/** A folder of registers against a real broker: what is shown, what is done, and that it is done once. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readFolder } from '../../src/cli/apply/folder.ts';
import { temporaryFolder } from '../support/leftovers.ts';
import { freePort } from '../support/postgres.ts';
import { brevet, start } from './cli.ts';

const FILES: Readonly<Record<string, string>> = {
  'people.yaml': 'grace: { display_name: Grace }\nolga:\n  display_name: Olga\n',
  'operators.yaml': 'grace: { person: grace }\n',
  'issuers.yaml': 'ci: { url: "https://ci.example", platform: generic }\n',
  'tenants.yaml': 'acme:\n  display_name: Acme Ltd\n  regulations: [hipaa]\n',
  'agents.yaml': [
    'triage-bot:',
    '  owner: olga',
    '  kind: workflow',
    '  purpose: Routes tickets',
    '  vendor: in-house',
    '  model: planner',
    '  model_version: "1"',
    '  autonomy: autonomous',
    '',
  ].join('\n'),
  'targets.yaml':
    'acme:\n  tickets:\n    provider: jwt\n    config: { audience: "https://tickets.acme.example", checks: offline }\n    environment: production\n',
  'enrolments.yaml':
    'acme:\n  triage-bot:\n    issuer: ci\n    claims: { sub: triage }\n    exception: { reason: moves, until: "2099-01-01T00:00:00Z" }\n',
  'assignments.yaml':
    '- { tenant: acme, holder: { agent: triage-bot }, role: triage, until: "2099-01-01T00:00:00Z" }\n- { tenant: acme, holder: { person: grace }, role: overseer }\n',
};

async function folderOf(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await temporaryFolder('apply');
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

interface Told {
  readonly plan: readonly { readonly effect: string; readonly name: string; readonly takes_two: boolean }[];
  readonly made: readonly object[];
}

const applying = suite('apply');

applying('shows a plan, acts when told to, and a second time changes nothing', async () => {
  const folder = await folderOf(FILES);
  const env = {
    BREVET_DATA_DIR: await temporaryFolder('data'),
    BREVET_LISTEN: `127.0.0.1:${await freePort()}`,
    BREVET_POLICY_DIR: join(import.meta.dirname, '..', '..', 'policy'),
  };
  const broker = start(['start'], { env, cwd: folder });
  await broker.said('serving at');
  const apply = async (...more: readonly string[]): Promise<Told> => {
    const { status, out, err } = await brevet(['apply', '-f', folder, '--as', 'ada', '--json', ...more], { env });
    assert.is(status, 0, err);
    return JSON.parse(out) as Told;
  };
  const effects = ({ plan }: Told) => [...new Set(plan.map(({ effect }) => effect))];
  const shown = await apply();
  assert.equal([effects(shown), shown.made], [['create'], []]);
  assert.equal(
    shown.plan.filter(({ takes_two: two }) => two).map(({ name }) => name),
    ['grace', 'olga', 'grace', 'overseer to grace at acme'],
  );
  assert.is((await apply('--yes', '--reason', 'as in git')).made.length, 10);
  const again = await apply('--yes');
  assert.equal([effects(again), again.made], [['nothing'], []]);
  writeFileSync(join(folder, 'tenants.yaml'), 'acme: { display_name: Acme, regulations: [hipaa] }\n');
  const changed = (await apply('--yes')).made;
  assert.equal(changed, [
    { register: 'tenants', name: 'acme', effect: 'change', differs: ['display_name'], takes_two: false },
  ]);
  broker.child.kill('SIGTERM');
  await broker.ended;
});

const WRONG: readonly (readonly [what: string, file: string, text: string, said: RegExp])[] = [
  [
    'an unknown field',
    'people.yaml',
    'grace:\n  display_name: G\n  admin: true\n',
    /^people\.yaml:3: grace\.admin is not/,
  ],
  ['a secret', 'targets.yaml', `${FILES['targets.yaml']}    secret: s\n`, /^targets\.yaml:6: acme\.tickets\.secret/],
  ['a wrong name', 'tenants.yaml', 'Acme: { display_name: A }\n', /^tenants\.yaml:1: /],
  [
    'a name twice',
    'people.yaml',
    'a: { display_name: A }\na: { display_name: B }\n',
    /^people\.yaml:2: a stands here twice/,
  ],
  ['an anchor', 'people.yaml', 'a: &x { display_name: A }\nb: *x\n', /^people\.yaml:2: anchors/],
  ['an unknown file', 'policy.yaml', '', /^policy\.yaml:1: no file here/],
];

for (const [what, file, text, said] of WRONG) {
  applying(`refuses ${what}, with its place`, async () => {
    const read = readFolder(await folderOf({ [file]: text }));
    const [first] = read.ok ? [] : read.error;
    assert.match(`${first?.file}:${first?.line}: ${first?.what}`, said);
  });
}

applying.run();
