/** What the registers say at one moment, and that nothing decided outlasts what it rests on. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { SituationId } from '../../src/core/ids.ts';
import type {
  ContractTerms,
  LegalBasis,
  ResourceRecord,
  Situation,
  TargetVersion,
  TenantContext,
  Vendor,
} from '../../src/core/registers.ts';
import { instant, seconds } from '../../src/core/time.ts';
import type { Interval } from '../../src/core/windows.ts';
import type { Asking } from '../../src/decide/admit.ts';
import { reaches, surroundingsOf } from '../../src/decide/context.ts';
import type { Surroundings } from '../../src/decide/context.ts';
import { decide } from '../../src/decide/decide.ts';
import { ledgerFields, publicDecision } from '../../src/decide/record.ts';
import { NOW, OVERSEER, asking, asks, forbids, permits, policyOf, target } from './world.ts';
import type { Change } from './world.ts';

const at = (s: number) => instant(NOW + s * 1000);

const situation = (from: number, until: number, more: Partial<Situation> = {}): Situation => ({
  id: `sit-${from}-${until}` as SituationId,
  tenant: 'acme' as Situation['tenant'],
  kind: 'freeze',
  resource: null,
  from: at(from),
  until: at(until),
  askWithin: null,
  author: OVERSEER,
  ...more,
});

const withSituations =
  (...situations: readonly Situation[]): Change =>
  (asked) => ({ ...asked, snapshot: { ...asked.snapshot, situations } });

const withWindows =
  (...windows: readonly (readonly [from: number, until: number])[]): Change =>
  (asked) => {
    const told: Interval[] = windows.map(([from, until]) => ({ from: at(from), until: at(until) }));
    return { ...asked, snapshot: { ...asked.snapshot, windows: told } };
  };

const withContext =
  (change: Partial<TenantContext>): Change =>
  (asked) => {
    const { tenant } = asked.snapshot;
    return {
      ...asked,
      snapshot: { ...asked.snapshot, tenant: { ...tenant, context: { ...tenant.context, ...change } } },
    };
  };

const context = suite('decide/context');

/** Whether what is asked for reaches what is recorded. */
const REACHES: readonly (readonly [asked: string, recorded: string, reached: boolean])[] = [
  ['crm/people', 'crm/people', true],
  ['crm/people/7', 'crm/people', true],
  ['crm', 'crm/people', true],
  ['crm/people', 'crm', true],
  ['crm/peoples', 'crm/people', false],
  ['crm/people', 'crm/people/7', true],
  ['crm/people/70', 'crm/people/7', false],
  ['crm2/people', 'crm', false],
  ['crm/pe*', 'crm/people', true],
  ['crm/p?ople', 'crm/people', true],
  ['crm/%', 'crm/people/7', true],
  ['crm/pe*', 'crm/orders', false],
  ['crm/people/*', 'crm/people', true],
  ['crm/PEOPLE', 'crm/people', true],
  ['crm/ｐeople', 'crm/people', true],
  ['crm/people ', 'crm/people', true],
];
for (const [asked, recorded, reached] of REACHES) {
  context(`${asked} ${reached ? 'reaches' : 'does not reach'} ${recorded}`, () => {
    assert.is(reaches(asked, recorded), reached);
  });
}

const part = (resource: string, more: Partial<ResourceRecord> = {}): ResourceRecord => ({
  resource,
  dataClasses: [],
  environment: null,
  changeManaged: false,
  ...more,
});

const PLAIN = () => asking('triage-bot', 'ticket.route', 'acme');
const around = ({ snapshot, request, principal }: Asking, over: Partial<TargetVersion> = {}): Surroundings => {
  const here = snapshot.targets.get(request.target);
  if (here === undefined) throw new Error('no target');
  return surroundingsOf(snapshot, request, { ...here, ...over }, principal.agent, NOW);
};
const vendored =
  (vendor: Partial<Vendor> | null): Change =>
  (asked) => {
    const { deployment } = asked.snapshot;
    const vendors = new Map(deployment.vendors);
    const name = asked.principal.agent.vendor as Vendor['name'];
    const before = vendors.get(name);
    if (before === undefined) throw new Error('no record to change');
    if (vendor === null) vendors.delete(name);
    else vendors.set(name, { ...before, ...vendor });
    return { ...asked, snapshot: { ...asked.snapshot, deployment: { ...deployment, vendors } } };
  };
const all =
  (...changes: readonly Change[]): Change =>
  (asked) =>
    changes.reduce((before, change) => change(before), asked);

const withModels =
  (...models: ContractTerms['models']): Change =>
  (asked) => {
    const { terms } = asked.snapshot.tenant.context;
    if (terms === null) throw new Error('no terms to change');
    return withContext({ terms: { ...terms, models } })(asked);
  };

/** Where billing rests on a contract. */
const withPurpose =
  (purpose: string, legalBasis: LegalBasis): Change =>
  (asked) => ({
    ...withContext({ legalBases: [{ purpose: 'billing', basis: 'contract' }] })(asked),
    request: { ...asked.request, circumstances: { ...asked.request.circumstances, purpose, legalBasis } },
  });

const FACTS: readonly (readonly [what: string, change: Change, over: Partial<TargetVersion>, facts: object])[] = [
  ['a target in staging', (asked) => asked, { environment: 'staging' }, { environment: 'staging' }],
  ['one of which nobody said', (asked) => asked, { environment: '' }, { environment: 'production' }],
  [
    'an environment that is not of the client',
    withContext({ environments: ['test'] }),
    { environment: 'staging' },
    { environment: 'production' },
  ],
  [
    'a part in another environment than its target',
    withContext({ resources: [part('service-desk/TCK-42', { environment: 'test' })] }),
    { environment: 'staging' },
    { environment: 'production' },
  ],
  [
    'a part that holds less than its target, which counts all the same',
    withContext({ resources: [part('service-desk/TCK-42', { dataClasses: [] })] }),
    { dataClasses: ['pii'] },
    { data: ['pii'] },
  ],
  [
    'a part that holds more',
    withContext({ resources: [part('service-desk', { dataClasses: ['phi'], changeManaged: true })] }),
    { dataClasses: ['pii'] },
    { data: ['pii', 'phi'], changeManaged: true },
  ],
  ['a vendor without a record', vendored(null), {}, { vendorExceedsContract: true, vendorApproved: true }],
  [
    'a vendor without a record where nothing is agreed',
    all(vendored(null), withContext({ terms: null })),
    {},
    { vendorExceedsContract: false, vendorApproved: false, modelAccepted: false },
  ],
  ['one that trains', vendored({ trains: true }), {}, { vendorExceedsContract: true }],
  ['one that keeps', vendored({ retentionDays: 31 }), {}, { vendorExceedsContract: true }],
  ['one that keeps as long as agreed', vendored({ retentionDays: 30 }), {}, { vendorExceedsContract: false }],
  ['data that may be here', withContext({ residency: ['us', 'ca'] }), {}, { vendorExceedsContract: false }],
  ['data that may be elsewhere', withContext({ residency: ['eu'] }), {}, { vendorExceedsContract: true }],
  [
    'a vendor that keeps it nobody knows where',
    all(vendored({ residency: [] }), withContext({ residency: ['eu'] })),
    {},
    { vendorExceedsContract: true },
  ],
  [
    'a freeze of what is asked for',
    withSituations(situation(-60, 60, { resource: 'service-desk' })),
    {},
    { frozen: true },
  ],
  ['none of another target', withSituations(situation(-60, 60, { resource: 'sales' })), {}, { frozen: false }],
  ['none that is over', withSituations(situation(-60, 0)), {}, { frozen: false }],
  ['the model that the contract names', (asked) => asked, {}, { modelAccepted: true }],
  ['a version that it does not name', withModels({ model: 'sorter', version: '2' }), {}, { modelAccepted: false }],
  ['a model that it does not name', withModels({ model: 'talker', version: '3' }), {}, { modelAccepted: false }],
  ['a purpose on its legal basis', withPurpose('billing', 'contract'), {}, { lawfulBasis: true }],
  ['a purpose on another basis', withPurpose('billing', 'consent'), {}, { lawfulBasis: false }],
  ['another purpose on that basis', withPurpose('research', 'contract'), {}, { lawfulBasis: false }],
];
for (const [what, change, over, facts] of FACTS) {
  context(`knows ${what}`, () => {
    const found: Readonly<Record<string, unknown>> = { ...around(change(PLAIN()), over) };
    const seen = Object.fromEntries(Object.keys(facts).map((name) => [name, found[name]]));
    assert.equal(seen, facts);
  });
}

const PATCH = ['patch-bot', 'patch.routine', 'acme'] as const;
const TICKET = ['triage-bot', 'ticket.route', 'acme'] as const;

/** How long a credential lives, and what held it back. */
const ENDS: readonly (readonly [
  what: string,
  of: readonly [string, string, string],
  change: Change,
  ttl: number,
  by: string | null,
])[] = [
  ['a window that closes', PATCH, withWindows([-60, 120]), 120, 'edge of a change window'],
  ['windows that meet', PATCH, withWindows([-60, 120], [120, 3600]), 600, null],
  ['a freeze that begins', PATCH, withSituations(situation(90, 900)), 90, 'begin of the freeze'],
  ['a freeze that is too late to matter', PATCH, withSituations(situation(601, 900)), 600, null],
  [
    'an incident that begins',
    TICKET,
    withSituations(situation(40, 90, { kind: 'incident' })),
    40,
    'begin of the incident',
  ],
  [
    'a window and a freeze that are nothing to a ticket',
    TICKET,
    all(withWindows([-60, 20]), withSituations(situation(30, 90))),
    300,
    null,
  ],
  [
    'a data subject request on it',
    TICKET,
    withSituations(situation(50, 90, { kind: 'data-subject-request', resource: 'service-desk' })),
    50,
    'begin of the data-subject-request',
  ],
  [
    'one on another',
    TICKET,
    withSituations(situation(50, 90, { kind: 'data-subject-request', resource: 'sales' })),
    300,
    null,
  ],
];
for (const [what, [agent, task, tenant], change, ttl, by] of ENDS) {
  context(`nothing outlasts ${what}`, () => {
    const { execution } = permits(asking(agent, task, tenant, {}, change));
    assert.is(execution.ttl, ttl);
    assert.is(execution.narrowed.find((one) => one.what === 'ttl')?.by ?? null, by);
  });
}

context('what would be left is less than the provider gives, so that nothing is', () => {
  forbids(asking(...PATCH, {}, withWindows([-60, 9])), 'ttl_not_possible');
});

context('what asks is answered before its window closes', () => {
  const many = { parameters: { package: 'openssl-3.5', endpoints: 200 } };
  const { approval } = asks(asking(...PATCH, many, withWindows([-60, 1200])));
  assert.is(approval.deadline, at(1200));
});

context('while an incident lasts, what asks is answered sooner', () => {
  const open = (within: number) =>
    withSituations(situation(-60, 7200, { kind: 'incident', askWithin: seconds(within) }));
  const firewall = (change: Change) => asks(asking('net-bot', 'firewall.change', 'acme', {}, change));
  assert.is(firewall((asked) => asked).approval.deadline, at(3600), 'the whole of its route');
  assert.is(firewall(open(600)).approval.deadline, at(600));
  const coming = situation(60, 7200, { kind: 'incident', askWithin: seconds(300) });
  assert.is(firewall(withSituations(coming)).approval.deadline, at(3600), 'one that has not begun');
});

context('what contains an incident asks during it as it did before, and is answered sooner', () => {
  const open = withSituations(situation(-60, 7200, { kind: 'incident', askWithin: seconds(900) }));
  const isolation = {
    resource: 'servers/laptop-7',
    parameters: { endpoint: 'laptop-7', severity: 'critical' },
    trigger: { kind: 'alert', reference: 'EDR-3' },
  };
  const before = asks(asking('guard-bot', 'endpoint.isolate', 'acme', isolation));
  const during = asks(asking('guard-bot', 'endpoint.isolate', 'acme', isolation, open));
  assert.equal(during.execution, before.execution);
  assert.equal(during.approval.rules, before.approval.rules);
  assert.is(during.approval.deadline, at(600), 'each step is shorter');
});

context('a refusal under a data subject request names who is told', () => {
  const open = withSituations(situation(-60, 60, { kind: 'data-subject-request', resource: 'service-desk/TCK-42' }));
  const decision = decide(policyOf(), asking(...TICKET, {}, open));
  assert.equal(ledgerFields(decision).oversight, { notify: [OVERSEER] });
  assert.equal(publicDecision(decision)['oversight'], { notify: [OVERSEER] });
  const other = decide(policyOf(), asking(...TICKET, {}, withSituations(situation(-60, 60, { kind: 'incident' }))));
  assert.equal(ledgerFields(other).oversight, {});
});

context('terms that are recorded in part are none', () => {
  const { execution } = asks(asking(...TICKET, {}, withContext({ terms: null })));
  assert.equal(execution.raised, [{ to: 3, because: 'contract:none' }]);
});

context('looks at the register of the resource as asked for', () => {
  const odd = { resource: 'service-desk/tck-42' };
  const held = withContext({ resources: [part('service-desk/TCK-42', { dataClasses: ['credentials'] })] });
  forbids(asking(...TICKET, odd, held), 'forbidden_by_rule');
  assert.ok(asking(...TICKET, odd, held).snapshot.targets.has(target('service-desk')));
});

/** Of what a request names beside a recorded part, by what the credential is. */
const BESIDE: readonly (readonly [provider: TargetVersion['provider'], data: readonly string[], managed: boolean])[] = [
  ['jwt', [], false],
  ['postgres', ['phi'], true],
  ['aws', ['phi'], true],
  ['vault', ['phi'], true],
  ['http', ['phi'], true],
];
for (const [provider, data, changeManaged] of BESIDE) {
  context(`43: a credential of ${provider} ${data.length > 0 ? 'reaches more than' : 'says'} what was named`, () => {
    const held = withContext({ resources: [part('service-desk/hr', { dataClasses: ['phi'], changeManaged: true })] });
    const found = around(held(PLAIN()), { provider });
    assert.equal([found.data, found.changeManaged], [data, changeManaged]);
  });
}

context('43: whoever names one table of a database gets what all of its tables take', () => {
  const held = withContext({ resources: [part('sales/returns', { dataClasses: ['cardholder'] })] });
  const report = (resource: string, change: Change) =>
    asking('report-bot', 'report.query', 'acme', { resource }, change);
  permits(report('sales/orders', (asked) => asked));
  forbids(report('sales/orders', held), 'forbidden_by_rule');
});

context.run();
