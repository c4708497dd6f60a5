/** Why a case of the shipped bundle is answered as it is, and what would change that. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { posedBy } from '../../src/decide/cases.ts';
import type { Example } from '../../src/decide/cases.ts';
import { agentReading, explain, explanationWire, leadReading } from '../../src/decide/explain.ts';
import type { Explanation } from '../../src/decide/explain.ts';
import { createRulebook } from '../../src/decide/rulebook.ts';
import { engine, load, shipped, shippedBut } from './world.ts';

const rulebook = createRulebook(engine);

function explained(example: Example): Explanation {
  const posed = posedBy(shipped, rulebook, example);
  if (!posed.ok) throw new Error(posed.error.detail);
  return explain(posed.value.policy, posed.value.asking);
}

const report = (tenant: string, resource: string, more: object = {}): Example => ({
  agent: 'report-bot',
  tenant,
  request: { task: 'report.query', resource, ...more },
});

const restart = (tenant: string, more: object = {}): Example => ({
  agent: 'desk-bot',
  tenant,
  request: {
    task: 'service.restart',
    resource: 'servers/core/db-1',
    parameters: { service: 'spooler' },
    rollback: 'service.restore',
    ...more,
  },
});

const could = (explanation: Explanation): string[] =>
  (agentReading(explanation)['could'] as { what: string; answer: string }[]).map(
    ({ what, answer }) => `${what} ${answer}`,
  );

const freer = ({ changes }: Explanation): string[] =>
  changes.filter((one) => one.freer).map(({ lead, to }) => `${lead}: ${to.answer}`);

const stricter = ({ changes }: Explanation): string[] =>
  changes.filter((one) => !one.freer).map(({ lead, to }) => `${lead}: ${to.answer}`);

const test = suite('explain');

test('names every rule that says something, and which of them decided', () => {
  const [role] = explained(report('northwind-clinic', 'records/*')).roles;
  assert.is(role?.role, 'reporting');
  assert.equal(
    role?.rules.map(({ rule, decided, lifted }) => [rule, decided, lifted]),
    [
      ['no-wildcard-over-personal-data', true, false],
      ['personal-data-asks', true, true],
      ['reporting-reads-databases', false, false],
    ].toSorted((a, b) => orderOf(a[0]) - orderOf(b[0])),
  );
  assert.ok(role?.rules.every(({ file, line, reason }) => file.startsWith('rules/') && line > 0 && reason !== ''));
});

test('names a rule that errs, and what others of its effect say all the same', () => {
  const errs = `@id("errs") @reason("It overflows.") forbid (principal, action == Action::"perform", resource)
when { context.tier * 9223372036854775807 * 2 > 0 };`;
  const faulty = load(shippedBut({ 'rules/faulty.cedar': errs }));
  const posed = posedBy(faulty, rulebook, report('northwind-clinic', 'records/*'));
  assert.ok(posed.ok);
  const [role] = explain(posed.value.policy, posed.value.asking).roles;
  const forbidding = role?.rules.filter(({ effect }) => effect === 'forbid').map(({ rule }) => rule);
  assert.equal(forbidding?.toSorted(), ['errs', 'no-wildcard-over-personal-data', 'personal-data-asks']);
});

/** As they stand in the bundle. */
const orderOf = (rule: string | boolean | undefined): number =>
  [...shipped.rules.keys()].findIndex((name) => name === rule);

test('says the tier, and what raised it', () => {
  const newcomer = explained({
    agent: 'newcomer',
    tenant: 'acme',
    request: { task: 'ticket.route', resource: 'service-desk/T', parameters: { ticket: 'AB-1', queue: 'network' } },
  });
  const [role] = newcomer.roles;
  assert.equal([role?.ownTier, role?.tier], [1, 3]);
  assert.equal(role?.raised, [{ to: 3, because: 'probation' }]);
  assert.ok(freer(newcomer).includes('somebody answered for the agent here, which is new: permit'));
});

const CHANGES: readonly (readonly [what: string, example: Example, agent: string | null, lead: string])[] = [
  [
    'a record',
    report('northwind-clinic', 'records', { parameters: {} }),
    'Name one record after the target. ask',
    'the request named one record: ask',
  ],
  [
    'one instead of a pattern',
    report('northwind-clinic', 'records/*', { parameters: {} }),
    'Name one record after the target. ask',
    'the request named one record: ask',
  ],
  [
    'another target',
    report('acme', 'payments'),
    'Name another target, such as sales. permit',
    'it were asked of sales: permit',
  ],
  [
    'a person’s word',
    report('northwind-clinic', 'records/a'),
    'Wait for a person’s approval. permit',
    'a person approves: permit',
  ],
  [
    'what the class requires',
    restart('acme', { rollback: undefined }),
    'Say rollback. permit',
    'the request says rollback: permit',
  ],
  [
    'confidence',
    report('acme', 'sales', { confidence: 0.1 }),
    'Ask again when you are sure. permit',
    'the agent were sure of its judgement: permit',
  ],
  [
    'what is registered',
    report('acme', 'sales', { environment: 'staging' }),
    'Say of environment and model what is registered. permit',
    'the request said of environment and model what the registers have: permit',
  ],
  [
    'less data',
    report('acme', 'sales/a', { data_classes: ['phi'] }),
    'Leave the data out that you named in data_classes. permit',
    'the request named no data beside what is registered: permit',
  ],
  [
    'a purpose and its basis',
    report('eurolane', 'customers/a'),
    'State purpose and legal_basis as a pair that the client’s context lists. ask',
    'the request states a purpose and legal basis of the list, such as "customer service reports" on contract: ask',
  ],
  [
    'the end of an incident',
    { ...report('acme', 'sales'), situations: [{ kind: 'incident', until: '2026-02-01T00:00:00Z' }] },
    'Ask again when the incident is over. permit',
    'the incident were over: permit',
  ],
  ['a named change', restart('shopfront'), 'Name the change. permit', 'the request names a change: permit'],
  [
    'a change window',
    restart('riverside-works', { resource: 'servers/print-1' }),
    'Ask again in a change window. permit',
    'it were within a change window: permit',
  ],
  [
    'another role',
    {
      agent: 'triage-bot',
      tenant: 'acme',
      request: { task: 'cache.clear', resource: 'servers', parameters: { service: 'a' } },
    },
    null,
    'the agent held the role service-desk: permit',
  ],
  [
    'one client at a time',
    { ...report('acme', 'sales'), many_tenants: true },
    null,
    'it were not done at many tenants at once: permit',
  ],
];

for (const [what, example, agent, lead] of CHANGES) {
  test(`finds that ${what} would change the answer`, () => {
    const explanation = explained(example);
    assert.ok(freer(explanation).includes(lead), freer(explanation).join('\n'));
    if (agent !== null) assert.ok(could(explanation).includes(agent), could(explanation).join('\n'));
    else assert.not.ok(could(explanation).some((one) => one.includes('role')));
  });
}

test('says of a permit what would take it away', () => {
  const found = stricter(explained(report('acme', 'sales')));
  for (const one of [
    'there were a incident: forbid',
    'the agent were not sure of its judgement: ask',
    'it were done at many tenants at once: ask',
  ]) {
    assert.ok(found.includes(one.replace('a incident', 'an incident')), found.join('\n'));
  }
});

test('says what a rule that decided keeps away', () => {
  assert.ok(
    freer(explained(report('acme', 'payments'))).includes('the rule cardholder-data-stays-out were not there: permit'),
  );
});

test('tells the agent no name of a rule, whatever the answer', () => {
  for (const { holds } of shipped.cases) {
    for (const example of holds.cases ?? []) {
      const posed = posedBy(shipped, rulebook, example);
      if (!posed.ok) continue;
      const text = JSON.stringify(agentReading(explain(posed.value.policy, posed.value.asking)));
      const named = [...shipped.rules.keys()].filter((rule) => text.includes(rule));
      assert.equal(named, [], example.name);
    }
  }
});

test('of what was refused before any rule was asked, there are no facts', () => {
  const explanation = explained({
    agent: 'triage-bot',
    tenant: 'acme',
    request: { task: 'firewall.change', resource: 'firewall' },
  });
  assert.equal(explanation.roles, []);
  assert.is(leadReading(explanation)['task'], 'firewall.change');
  assert.equal(Object.keys(explanationWire(explanation)), ['agent', 'lead']);
});

test.run();
