/** Every way in which a bundle can be wrong, with the file and the line that it is told with. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { BundleFiles } from '../../src/core/registers.ts';
import { bundleVersion, loadBundle } from '../../src/decide/bundle.ts';
import { policyFiles } from '../policy/folder.ts';
import { engine, problemsOf, shipped, shippedBut } from './world.ts';

const SCHEMA = policyFiles['schema.cedarschema'] ?? '';
const TASK = 'entity Task';

const ROLES = `roles:
  triage:
    description: Sorts tickets.
    function: execution
    tasks: [ticket.route]
    tenants: all
    owner: lead
    next_review: 2027-03-31
  overseer:
    description: Looks.
    function: oversight
    tenants: all
    owner: lead
    next_review: 2027-03-31
  engineer:
    description: Answers.
    function: approval
    tenants: all
    owner: lead
    next_review: 2027-03-31
  stand-in:
    description: Answers instead.
    function: approval
    tenants: all
    owner: lead
    next_review: 2027-03-31
`;

const TASKS = `tasks:
  ticket.route:
    description: Moves a ticket.
    kind: ticket
    scorecard:
      reversibility: { score: 1, because: easy }
      blast_radius: { score: 1, because: one }
      compliance_sensitivity: { score: 1, because: none }
      frequency_and_volume: { score: 2, because: often }
    provider: jwt
    template: { scope: tickets:route }
    parameters:
      type: object
      additionalProperties: false
      properties:
        queue: { type: string, enum: [a, b] }
    owner: lead
    next_review: 2027-03-31
`;

const ROUTES = `people:
  ana: { level: senior, time_zone: Europe/Zurich, duty: [{ days: [mon], from: '08:00', to: '17:00' }] }
most_open: 20
step_minutes: { incident: 5, urgent: 10 }
tasks: {}
routes:
  - name: all
    steps:
      - { whom: engineer, within_minutes: 15, backup: stand-in }
`;

const RULES = `@id("routes")
@reason("Triage routes.")
permit (principal == Role::"triage", action == Action::"perform", resource);
`;

const CHARTER = 'owner: lead\nnext_review: 2027-03-31\nprobation: 20\n';

const GOOD: BundleFiles = {
  'bundle.yaml': CHARTER,
  'schema.cedarschema': SCHEMA,
  'roles.yaml': ROLES,
  'tasks.yaml': TASKS,
  'routes.yaml': ROUTES,
  'rules/work.cedar': RULES,
};

const but = (file: string, text: string): BundleFiles => ({ ...GOOD, [file]: text });
const edited = (file: string, from: string, to: string): BundleFiles => {
  const text = GOOD[file] ?? '';
  assert.ok(text.includes(from), `${file} holds ${from}`);
  return but(
    file,
    text.replace(from, () => to),
  );
};
/** @param field one more, below the kind. */
const task = (from: string, to: string, field = ''): BundleFiles => {
  const files = edited('tasks.yaml', from, to);
  return { ...files, 'tasks.yaml': files['tasks.yaml']?.replace('kind: ticket', `kind: ticket${field}`) ?? '' };
};
const role = (from: string, to: string): BundleFiles => edited('roles.yaml', from, to);
const rule = (from: string, to: string): BundleFiles => edited('rules/work.cedar', from, to);
const breakers = (limits: string): BundleFiles => but('bundle.yaml', `${CHARTER}breakers:\n  limits:\n${limits}\n`);
const FAILING = '    failing: { signal: failed, count: 5, within_minutes: 60, to: ask }';
const OVERRIDE = '\n    override: { tier: 2, because: people hear of it }';
const promoted = (tier: number): string =>
  `\n    promotion: { evidence: a quiet year, decider: sam, tier: ${tier}, until: 2027-01-31 }`;
const UNDONE = TASKS.replace('kind: ticket', 'kind: ticket\n    rollback: ticket.undo');
/** The same class again, as one of tier 3 that undoes the first. */
const undoing = (field: string): string =>
  TASKS.replace('tasks:\n  ticket.route:', '  ticket.undo:')
    .replace('score: 1', 'score: 3')
    .replace('kind: ticket', `kind: ticket\n    rollback: ticket.route${field}`);
const parameter = (schema: string): BundleFiles => task('{ type: string, enum: [a, b] }', schema);

const PROBLEMS: readonly (readonly [what: string, files: BundleFiles, problem: RegExp])[] = [
  // Files.
  ['a file is missing', { 'roles.yaml': ROLES, 'tasks.yaml': TASKS }, /^schema\.cedarschema:1: .*missing/],
  ['nobody answers for the bundle', { 'roles.yaml': ROLES, 'tasks.yaml': TASKS }, /^bundle\.yaml:1: .*missing/],
  [
    'a file that is none of a bundle',
    but('rules/work.ceder', RULES),
    /^rules\/work\.ceder:1: a bundle has no such file/,
  ],
  ['a path that climbs', but('rules/tenants/../x.cedar', RULES), /no such file/],
  ['a bundle of 10 MB', but('cases/a.yaml', `# ${'x'.repeat(10_000_000)}`), /^\.:1: a bundle is at most/],
  [
    'a file of more than 1 MiB',
    but('cases/a.yaml', `# ${'x'.repeat(1_100_000)}`),
    /^cases\/a\.yaml:1: this file is at most/,
  ],
  [
    'a bidirectional mark in a comment',
    rule('permit', '// \u202e\npermit'),
    /^rules\/work\.cedar:3: U\+202E is invisible/,
  ],
  [
    'a comment that ends in the middle of its line',
    rule('resource);', 'resource)\nwhen { context.tier == 1 // at most\r|| context.tier == 3\n};'),
    /^rules\/work\.cedar:4: U\+000D is invisible/,
  ],
  // YAML.
  [
    'a doubled key',
    role('    tenants: all\n', '    tenants: all\n    tenants: all\n'),
    /^roles\.yaml:7: .*stands here twice/,
  ],
  ['a doubled role', but('roles.yaml', `${ROLES}  triage: {}\n`), /^roles\.yaml:27: .*stands here twice/],
  ['an alias', role('owner: lead', 'owner: &o lead'), /^roles\.yaml:7: anchors and aliases/],
  [
    'aliases that explode',
    but('roles.yaml', 'a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\nroles: *c\n'),
    /^roles\.yaml:1: anchors/,
  ],
  ['nesting without end', but('roles.yaml', `roles: ${'['.repeat(20_000)}`), /^roles\.yaml:1: /],
  ['a tag', role('owner: lead', 'owner: !!js/function lead'), /^roles\.yaml:7: /],
  ['two documents', but('roles.yaml', `${ROLES}---\n${ROLES}`), /^roles\.yaml:27: .*multiple documents/],
  ['no mapping at all', but('roles.yaml', '- 1\n'), /^roles\.yaml:1: /],
  ['broken YAML', but('roles.yaml', 'roles:\n  a: [1\n'), /^roles\.yaml:\d: /],
  // The charter.
  ['no next review', but('bundle.yaml', CHARTER.replace('2027-03-31', 'soon')), /^bundle\.yaml:2: .*date/],
  ['no probation', but('bundle.yaml', CHARTER.replace('20\n', '0\n')), /^bundle\.yaml:3: probation/],
  [
    'a budget of nothing',
    but('bundle.yaml', `${CHARTER}budgets:\n  live_leases: 9\n  live_logins: 0\n`),
    /^bundle\.yaml:6: budgets\.live_logins: /,
  ],
  [
    'a budget of another name',
    but('bundle.yaml', `${CHARTER}budgets:\n  leases: 9\n`),
    /^bundle\.yaml:5: budgets\.leases is not/,
  ],
  [
    'a look back that is shorter than what a node remembers',
    but('bundle.yaml', `${CHARTER}many_tenants:\n  most: 5\n  within_minutes: 4\n`),
    /^bundle\.yaml:6: many_tenants\.within_minutes: /,
  ],
  [
    'a breaker that counts nothing',
    breakers('    failing: { signal: failed, count: 0, within_minutes: 60, to: ask }'),
    /^bundle\.yaml:6: breakers\.limits\.failing\.count: /,
  ],
  [
    'a breaker of a sign that is none',
    breakers('    failing: { signal: moods, count: 1, within_minutes: 60, to: ask }'),
    /^bundle\.yaml:6: breakers\.limits\.failing\.signal: it must be one of failed, /,
  ],
  [
    'a breaker that stops nothing',
    breakers('    failing:\n      signal: failed\n      count: 1\n      within_minutes: 60\n      to: notify'),
    /^bundle\.yaml:10: breakers\.limits\.failing\.to: it must be ask or block/,
  ],
  [
    'a breaker that looks back for more than a day',
    breakers('    failing: { signal: failed, count: 1, within_minutes: 1441, to: ask }'),
    /^bundle\.yaml:6: breakers\.limits\.failing\.within_minutes: /,
  ],
  [
    'a breaker of a task class that is not there',
    breakers(
      '    busy: { signal: rate, count: 9, within_minutes: 5, to: ask,\n      tasks: [ticket.route,\n        ticket.reroute] }',
    ),
    /^bundle\.yaml:8: breakers\.limits\.busy: there is no task class ticket\.reroute/,
  ],
  [
    'a spike at more tenants than trips',
    breakers(`${FAILING}\n  spike:\n    trips: 2\n    tenants: 3\n    within_minutes: 15`),
    /^bundle\.yaml:9: breakers\.spike: 2 trips are never at 3 tenants/,
  ],
  [
    'a spike where nothing trips',
    but('bundle.yaml', `${CHARTER}breakers:\n  limits: {}\n  spike: { trips: 2, tenants: 2, within_minutes: 15 }\n`),
    /^bundle\.yaml:6: breakers\.spike: without a limit nothing trips/,
  ],
  [
    'more breakers than are counted',
    breakers(Array.from({ length: 41 }, (_, at) => FAILING.replace('failing', `failing-${at}`)).join('\n')),
    /^bundle\.yaml:5: breakers\.limits: 41 are more than 40/,
  ],
  // Roles.
  [
    'an unknown field',
    role('owner: lead', 'owner: lead\n    grants: all'),
    /^roles\.yaml:8: roles\.triage\.grants is not a field/,
  ],
  [
    'a role that mixes functions',
    role('function: execution', 'function: [execution, approval]'),
    /^roles\.yaml:4: .*exactly one function/,
  ],
  [
    'an agent that reads alone',
    role('function: execution', 'function: execution\n    reads_only: true'),
    /^roles\.yaml:5: roles\.triage: only a role of oversight reads alone/,
  ],
  [
    'an overseer that executes',
    role('function: oversight', 'function: oversight\n    tasks: [ticket.route]'),
    /^roles\.yaml:12: roles\.overseer: a role of oversight carries no task/,
  ],
  ['an unknown function', role('function: execution', 'function: root'), /^roles\.yaml:4: .*must be one of approval/],
  [
    'a role of a task class that is not there',
    role('[ticket.route]', '[ticket.route, ticket.burn]'),
    /^roles\.yaml:5: roles\.triage: there is no task class ticket\.burn/,
  ],
  [
    'an execution role without tasks',
    role('    tasks: [ticket.route]\n', ''),
    /^roles\.yaml:2: roles\.triage: an execution role names/,
  ],
  [
    'a look-alike letter in a name',
    role('triage:', 'tri\u0430ge:'),
    /^roles\.yaml:2: .*U\+0430 may look like a letter/,
  ],
  ['a date that is none', role('next_review: 2027-03-31', 'next_review: 2027-02-31'), /^roles\.yaml:8: .*date/],
  ['nobody owns it', role('    owner: lead\n', ''), /^roles\.yaml:2: roles\.triage\.owner/],
  // Task classes.
  [
    'a tier that is written',
    task('kind: ticket', 'kind: ticket\n    tier: 1'),
    /^tasks\.yaml:5: .*tier is not a field/,
  ],
  [
    'a score that is none',
    task('score: 1, because: easy', 'score: 0, because: easy'),
    /^tasks\.yaml:6: .*must be 1, 2 or 3/,
  ],
  [
    'a score that is not there',
    task('      blast_radius: { score: 1, because: one }\n', ''),
    /^tasks\.yaml:5: .*blast_radius/,
  ],
  [
    'an override that lowers',
    task('score: 1, because: easy', 'score: 3, because: hard', OVERRIDE),
    /^tasks\.yaml:5: .*only raises: 2 is below the tier 3/,
  ],
  [
    'an override to nothing',
    task('kind: ticket', 'kind: ticket\n    override: { tier: 1, because: x }'),
    /^tasks\.yaml:5: .*to 2 or 3/,
  ],
  [
    'an override without a word',
    task('kind: ticket', 'kind: ticket\n    override: { tier: 2 }'),
    /^tasks\.yaml:5: .*because/,
  ],
  [
    'a promotion by two tiers',
    task('score: 1, because: easy', 'score: 3, because: hard', promoted(1)),
    /^tasks\.yaml:5: .*exactly one tier, and this is of tier 3/,
  ],
  [
    'a promotion to where it stands',
    task('kind: ticket', `kind: ticket${promoted(1)}`),
    /^tasks\.yaml:5: .*exactly one tier/,
  ],
  [
    'a promotion below the floor',
    task('kind: ticket', `kind: ticket\n    changes: [access]${promoted(2)}`),
    /^tasks\.yaml:6: .*below the floor, tier 3/,
  ],
  [
    'a promotion below the floor of what it touches',
    task('kind: ticket', `kind: ticket\n    touches: [phi]${promoted(2)}`),
    /^tasks\.yaml:6: .*below the floor, tier 3/,
  ],
  [
    'a promotion without an end',
    task('kind: ticket', `kind: ticket${promoted(1).replace(', until: 2027-01-31', '')}`),
    /^tasks\.yaml:5: .*promotion\.until/,
  ],
  [
    'a promotion of what is overridden',
    task('kind: ticket', `kind: ticket${OVERRIDE}${promoted(1)}`),
    /^tasks\.yaml:6: .*overridden is not promoted/,
  ],
  ['a change that is none', task('kind: ticket', 'kind: ticket\n    changes: [weather]'), /^tasks\.yaml:5: .*changes/],
  [
    'a promotion to tier 2 without a way back',
    task('score: 1, because: easy', 'score: 3, because: hard', promoted(2)),
    /^tasks\.yaml:6: tasks\.ticket\.route: a task class of tier 2 names its rollback/,
  ],
  [
    'a promotion to tier 1, which ends at tier 2 without a way back',
    task('score: 1, because: easy', 'score: 2, because: hard', promoted(1)),
    /^tasks\.yaml:6: tasks\.ticket\.route: a task class of tier 2 names its rollback/,
  ],
  [
    'a way back that is for people alone',
    but('tasks.yaml', `${UNDONE}${undoing('\n    human_only: true')}`),
    /^tasks\.yaml:5: .*ticket\.undo is for people alone/,
  ],
  [
    'a way back that is of tier 3 once its promotion has ended',
    but('tasks.yaml', `${UNDONE}${undoing(promoted(2))}`),
    /^tasks\.yaml:5: .*ticket\.undo would have to be approved first/,
  ],
  [
    'tier 2 without a way back',
    task('kind: ticket', `kind: ticket${OVERRIDE}`),
    /^tasks\.yaml:6: tasks\.ticket\.route: a task class of tier 2 names its rollback/,
  ],
  [
    'a way back that is not there',
    task('kind: ticket', `kind: ticket${OVERRIDE}\n    rollback: ticket.unroute`),
    /^tasks\.yaml:6: .*no task class ticket\.unroute/,
  ],
  [
    'a way back that is itself',
    task('kind: ticket', `kind: ticket${OVERRIDE}\n    rollback: ticket.route`),
    /^tasks\.yaml:6: .*does not undo itself/,
  ],
  [
    'no rationale',
    task('because: easy', "because: ''"),
    /^tasks\.yaml:6: tasks\.ticket\.route\.scorecard\.reversibility\.because/,
  ],
  ['an unknown provider', task('provider: jwt', 'provider: ldap'), /^tasks\.yaml:10: .*must be one of jwt/],
  [
    'a template for another provider',
    task('provider: jwt', 'provider: postgres'),
    /^tasks\.yaml:11: .*template for postgres/,
  ],
  [
    'a group that is no name',
    task(
      'provider: jwt\n    template: { scope: tickets:route }',
      "provider: postgres\n    template: { group: 'a\"; DROP' }",
    ),
    /^tasks\.yaml:11: .*group/,
  ],
  ['a TTL of a day', task('kind: ticket', 'kind: ticket\n    ceilings: { ttl: 86400 }'), /^tasks\.yaml:5: /],
  [
    'a usual TTL over the ceiling',
    task('kind: ticket', 'kind: ticket\n    ttl: 600\n    ceilings: { ttl: 300 }'),
    /^tasks\.yaml:5: .*over the ceiling/,
  ],
  ['a circumstance that is none', task('kind: ticket', 'kind: ticket\n    requires: [mood]'), /^tasks\.yaml:5: /],
  // Parameters.
  [
    'parameters that are open',
    task('additionalProperties: false', 'additionalProperties: true'),
    /^tasks\.yaml:12: .*additionalProperties: false/,
  ],
  [
    'parameters that are no object',
    task('type: object\n', 'type: array\n'),
    /^tasks\.yaml:1[23]: .*parameters are an object/,
  ],
  ['a type that is none', parameter('{ type: text }'), /^tasks\.yaml:16: .*type must be one of/],
  ['text without a bound', parameter('{ type: string }'), /^tasks\.yaml:16: .*must say maxLength/],
  [
    'a pattern without anchors',
    parameter("{ type: string, maxLength: 9, pattern: 'a+' }"),
    /^tasks\.yaml:16: .*begins with \^/,
  ],
  [
    'a pattern that does not parse',
    parameter("{ type: string, maxLength: 9, pattern: '^[a$' }"),
    /^tasks\.yaml:16: .*does not parse/,
  ],
  [
    'a pattern that ends with a dollar as a letter',
    parameter("{ type: string, maxLength: 9, pattern: '^a\\$' }"),
    /^tasks\.yaml:16: .*ends with \$/,
  ],
  ['a reference', parameter("{ $ref: 'https://example.com/x' }"), /^tasks\.yaml:16: /],
  [
    'a word that is none',
    parameter('{ type: string, enum: [a], maximun: 3 }'),
    /^tasks\.yaml:16: .*maximun is not taken/,
  ],
  ['an enum of another type', parameter('{ type: integer, enum: [a] }'), /^tasks\.yaml:16: .*enum must be/],
  [
    'required names nothing',
    task('      properties:', '      required: [quene]\n      properties:'),
    /^tasks\.yaml:15: .*no property quene/,
  ],
  [
    'rules that look at free text',
    task('    owner: lead', '    seen_by_rules: [note]\n    owner: lead'),
    /^tasks\.yaml:17: .*rules may not see it/,
  ],
  [
    'rules that look at what their schema does not have',
    task('    owner: lead', '    seen_by_rules: [queue]\n    owner: lead'),
    /^tasks\.yaml:2: tasks\.ticket\.route: .*queue/,
  ],
  // Rules.
  ['a rule without @id', rule('@id("routes")\n', ''), /^rules\/work\.cedar:1: this permit has no @id/],
  ['an @id that is no name', rule('"routes"', '"Routes!"'), /^rules\/work\.cedar:1: @id must match/],
  [
    'an @id twice',
    but('rules/more.cedar', RULES),
    /^rules\/work\.cedar:1: @id\("routes"\) is also the id of the rule at rules\/more\.cedar:1/,
  ],
  ['an @id twice over tenants', but('rules/tenants/acme/more.cedar', RULES), /@id\("routes"\) is also/],
  ['no reason', rule('@reason("Triage routes.")\n', ''), /^rules\/work\.cedar:1: routes: it has no @reason/],
  [
    'an obligation that is none',
    rule('permit', '@obligation("aproval")\npermit'),
    /^rules\/work\.cedar:1: routes: @obligation can be "approval" alone/,
  ],
  ['an obligation on a permit', rule('permit', '@obligation("approval")\npermit'), /only a forbid bears/],
  ['an annotation that is none', rule('permit', '@obligaton("approval")\npermit'), /@obligaton is not an annotation/],
  ['broken Cedar', rule('resource)', 'resource'), /^rules\/work\.cedar:3: .*unexpected token/],
  ['a template', rule('resource)', 'resource == ?resource)'), /^rules\/work\.cedar:3: .*template/],
  [
    'an attribute that is not there',
    rule('resource);', 'resource)\nwhen { context.kidn == "ticket" };'),
    /^rules\/work\.cedar:4: .*kidn.*did you mean `kind`/,
  ],
  [
    'a value of another type',
    rule('resource);', 'resource)\nwhen { context.tier == "3" };'),
    /^rules\/work\.cedar:4: /,
  ],
  [
    'a role that is not there',
    rule('Role::"triage"', 'Role::"triagge"'),
    /^rules\/work\.cedar:3: Role::"triagge" is in neither/,
  ],
  [
    'a task class that is not there',
    rule('resource)', 'resource == Task::"ticket.burn")'),
    /^rules\/work\.cedar:3: Task::"ticket\.burn"/,
  ],
  ['a look-alike letter in a rule', rule('"triage"', '"tri\u0430ge"'), /^rules\/work\.cedar:3: U\+0430/],
  [
    'the line after a comment in another alphabet',
    rule('permit (principal', '// \u0431\u0431\u0431\u0431\npermit (prinzipal'),
    /^rules\/work\.cedar:4: /,
  ],
  [
    'a rule that can never apply',
    rule('resource);', 'resource)\nwhen { context.tier == 1 && false };'),
    /^rules\/work\.cedar:\d: .*impossible/,
  ],
  [
    'a rule nested without end',
    rule('resource);', `resource) when { ${'('.repeat(5000)}true${')'.repeat(5000)} };`),
    /^rules\/work\.cedar:1: .*too much: .*longer/,
  ],
  [
    'a rule nested too deeply',
    rule('resource);', `resource) when { ${'('.repeat(200)}true${')'.repeat(200)} };`),
    /^rules\/work\.cedar:1: .*nested more than/,
  ],
  [
    'a rule that computes without end',
    rule('resource);', `resource) when { ${'1 + '.repeat(900)}1 == 1 };`),
    /^rules\/work\.cedar:1: .*operators/,
  ],
  [
    'a schema nested without end',
    but('schema.cedarschema', `${SCHEMA}type T = ${'Set<'.repeat(400)}Long${'>'.repeat(400)};`),
    /^schema\.cedarschema:1: .*nested more than/,
  ],
  ['a million rules of nothing', but('rules/many.cedar', ';'.repeat(1_000_000)), /more than 20000 rules/],
  [
    'a hundred thousand keys',
    but('cases/a.yaml', Array.from({ length: 25_000 }, (_, at) => `k${at}: 1\n`).join('')),
    /^cases\/a\.yaml:1: k0 is not a field/,
  ],
  [
    'a schema that does not parse',
    but('schema.cedarschema', `${SCHEMA}\nentity;`),
    /^schema\.cedarschema:\d+: .*unexpected token/,
  ],
  [
    'a schema without what Brevet says',
    but('schema.cedarschema', SCHEMA.replace(/^.*"vendor": String,\n/m, '')),
    /vendor/,
  ],
  [
    'a schema that wants what Brevet does not say',
    but('schema.cedarschema', SCHEMA.replace('"vendor"', '"mood": String,\n    "vendor"')),
    /mood/,
  ],
  // Cases.
  [
    'a case of nobody',
    but(
      'cases/a.yaml',
      'cases:\n  - { name: x, agent: a, tenant: t, request: { task: ticket.route, resource: d }, expect: { effect: permit } }\n',
    ),
    /^cases\/a\.yaml:2: "x": there is no example tenant t/,
  ],
  [
    'an effect that is none',
    but(
      'cases/a.yaml',
      'cases:\n  - name: x\n    agent: a\n    tenant: t\n    request: { task: ticket.route, resource: d }\n    expect: { effect: maybe }\n',
    ),
    /^cases\/a\.yaml:6: /,
  ],
];

const bundles = suite('decide/bundle');

bundles('a good bundle has no problem', () => {
  assert.equal(problemsOf(GOOD), []);
  assert.equal(problemsOf(policyFiles), []);
});

for (const [what, files, problem] of PROBLEMS) {
  bundles(`refused: ${what}`, () => {
    const found = problemsOf(files);
    assert.ok(
      found.some((line) => problem.test(line)),
      `${String(problem)} in\n${found.join('\n')}`,
    );
  });
}

bundles('every problem is told at once, in the order of its place', () => {
  const files = {
    ...task('score: 1', 'score: 9'),
    'roles.yaml': ROLES.replace('all', 'some'),
    'rules/work.cedar': 'x',
  };
  const found = problemsOf(files).map((problem) => problem.split(':')[0]);
  const runs = found.filter((file, at) => file !== found[at - 1]);
  assert.equal(runs, ['roles.yaml', 'rules/work.cedar', 'tasks.yaml']);
});

bundles('after every hostile bundle the engine still checks a good one', () => {
  assert.equal(problemsOf(GOOD), []);
  assert.equal(
    problemsOf(rule('resource);', `resource) when { ${'('.repeat(30)}context.tier${')'.repeat(30)} == 1 };`)),
    [],
  );
  assert.equal(problemsOf(rule('resource);', `resource) when { ${'1 + '.repeat(120)}1 == 1 };`)), []);
});

bundles('each task class that the schema does not take is told, also where it takes another like it', () => {
  const tasks = `${TASKS}${TASKS.slice(TASKS.indexOf('\n') + 1).replace('ticket.route', 'ticket.move')}`;
  const files = {
    ...but('tasks.yaml', tasks),
    'schema.cedarschema': SCHEMA.replace(TASK, `${TASK} enum ["ticket.route"]`),
  };
  assert.equal(
    problemsOf(files).map((problem) => /(?<= tasks\.)[a-z.]+/.exec(problem)?.[0]),
    ['ticket.move'],
  );
  const moody = SCHEMA.replace('"vendor"', '"mood": String,\n    "vendor"');
  assert.is(problemsOf({ ...files, 'schema.cedarschema': moody }).length, 2);
});

bundles('prose may be in any language', () => {
  assert.equal(problemsOf(rule('Triage routes.', 'Триаж направляет заявки.')), []);
});

bundles('the version is of the content alone', () => {
  const version = bundleVersion(GOOD);
  assert.match(version, /^[0-9a-f]{64}$/);
  assert.is(bundleVersion(Object.fromEntries(Object.entries(GOOD).toReversed())), version);
  assert.is(bundleVersion({ ...GOOD, 'README.md': 'for people', 'schemas/x.schema.json': '{}' }), version);
  assert.is.not(bundleVersion(but('rules/work.cedar', `${RULES}\n`)), version);
});

bundles('a loaded bundle says what its files say', () => {
  assert.equal([shipped.owner, shipped.nextReview, shipped.probation], ['security-lead', '2027-01-31', 20]);
  const restart = shipped.tasks.get('service.restart' as never);
  assert.is(restart?.rollback, 'service.restore');
  assert.equal([restart?.tier, restart?.promotion, restart?.humanOnly], [2, null, false]);
  assert.is(shipped.roles.get('network' as never)?.tasks.has('firewall.change' as never), true);
  assert.equal([...shipped.own.keys()].toSorted(), ['eurolane', 'ledgerline']);
});

bundles('a thousand rules are all looked at', () => {
  const rules = Array.from({ length: 1000 }, (_, at) => RULES.replace('routes', `routes-${at}`)).join('\n');
  const loaded = loadBundle(shippedBut({ 'rules/many.cedar': rules }), engine);
  assert.is(loaded.ok && loaded.value.rules.size, shipped.rules.size + 1000);
});

bundles('breakers that are not stated are none', () => {
  const silent = loadBundle(GOOD, engine);
  assert.ok(silent.ok);
  assert.equal(silent.value.breakers, { limits: new Map(), spike: null });
  const stated = loadBundle(breakers(`${FAILING}\n  spike: { trips: 3, tenants: 2, within_minutes: 15 }`), engine);
  assert.ok(stated.ok);
  const failing = { signal: 'failed', count: 5, within: 3600, to: 'ask', tasks: null } as const;
  assert.equal([...stated.value.breakers.limits], [['failing', failing]]);
  assert.equal(stated.value.breakers.spike, { trips: 3, tenants: 2, within: 900 });
});

bundles('a budget that is not stated is no limit, and many tenants are more than five', () => {
  const silent = loadBundle(GOOD, engine);
  assert.ok(silent.ok);
  assert.equal(silent.value.budgets, { requestsPerMinute: null, live: {} });
  assert.equal(silent.value.manyTenants, { most: 5, lookback: 600 });
  const text = 'budgets: { requests_per_minute: 60, live_logins: 2 }\nmany_tenants: { most: 9, within_minutes: 30 }\n';
  const stated = loadBundle(but('bundle.yaml', CHARTER + text), engine);
  assert.ok(stated.ok);
  assert.equal(stated.value.budgets, { requestsPerMinute: 60, live: { live_logins: 2 } });
  assert.equal(stated.value.manyTenants, { most: 9, lookback: 1800 });
});

bundles.run();
