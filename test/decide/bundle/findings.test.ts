/** What is allowed in a bundle and hardly meant, with its place; and what only looks like it. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { RuleName } from '../../../src/core/policy.ts';
import { enforcedBy } from '../../../src/core/provider.ts';
import type { BundleFiles } from '../../../src/core/registers.ts';
import { instant } from '../../../src/core/time.ts';
import { countOf, findingsOf, placesOf, unheld, unreached, untested } from '../../../src/decide/bundle/findings.ts';
import type { FindingKind, Looking, PolicyFinding } from '../../../src/decide/bundle/findings.ts';
import { runCases } from '../../../src/decide/cases.ts';
import { createRulebook } from '../../../src/decide/rulebook.ts';
import { policyFiles } from '../../policy/folder.ts';
import { NOW, engine, load, shipped } from '../world.ts';

const findings = suite('decide/bundle/findings');

const looking: Looking = { now: NOW, enforces: enforcedBy };
const find = (files: BundleFiles, how: Partial<Looking> = {}): readonly PolicyFinding[] =>
  findingsOf(load(files), placesOf(files), { ...looking, ...how });
const told = (found: readonly PolicyFinding[]): string[] =>
  found.map(({ kind, file, line, what }) => `${file}:${line}: ${kind}: ${what}`);

findings('of the shipped bundle are these, and true: no credential that is built holds an agent to a parameter', () => {
  assert.equal(
    find(policyFiles).map(({ kind, what }) => `${kind} ${what.split(':')[0]}`),
    [
      'parameter_not_enforced assistants-never-privileged',
      'parameter_not_enforced many-endpoints-ask',
      'parameter_not_enforced thresholds-outside-bounds-ask',
      'parameter_not_enforced lesser-alerts-isolate-nobody',
    ],
  );
});

/** Cases say nothing here, and take the longest to read. */
const uncased = (changes: BundleFiles): BundleFiles =>
  Object.fromEntries(Object.entries({ ...policyFiles, ...changes }).filter(([file]) => !file.startsWith('cases/')));

const ANYTHING = 'principal, action == Action::"perform", resource';
const rule = (effect: string, scope: string, more = '', name = 'tried'): string =>
  `@id("${name}")\n@reason("A test.")\n${effect} (${scope})${more};\n`;
const role = (name: string, rest = 'resource'): string =>
  `principal == Role::"${name}", action == Action::"perform", ${rest}`;
const lifted = '\nunless { context.approved }';

/** Of one more file of rules. */
const RULES: readonly (readonly [what: string, rules: string, kind: FindingKind | null, file?: string])[] = [
  [
    'a role that does not carry the task class',
    rule('permit', role('triage', 'resource == Task::"firewall.change"')),
    'unreachable_rule',
  ],
  ['a role of people', rule('permit', role('approver')), 'unreachable_rule'],
  [
    'a kind that no task class has',
    rule('forbid', ANYTHING, '\nwhen { context.kind == "tikcet" }'),
    'unreachable_rule',
  ],
  [
    'kinds that the role does not do',
    rule('forbid', role('triage'), '\nwhen { ["patch", "firewall"].contains(context.kind) }'),
    'unreachable_rule',
  ],
  [
    'a data class that there is none of',
    rule('forbid', ANYTHING, '\nwhen { context.data.contains("cardhodler") }'),
    'unreachable_rule',
  ],
  [
    'a contract that there is none of',
    rule('forbid', ANYTHING, '\nwhen { context.contract == "notfiy" }'),
    'unreachable_rule',
  ],
  ['a tier above the highest', rule('forbid', ANYTHING, '\nwhen { context.tier > 3 }'), 'unreachable_rule'],
  [
    'a tier below that of the class',
    rule('forbid', role('network'), '\nwhen { context.tier < 3 }'),
    'unreachable_rule',
  ],
  [
    'two values at once',
    rule('forbid', ANYTHING, '\nwhen { context.environment == "a" && context.environment == "b" }'),
    'unreachable_rule',
  ],
  [
    'one thing and its opposite',
    rule(
      'forbid',
      ANYTHING,
      '\nwhen { context.frozen || context.incident }\nunless { context.frozen || context.incident }',
    ),
    'unreachable_rule',
  ],
  [
    'a parameter that the class does not show',
    rule('forbid', role('triage'), '\nwhen { context.parameters has endpoints }'),
    'unreachable_rule',
  ],
  [
    'a parameter beyond its bounds',
    rule('forbid', ANYTHING, '\nwhen { context.parameters has percent && context.parameters.percent > 100 }'),
    'unreachable_rule',
  ],
  [
    'a set that is never so full',
    rule('forbid', role('triage'), '\nwhen { context.changes.containsAll(["network", "access"]) }'),
    'unreachable_rule',
  ],
  [
    'a task class for people alone',
    rule('forbid', 'principal, action, resource == Task::"documentation.read-password"'),
    'unreachable_rule',
  ],
  [
    'a tenant at which the role is not',
    rule('permit', role('reporting', 'resource == Task::"report.query"')),
    'unreachable_rule',
    'rules/tenants/elsewhere/own.cedar',
  ],
  ['a permit under a wider one', rule('permit', role('triage', 'resource == Task::"ticket.note"')), 'shadowed_permit'],
  [
    'a permit with a condition more',
    rule('permit', role('triage'), '\nwhen { context.kind == "ticket" && context.environment == "staging" }'),
    'shadowed_permit',
  ],
  [
    'the same permit twice',
    rule('permit', role('backup', 'resource'), '\nwhen { context.kind == "backup" }'),
    'shadowed_permit',
    'rules/yet-again.cedar',
  ],
  [
    'a permit at one tenant under one for all',
    rule('permit', role('triage', 'resource == Task::"ticket.note"')),
    'shadowed_permit',
    'rules/tenants/acme/own.cedar',
  ],
  [
    'a permit that a firm forbid always meets',
    rule('permit', ANYTHING, '\nwhen { context.environment == "moon" }') +
      rule('forbid', ANYTHING, '\nwhen { context.environment == "moon" }', 'never'),
    'shadowed_permit',
  ],
  // Nothing is said of these.
  [
    'a forbid about few things',
    rule('forbid', ANYTHING, `\nwhen { context.environment == "moon" && context.data.contains("phi") }`),
    null,
  ],
  [
    'a forbid of what is asked for elsewhere',
    rule('forbid', ANYTHING, `\nwhen { context.contract == "none" && context.tier == 1 }`),
    null,
  ],
  [
    'a forbid over every permit that a human lifts',
    rule('forbid', ANYTHING, lifted).replace('@reason', '@obligation("approval")\n@reason'),
    null,
  ],
  ['what is not read here', rule('forbid', ANYTHING, '\nwhen { context.kind like "tikc*" }'), null],
  [
    'too much to be tried',
    rule(
      'forbid',
      ANYTHING,
      `\nwhen { ${['approved', 'disputed', 'wildcard', 'incident', 'frozen', 'names_records', 'change_managed', 'change_stated', 'lawful_basis', 'low_confidence', 'model_accepted', 'vendor_approved'].map((name) => `!context.${name}`).join(' && ')} && context.approved }`,
    ),
    null,
  ],
];
for (const [what, rules, kind, file = 'rules/tried.cedar'] of RULES) {
  findings(`${kind ?? 'nothing'}: ${what}`, () => {
    const all = find(uncased({ [file]: rules }));
    const found = all.filter((one) => one.file === file);
    const others = found.filter((one) => one.kind !== 'parameter_not_enforced');
    assert.equal(
      others.map((one) => [one.kind, one.line, one.what.split(':')[0]]),
      kind === null ? [] : [[kind, 1, 'tried']],
      told(found).join('\n'),
    );
  });
}

const edited = (file: string, from: string, to: string): BundleFiles => {
  const text = policyFiles[file] ?? '';
  assert.ok(text.includes(from), `${file} holds ${from}`);
  return uncased({ [file]: text.replace(from, () => to) });
};
const lineOf = (files: BundleFiles, file: string, words: string): number =>
  (files[file] ?? '').split('\n').findIndex((line) => line.includes(words)) + 1;

findings('a ceiling that narrows nothing, and none that narrows one task class', () => {
  const at = 'tasks: [patch.routine, patch.emergency, patch.uninstall, patch.server]\n    tenants: all';
  for (const [ceilings, found] of [
    ['{ ttl: 1800 }', 1],
    ['{ ttl: 1799 }', 0],
    ['{ ttl: 1799, uses: 1 }', 1],
  ] as const) {
    const files = edited('roles.yaml', at, `${at}\n    ceilings: ${ceilings}`);
    const idle = find(files).filter(({ kind }) => kind === 'idle_ceiling');
    assert.is(idle.length, found, ceilings);
    if (found > 0) assert.is(idle[0]?.line, lineOf(files, 'roles.yaml', `ceilings: ${ceilings}`));
  }
});

findings('a role to which another workflow was added, and none whose one workflow has many kinds', () => {
  const added = edited('roles.yaml', '      - cache.clear', '      - firewall.change\n      - cache.clear');
  const second = rule('permit', role('service-desk', 'resource == Task::"firewall.change"'));
  const found = find({ ...added, 'rules/recovery.cedar': second }).filter(({ kind }) => kind === 'several_workflows');
  assert.equal(told(found), [
    `roles.yaml:${lineOf(added, 'roles.yaml', '  service-desk:')}: several_workflows: roles.service-desk: it spans the workflows of tried, desk-works-tickets-and-services`,
  ]);
});

findings('a parameter that the provider enforces is none', () => {
  const enforces = () => ['endpoints', 'percent', 'privileged'];
  assert.equal(
    find(policyFiles, { enforces }).map(({ what }) => what),
    [
      'lesser-alerts-isolate-nobody: it rests on the parameter severity, and a credential of jwt does not hold an agent to it',
    ],
  );
});

findings('a review is overdue on the day after, and not before', () => {
  const overdue = (day: string) =>
    find(policyFiles, { now: instant(Date.parse(`${day}T12:00:00Z`)) }).filter(({ kind }) => kind === 'review_overdue');
  assert.equal(overdue('2027-01-31'), []);
  const after = overdue('2027-02-01');
  assert.ok(told(after).some((line) => /^bundle\.yaml:\d+: review_overdue: the bundle: .* 2027-01-31$/.test(line)));
  for (const { file, line } of after) {
    assert.match((policyFiles[file] ?? '').split('\n')[line - 1] ?? '', 'next_review: 2027-01-31');
  }
  assert.equal(new Set(after.map(({ file }) => file)), new Set(['bundle.yaml', 'roles.yaml', 'tasks.yaml']));
});

findings('rules and task classes without a case are named', () => {
  const places = placesOf(policyFiles);
  const tried = runCases(shipped, createRulebook(engine));
  assert.equal(untested(shipped, places, tried), []);
  const few = tried
    .filter(({ task }) => task !== 'alert.close')
    .map((one) => ({ ...one, rules: one.rules.filter((name) => name !== ('many-endpoints-ask' as RuleName)) }));
  assert.equal(told(untested(shipped, places, few)), [
    `rules/work.cedar:${lineOf(policyFiles, 'rules/work.cedar', '@id("many-endpoints-ask")')}: untested_rule: many-endpoints-ask: no case is decided by it`,
    `tasks.yaml:${lineOf(policyFiles, 'tasks.yaml', '  alert.close:')}: untested_task: tasks.alert.close: no case asks for it`,
  ]);
});

findings('roles that nobody holds, and what nobody may then do', () => {
  const held = new Set([...shipped.roles.keys()].filter((name) => name !== 'network'));
  const found = told(unheld(shipped, placesOf(policyFiles), held));
  assert.equal(found, [
    `roles.yaml:${lineOf(policyFiles, 'roles.yaml', '  network:')}: role_unheld: roles.network: nobody holds it`,
    `tasks.yaml:${lineOf(policyFiles, 'tasks.yaml', '  firewall.change:')}: task_unheld: tasks.firewall.change: no agent holds a role that carries it`,
  ]);
});

findings('routes that bring an ask to nobody at some clients, and people whom the register does not know', () => {
  const nobody = [
    { route: 'security', tenants: ['acme', 'birch'], tasks: null },
    { route: 'client-infrastructure', tenants: ['acme'], tasks: ['firewall.change'] },
  ];
  const found = told(unreached(placesOf(policyFiles), nobody, (person) => person === 'paula' || person === 'nadia'));
  const at = (part: string): number => lineOf(policyFiles, 'routes.yaml', part);
  assert.equal(found, [
    `routes.yaml:${at('  sergio:')}: person_unknown: people.sergio: there is no such person`,
    `routes.yaml:${at('- name: security')}: route_unreached: routes.security: at acme, birch it brings an ask to nobody`,
    `routes.yaml:${at('- name: client-infrastructure')}: route_unreached: routes.client-infrastructure: at acme it brings firewall.change to nobody`,
  ]);
});

findings('are counted by kind', () => {
  assert.equal(countOf(find(policyFiles)), { parameter_not_enforced: 4 });
  assert.equal(countOf([]), {});
});

findings.run();
