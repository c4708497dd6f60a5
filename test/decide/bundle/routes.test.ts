/** Every way in which routes can be wrong, with the line that it is told with. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadKept } from '../../../src/decide/bundle.ts';
import { policyFiles } from '../../policy/folder.ts';
import { engine, problemsOf, shipped, shippedBut } from '../world.ts';

const ROUTES = policyFiles['routes.yaml'] ?? '';

const found = (text: string | null): string[] => problemsOf(shippedBut({ 'routes.yaml': text }));

const lineOf = (text: string, part: string): number => text.slice(0, text.indexOf(part)).split('\n').length;

const STEP = '{ whom: security-engineer, within_minutes: 15, backup: approver }';
const LAST = '  - name: everything-else\n';
const before = (route: string): readonly [string, string] => [LAST, `${route}\n${LAST}`];
const route = (when: string, ...steps: readonly string[]): string =>
  `  - name: tried\n    when: ${when}\n    steps: [${steps.join(', ')}]`;
const WAIT = (minutes: number, more = ''): string =>
  `{ whom: service-desk-manager, within_minutes: ${minutes}, backup: approver${more} }`;

const PROBLEMS: readonly (readonly [what: string, from: string, to: string, problem: RegExp])[] = [
  [
    'a step without a backup',
    STEP,
    '{ whom: security-engineer, within_minutes: 15 }',
    /steps\.0\.backup: a step names its backup role$/,
  ],
  ['a route without a last step', ...before(route('{ tiers: [2] }')), /a route has a last step$/],
  [
    'no route at all',
    ROUTES.slice(ROUTES.indexOf('routes:\n')),
    'routes: []\n',
    /there is at least one route, for all$/,
  ],
  [
    'a last route that is not for all',
    LAST,
    `${LAST}    when: { tiers: [3] }\n`,
    /everything-else: the last route is for all, so it has no conditions$/,
  ],
  [
    'a route for all before the last',
    '    when: { kinds: [security] }\n',
    '',
    /routes\.security: it is for all, so none behind it is ever reached$/,
  ],
  ['an empty condition', 'when: { kinds: [security] }', 'when: { kinds: [] }', /kinds/],
  ['two routes of one name', 'name: security', 'name: several-tenants', /several-tenants stands here twice$/],
  [
    'a role that there is not',
    STEP,
    STEP.replace('security-engineer', 'nobody'),
    /routes\.security: there is no role nobody$/,
  ],
  [
    'a role of another function',
    STEP,
    STEP.replace('security-engineer', 'overseer'),
    /overseer is a role of oversight, so answers nothing$/,
  ],
  [
    'the administrators as backup',
    STEP,
    STEP.replace('approver', 'administrator'),
    /administrator is a role of administration/,
  ],
  [
    'a role as its own backup',
    STEP,
    STEP.replace('approver', 'security-engineer'),
    /security-engineer is no backup for itself$/,
  ],
  [
    'one role twice',
    STEP,
    STEP.replace('security-engineer', '[security-engineer, security-engineer]'),
    /one of each takes two roles$/,
  ],
  ['three groups', STEP, STEP.replace('security-engineer', '[a, b, c]'), /whom: it must be a role, or a list of two$/],
  [
    'a quorum over two groups',
    STEP,
    STEP.replace('security-engineer', '[security-engineer, approver]').replace(
      'backup: approver',
      'backup: account-engineer, quorum: 2',
    ),
    /with two roles it is one of each$/,
  ],
  ['no yes at all', STEP, STEP.replace('15', '15, quorum: 0'), /quorum/],
  ['no time at all', STEP, STEP.replace('15', '0'), /within_minutes/],
  [
    'more time than anybody waits',
    ...before(route('{ tiers: [2] }', WAIT(200), WAIT(41))),
    /it lasts 241 minutes, and nobody waits longer than 240$/,
  ],
  [
    'a level that there is not',
    'level: leadership\n',
    'level: boss\n',
    /people\.paula\.level: it must be one of technician/,
  ],
  [
    'a zone that there is not',
    'time_zone: Europe/Zurich',
    'time_zone: Europe/Atlantis',
    /time_zone: it is not an IANA time zone$/,
  ],
  ['hours that there are not', "from: '08:00'", "from: '25:00'", /duty\.0\.from/],
  [
    'a task class that there is not',
    'access.change:',
    'access.grant:',
    /tasks\.access\.grant: there is no task class access\.grant$/,
  ],
  [
    'nothing about one that changes protection',
    '  firewall.change: { kind: client-infrastructure, level: senior }\n',
    '',
    /tasks: firewall\.change is missing: it changes firewall$/,
  ],
  [
    'nothing about one that touches data',
    '  documentation.read-password: { kind: security, level: senior }\n',
    '',
    /documentation\.read-password is missing: it touches credentials$/,
  ],
  [
    'a kind that there is not',
    'kind: data }',
    'kind: money }',
    /kind: it must be one of security, client-infrastructure, data$/,
  ],
  ['a route that calling it urgent avoids', ...before(route('{ urgency: routine }', WAIT(30))), /it must be urgent$/],
  [
    'a task class of the kind that counts clients',
    'kind: data }',
    'kind: several-tenants }',
    /kind: it must be one of/,
  ],
];

const routes = suite('decide/bundle/routes');

for (const [what, from, to, problem] of PROBLEMS) {
  routes(`refused: ${what}`, () => {
    assert.ok(ROUTES.includes(from), from);
    const problems = found(ROUTES.replace(from, () => to));
    assert.ok(
      problems.some((line) => line.startsWith('routes.yaml:') && problem.test(line)),
      `${String(problem)} in\n${problems.join('\n')}`,
    );
  });
}

const SENIOR = ', level: senior';

/** A route for what is urgent, before one for the same without urgency. */
const URGENT: readonly (readonly [what: string, urgent: string, routine: string, problem: string | null])[] = [
  ['the same people, sooner', WAIT(10), WAIT(30), null],
  ['a higher level', WAIT(10, SENIOR), WAIT(30), null],
  ['more of them', WAIT(10, ', quorum: 2'), WAIT(30), null],
  ['a lower level', WAIT(10), WAIT(30, SENIOR), 'asks nobody below senior'],
  ['fewer of them', WAIT(10), WAIT(30, ', quorum: 2'), 'takes more to say yes'],
  ['more time', WAIT(40), WAIT(30), 'ends sooner'],
];

for (const [what, urgent, routine, problem] of URGENT) {
  routes(`what is urgent may lead to ${what}: ${problem === null ? 'yes' : 'no'}`, () => {
    const named = (name: string, text: string): string => text.replace('tried', name);
    const both = [
      named('soon', route('{ urgency: urgent, kinds: [data], tiers: [3] }', urgent)),
      named('data', route('{ kinds: [data, security] }', routine)),
    ].join('\n');
    const problems = found(ROUTES.replace(...before(both)));
    assert.equal(
      problems.map((line) => line.replace(/^routes\.yaml:\d+: /, '')),
      problem === null ? [] : [`routes.soon: calling it urgent only shortens, and data ${problem}`],
    );
  });
}

routes('what is urgent is compared with what it could be otherwise, and no further', () => {
  const soon = route('{ urgency: urgent, kinds: [data] }', WAIT(10)).replace('tried', 'soon');
  const [same, other] = ['{ kinds: [data] }', '{ kinds: [security] }'].map((when) => route(when, WAIT(30, SENIOR)));
  assert.is(found(ROUTES.replace(...before([soon, other].join('\n')))).length, 0);
  assert.is(found(ROUTES.replace(...before([soon, same].join('\n')))).length, 1);
});

routes('a problem stands on its line', () => {
  const text = ROUTES.replace(STEP, STEP.replace('security-engineer', 'nobody'));
  assert.is(found(text)[0], `routes.yaml:${lineOf(text, 'whom: nobody')}: routes.security: there is no role nobody`);
});

routes('a bundle without routes is refused, and one that was kept before there were any asks nobody', () => {
  assert.equal(found(null), ['routes.yaml:1: this file is missing']);
  const kept = loadKept(shippedBut({ 'routes.yaml': null }), engine);
  assert.ok(kept.ok);
  assert.equal(kept.value.routes.routes, []);
});

routes('one that is loaded says what it says', () => {
  const { people, tasks, mostOpen, longestStep } = shipped.routes;
  assert.equal(people.get('sergio' as never)?.level, 'senior');
  assert.equal(tasks.get('alert.classify' as never), { kind: 'security', level: 'technician' });
  assert.equal([mostOpen, longestStep.incident, longestStep.urgent], [20, 300, 600]);
  const infrastructure = shipped.routes.routes.find(({ name }) => name === 'client-infrastructure');
  const levels = infrastructure?.steps.map(({ level }) => level);
  assert.equal(levels, ['technician', 'senior', 'senior'], 'never of a lower level than the step before');
});

routes.run();
