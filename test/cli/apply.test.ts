/** A folder of registers against a real broker: what is shown, what is done, and that it is done once. */
import { writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { serve } from '@hono/node-server';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readFolder } from '../../src/cli/apply/folder.ts';
import { administered } from '../support/administrators.ts';
import { must } from '../support/app.ts';
import { temporaryFolder } from '../support/leftovers.ts';
import { newPlace, startBroker, stopBroker } from '../acceptance/broker.ts';
import { residentBrevet } from './resident.ts';

const FILES: Readonly<Record<string, string>> = {
  'people.yaml': 'grace: { display_name: Grace }\nolga:\n  display_name: Olga\n',
  'operators.yaml': 'grace: { person: grace }\n',
  'issuers.yaml': 'ci: { url: "https://ci.example", platform: generic }\n',
  'vendors.yaml': 'in-house: { trains_on_client_data: false, retention_days: 0 }\n',
  'tenants.yaml': 'acme:\n  display_name: Acme Ltd\n',
  'contexts.yaml':
    'acme:\n  regulations: [hipaa]\n  resources: [{ resource: tickets/closed }]\n  contacts: [{ for: service, name: Nadia, email: n@acme.example }]\n',
  'acceptances.yaml':
    'acme:\n  triage-bot: { model_version: "1", tasks: [ticket.route, ticket.categorize], reason: A quiet year }\n',
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

interface Planned {
  readonly register: string;
  readonly effect: string;
  readonly name: string;
  readonly differs: readonly string[];
  readonly takes_two: boolean;
  readonly way: { readonly is: string };
}

interface Told {
  readonly plan: readonly Planned[];
  readonly made: readonly Planned[];
  readonly proposed: readonly (Planned & { readonly change: string; readonly hash: string })[];
  readonly waiting: readonly Planned[];
}

const applying = suite('apply');

applying('shows a plan, acts when told to, and a second time changes nothing', async () => {
  const folder = await folderOf(FILES);
  const place = await newPlace();
  const broker = await startBroker(place);
  const apply = async (...more: readonly string[]): Promise<Told> => {
    const { status, out, err } = await residentBrevet(['apply', '-f', folder, '--as', 'ada', '--json', ...more], {
      env: place.env,
    });
    assert.is(status, 0, err);
    return JSON.parse(out) as Told;
  };
  const effects = ({ plan }: Told) => [...new Set(plan.map(({ effect }) => effect))];
  const shown = await apply();
  assert.equal([effects(shown), shown.made], [['create'], []]);
  assert.equal(
    shown.plan.filter(({ takes_two: two }) => two).map(({ name }) => name),
    ['grace', 'olga', 'grace', 'triage-bot at acme', 'overseer to grace at acme'],
  );
  assert.is((await apply('--yes', '--reason', 'as in git')).made.length, 13);
  const again = await apply('--yes');
  assert.equal([effects(again), again.made], [['nothing'], []]);
  writeFileSync(join(folder, 'tenants.yaml'), 'acme: { display_name: Acme }\n');
  const changed = (await apply('--yes')).made;
  assert.equal(changed, [
    {
      register: 'tenants',
      name: 'acme',
      effect: 'change',
      differs: ['display_name'],
      takes_two: false,
      way: { is: 'alone' },
    },
  ]);
  writeFileSync(join(folder, 'contexts.yaml'), 'acme: { regulations: [hipaa] }\n');
  assert.equal(
    (await apply('--yes')).made.map(({ name, differs }) => [name, differs]),
    [['acme', ['contacts', 'resources']]],
    'what is left out of a context is recorded no more',
  );
  await stopBroker(broker);
});

const AFTER: Readonly<Record<string, string>> = {
  'people.yaml': 'grace: { display_name: Grace }\n',
  'agents.yaml': [
    'new-bot:',
    '  owner: grace',
    '  kind: workflow',
    '  purpose: Routes tickets',
    '  vendor: in-house',
    '  model: planner',
    '  model_version: "1"',
    '  autonomy: autonomous',
    '',
  ].join('\n'),
  'tenants.yaml': 'cedar: { display_name: Cedar }\n',
  'assignments.yaml':
    '- { tenant: acme, holder: { person: dana }, role: approver }\n- { tenant: acme, holder: { person: grace }, role: approver }\n',
};

applying('past set-up, proposes what takes two, once, and goes on when it is confirmed', async () => {
  const { app, as, token, close } = await administered();
  const listening = Promise.withResolvers<AddressInfo>();
  const server = serve({ fetch: app.app.fetch, port: 0, hostname: '127.0.0.1' }, listening.resolve);
  const { port } = await listening.promise;
  const folder = await folderOf(AFTER);
  const apply = async (...more: readonly string[]) => {
    const env = { BREVET_URL: `http://127.0.0.1:${port}`, BREVET_OPERATOR_TOKEN: await token('ada') };
    const { status, out, err } = await residentBrevet(['apply', '-f', folder, '--json', ...more], { env });
    return { status, err, told: (out === '' ? {} : JSON.parse(out)) as Told };
  };
  const ways = ({ plan }: Told) => plan.map(({ name, way }) => `${name}: ${way.is}`);
  const planned = await apply();
  assert.equal(ways(planned.told), [
    'grace: propose',
    'cedar: alone',
    'new-bot: later',
    'approver to dana at acme: propose',
    'approver to grace at acme: later',
  ]);
  assert.is((await apply('--yes')).status, 2, 'a proposal has a reason');
  const { status, told, err } = await apply('--yes', '--reason', 'As in git');
  assert.is(status, 4, err);
  assert.equal(
    told.made.map(({ name }) => name),
    ['cedar'],
  );
  assert.equal(
    told.proposed.map(({ name }) => name),
    ['grace', 'approver to dana at acme'],
  );
  const again = await apply('--yes', '--reason', 'As in git');
  assert.equal([again.status, again.told.made, again.told.proposed], [4, [], []], 'proposed once');
  for (const { change, hash } of told.proposed)
    must(await as('alan', 'POST', `/api/changes/${change}/confirm`, { hash }));
  const next = (await apply('--yes', '--reason', 'As in git')).told;
  assert.equal(
    [next.made.map(({ name }) => name), next.proposed.map(({ name }) => name)],
    [['new-bot'], ['approver to grace at acme']],
  );
  server.close();
  await close();
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
