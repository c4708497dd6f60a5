/**
 * An access request and the policy become a decision: permit, ask or forbid. Pure: what it reads is in the snapshot
 * and the bundle, and the commit that follows looks whether either has moved.
 */
import type { PersonName } from '../core/ids.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { Declared } from '../core/lease.ts';
import { blockOver } from '../core/block.ts';
import { isPattern } from '../core/resource.ts';
import { reachesSomebody, routeLasts } from '../core/route.ts';
import { after, earliest, seconds } from '../core/time.ts';
import type { Instant, Seconds } from '../core/time.ts';
import { admit } from './admit.ts';
import type { Admitted, Asking, Declarers } from './admit.ts';
import type { Bundle } from './bundle/model.ts';
import { LONGEST_ROUTE_MINUTES } from './bundle/routes.ts';
import { tierAt } from './bundle/scorecard.ts';
import { askWithin, contractOf, edgesOf, surroundingsOf } from './context.ts';
import type { Edge } from './context.ts';
import type { Ask, Decision, Denial, Duties, Execution, Permit, Raise, Tier } from './decision.ts';
import { denial, forbid } from './denial.ts';
import type { Facts } from './input.ts';
import { judge } from './judge.ts';
import type { Verdict } from './judge.ts';
import { isOnProbation } from './probation.ts';
import type { Rulebook } from './rulebook.ts';
import { routeOf } from './routing.ts';
import type { Routed } from './routing.ts';
import { partsIn } from './segregation.ts';
import type { HeldRole } from './segregation.ts';
import { termsOf } from './terms.ts';
import { claimsOf, effectiveTier } from './tier.ts';

/** What decides. */
export interface Policy {
  readonly bundle: Bundle;
  readonly rulebook: Rulebook;
  readonly providers: Declarers;
  /** Whether there is one through which people can be told. */
  readonly channels: boolean;
  /** What is active from a moment on that is known already. */
  readonly next?: { readonly bundle: Bundle; readonly at: Instant } | null;
}

/** No ask waits longer for its answer, whatever its route. */
const ASK_LASTS = seconds(LONGEST_ROUTE_MINUTES * 60);

const DAY = 86_400;
/** The freer the tier, the later people look at what was done. */
const REVIEW_WITHIN: Readonly<Record<Tier, Seconds>> = { 1: seconds(30 * DAY), 2: seconds(7 * DAY), 3: seconds(DAY) };

export function decide(policy: Policy, asking: Asking): Decision {
  const decision = decideUntil(policy, asking, null);
  const end = endOf(policy, asking, decision);
  return end === null ? decision : decideUntil(policy, asking, end);
}

/** @param end of what it rests on, where that is known beforehand. */
function decideUntil(policy: Policy, asking: Asking, end: Edge | null): Decision {
  const { version } = policy.bundle;
  const admitted = admit(policy.bundle, policy.providers, asking);
  if (!admitted.ok) return forbid({ ...admitted.error, policy: version });
  const chosen = choose(
    admitted.value.roles.map((held) => underRole(policy, asking, { admitted: admitted.value, held, end })),
  );
  return chosen.ok ? chosen.value : forbid({ ...chosen.error, policy: version });
}

/** One role that permits decides; where none does, one that asks; where several would, the agent says which. */
function choose(answers: readonly Result<Permit | Ask, Denial>[]): Result<Permit | Ask, Denial> {
  const given = answers.flatMap((answer) => (answer.ok ? [answer.value] : []));
  const permits = given.filter(({ effect }) => effect === 'permit');
  const [first, ...others] = permits.length > 0 ? permits : given;
  if (first === undefined) return answers.find((answer) => !answer.ok) ?? err(NO_ANSWER);
  if (others.length === 0) return ok(first);
  const names = [first, ...others].map(({ execution }) => execution.role).toSorted();
  return err(
    denial('role_needed', 'several roles of the agent would do for this', {
      hint: `Name one as role: ${names.join(', ')}.`,
      path: 'role',
    }),
  );
}

const NO_ANSWER = denial('no_role', 'no role carries this');

/** The end of the policy, where the one that follows gives less: nothing decided now may outlast it. */
function endOf({ next = null, ...policy }: Policy, asking: Asking, decision: Decision): Edge | null {
  if (next === null || decision.effect === 'forbid' || next.at >= after(asking.now, HORIZON)) return null;
  const then = decideUntil({ ...policy, bundle: next.bundle }, { ...asking, now: next.at }, null);
  return givesAll(then, decision) ? null : { at: next.at, by: 'end of the widening' };
}

function givesAll(then: Decision, { effect, execution: before }: Permit | Ask): boolean {
  if (then.effect === 'forbid' || (then.effect === 'ask' && effect === 'permit')) return false;
  const { role, tier, ttl, uses, template } = then.execution;
  const same = role === before.role && JSON.stringify(template) === JSON.stringify(before.template);
  return same && tier <= before.tier && ttl >= before.ttl && uses >= before.uses;
}

interface UnderRole {
  readonly admitted: Admitted;
  readonly held: HeldRole;
  readonly end: Edge | null;
}

function underRole(policy: Policy, asking: Asking, { admitted, held, end }: UnderRole): Result<Permit | Ask, Denial> {
  const { request, now } = asking;
  const stopped = blockedDenial(asking, admitted, held);
  if (stopped !== null) return err(stopped);
  const { facts, raised } = factsOf(policy, asking, admitted, held);
  const verdict = verdictOn(policy, asking, facts);
  if (!verdict.ok) return err(tellingOf(policy.bundle, verdict.error, admitted));
  const change = turnOf(asking, verdict.value, (at) =>
    verdictOn(policy, asking, factsOf(policy, { ...asking, now: at }, admitted, held).facts),
  );
  const turn = end !== null && (change === null || end.at < change.at) ? end : change;
  const terms = termsOf(request, admitted, held, { now, turn });
  if (!terms.ok) return terms;
  const { task, target, declared } = admitted;
  const execution: Execution = {
    task: task.name,
    role: held.role.name,
    target,
    resource: request.resource,
    parameters: request.parameters,
    template: task.template,
    tier: facts.tier,
    raised,
    ...terms.value,
    dataClasses: [...new Set([...facts.data, ...task.touches])],
    declared: declaredOf(declared),
    idle: task.idle,
    notEnforced: [...Object.keys(request.parameters), ...(request.rest === '' ? [] : ['resource'])].filter(
      (part) => !declared.enforces.includes(part),
    ),
  };
  const answer = { ...verdict.value, turn };
  if (answer.effect === 'permit') return ok(permitOf(policy, asking, admitted, execution, answer));
  const routed = route(policy, asking, admitted, facts);
  const reaches = routed !== null && reachesSomebody(routed.steps);
  if (!reaches && asking.underWay !== true) return err(nobodyToAsk(routed));
  return ok(askOf(policy, asking, admitted, execution, { ...answer, routed: routed ?? NO_WAY }));
}

/** Whom it would go to. How much they are asked already is in no snapshot: whoever is about to ask them looks. */
const route = (
  { bundle }: Policy,
  { snapshot, request, now, manyTenants, open = NOTHING_OPEN }: Asking,
  { principal, task }: Admitted,
  { tier, surroundings }: Facts,
): Routed | null =>
  routeOf({
    bundle,
    snapshot,
    task: task.name,
    tier,
    urgency: request.circumstances.urgency ?? 'routine',
    incident: surroundings.incident,
    manyTenants,
    parts: partsIn(principal, now),
    open,
    at: now,
  });

const NO_WAY: Routed = { route: '', steps: [] };

const NOTHING_OPEN: ReadonlyMap<PersonName, number> = new Map();

function blockedDenial(
  { snapshot, now }: Asking,
  { principal, task, target }: Admitted,
  { role }: HeldRole,
): Denial | null {
  const what = {
    tenant: snapshot.tenant.name,
    agent: principal.agent,
    owners: [principal.agent.owner],
    role: role.name,
    task: task.name,
    target: target.name,
    provider: target.provider,
    lease: null,
  };
  const block = blockOver(snapshot.blocks, what, now);
  if (block === null) return null;
  return denial('blocked', 'oversight has stopped this here', {
    hint: 'Stop, and tell your owner: only a person who oversees can lift it.',
    because: `${block.id}: ${block.scope} ${block.name}`.trim(),
  });
}

/** What stays with the lease; the rest of a declaration has done its part once it is decided. */
const declaredOf = ({ revokes, evidence, expiryEndsUse, countsUses, seesUse, keepsSecret }: Declared): Declared => ({
  revokes,
  evidence,
  expiryEndsUse,
  countsUses,
  seesUse,
  keepsSecret,
});

const verdictOn = ({ bundle, rulebook }: Policy, { snapshot }: Asking, facts: Facts): Result<Verdict, Denial> =>
  judge(bundle, (input) => rulebook.evaluate(bundle, snapshot.tenant.name, input), facts);

/** Nothing lasts longer than this, so that what comes later matters to no credential and no ask. */
const HORIZON = ASK_LASTS;

/** The first moment at which the same would be answered more strictly: nothing decided now may outlast it. */
function turnOf(
  { snapshot, request, now }: Asking,
  { effect }: Verdict,
  answerAt: (at: Instant) => Result<Verdict, Denial>,
): Edge | null {
  const near = edgesOf(snapshot, request, now).filter(({ at }) => at < after(now, HORIZON));
  const isStricter = (then: Result<Verdict, Denial>): boolean =>
    !then.ok || (effect === 'permit' && then.value.effect === 'ask');
  return near.find(({ at }) => isStricter(answerAt(at))) ?? null;
}

/** A rule may want people told that it forbade. */
function tellingOf(bundle: Bundle, reason: Denial, { oversight }: Admitted): Denial {
  const tells = reason.rules.some((rule) => bundle.rules.get(rule)?.annotations['tell'] === 'oversight');
  return tells ? { ...reason, tell: oversight.persons } : reason;
}

/** An ask that nobody could answer would only wait for its end. */
export function nobodyToAsk(routed: Routed | null): Denial {
  const passed = (routed?.steps ?? []).flatMap(({ skipped }) => skipped.map(({ person, why }) => `${person} ${why}`));
  return denial('nobody_can_approve', 'nobody whom its route asks could approve this here', {
    hint: 'A person of sufficient level, who has no part in the agent or its task, must hold a role of its route here.',
    because: routed === null ? 'no route' : [`route ${routed.route}`, ...new Set(passed)].join(', '),
  });
}

/** What the rules are asked of, under one of the roles that carry it. */
export function factsOf(
  { channels }: Pick<Policy, 'channels'>,
  { snapshot, request, now, manyTenants, ordered = false }: Asking,
  admitted: Admitted,
  { role }: HeldRole,
): { readonly facts: Facts; readonly raised: readonly Raise[] } {
  const { task, target, principal } = admitted;
  const { agent } = principal;
  const { context } = snapshot.tenant;
  const said = request.circumstances;
  const surroundings = surroundingsOf(snapshot, request, target, agent, now);
  const claims = claimsOf(said, surroundings, agent);
  const contract = contractOf(context);
  const accepted = contract === null || surroundings.modelAccepted;
  const terms = { autonomy: contract, regulations: context.regulations, accepted };
  const { tier, raised } = effectiveTier(tierAt(task, now).tier, terms, agent.autonomy, claims, {
    // What oversight ordered taken back is not held up by what it is taken back for.
    onProbation: !ordered && isOnProbation(snapshot, agent, task.name),
    paused: !ordered && snapshot.pauses.length > 0,
    tripped: snapshot.trips.find((trip) => trip.agent === agent.name && trip.task === task.name)?.id ?? null,
    channels,
    late: snapshot.lateNotices.has(task.name),
    manyTenants,
  });
  const facts: Facts = {
    role: role.name,
    task,
    parameters: request.parameters,
    tier,
    surroundings,
    data: [...surroundings.data, ...(said.dataClasses ?? [])],
    tenantData: context.dataClasses,
    regulations: context.regulations,
    contract,
    agent,
    disputed: claims.disputed,
    lowConfidence: claims.lowConfidence,
    wildcard: isPattern(request.rest),
  };
  return { facts, raised };
}

interface Answer {
  readonly rules: Verdict['rules'];
  readonly turn: Edge | null;
}

const permitOf = (
  { bundle }: Policy,
  { now }: Asking,
  { oversight }: Admitted,
  execution: Execution,
  { rules }: Answer,
): Permit => ({
  effect: 'permit',
  approval: { rules, policy: bundle.version },
  execution,
  oversight: dutiesOf(execution, bundle, oversight.persons, now),
});

function askOf(
  { bundle }: Policy,
  { snapshot, now }: Asking,
  { oversight, approvers }: Admitted,
  execution: Execution,
  { rules, turn, routed }: Answer & { readonly routed: Routed },
): Ask {
  const soon = askWithin(snapshot, now);
  const lasts = soon === null ? null : after(now, soon);
  const end = after(now, routeLasts(routed.steps));
  const deadline = earliest(end, lasts, oversight.until, approvers.until, turn?.at ?? null);
  const reached = new Set(routed.steps.flatMap(({ asks, backups }) => [...asks, ...backups]));
  return {
    effect: 'ask',
    approval: { rules, policy: bundle.version, deadline, approvers: [...reached].toSorted(), ...routed },
    execution,
    oversight: dutiesOf(execution, bundle, oversight.persons, now),
  };
}

const dutiesOf = (
  { tier }: Execution,
  { tellWithin }: Bundle,
  overseers: readonly PersonName[],
  now: Instant,
): Duties => ({
  overseers,
  notify: tier === 2 ? overseers : [],
  notifyBy: tier === 2 ? after(now, tellWithin) : null,
  reviewBy: after(now, REVIEW_WITHIN[tier]),
});
