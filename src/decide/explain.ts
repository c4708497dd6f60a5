/**
 * Why a request is answered as it is: the facts that rules saw, every rule that took part and which of them decided,
 * the tier with each raise, and what would change the answer, found by deciding again. In two readings: the agent's,
 * which names no rule, and the security lead's. Pure.
 */
import type { JsonObject } from '../core/canonical.ts';
import type { RoleName, TenantName } from '../core/ids.ts';
import type { RuleName } from '../core/policy.ts';
import { admit } from './admit.ts';
import type { Asking } from './admit.ts';
import { mayBeLifted } from './bundle/model.ts';
import { tierAt } from './bundle/scorecard.ts';
import { decide, factsOf } from './decide.ts';
import type { Policy } from './decide.ts';
import type { Decision, Raise, Tier } from './decision.ts';
import { answerOf, differ, isWider } from './diff/answer.ts';
import type { Answered } from './diff/answer.ts';
import { otherwise } from './explain/otherwise.ts';
import { rulesInput } from './input.ts';
import { ledgerFields, publicDecision } from './record.ts';
import { aloneIn, withoutRule, writtenRules } from './written.ts';
import type { WrittenRule } from './written.ts';

/** A rule that says something of the request, under a role that carries it. */
export interface RulePart {
  readonly rule: RuleName;
  readonly effect: 'permit' | 'forbid';
  readonly file: string;
  readonly line: number;
  readonly reason: string;
  /** A human's approval lifts it. */
  readonly lifted: boolean;
  readonly decided: boolean;
}

/** What the rules were asked of, for one role. */
export interface RoleFacts {
  readonly role: RoleName;
  readonly facts: JsonObject;
  /** The task class's own as it stands now, and what it comes to. */
  readonly ownTier: Tier;
  readonly tier: Tier;
  readonly raised: readonly Raise[];
  readonly rules: readonly RulePart[];
}

/** One thing that, were it otherwise, would change the answer. */
export interface Change {
  /** As the agent is told; `null`: nothing that it could do. */
  readonly agent: string | null;
  readonly lead: string;
  readonly to: Answered;
  readonly freer: boolean;
}

export interface Explanation {
  readonly policy: string;
  readonly asking: Asking;
  readonly decision: Decision;
  /** None, where it was refused before any rule was asked. */
  readonly roles: readonly RoleFacts[];
  readonly changes: readonly Change[];
}

export function explain(policy: Policy, asking: Asking): Explanation {
  const decision = decide(policy, asking);
  return {
    policy: policy.bundle.version,
    asking,
    decision,
    roles: rolesOf(policy, asking, decision),
    changes: [...changesOf(policy, asking, decision), ...withoutRules(policy, asking, decision)],
  };
}

function rolesOf(policy: Policy, asking: Asking, decision: Decision): RoleFacts[] {
  const admitted = admit(policy.bundle, policy.providers, asking);
  if (!admitted.ok) return [];
  return admitted.value.roles.map((held) => {
    const { facts, raised } = factsOf(policy, asking, admitted.value, held);
    return {
      role: held.role.name,
      facts: rulesInput(facts)['context'] as JsonObject,
      ownTier: tierAt(admitted.value.task, asking.now).tier,
      tier: facts.tier,
      raised,
      rules: partsOf(policy, asking, rulesInput(facts), decidersOf(decision)),
    };
  });
}

const decidersOf = (decision: Decision): readonly RuleName[] =>
  decision.effect === 'forbid' ? decision.reason.rules : decision.approval.rules;

function partsOf(policy: Policy, { snapshot }: Asking, input: JsonObject, deciders: readonly RuleName[]): RulePart[] {
  const tenant = snapshot.tenant.name;
  const here = [...writtenRules(policy.bundle).values()].filter((one) => one.tenant === null || one.tenant === tenant);
  const saying = new Set(
    [...Map.groupBy(here, ({ effect }) => effect).values()].flatMap((rules) => sayingOf(policy, tenant, rules, input)),
  );
  return here
    .filter(({ name }) => saying.has(name))
    .map((rule) => ({
      rule: rule.name,
      effect: rule.effect,
      file: rule.file,
      line: rule.line,
      reason: rule.annotations['reason'] ?? '',
      lifted: mayBeLifted(rule),
      decided: deciders.includes(rule.name),
    }));
}

/** Of rules of one effect the engine names every one that says something, unless one errs: then each is asked alone. */
function sayingOf(
  policy: Policy,
  tenant: TenantName,
  rules: readonly WrittenRule[],
  input: JsonObject,
): readonly RuleName[] {
  const said = policy.rulebook.evaluate(aloneIn(policy.bundle, rules), tenant, input);
  if (said.errors.length === 0) return said.rules;
  if (rules.length === 1) return rules.map(({ name }) => name);
  return rules.flatMap((rule) => sayingOf(policy, tenant, [rule], input));
}

function changesOf(policy: Policy, asking: Asking, decision: Decision): Change[] {
  const now = answerOf(decision);
  const changes = otherwise(policy.bundle, asking).flatMap(({ agent, lead, asking: other }): Change[] => {
    const to = answerOf(decide(policy, other));
    return differ(now, to) ? [{ agent, lead, to, freer: isWider(now, to) }] : [];
  });
  // What a person lifts, is lifted for this request alone.
  return decision.effect === 'ask' ? [BY_APPROVAL(now), ...changes] : changes;
}

const BY_APPROVAL = (now: Answered): Change => ({
  agent: 'Wait for a person’s approval.',
  lead: 'a person approves',
  to: { ...now, answer: 'permit' } as Answered,
  freer: true,
});

/** Were a rule that decided not there. */
const withoutRules = (policy: Policy, asking: Asking, decision: Decision): Change[] =>
  decidersOf(decision).flatMap((name): Change[] => {
    const rule = writtenRules(policy.bundle).get(name);
    if (rule === undefined) return [];
    const now = answerOf(decision);
    const to = answerOf(decide({ ...policy, bundle: withoutRule(policy.bundle, rule) }, asking));
    return differ(now, to)
      ? [{ agent: null, lead: `the rule ${name} were not there`, to, freer: isWider(now, to) }]
      : [];
  });

/** For the agent: what it is told anyway, and what it could do. No rule is named. */
export function agentReading({ decision, changes }: Explanation): JsonObject {
  const can = changes.filter(({ agent, freer }) => agent !== null && freer);
  return {
    ...publicForAgent(decision),
    could: can.map(({ agent, to }) => ({ what: agent, answer: to.answer })),
  };
}

/** As a refusal or a permit is told, without the rules that a permit names. */
function publicForAgent(decision: Decision): JsonObject {
  if (decision.effect === 'forbid') return publicDecision(decision);
  const { tier, ttl, uses, narrowed } = decision.execution;
  return { effect: decision.effect, tier, ttl, uses, narrowed: narrowed.map((one) => ({ ...one })) };
}

export function leadReading({ policy, asking, decision, roles, changes }: Explanation): JsonObject {
  return {
    policy,
    ...ledgerFields(decision),
    roles: roles.map(({ role, facts, ownTier, tier, raised, rules }) => ({
      role,
      facts,
      own_tier: ownTier,
      tier,
      raised: raised.map((raise) => ({ ...raise })),
      rules: rules.map((rule) => ({ ...rule })),
    })),
    changes: changes.map(({ lead, to, freer }) => ({ if: lead, to: to as unknown as JsonObject, freer })),
    tenant: asking.snapshot.tenant.name,
    agent: asking.principal.agent.name,
    task: asking.request.task,
    resource: asking.request.resource,
    parameters: asking.request.parameters,
  };
}

/** Both readings, as programs get them. */
export const explanationWire = (explanation: Explanation): JsonObject => ({
  agent: agentReading(explanation),
  lead: leadReading(explanation),
});
