/** What two bundles differ in, found by deciding: tables of small changes to the shipped bundle. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Bundle } from '../../src/decide/bundle.ts';
import { runCases } from '../../src/decide/cases.ts';
import { diffBundles, exampleTrial, exampleWorlds } from '../../src/decide/diff.ts';
import type { BundleDiff, Difference } from '../../src/decide/diff.ts';
import { createWitness } from '../../src/decide/diff/witness.ts';
import { createRulebook } from '../../src/decide/rulebook.ts';
import { policyFiles } from '../policy/folder.ts';
import { engine, load, shipped, shippedBut } from './world.ts';

/** One that edits a file of the shipped bundle; its cases say nothing of rules, so that any may go. */
function edited(edits: readonly (readonly [file: string, from: string | RegExp, to: string])[]): Bundle {
  const files: Record<string, string> = { ...shippedBut({}) };
  for (const [file, from, to] of edits) {
    const text = (files[file] ?? '').replace(from, to);
    assert.not.equal(text, files[file], `${file} is edited`);
    files[file] = text;
  }
  const cases = Object.keys(files).filter((file) => file.startsWith('cases/') && file !== 'cases/examples.yaml');
  for (const file of cases) files[file] = (files[file] ?? '').replace(/rules: \[[^\]]*\],?/g, '');
  return load(files);
}

/** Those that are looked at: enough for most tables, and quick. */
const few = (before: Bundle, after: Bundle, agents: readonly string[], tenants: readonly string[]) =>
  exampleWorlds(before, after)
    .filter(({ snapshot }) => tenants.includes(snapshot.tenant.name))
    .map(({ snapshot, principals }) => ({
      snapshot,
      principals: principals.filter(({ agent }) => agents.includes(agent.name)),
    }));

function diff(after: Bundle, agents: readonly string[], tenants: readonly string[], before = shipped): BundleDiff {
  const trial = exampleTrial(before, after, createRulebook(engine, { keepAnswers: false }));
  return diffBundles({ ...trial, worlds: few(before, after, agents, tenants) });
}

const shown = ({ agent, tenant, task, before, after, widening }: Difference): string =>
  `${agent}@${tenant} ${task}: ${before.answer} -> ${after.answer}${widening ? ' wider' : ''}`;

const without = (rule: string): RegExp => new RegExp(`@id\\("${rule}"\\)[^;]*;`);

const test = suite('diff');

test('a bundle differs from itself in nothing', () => {
  const found = diff(shipped, ['triage-bot', 'report-bot'], ['acme', 'northwind-clinic']);
  assert.equal(found.differences, []);
  assert.equal([...found.people, ...found.registers, ...found.rules], []);
  assert.not.ok(found.widens);
  assert.equal(found.gains, []);
});

test('a rule that goes frees whom it held back, where it did', () => {
  const after = edited([['rules/data.cedar', without('personal-data-asks'), '']]);
  const found = diff(after, ['report-bot'], ['acme', 'northwind-clinic']);
  const atClinic = found.differences.filter(({ tenant }) => tenant === 'northwind-clinic');
  assert.ok(atClinic.map(shown).includes('report-bot@northwind-clinic report.query: ask -> permit wider'));
  assert.ok(atClinic.every(({ targets }) => targets.join() === 'records'));
  // A retailer's targets hold none: only an agent that says it will read some was asked about, and that still asks.
  assert.equal(
    found.differences.filter(({ tenant }) => tenant === 'acme'),
    [],
  );
  assert.ok(found.widens);
  assert.equal(found.gains, [{ agent: 'report-bot', owner: 'owner' }]);
  assert.equal(
    found.rules.map(({ rule, how, seen }) => [rule, how, seen]),
    [['personal-data-asks', 'removed', true]],
  );
});

test('a rule that comes holds back, and that widens nothing', () => {
  const rule = `@id("no-notes") @reason("None.") forbid (principal, action == Action::"perform", resource == Task::"ticket.note");`;
  const after = load(shippedBut({ 'rules/more.cedar': rule }));
  const found = diff(after, ['triage-bot'], ['acme']);
  assert.equal(
    [...new Set(found.differences.map(shown))],
    ['triage-bot@acme ticket.note: ask -> forbid', 'triage-bot@acme ticket.note: permit -> forbid'],
  );
  assert.not.ok(found.widens);
});

test('contexts of the hour are tried, though no client is in one', () => {
  const after = edited([['rules/context.cedar', without('incident-holds-back'), '']]);
  const found = diff(after, ['triage-bot'], ['acme']);
  const route = found.differences.filter(({ task }) => task === 'ticket.route');
  assert.equal(
    route.map(({ when }) => when),
    [['an incident']],
  );
  assert.equal(route.map(shown), ['triage-bot@acme ticket.route: forbid -> permit wider']);
});

test('a context that is there only together with another is found', () => {
  const rule = `@id("both") @reason("Both.") forbid (principal, action == Action::"perform", resource == Task::"ticket.note")
    when { context.wildcard && !context.change_stated && context.data_subject_request == false && context.incident };`;
  const found = diff(load(shippedBut({ 'rules/more.cedar': rule })), ['triage-bot'], ['acme'], withoutHold());
  assert.ok(found.rules.some(({ rule: name, seen }) => name === 'both' && seen));
});

/** As shipped, but that an incident holds nothing back and a pattern asks nobody. */
const withoutHold = (): Bundle =>
  edited([
    ['rules/context.cedar', without('incident-holds-back'), ''],
    ['rules/work.cedar', without('bulk-ticket-work-asks'), ''],
  ]);

test('a parameter that rules see is tried either side of what they compare with', () => {
  const after = edited([
    ['rules/work.cedar', 'context.parameters.endpoints > 20', 'context.parameters.endpoints > 50'],
  ]);
  const found = diff(after, ['patch-bot'], ['acme']);
  const routine = found.differences.filter(({ task }) => task === 'patch.routine');
  assert.equal(routine.map(shown), ['patch-bot@acme patch.routine: ask -> permit wider']);
  assert.ok(routine.some(({ when }) => when.includes('endpoints 21') && !when.includes('endpoints 20')));
});

test('a role that gains a task class, with a rule for it, frees who holds the role', () => {
  const after = edited([
    ['roles.yaml', 'tasks: [firewall.change]', 'tasks: [firewall.change, backup.inspect]'],
    [
      'rules/work.cedar',
      'Role::"network", action == Action::"perform", resource == Task::"firewall.change");',
      'Role::"network", action == Action::"perform", resource);',
    ],
  ]);
  const found = diff(after, ['net-bot', 'triage-bot'], ['acme']);
  assert.equal(found.gains, [{ agent: 'net-bot', owner: 'owner' }]);
  const plain = found.differences.find(({ when }) => when.includes('plainly'));
  assert.equal([plain?.task, plain?.before.answer, plain?.after.answer], ['backup.inspect', 'forbid', 'permit']);
});

test('a longer life and a lower tier widen', () => {
  const longer = diff(
    edited([['tasks.yaml', /(ticket\.route:[^]*?)\n    owner/, '$1\n    ceilings: { ttl: 600 }\n    owner']]),
    ['triage-bot'],
    ['acme'],
  );
  const [route] = longer.differences.filter(({ task }) => task === 'ticket.route');
  assert.equal(
    [route?.before, route?.after].map((one) => one?.answer !== 'forbid' && one?.ttl),
    [300, 600],
  );
  assert.ok(route?.widening);
  const shorter = diff(
    edited([['roles.yaml', /(triage:[^]*?)\n    owner/, '$1\n    ceilings: { ttl: 200 }\n    owner']]),
    ['triage-bot'],
    ['acme'],
  );
  assert.ok(shorter.differences.length > 0);
  assert.not.ok(shorter.widens);
});

test('what no cell shows is listed, and judged', () => {
  const changes: [file: string, from: string | RegExp, to: string, where: string, widening: boolean][] = [
    ['bundle.yaml', 'probation: 20', 'probation: 5', 'bundle probation', true],
    ['bundle.yaml', 'probation: 20', 'probation: 50', 'bundle probation', false],
    ['bundle.yaml', 'live_logins: 50', 'live_logins: 51', 'bundle budgets.live_logins', true],
    ['bundle.yaml', '  live_logins: 50\n', '', 'bundle budgets.live_logins', true],
    ['bundle.yaml', 'most: 5', 'most: 6', 'bundle many_tenants.most', true],
    ['bundle.yaml', 'within_minutes: 10', 'within_minutes: 20', 'bundle many_tenants.within', false],
    ['bundle.yaml', 'failed, count: 5,', 'failed, count: 6,', 'breakers.failing count', true],
    ['bundle.yaml', 'failed, count: 5,', 'failed, count: 4,', 'breakers.failing count', false],
    ['bundle.yaml', 'count: 5, within_minutes: 60', 'count: 5, within_minutes: 50', 'breakers.failing within', true],
    ['bundle.yaml', 'count: 5, within_minutes: 60', 'count: 5, within_minutes: 70', 'breakers.failing within', false],
    ['bundle.yaml', 'failing: { signal: failed', 'failing: { signal: rate', 'breakers.failing signal', true],
    ['bundle.yaml', 'to: ask }', 'to: block }', 'breakers.failing to', false],
    ['bundle.yaml', 'to: block }', 'to: ask }', 'breakers.failing-on to', true],
    ['bundle.yaml', 'to: ask }', 'to: ask, tasks: [kb.draft] }', 'breakers.failing tasks', true],
    ['bundle.yaml', /\n    wrong: .*/, '', 'breakers.wrong all', true],
    [
      'bundle.yaml',
      '    wrong: {',
      '    more: { signal: rate, count: 9, within_minutes: 5, to: ask }\n    wrong: {',
      'breakers.more all',
      false,
    ],
    ['bundle.yaml', 'trips: 10', 'trips: 20', 'bundle breakers.spike', true],
    ['bundle.yaml', 'trips: 10', 'trips: 9', 'bundle breakers.spike', false],
    ['bundle.yaml', /\n  spike: .*/, '', 'bundle breakers.spike', true],
    ['roles.yaml', 'reads_only: true\n', 'reads_only: false\n', 'roles.auditor reads_only', false],
    [
      'roles.yaml',
      'function: oversight\n',
      'function: oversight\n    reads_only: true\n',
      'roles.overseer reads_only',
      true,
    ],
    [
      'roles.yaml',
      'function: execution\n',
      'function: execution\n    break_glass: true\n',
      'roles.triage break_glass',
      true,
    ],
    ['tasks.yaml', 'kind: ticket\n', 'kind: ticket\n    idle: { after: 90 }\n', 'tasks.ticket.route idle.after', true],
    [
      'tasks.yaml',
      'kind: ticket\n',
      'kind: ticket\n    idle: { unused: 30 }\n',
      'tasks.ticket.route idle.unused',
      false,
    ],
    ['bundle.yaml', 'next_review: 2027-01-31', 'next_review: 2028-01-31', 'bundle next_review', true],
    ['bundle.yaml', 'owner: security-lead', 'owner: somebody', 'bundle owner', false],
    ['routes.yaml', 'most_open: 20', 'most_open: 30', 'routes most_open', false],
    ['routes.yaml', 'most_open: 20', 'most_open: 20\ndevice_bound: { tiers: [3] }', 'routes device_bound', false],
    ['routes.yaml', 'incident: 5', 'incident: 9', 'routes step_minutes.incident', false],
    ['routes.yaml', 'level: leadership\n', 'level: manager\n', 'routes.people.paula level', false],
    ['routes.yaml', 'level: senior\n', 'level: manager\n', 'routes.people.sergio level', true],
    ['routes.yaml', "from: '07:00'", "from: '06:00'", 'routes.people.sergio duty', false],
    [
      'routes.yaml',
      'firewall.change: { kind: client-infrastructure, level: senior }',
      'firewall.change: { kind: client-infrastructure }',
      'routes.tasks.firewall.change level',
      true,
    ],
    ['routes.yaml', 'level: manager }', 'level: leadership }', 'routes.tasks.backup.declare-infected level', false],
    ['routes.yaml', 'whom: security-engineer', 'whom: account-engineer', 'routes.security steps', true],
    ['routes.yaml', 'kinds: [security]', 'kinds: [security, data]', 'routes.security when', true],
    ['tasks.yaml', 'scope: tickets:route', 'scope: tickets:all', 'tasks.ticket.route template', true],
    [
      'cases/tickets.yaml',
      /- name: (.*)/.exec(policyFiles['cases/tickets.yaml'] ?? '')?.[0] ?? '',
      '- name: Another',
      'cases',
      false,
    ],
  ];
  for (const [file, from, to, where, widening] of changes) {
    const { registers, widens } = diff(edited([[file, from, to]]), ['nobody'], ['acme'], edited([]));
    assert.ok(registers[0] !== undefined && `${registers[0].where} ${registers[0].field}`.startsWith(where), where);
    assert.is(registers.length, 1, where);
    assert.is(widens, widening, where);
  }
});

test('a changed rule that made no difference to any answer is said to be unseen, and counts as wider where it frees', () => {
  const found = diff(
    edited([['rules/data.cedar', without('controlled-information-asks'), '']]),
    ['triage-bot'],
    ['oldmill'],
  );
  assert.equal(
    found.differences.filter(({ tenant }) => tenant === 'oldmill'),
    [],
  );
  assert.equal(
    found.rules.map(({ seen, widening }) => [seen, widening]),
    [[false, true]],
  );
  assert.ok(found.widens);
});

test('other words for people are no change of a rule', () => {
  const found = diff(
    edited([['rules/data.cedar', 'Cardholder data is in scope', 'Card data is in scope']]),
    ['report-bot'],
    ['acme'],
  );
  assert.equal(
    found.rules.map(({ how, widening }) => [how, widening]),
    [['reworded', false]],
  );
});

test('who oversees and who approves is a difference of people', () => {
  const found = diff(edited([['roles.yaml', /\n  overseer:\n/, '\n  watcher:\n']]), ['triage-bot'], ['acme']);
  const lost = found.people.map(({ person, function: of, gains, widening }) => [person, of, gains, widening]);
  assert.equal(lost, [['overseer', 'oversight', false, true]]);
  assert.ok(found.differences.every(({ after }) => after.answer === 'forbid'));
});

test('who comes to read alone oversees no more', () => {
  const after = edited([['roles.yaml', 'function: oversight\n', 'function: oversight\n    reads_only: true\n']]);
  const found = diff(after, ['triage-bot'], ['acme']);
  const lost = found.people.map(({ person, function: of, gains, widening }) => [person, of, gains, widening]);
  assert.equal(lost, [['overseer', 'oversight', false, true]]);
  assert.ok(found.differences.every((one) => one.after.answer === 'forbid'));
});

test('a task class for which no parameters can be made is said to be left out', () => {
  const asked = `parameters:\n      type: object\n      additionalProperties: false\n      required: [odd]\n      properties:\n        odd: { type: string, pattern: '^(?:ab|ba){2}z$$', maxLength: 9 }`;
  const after = edited([['tasks.yaml', /(?<=service\.remediate:[^]*?)parameters:[^]*?(?=\n    [a-z_])/, asked]]);
  const { notEvaluated } = diff(after, ['desk-bot'], ['acme'], after);
  assert.ok(
    notEvaluated.some(({ task, why }) => task === 'service.remediate' && why.includes('parameters')),
    'left out',
  );
});

test('the same comparison has the same digest, and another has another', () => {
  const after = edited([['rules/context.cedar', without('incident-holds-back'), '']]);
  const [one, same, other] = [
    diff(after, ['triage-bot'], ['acme']),
    diff(after, ['triage-bot'], ['acme']),
    diff(after, ['triage-bot'], ['ledgerline']),
  ];
  assert.is(one.digest, same.digest);
  assert.is.not(one.digest, other.digest);
});

test('what is skipped because rules alone differ would have come out the same', () => {
  const edits = [['rules/data.cedar', without('personal-data-asks'), '']] as const;
  const quick = diff(edited(edits), ['report-bot', 'desk-bot'], ['northwind-clinic']);
  const whole = diff(
    edited([...edits, ['bundle.yaml', 'probation: 20', 'probation: 21']]),
    ['report-bot', 'desk-bot'],
    ['northwind-clinic'],
  );
  assert.equal(quick.differences, whole.differences);
  assert.ok(quick.differences.length > 0);
});

/** Errs at tiers 2 and 3, and forbids at 1. */
const FAULTY = `@id("errs") @reason("It overflows.") forbid (principal, action == Action::"perform", resource)
when { context.tier * 9223372036854775807 > 0 };`;

for (const [what, bundle, mostValues] of [
  ['rules asked with their like', shipped, undefined],
  ['rules of which one errs', load(shippedBut({ 'rules/faulty.cedar': FAULTY })), undefined],
  ['rules that forget what they said', shipped, 50],
] as const) {
  test(`${what} answer as the whole set does`, () => {
    const witness = createWitness(createRulebook(engine), { mostValues });
    const whole = createRulebook(engine);
    let compared = 0;
    const both: typeof whole = {
      sets: 0,
      evaluate(at, tenant, input) {
        const [one, other] = [witness.evaluate(at, tenant, input), whole.evaluate(at, tenant, input)];
        assert.equal(one, other);
        compared++;
        return other;
      },
    };
    runCases(bundle, both);
    assert.ok(compared > 100, `${compared} inputs`);
  });
}

test.run();
