/** What must hold of any bundle and any request, looked for by chance. */
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { canonicalDigest } from '../../src/core/canonical.ts';
import { DATA_CLASSES, LEGAL_BASES, SITUATION_KINDS } from '../../src/core/registers.ts';
import type { Situation } from '../../src/core/registers.ts';
import { instant, seconds } from '../../src/core/time.ts';
import type { Asking } from '../../src/decide/admit.ts';
import { decide } from '../../src/decide/decide.ts';
import type { Policy } from '../../src/decide/decide.ts';
import type { Decision } from '../../src/decide/decision.ts';
import { publicDecision } from '../../src/decide/record.ts';
import { createRulebook } from '../../src/decide/rulebook.ts';
import { NOW, OWNER, asking, engine, load, policyOf, shipped, shippedBut } from './world.ts';

/** Agents that hold one role, so that nothing but the rules decides which answer there is. */
const WHO: readonly (readonly [agent: string, task: string])[] = [
  ['triage-bot', 'ticket.route'],
  ['desk-bot', 'ticket.categorize'],
  ['desk-bot', 'service.restart'],
  ['scribe', 'kb.publish'],
  ['report-bot', 'report.query'],
  ['patch-bot', 'patch.routine'],
  ['net-bot', 'firewall.change'],
  ['advisor', 'ticket.route'],
];
const TENANTS = ['acme', 'northwind-clinic', 'ledgerline', 'ironforge', 'eurolane', 'parkside-museum', 'oldmill'];

const claims = fc.record(
  {
    environment: fc.constantFrom('staging', 'production', 'test'),
    confidence: fc.double({ min: 0, max: 1, noNaN: true }),
    model: fc.constantFrom('sorter', 'writer', 'other'),
    model_version: fc.constantFrom('3', '2', '99'),
    data_classes: fc.uniqueArray(fc.constantFrom(...DATA_CLASSES)),
    purpose: fc.constantFrom('because', 'no PHI here'),
    legal_basis: fc.constantFrom(...LEGAL_BASES),
    trigger: fc.constant({ kind: 'ticket', reference: 'TCK-1' }),
    plan: fc.constant('approved by everybody'),
  },
  { requiredKeys: [] },
);

/** The target that the task class's usual request names stands at acme alone; here each tenant has it. */
function anywhere(agent: string, task: string, tenant: string, more: object = {}): Asking {
  const home = asking(agent, task, 'acme', more);
  const away = asking(agent, task, tenant, more);
  // What no agent may touch would leave nothing to look at.
  const data = away.snapshot.tenant.context.dataClasses.filter((held) => held !== 'cardholder' && tenant !== 'acme');
  const targets = [...home.snapshot.targets].map(([name, target]) => [name, { ...target, dataClasses: data }] as const);
  return { ...away, snapshot: { ...away.snapshot, targets: new Map([...targets, ...away.snapshot.targets]) } };
}

const who = fc.constantFrom(...WHO);
const where = fc.constantFrom(...TENANTS);
const RANK: Readonly<Record<Decision['effect'], number>> = { permit: 0, ask: 1, forbid: 2 };
const tierOf = (decision: Decision): number => (decision.effect === 'forbid' ? 4 : decision.execution.tier);

const condition = fc.constantFrom(
  'true',
  'context.tier >= 2',
  'context.environment == "production"',
  'context.data.contains("phi")',
  'context.regulations.containsAny(["sox", "gdpr"])',
  'context.kind == "ticket"',
  'principal == Role::"service-desk"',
  'resource == Task::"report.query"',
  'context.approved',
  '!context.approved',
  'context.parameters has endpoints && context.parameters.endpoints > 3',
  'context.tier * 9223372036854775807 > 0',
);
const obligation = fc.constantFrom('', '@obligation("approval")');
const added = fc.array(fc.tuple(condition, obligation), { minLength: 1, maxLength: 3 });

function withForbids(forbids: readonly (readonly [string, string])[]): Policy {
  const text = forbids.map(
    ([when, annotation], at) =>
      `@id("added-${at}") @reason("By chance.") ${annotation} forbid (principal, action, resource) when { ${when} };`,
  );
  const source = { file: 'rules/added.cedar', text: text.join('\n') };
  const checked = engine.check(shipped.schema, [source]);
  if (!checked.ok) throw new Error(checked.error.map(({ what }) => what).join('; '));
  const more = checked.value.map((rule) => [rule.name, rule] as const);
  // What is read of the rest is the same each time.
  return policyOf({
    ...shipped,
    version: canonicalDigest(source.text),
    shared: [...shipped.shared, source],
    rules: new Map([...shipped.rules, ...more]),
  });
}

const properties = suite('decide/properties');
const usual = policyOf();

properties('a forbid that is added never permits more', () => {
  let tightened = 0;
  fc.assert(
    fc.property(added, fc.array(fc.tuple(who, where, claims), { minLength: 4, maxLength: 12 }), (forbids, requests) => {
      const stricter = withForbids(forbids);
      for (const [[agent, task], tenant, said] of requests) {
        const asked = anywhere(agent, task, tenant, said);
        const [before, after] = [decide(usual, asked).effect, decide(stricter, asked).effect];
        if (before !== after) tightened++;
        assert.ok(RANK[after] >= RANK[before]);
      }
    }),
    { numRuns: 30 },
  );
  assert.ok(tightened > 10, `only ${tightened} were tightened`);
});

properties('a claim by the caller lowers neither the tier nor the answer', () => {
  fc.assert(
    fc.property(who, where, claims, fc.boolean(), ([agent, task], tenant, said, channels) => {
      const policy = { ...usual, channels };
      const silent = decide(policy, anywhere(agent, task, tenant));
      const claimed = decide(policy, anywhere(agent, task, tenant, said));
      assert.ok(RANK[claimed.effect] >= RANK[silent.effect]);
      assert.ok(tierOf(claimed) >= tierOf(silent));
    }),
    { numRuns: 200 },
  );
});

/** Open now, or beginning within the time that a credential lives. */
const situations = fc.array(
  fc
    .record({
      kind: fc.constantFrom(...SITUATION_KINDS),
      from: fc.integer({ min: -600, max: 600 }),
      lasts: fc.integer({ min: 1, max: 1200 }),
      target: fc.constantFrom('service-desk', 'servers', 'sales', 'firewall'),
    })
    .map(({ kind, from, lasts, target }): Omit<Situation, 'tenant'> => ({
      id: `sit-${from}-${lasts}` as Situation['id'],
      kind,
      resource: kind === 'data-subject-request' ? target : null,
      from: instant(NOW + from * 1000),
      until: instant(NOW + (from + lasts) * 1000),
      askWithin: kind === 'incident' ? seconds(300) : null,
      author: OWNER,
    })),
  { minLength: 1, maxLength: 3 },
);

properties('what holds for the time being never permits more, nor lets anything outlast it', () => {
  let heldBack = 0;
  const brief = policyOf(shipped, { shortest: seconds(0) });
  fc.assert(
    fc.property(who, situations, ([agent, task], open) => {
      const calm = anywhere(agent, task, 'acme');
      const here = open.map((one): Situation => ({ ...one, tenant: calm.snapshot.tenant.name }));
      const stirred = { ...calm, snapshot: { ...calm.snapshot, situations: here } };
      const [before, now] = [decide(usual, calm), decide(usual, stirred)];
      assert.ok(RANK[now.effect] >= RANK[before.effect]);
      assert.ok(tierOf(now) >= tierOf(before));
      if (now.effect !== before.effect) heldBack++;
      if (now.effect !== 'permit') return;
      // At its last moment the same would still be permitted.
      const last = instant(NOW + now.execution.ttl * 1000 - 1);
      const later = { ...stirred, now: last, request: { ...stirred.request, ttl: null } };
      const then = decide(brief, later);
      assert.ok(then.effect === 'permit' || (then.effect === 'forbid' && then.reason.code === 'ttl_not_possible'));
    }),
    { numRuns: 200 },
  );
  assert.ok(heldBack > 10, `only ${heldBack} were held back`);
});

properties('an agent with no right at all is never said to ask', () => {
  const rules = (shippedBut({})['rules/work.cedar'] ?? '').replace(/@id[^;]*?permit[^;]*;/g, '');
  const rightless = policyOf(load(shippedBut({ 'rules/work.cedar': rules, ...withoutCases() })));
  fc.assert(
    fc.property(who, where, claims, fc.boolean(), ([agent, task], tenant, said, channels) => {
      assert.is(decide({ ...rightless, channels }, anywhere(agent, task, tenant, said)).effect, 'forbid');
    }),
    { numRuns: 150 },
  );
});

properties('a rule that errs permits nothing', () => {
  const erring = withForbids([['context.tier * 9223372036854775807 * 2 > 0', '']]);
  fc.assert(
    fc.property(who, where, claims, ([agent, task], tenant, said) => {
      assert.is(decide(erring, anywhere(agent, task, tenant, said)).effect, 'forbid');
    }),
    { numRuns: 100 },
  );
});

properties('nothing is wider than the least of what it rests on', () => {
  const ends = fc.option(fc.integer({ min: -10, max: 4000 }), { nil: null });
  const numbers = fc.integer({ min: 1, max: 4000 });
  let granted = 0;
  fc.assert(
    fc.property(who, fc.option(numbers), ends, ends, numbers, numbers, ([agent, task], ttl, mine, theirs, a, b) => {
      const [shortest, longest] = [Math.min(a, b), Math.max(a, b)];
      const asked = anywhere(agent, task, 'acme', ttl === null ? {} : { ttl });
      const until = (s: number | null) => (s === null ? null : instant(NOW + s * 1000));
      const assignments = asked.snapshot.assignments.map((held) => ({
        ...held,
        until: until(held.function === 'oversight' ? theirs : mine),
      }));
      const policy = policyOf(shipped, { shortest: seconds(shortest), longest: seconds(longest) });
      const decision = decide(policy, { ...asked, snapshot: { ...asked.snapshot, assignments } });
      if (decision.effect === 'forbid') return;
      granted++;
      const { execution } = decision;
      const role = shipped.roles.get(execution.role)?.ceilings;
      const ceilings = shipped.tasks.get(execution.task)?.ceilings;
      const limits = [ttl, mine, theirs, longest, role?.ttl, ceilings?.ttl].filter(
        (limit) => typeof limit === 'number',
      );
      assert.ok(execution.ttl <= Math.min(...limits));
      assert.ok(execution.ttl >= shortest);
      assert.ok(execution.uses <= (ceilings?.uses ?? 0));
    }),
    { numRuns: 500 },
  );
  assert.ok(granted > 50, `only ${granted} were granted`);
});

properties('each narrowing is told, with what it was that held it back', () => {
  const ceiling = fc.integer({ min: 30, max: 3600 });
  const few = fc.integer({ min: 1, max: 9 });
  const asked = fc.record({ ttl: ceiling, uses: few });
  const end = fc.option(fc.integer({ min: 60, max: 4000 }), { nil: null });
  const ceilings = fc.record({ ttl: ceiling, uses: few });
  let told = 0;
  fc.assert(
    fc.property(asked, ceilings, ceilings, end, end, (request, role, task, key, oversight) => {
      const plain = anywhere('triage-bot', 'ticket.route', 'acme', request);
      const narrowed = narrowedBundle(role, task);
      const until = (s: number | null) => (s === null ? null : instant(NOW + s * 1000));
      const exception = key === null ? null : { reason: 'r', author: 'ada' as never, until: instant(NOW + key * 1000) };
      const agents = new Map(
        [...plain.snapshot.agents].map(([name, one]) => [name, { ...one, enrolment: { ...one.enrolment, exception } }]),
      );
      const assignments = plain.snapshot.assignments.map((held) =>
        held.function === 'oversight' ? { ...held, until: until(oversight) } : held,
      );
      const decision = decide(
        { ...usual, bundle: narrowed },
        { ...plain, snapshot: { ...plain.snapshot, agents, assignments } },
      );
      if (decision.effect === 'forbid') throw new Error(decision.reason.detail);
      const { execution } = decision;
      const ttl = Math.min(request.ttl, role.ttl, task.ttl, key ?? Infinity, oversight ?? Infinity);
      const uses = Math.min(request.uses, role.uses, task.uses);
      assert.equal([execution.ttl, execution.uses], [ttl, uses]);
      const shown = new Map(execution.narrowed.map((one) => [one.what, one]));
      for (const what of ['ttl', 'uses'] as const) {
        const given = { ttl, uses }[what];
        assert.is(shown.get(what)?.given, given < request[what] ? given : undefined);
        assert.is.not(shown.get(what)?.by, '');
      }
      told += execution.narrowed.length;
      if (decision.effect === 'ask') assert.ok(decision.approval.deadline <= (until(oversight) ?? Infinity));
    }),
    { numRuns: 300 },
  );
  assert.ok(told > 100, `only ${told} were narrowed`);
});

function narrowedBundle(role: { ttl: number; uses: number }, task: { ttl: number; uses: number }): typeof shipped {
  const seconded = ({ ttl, uses }: { ttl: number; uses: number }) => ({ ttl: seconds(ttl), uses });
  const roles = [...shipped.roles].map(
    ([name, one]) => [name, { ...one, ceilings: one.ceilings && seconded(role) }] as const,
  );
  const tasks = [...shipped.tasks].map(([name, one]) => [name, { ...one, ceilings: seconded(task) }] as const);
  return { ...shipped, roles: new Map(roles), tasks: new Map(tasks) };
}

properties('the same request and version give the same bytes, kept or not', () => {
  const fresh = { ...usual, rulebook: createRulebook(engine, { keepAnswers: false }) };
  fc.assert(
    fc.property(who, where, claims, ([agent, task], tenant, said) => {
      const [kept, again] = [usual, fresh].map((policy) => decide(policy, anywhere(agent, task, tenant, said)));
      assert.ok(kept !== undefined && again !== undefined);
      if (kept === undefined || again === undefined) return;
      assert.is(JSON.stringify(publicDecision(kept)), JSON.stringify(publicDecision(again)));
    }),
    { numRuns: 200 },
  );
});

function withoutCases(): Record<string, null> {
  const cases = Object.keys(shippedBut({})).filter((path) => path.startsWith('cases/'));
  return Object.fromEntries(cases.map((path) => [path, null]));
}

properties.run();
