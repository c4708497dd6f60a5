/** What is live, looked at again: whether it would be given today as it is. Also what ends with its policy. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ApprovalId, RoleName, SituationId } from '../../src/core/ids.ts';
import type { Situation } from '../../src/core/registers.ts';
import { after, seconds } from '../../src/core/time.ts';
import type { Asking } from '../../src/decide/admit.ts';
import type { Bundle } from '../../src/decide/bundle.ts';
import type { TaskClass } from '../../src/decide/bundle/model.ts';
import type { Policy } from '../../src/decide/decide.ts';
import { whyNotStill } from '../../src/decide/still.ts';
import type { Living } from '../../src/decide/still.ts';
import { asking, forbids, load, NOW, OVERSEER, permits, policyOf, shippedBut } from './world.ts';

const ROUTE: Asking = asking('triage-bot', 'ticket.route', 'acme');
const GIVEN = permits(ROUTE).execution;
const LIVING: Living = {
  lease: {
    agent: ROUTE.principal.agent.name,
    approval: null,
    role: 'triage' as RoleName,
    openedAt: NOW,
    expiresAt: after(NOW, GIVEN.ttl),
  },
  request: ROUTE.request,
  template: GIVEN.template,
  ordered: false,
};

/** The shipped bundle without its cases, which would notice, and with more of its own. */
const bundle = (more: Record<string, string> = {}): Bundle =>
  load(
    shippedBut({
      ...Object.fromEntries(
        ['context', 'data', 'infrastructure', 'knowledge', 'services', 'tickets', 'tiers'].map((name) => [
          `cases/${name}.yaml`,
          null,
        ]),
      ),
      ...more,
    }),
  );
const rule = (id: string, more = ''): string => `
@id("${id}") @reason("For a test.") ${more}
forbid (principal, action == Action::"perform", resource == Task::"ticket.route")`;
const ROUTES_NOTHING = bundle({ 'rules/test.cedar': `${rule('routes-nothing')};` });
const ASKS = bundle({
  'rules/test.cedar': `${rule('routes-asked', '@obligation("approval")')} unless { context.approved };`,
});

const still = suite('what is live');

const lease = (more: Partial<Living['lease']>): Living => ({ ...LIVING, lease: { ...LIVING.lease, ...more } });
const LATER = after(NOW, seconds(100));

const CASES: readonly (readonly [what: string, living: Living, policy: Policy, why: string | null])[] = [
  ['would be given as it is', LIVING, policyOf(), null],
  ['is forbidden now', LIVING, policyOf(ROUTES_NOTHING), 'forbidden_by_rule'],
  ['would have to ask now', LIVING, policyOf(ASKS), 'asks'],
  ['asked, and a person said yes', lease({ approval: 'apr_x' as ApprovalId }), policyOf(ASKS), null],
  [
    'was minted with another template',
    { ...LIVING, template: { scope: 'everything' } },
    policyOf(),
    'minted_otherwise',
  ],
  ['was minted with nobody knows what', { ...LIVING, template: null }, policyOf(), 'minted_otherwise'],
  ['outlives what would be given', lease({ expiresAt: after(NOW, seconds(3000)) }), policyOf(), 'lives_longer'],
  [
    'is of an agent that is not there any more',
    lease({ agent: 'gone' as Living['lease']['agent'] }),
    policyOf(),
    'unknown_agent',
  ],
  ['was given under another role', lease({ role: 'reporting' as RoleName }), policyOf(), 'no_role'],
];
for (const [what, living, policy, why] of CASES) {
  still(`${what}: ${why ?? 'it lives on'}`, () => {
    assert.is(whyNotStill(policy, living, { snapshot: ROUTE.snapshot, now: NOW }), why);
  });
}

still('lives on though less time is left for a new one, since its own end has not moved', () => {
  const ends = after(NOW, seconds(120));
  const assignments = ROUTE.snapshot.assignments.map((one) => ({ ...one, until: ends }));
  const snapshot = { ...ROUTE.snapshot, assignments };
  const living = lease({ expiresAt: ends });
  assert.is(whyNotStill(policyOf(), living, { snapshot, now: LATER }), null);
});

still.run();

const next = suite('a policy that is known to end');

const TWICE: Asking = asking('triage-bot', 'ticket.route', 'acme', { uses: 2 });

/** @param version of its own: answers are kept by it. */
function routing(version: string, change: Partial<TaskClass>, loaded = bundle()): Bundle {
  const task = loaded.tasks.get(ROUTE.request.task);
  if (task === undefined) throw new Error('the bundle has no such class');
  const changed = { ...task, ceilings: { ...task.ceilings, uses: 2 }, ...change };
  return { ...loaded, version, tasks: new Map([...loaded.tasks, [task.name, changed]]) };
}
const NOW_GIVEN = routing('now', {});

const LESS: readonly (readonly [what: string, bundle: Bundle])[] = [
  ['forbids it', routing('forbidden', {}, ROUTES_NOTHING)],
  ['asks for it', routing('asked', {}, ASKS)],
  ['does something else with it', routing('otherwise', { template: { scope: 'tickets:read' } })],
  ['holds it to a higher tier', routing('told', { tier: 2 })],
  ['gives it for a shorter time', routing('shorter', { ceilings: { ttl: seconds(60), uses: 2 } })],
  ['gives it for fewer uses', routing('rarer', { ceilings: { ttl: GIVEN.ttl, uses: 1 } })],
];
for (const [what, then] of LESS) {
  next(`gives nothing that outlives it, where the one that follows ${what}`, () => {
    const { execution } = permits(TWICE, { ...policyOf(NOW_GIVEN), next: { bundle: then, at: LATER } });
    assert.equal([execution.ttl, execution.uses], [100, 2]);
    assert.is(execution.narrowed.at(0)?.by, 'end of the widening');
  });
}

const coming = (kind: Situation['kind'], begins: number): Asking => {
  const situation: Situation = {
    id: 'sit_x' as SituationId,
    tenant: ROUTE.principal.tenant,
    kind,
    resource: ROUTE.request.resource,
    from: after(NOW, seconds(begins)),
    until: after(NOW, seconds(900)),
    askWithin: null,
    author: OVERSEER,
  };
  return { ...ROUTE, snapshot: { ...ROUTE.snapshot, situations: [situation] } };
};

for (const [what, begins, ttl] of [
  ['a refusal that comes first', 50, 50],
  ['its own end, where a refusal comes after', 200, 100],
] as const) {
  next(`cuts what it gives at ${what}`, () => {
    const policy = { ...policyOf(bundle()), next: { bundle: ROUTES_NOTHING, at: LATER } };
    assert.is(permits(coming('data-subject-request', begins), policy).execution.ttl, ttl);
  });
}

next('or not: what a rule will ask about is given until then', () => {
  const asksThen = rule('freezes-ask', '@obligation("approval")').replace(/\)$/, ')\nwhen { context.frozen }');
  const policy = policyOf(bundle({ 'rules/test.cedar': `${asksThen} unless { context.approved };` }));
  assert.is(permits(coming('freeze', 50), policy).execution.ttl, 50);
});

next('cuts nothing short that the one that follows gives as well', () => {
  const { execution } = permits(TWICE, { ...policyOf(NOW_GIVEN), next: { bundle: NOW_GIVEN, at: LATER } });
  assert.is(execution.ttl, GIVEN.ttl);
});

next('gives nothing in its last moment, when no time is left', () => {
  const at = after(NOW, seconds(1));
  forbids(ROUTE, 'ttl_not_possible', { ...policyOf(bundle()), next: { bundle: ROUTES_NOTHING, at } });
});

next.run();
