/** What is decided, as a table over the shipped bundle's examples. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type {
  AgentName,
  AssignmentId,
  OperatorName,
  PersonName,
  RoleName,
  TaskName,
  TenantName,
  TripId,
} from '../../src/core/ids.ts';
import type { Acceptance, Agent, Assignment, BundleFiles, TargetVersion } from '../../src/core/registers.ts';
import type { Trip } from '../../src/core/oversight.ts';
import { instant, seconds } from '../../src/core/time.ts';
import type { Asking } from '../../src/decide/admit.ts';
import type { Bundle } from '../../src/decide/bundle.ts';
import { NO_ROUTES } from '../../src/decide/bundle/routes.ts';
import { decide } from '../../src/decide/decide.ts';
import { createRulebook } from '../../src/decide/rulebook.ts';
import {
  NOW,
  OVERSEER,
  OWNER,
  asking,
  asks,
  engine,
  forbids,
  load,
  permits,
  policyOf,
  shipped,
  shippedBut,
  target,
} from './world.ts';
import type { Change } from './world.ts';

const withAgent =
  (change: Partial<Agent>): Change =>
  (asked) => {
    const agent = { ...asked.principal.agent, ...change };
    const { enrolment } = asked.principal;
    const agents = new Map([[agent.name, { agent, enrolment }]]);
    return { ...asked, snapshot: { ...asked.snapshot, agents } };
  };

const withAssignments =
  (change: (assignments: readonly Assignment[]) => readonly Assignment[]): Change =>
  (asked) => ({ ...asked, snapshot: { ...asked.snapshot, assignments: change(asked.snapshot.assignments) } });

const withTarget =
  (name: string, change: Partial<TargetVersion>): Change =>
  (asked) => {
    const before = asked.snapshot.targets.get(target(name));
    if (before === undefined) throw new Error(`no target ${name}`);
    const targets = new Map([...asked.snapshot.targets, [target(name), { ...before, ...change }]]);
    return { ...asked, snapshot: { ...asked.snapshot, targets } };
  };

const withTerms =
  (autonomy: Asking['snapshot']['tenant']['context']['autonomy']): Change =>
  (asked) => {
    const { tenant } = asked.snapshot;
    const context = { ...tenant.context, autonomy };
    return { ...asked, snapshot: { ...asked.snapshot, tenant: { ...tenant, context } } };
  };

const oversight = ({ function: of }: Assignment): boolean => of === 'oversight';
const withoutApproval = withAssignments((held) => held.filter((assignment) => assignment.function !== 'approval'));
const withoutOversight = withAssignments((held) => held.filter((assignment) => !oversight(assignment)));
const overseenBy = (change: Partial<Assignment>): Change =>
  withAssignments((held) => held.map((one) => (oversight(one) ? { ...one, ...change } : one)));
const executionUntil = (ms: number): Change =>
  withAssignments((held) => held.map((one) => (oversight(one) ? one : { ...one, until: instant(NOW + ms) })));

const decides = suite('decide');

decides('permits, with its three parts', () => {
  const { approval, execution, oversight: duties } = permits(asking('triage-bot', 'ticket.route', 'acme'));
  assert.equal(approval, { rules: ['triage-works-tickets'], policy: shipped.version });
  assert.is(execution.role, 'triage');
  assert.is(execution.tier, 1);
  assert.is(execution.ttl, 300);
  assert.is(execution.uses, 1);
  assert.equal(execution.template, { scope: 'tickets:route' });
  assert.equal(duties, { overseers: [OVERSEER], notify: [], notifyBy: null, reviewBy: instant(NOW + 30 * 86_400_000) });
});

decides('permits at tier 2 with people told, and asks where nobody could be', () => {
  const asked = asking('desk-bot', 'service.restart', 'acme');
  assert.equal(permits(asked).oversight.notify, [OVERSEER]);
  const { execution } = asks(asked, policyOf(shipped, {}, false));
  assert.is(execution.tier, 3);
  assert.equal(execution.raised, [{ to: 3, because: 'no_channel' }]);
});

decides('asks, with the rules that want a word, whom, and until the end of its route', () => {
  const { approval } = asks(asking('net-bot', 'firewall.change', 'acme'));
  assert.equal(approval.rules, ['tier-three-asks']);
  assert.is(approval.route, 'client-infrastructure');
  assert.equal(
    approval.steps.map(({ name, within }) => [name, within]),
    [
      ['account-engineer', 900],
      ['on-call-technician', 900],
      ['service-desk-manager', 1800],
    ],
  );
  assert.is(approval.deadline, NOW + 3_600_000);
});

decides('what an agent calls urgent is answered sooner, by the very same people', () => {
  const said = (urgency: string) => asks(asking('net-bot', 'firewall.change', 'acme', { urgency })).approval;
  const [routine, urgent] = [said('routine'), said('urgent')];
  assert.is(routine.deadline, NOW + 60 * 60_000);
  assert.is(urgent.deadline, NOW + 30 * 60_000);
  assert.equal(urgent.approvers, routine.approvers);
});

decides('who is asked as much as may be is passed over, once that is known, and all of them are too many', () => {
  const asked = asking('net-bot', 'firewall.change', 'acme');
  const open = (...names: readonly string[]) => new Map(names.map((name) => [name as PersonName, 20]));
  const { steps } = asks({ ...asked, open: open('sergio') }).approval;
  assert.ok(steps.every(({ asks: persons }) => !persons.includes('sergio' as PersonName)));
  forbids({ ...asked, open: open('sergio', 'nadia', 'paula') }, 'nobody_can_approve');
});

decides('an ask is refused that its route brings to nobody, with why in the ledger', () => {
  const asked = asking('net-bot', 'firewall.change', 'acme');
  const juniors = new Map(['paula', 'sergio', 'nadia'].map((name) => [name, { level: 'technician' as const }]));
  const routes = { ...shipped.routes, people: juniors as never };
  const denied = forbids(asked, 'nobody_can_approve', policyOf({ ...shipped, version: 'juniors', routes }));
  assert.match(denied.because, 'paula level');
  const noRoute = policyOf({ ...shipped, version: 'no routes', routes: NO_ROUTES });
  assert.is(forbids(asked, 'nobody_can_approve', noRoute).because, 'no route');
});

decides('an ask ends with the last who could approve it', () => {
  const ends = instant(NOW + 600_000);
  const approversUntil = withAssignments((held) =>
    held.map((one) => (one.function === 'approval' ? { ...one, until: ends } : one)),
  );
  assert.is(asks(asking('net-bot', 'firewall.change', 'acme', {}, approversUntil)).approval.deadline, ends);
});

decides('an ask ends with the last oversight', () => {
  const ends = instant(NOW + 600_000);
  assert.is(
    asks(asking('net-bot', 'firewall.change', 'acme', {}, overseenBy({ until: ends }))).approval.deadline,
    ends,
  );
});

const INFECTED = {
  resource: 'backups',
  parameters: { job: 'nightly', point: '2026-10-30T02' },
  trigger: { kind: 'alert', reference: 'EDR-3' },
};

const FORBIDDEN: readonly (readonly [what: string, asked: () => Asking, code: string])[] = [
  ['a task class that no role carries', () => asking('triage-bot', 'firewall.change', 'acme'), 'no_role'],
  ['a task class that does not exist', () => asking('triage-bot', 'ticket.burn', 'acme'), 'no_role'],
  ['a role that is not held', () => asking('triage-bot', 'ticket.route', 'acme', { role: 'service-desk' }), 'no_role'],
  ['two roles that would do', () => asking('double-bot', 'ticket.route', 'acme'), 'role_needed'],
  ['no such target', () => asking('triage-bot', 'ticket.route', 'acme', { resource: 'nowhere/1' }), 'target_unknown'],
  [
    'a target of another provider',
    () => asking('triage-bot', 'ticket.route', 'acme', { resource: 'sales/1' }),
    'target_unknown',
  ],
  [
    'a parameter that is not one',
    () => asking('triage-bot', 'ticket.route', 'acme', { parameters: { ticket: 'TCK-1', queue: 'network', also: 1 } }),
    'invalid_parameters',
  ],
  [
    'a parameter beyond its bounds',
    () => asking('patch-bot', 'patch.routine', 'acme', { parameters: { package: 'firefox', endpoints: 5001 } }),
    'invalid_parameters',
  ],
  [
    'a circumstance that the class requires',
    () => asking('desk-bot', 'service.restart', 'acme', { rollback: undefined }),
    'invalid_field',
  ],
  [
    'an empty list of what the class requires',
    () => asking('backup-bot', 'backup.declare-infected', 'parkside-museum', { ...INFECTED, evidence: [] }),
    'invalid_field',
  ],
  [
    'nobody could approve what asks',
    () => asking('net-bot', 'firewall.change', 'acme', {}, withoutApproval),
    'nobody_can_approve',
  ],
  ['nobody oversees', () => asking('triage-bot', 'ticket.route', 'acme', {}, withoutOversight), 'nobody_oversees'],
  [
    'the owner alone oversees',
    () => asking('triage-bot', 'ticket.route', 'acme', {}, overseenBy({ holder: { kind: 'person', name: OWNER } })),
    'nobody_oversees',
  ],
  [
    'an oversight that ended just now',
    () => asking('triage-bot', 'ticket.route', 'acme', {}, overseenBy({ until: NOW })),
    'nobody_oversees',
  ],
  [
    'an agent cannot oversee',
    () =>
      asking(
        'triage-bot',
        'ticket.route',
        'acme',
        {},
        overseenBy({ holder: { kind: 'agent', name: 'triage-bot' as AgentName } }),
      ),
    'nobody_oversees',
  ],
  [
    'a role called oversight that the bundle has otherwise',
    () => asking('triage-bot', 'ticket.route', 'acme', {}, overseenBy({ role: 'approver' as RoleName })),
    'nobody_oversees',
  ],
  [
    'an agent that is disabled',
    () => asking('triage-bot', 'ticket.route', 'acme', {}, withAgent({ active: false })),
    'invalid_client',
  ],
  [
    'an agent that is only planned',
    () => asking('triage-bot', 'ticket.route', 'acme', {}, withAgent({ kind: 'planned' })),
    'invalid_client',
  ],
  [
    'an assignment that ended just now (47)',
    () => asking('triage-bot', 'ticket.route', 'acme', {}, executionUntil(0)),
    'no_role',
  ],
  [
    'an assignment that ends too soon for any lease (47)',
    () => asking('triage-bot', 'ticket.route', 'acme', {}, executionUntil(9_000)),
    'ttl_not_possible',
  ],
  ['less than the provider can', () => asking('triage-bot', 'ticket.route', 'acme', { ttl: 5 }), 'ttl_not_possible'],
  [
    'an execution role given under another function',
    () =>
      asking(
        'triage-bot',
        'ticket.route',
        'acme',
        {},
        withAssignments((held) => held.map((one) => ({ ...one, function: 'oversight' as const }))),
      ),
    'no_role',
  ],
];

for (const [what, asked, code] of FORBIDDEN) {
  decides(`forbids: ${what}`, () => {
    const reason = forbids(asked(), code);
    assert.equal(reason.rules, []);
    assert.is(reason.policy, shipped.version);
  });
}

decides('says of a parameter that is not one that there is none of that name', () => {
  const parameters = { ticket: 'TCK-1', queue: 'network', also: 1 };
  const reason = forbids(asking('triage-bot', 'ticket.route', 'acme', { parameters }), 'invalid_parameters');
  assert.is(reason.detail, 'the parameters do not fit ticket.route: it takes no such parameter');
  assert.is(reason.path, 'parameters.also');
});

decides('forbids by a rule, naming it to the ledger and a way out to the agent', () => {
  const reason = forbids(asking('advisor', 'ticket.route', 'acme'), 'forbidden_by_rule');
  assert.equal(reason.rules, ['advisory-agents-read-only']);
  assert.match(reason.hint ?? '', /propose the change to a person/);
  assert.not.match(reason.detail, /advisory-agents/);
});

decides('forbids everything while issuing is stopped, and for an owner who is gone', () => {
  const asked = asking('triage-bot', 'ticket.route', 'acme');
  const { deployment } = asked.snapshot;
  const stopped = { ...asked, snapshot: { ...asked.snapshot, deployment: { ...deployment, stopped: 'recovery' } } };
  forbids(stopped, 'issuing_stopped');
  const persons = new Map(
    [...deployment.persons].map(([name, person]) => [name, { ...person, active: name !== OWNER }]),
  );
  forbids({ ...asked, snapshot: { ...asked.snapshot, deployment: { ...deployment, persons } } }, 'owner_gone');
});

decides('who administers the deployment oversees nowhere', () => {
  const asked = asking('triage-bot', 'ticket.route', 'acme');
  const administration: Assignment = {
    id: 'asg' as AssignmentId,
    tenant: null,
    holder: { kind: 'person', name: OVERSEER },
    role: 'administrator' as RoleName,
    function: 'administration',
    until: null,
    reviewer: null,
  };
  const deployment = { ...asked.snapshot.deployment, assignments: [administration] };
  forbids({ ...asked, snapshot: { ...asked.snapshot, deployment } }, 'nobody_oversees');
});

decides('a role that is not for this tenant carries nothing here', () => {
  const asked = asking('report-bot', 'report.query', 'acme');
  const tenant = { ...asked.snapshot.tenant, name: 'oldmill' as TenantName };
  permits(asked);
  forbids({ ...asked, snapshot: { ...asked.snapshot, tenant } }, 'no_role');
});

// What the agent says of itself (43).

decides('43: staging said of a production target lowers nothing, and asks', () => {
  asks(asking('desk-bot', 'service.restart', 'ledgerline', { environment: 'staging' }));
  asks(asking('triage-bot', 'ticket.route', 'acme', { environment: 'staging' }));
  assert.is(permits(asking('triage-bot', 'ticket.route', 'acme', { environment: 'production' })).execution.tier, 1);
});

decides('43: an environment that nobody registered is production', () => {
  const unknown = withTarget('staging', { environment: 'unknown' });
  permits(asking('desk-bot', 'service.restart', 'ledgerline', { resource: 'staging/print-1' }));
  asks(asking('desk-bot', 'service.restart', 'ledgerline', { resource: 'staging/print-1' }, unknown));
});

decides('43: no data said of a target that holds some hides none; more data is looked at', () => {
  const records = { resource: 'records/one', parameters: {} };
  const rules = ['personal-data-asks'];
  assert.equal(
    asks(asking('report-bot', 'report.query', 'northwind-clinic', { ...records, data_classes: [] })).approval.rules,
    rules,
  );
  forbids(asking('report-bot', 'report.query', 'acme', { data_classes: ['credentials'] }), 'forbidden_by_rule');
});

decides('43: certainty lowers nothing, doubt raises', () => {
  assert.is(permits(asking('triage-bot', 'ticket.route', 'acme', { confidence: 1 })).execution.tier, 1);
  asks(asking('triage-bot', 'ticket.route', 'acme', { confidence: 0.69 }));
  asks(asking('triage-bot', 'ticket.route', 'oldmill', { confidence: 1 }));
});

decides('43: what the credential does not hold the agent to is marked', () => {
  const asked = asking('triage-bot', 'ticket.route', 'acme');
  assert.equal(permits(asked).execution.notEnforced, ['ticket', 'queue', 'resource']);
  assert.equal(permits(asked, policyOf(shipped, { enforces: ['resource', 'ticket'] })).execution.notEnforced, [
    'queue',
  ]);
});

decides('what is too long is told so, though it fits no pattern either', () => {
  const parameters = { ticket: `TCK-${'1'.repeat(20)}`, queue: 'network' };
  const { detail, path } = forbids(asking('triage-bot', 'ticket.route', 'acme', { parameters }), 'invalid_parameters');
  assert.match(detail, /too long/);
  assert.is(path, 'parameters.ticket');
});

// Contract and autonomy.

decides('the contract is a ceiling on autonomy', () => {
  const at = (terms: Parameters<typeof withTerms>[0]) =>
    asking('triage-bot', 'ticket.route', 'acme', {}, withTerms(terms));
  assert.is(permits(at('autonomous')).execution.tier, 1);
  assert.is(permits(at('notify')).execution.tier, 2);
  assert.is(asks(at('ask-always')).execution.tier, 3);
  assert.is(asks(at(null)).execution.tier, 3);
  forbids(at('advise-only'), 'forbidden_by_rule');
});

decides('autonomy is enforced', () => {
  const by = (autonomy: Agent['autonomy']) =>
    asking('backup-bot', 'backup.inspect', 'acme', { parameters: {} }, withAgent({ autonomy }));
  assert.is(permits(by('autonomous')).execution.tier, 1);
  assert.is(permits(by('semi-autonomous')).execution.tier, 2);
  assert.is(permits(by('advisory')).execution.tier, 2);
});

// How long, and how often.

const NARROWED: readonly (readonly [
  what: string,
  more: object,
  change: Change | undefined,
  ttl: number,
  by: string,
])[] = [
  ['by the role', { ttl: 900 }, undefined, 300, 'task:ticket.route'],
  ['by the end of the assignment (47)', {}, executionUntil(60_500), 60, 'end of the assignment'],
  [
    'by the end of the last oversight',
    {},
    overseenBy({ until: instant(NOW + 90_000) }),
    90,
    'end of the last oversight',
  ],
];

for (const [what, more, change, ttl, by] of NARROWED) {
  decides(`a TTL is narrowed ${what}`, () => {
    const { execution } = permits(asking('triage-bot', 'ticket.route', 'acme', more, change));
    assert.is(execution.ttl, ttl);
    assert.equal(
      execution.narrowed.map(({ what: of, given, by: cause }) => [of, given, cause]),
      [['ttl', ttl, by]],
    );
  });
}

decides('a TTL is narrowed by the provider and by the exception that a key stands on', () => {
  const asked = asking('triage-bot', 'ticket.route', 'acme');
  assert.is(permits(asked, policyOf(shipped, { longest: seconds(60) })).execution.ttl, 60);
  const exception = { reason: 'one key', author: 'alice' as OperatorName, until: instant(NOW + 45_000) };
  const enrolment = { ...asked.principal.enrolment, exception };
  const agents = new Map([[asked.principal.agent.name, { agent: asked.principal.agent, enrolment }]]);
  assert.is(permits({ ...asked, snapshot: { ...asked.snapshot, agents } }).execution.ttl, 45);
});

decides('uses are one unless the class says more, and are refused where nobody can count', () => {
  const asked = asking('triage-bot', 'ticket.route', 'acme', { uses: 5 });
  const { execution } = permits(asked);
  assert.is(execution.uses, 1);
  assert.equal(execution.narrowed, [{ what: 'uses', asked: 5, given: 1, by: 'task:ticket.route' }]);
  const uncounted = policyOf(shipped, { countsUses: false });
  forbids(asked, 'uses_not_countable', uncounted);
  assert.is(permits(asking('triage-bot', 'ticket.route', 'acme'), uncounted).execution.usesCounted, false);
});

// What a task class says of itself.

/** @param more files beside. */
const withField = (task: string, field: string, more: BundleFiles = {}): Bundle => {
  const tasks = shippedBut({})['tasks.yaml'] ?? '';
  return load(shippedBut({ 'tasks.yaml': tasks.replace(`  ${task}:\n`, (name) => `${name}    ${field}\n`), ...more }));
};

decides('a role’s own ceilings narrow what its class would give', () => {
  const triage = shipped.roles.get('triage' as RoleName);
  if (triage === undefined) throw new Error('the bundle has no such role');
  const task = { ttl: seconds(300), uses: 5 };
  const policy = (ceilings: typeof task) => {
    const bundle = withField('ticket.route', 'ceilings: { ttl: 300, uses: 5 }');
    return policyOf({ ...bundle, roles: new Map([...bundle.roles, [triage.name, { ...triage, ceilings }]]) });
  };
  const given = (ceilings: typeof task) => {
    const asked = asking('triage-bot', 'ticket.route', 'acme', { ttl: 300, uses: 5 });
    const { execution } = permits(asked, policy(ceilings));
    return execution.narrowed.map(({ what, given: left, by }) => [what, left, by]);
  };
  assert.equal(given(task), []);
  assert.equal(given({ ...task, ttl: seconds(60) }), [['ttl', 60, 'role:triage']]);
  assert.equal(given({ ...task, uses: 2 }), [['uses', 2, 'role:triage']]);
});

const PROMOTED = "promotion: { evidence: 'a quiet year', decider: sam, tier: 1, until: 2026-11-03 }";
const PROMOTION_ENDS = Date.UTC(2026, 10, 3);

decides('a promotion lowers by a tier, and what rests on it ends with it', () => {
  const policy = policyOf(withField('service.restart', PROMOTED));
  const asked = asking('desk-bot', 'service.restart', 'acme');
  assert.is(permits(asked, policy).execution.tier, 1);
  const { execution } = permits({ ...asked, now: instant(PROMOTION_ENDS - 60_000) }, policy);
  assert.is(execution.ttl, 60);
  assert.is(execution.narrowed[0]?.by, 'end of the promotion');
});

decides('a promotion that has ended lowers and ends nothing', () => {
  const policy = policyOf(withField('service.restart', PROMOTED));
  const asked = { ...asking('desk-bot', 'service.restart', 'acme'), now: instant(PROMOTION_ENDS) };
  const { tier, ttl, narrowed } = permits(asked, policy).execution;
  assert.equal({ tier, ttl, narrowed }, { tier: 2, ttl: 300, narrowed: [] });
});

decides('what is for people alone no agent gets, with the role or without, and nobody is asked', () => {
  const policy = policyOf(withField('firewall.change', 'human_only: true'));
  forbids(asking('net-bot', 'firewall.change', 'acme'), 'humans_only', policy);
  forbids(asking('triage-bot', 'firewall.change', 'acme'), 'humans_only', policy);
});

decides('data that a task class touches counts as data behind the target', () => {
  const routes = shippedBut({})['routes.yaml'] ?? '';
  const routed = { 'routes.yaml': routes.replace('tasks:\n', 'tasks:\n  ticket.route: { kind: data }\n') };
  const policy = policyOf(withField('ticket.route', 'touches: [pii]', routed));
  const { approval, execution } = asks(asking('triage-bot', 'ticket.route', 'acme'), policy);
  assert.equal(approval.rules, ['personal-data-asks', 'tier-three-asks']);
  assert.is(execution.tier, 3);
});

decides('rules see what a class changes, contains and leaves', () => {
  const seen = `@id("seen") @reason("They see it.") forbid (principal, action, resource)
when { context.changes.contains("firewall") && context.containment && context.leaves_objects };`;
  const tasks = (shippedBut({})['tasks.yaml'] ?? '').replace(
    'changes: [firewall]',
    'changes: [firewall]\n    containment: true\n    leaves_objects: true',
  );
  const asked = asking('net-bot', 'firewall.change', 'acme');
  asks(asked, policyOf(load(shippedBut({ 'rules/seen.cedar': seen }))));
  const policy = policyOf(load(shippedBut({ 'rules/seen.cedar': seen, 'tasks.yaml': tasks })));
  assert.equal(forbids(asked, 'forbidden_by_rule', policy).rules, ['seen', 'tier-three-asks']);
});

// What is new at a tenant.

const withAcceptance =
  (change: Partial<Acceptance> | null): Change =>
  (asked) => {
    const { name } = asked.principal.agent;
    const before = asked.snapshot.acceptances.get(name);
    if (before === undefined) throw new Error('the example was not accepted');
    const acceptances = new Map(change === null ? [] : [[name, { ...before, ...change }]]);
    return { ...asked, snapshot: { ...asked.snapshot, acceptances } };
  };

const NEW: readonly (readonly [what: string, change: Change])[] = [
  ['an agent', withAcceptance(null)],
  ['a task class', withAcceptance({ tasks: ['ticket.categorize' as TaskName] })],
  ['a model', withAcceptance({ model: 'another' })],
  ['a version of its model', withAcceptance({ modelVersion: '2' })],
];

for (const [what, change] of NEW) {
  decides(`${what} that is new at a tenant asks`, () => {
    permits(asking('triage-bot', 'ticket.route', 'acme'));
    const { execution } = asks(asking('triage-bot', 'ticket.route', 'acme', {}, change));
    assert.equal([execution.tier, execution.raised], [3, [{ to: 3, because: 'probation' }]]);
  });
}

// What has tripped, and whose model the contract takes.

const withTrip =
  (change: Partial<Trip>): Change =>
  (asked) => {
    const trip: Trip = {
      id: 'trp_x' as TripId,
      tenant: asked.principal.tenant,
      agent: asked.principal.agent.name,
      task: asked.request.task,
      breaker: 'failures',
      signal: 'failed',
      to: 'ask',
      counts: {},
      from: NOW,
      block: null,
      ...change,
    };
    return { ...asked, snapshot: { ...asked.snapshot, trips: [trip] } };
  };

decides('a breaker that has tripped asks of its own agent and task class alone', () => {
  const { execution } = asks(asking('triage-bot', 'ticket.route', 'acme', {}, withTrip({})));
  assert.equal(execution.raised, [{ to: 3, because: 'breaker:trp_x' }]);
  permits(asking('triage-bot', 'ticket.route', 'acme', {}, withTrip({ agent: 'desk-bot' as AgentName })));
  permits(asking('triage-bot', 'ticket.route', 'acme', {}, withTrip({ task: 'ticket.note' as TaskName })));
});

decides('a model that the contract does not name asks', () => {
  const unnamed: Change = (asked) => {
    const { tenant } = asked.snapshot;
    const { terms } = tenant.context;
    if (terms === null) throw new Error('no terms to change');
    const context = { ...tenant.context, terms: { ...terms, models: [] } };
    return { ...asked, snapshot: { ...asked.snapshot, tenant: { ...tenant, context } } };
  };
  const { execution } = asks(asking('triage-bot', 'ticket.route', 'acme', {}, unnamed));
  assert.equal(execution.raised, [{ to: 3, because: 'model:not_accepted' }]);
});

decides('an acceptance goes below no floor', () => {
  assert.is(asks(asking('net-bot', 'firewall.change', 'acme')).execution.tier, 3);
});

// Two roles that carry it.

decides('of two roles one that permits decides, though the other would ask', () => {
  const wary = `@id("desk-asks") @reason("For a test.") @obligation("approval")
forbid (principal == Role::"service-desk", action, resource) unless { context.approved };`;
  const policy = policyOf(load(withoutCases({ 'rules/wary.cedar': wary })));
  const either = asking('double-bot', 'ticket.route', 'acme');
  assert.is(permits(either, policy).execution.role, 'triage');
  asks(asking('double-bot', 'ticket.route', 'acme', { role: 'service-desk' }), policy);
});

// Rules that go wrong.

const faulty = `@id("errs") @reason("It overflows.") forbid (principal, action, resource)
when { context.tier + 9223372036854775807 > 0 };`;

decides('19: a rule that errs denies, even one that would forbid', () => {
  const policy = policyOf(load(shippedBut({ 'rules/faulty.cedar': faulty })));
  const reason = forbids(asking('triage-bot', 'ticket.route', 'acme'), 'policy_fault', policy);
  assert.match(reason.because, /errs: .*overflow/);
});

decides('19: a rule that errs once there is an approval is no ask', () => {
  const later = faulty.replace('when {', 'when { context.approved &&');
  const policy = policyOf(load(withoutCases({ 'rules/faulty.cedar': later })));
  forbids(asking('net-bot', 'firewall.change', 'acme'), 'policy_fault', policy);
  permits(asking('triage-bot', 'ticket.route', 'acme'), policy);
});

decides('42: a rule that asks does not make an ask for an agent with no right', () => {
  const text = shippedBut({})['rules/work.cedar']?.replace(/@id\("network-changes-firewalls"\)[^;]*;/, '') ?? '';
  const policy = policyOf(load(shippedBut({ 'rules/work.cedar': text, 'cases/infrastructure.yaml': null })));
  forbids(asking('net-bot', 'firewall.change', 'acme'), 'not_permitted', policy);
});

decides('42: a deny without reasons is no ask', () => {
  const none = {
    'rules/work.cedar': null,
    'rules/standard.cedar': null,
    'rules/data.cedar': null,
    'rules/regulations.cedar': null,
  };
  const policy = policyOf(load(withoutCases(none)));
  assert.equal(forbids(asking('triage-bot', 'ticket.route', 'acme'), 'not_permitted', policy).rules, []);
});

decides('42: a permit that wants an approval, with no rule that asks for one, is no ask', () => {
  const text = shippedBut({})['rules/work.cedar']?.replace(
    'when { context.kind == "ticket" }',
    'when { context.approved }',
  );
  const policy = policyOf(load(withoutCases({ 'rules/work.cedar': text ?? '' })));
  assert.equal(forbids(asking('triage-bot', 'ticket.route', 'acme'), 'not_permitted', policy).rules, []);
});

decides('tier 3 permitted by a bundle without its standard rule is a fault', () => {
  const policy = policyOf(load(withoutCases({ 'rules/standard.cedar': null })));
  const reason = forbids(asking('net-bot', 'firewall.change', 'acme'), 'policy_fault', policy);
  assert.match(reason.because, /tier 3/);
});

decides('a rule of one tenant holds at that tenant alone', () => {
  forbids(asking('scribe', 'kb.publish', 'ledgerline'), 'forbidden_by_rule');
  permits(asking('scribe', 'kb.publish', 'acme'));
});

decides('the same request on the same facts is the same decision', () => {
  const asked = asking('desk-bot', 'service.restart', 'acme');
  const evaluated = { ...policyOf(), rulebook: createRulebook(engine, { keepAnswers: false }) };
  const [first, second] = [decide(evaluated, asked), decide(evaluated, asked)];
  assert.is(JSON.stringify(first), JSON.stringify(second));
});

function withoutCases(changes: Readonly<Record<string, string | null>>) {
  const cases = Object.keys(shippedBut({})).filter((path) => path.startsWith('cases/'));
  return shippedBut({ ...changes, ...Object.fromEntries(cases.map((path) => [path, null])) });
}

decides.run();
