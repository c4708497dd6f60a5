/**
 * The decision package: everything that an approver is shown, in the broker's own words and from the canonical request,
 * as one JSON whose hash they sign. What the agent says of itself stands apart in it, as its words. Pure.
 *
 * It is made when it is shown, since what else goes on is part of what is decided; what would be minted is in it by the
 * binding, which does not change. Its salt goes with the personal data that it keeps from being guessed by the hash.
 */
import { canonicalText } from '../core/canonical.ts';
import type { JsonObject } from '../core/canonical.ts';
import type { Approval } from '../core/approval.ts';
import { sha256Hex, toHex, utf8 } from '../core/digest.ts';
import type { PersonName, Random } from '../core/ids.ts';
import type { Lease } from '../core/lease.ts';
import type { Provider } from '../core/provider.ts';
import type { RuleName } from '../core/policy.ts';
import { toRfc3339 } from '../core/time.ts';
import type { Instant } from '../core/time.ts';
import { yesStanding } from './standing.ts';
import { whenRouted } from './way.ts';
import type { KeptRequest } from '../core/store/requests.ts';
import type { Snapshot } from '../core/snapshot.ts';
import type { Ask, Permit } from '../decide/decision.ts';
import type { Bundle, TaskClass } from '../decide/bundle/model.ts';

/** What the page is drawn from, and nothing else. */
export interface PackageOf {
  readonly approval: Approval;
  readonly snapshot: Snapshot;
  readonly bundle: Bundle;
  /** As it would be decided now. */
  readonly decision: Permit | Ask;
  readonly provider: Provider;
  readonly to: PersonName;
  readonly now: Instant;
  readonly before: readonly { readonly request: KeptRequest; readonly lease: Lease | null }[];
  readonly undoneBefore: readonly { readonly request: KeptRequest; readonly lease: Lease | null }[];
  readonly holds: readonly Lease[];
  readonly elsewhere: number;
  readonly siblings: readonly Approval[];
}

/** How far back `elsewhere` looks. */
export const ELSEWHERE_MINUTES = 15;

const SALT_BYTES = 16;

/** Everything that is shown, as the page is drawn from it. */
export type Shown = ReturnType<typeof shownOf>;

/** A package, its exact text, and the hash that a person signs. */
export interface DecisionPackage {
  readonly shown: Shown;
  readonly text: string;
  readonly hash: string;
}

export function decisionPackage(random: Random, of: PackageOf): DecisionPackage {
  const shown = shownOf(random, of);
  const text = canonicalText(shown);
  return { shown, text, hash: sha256Hex(utf8(text)) };
}

function shownOf(random: Random, of: PackageOf) {
  const { approval, now } = of;
  return {
    v: 1,
    approval: approval.id,
    salt: toHex(random(SALT_BYTES)),
    shown_to: of.to,
    shown_at: toRfc3339(now),
    asked_at: toRfc3339(approval.askedAt),
    deadline: toRfc3339(approval.expiresAt),
    redeem_within_s: approval.redeemWithin,
    mint: { ...approval.binding },
    task: taskPart(of),
    client: clientPart(of),
    agent: agentPart(of),
    said: saidPart(of),
    risk: riskPart(of),
    policy: policyPart(of),
    credential: credentialPart(of),
    rollback: rollbackPart(of),
    before: of.before.filter(({ request }) => request.id !== approval.request).map(beforePart),
    holds: of.holds.map(({ id, task, resource, expiresAt }) => ({ id, task, resource, until: toRfc3339(expiresAt) })),
    elsewhere: { other_clients: of.elsewhere, minutes: ELSEWHERE_MINUTES },
    plan: of.siblings.map(({ id, task, state, binding }) => ({
      approval: id,
      task,
      state,
      resource: binding.resource,
    })),
    route: { ...whenRouted(approval), standing: [...yesStanding(approval, of)] },
    narrows: approval.narrows === null ? null : { ...approval.narrows, accepted: approval.acceptedAt !== null },
  };
}

const taskOf = ({ bundle, approval }: Pick<PackageOf, 'bundle' | 'approval'>): TaskClass | undefined =>
  bundle.tasks.get(approval.task);

function taskPart(of: PackageOf) {
  const task = taskOf(of);
  return {
    name: of.approval.task,
    description: task?.description ?? null,
    reads_only: task?.readsOnly ?? null,
    changes: [...(task?.changes ?? [])],
    leaves_objects: task?.leavesObjects ?? null,
    containment: task?.containment ?? null,
  };
}

function clientPart({ snapshot, decision, now }: PackageOf) {
  const { tenant, situations } = snapshot;
  const { context } = tenant;
  return {
    name: tenant.name,
    display_name: tenant.displayName,
    regulations: [...context.regulations],
    data_classes: [...context.dataClasses],
    contract: context.autonomy,
    environment: decision.execution.target.environment,
    time_zone: context.timeZone,
    situations: situations
      .filter(({ from, until }) => from <= now && until > now)
      .map(({ kind, until, resource }) => ({ kind, until: toRfc3339(until), resource })),
  };
}

function agentPart({ snapshot, approval }: PackageOf) {
  const agent = snapshot.agents.get(approval.agent)?.agent;
  if (agent === undefined) throw new Error(`the agent ${approval.agent} is not enrolled`);
  const { name, owner, purpose, kind, vendor, model, modelVersion, autonomy } = agent;
  return { name, owner, purpose, kind, vendor, model, model_version: modelVersion, autonomy };
}

/** The agent's own words, all of them: whoever draws the page marks them as such. */
function saidPart({ approval }: PackageOf) {
  const { task, resource, parameters, role, ttl, uses, reason, ...circumstances } = approval.asked;
  const asked = { task, resource, parameters, role: role ?? null, ttl: ttl ?? null, uses: uses ?? null };
  return { asked: asked as JsonObject, reason: typeof reason === 'string' ? reason : '', circumstances };
}

function riskPart(of: PackageOf) {
  const { execution } = of.decision;
  return {
    tier: execution.tier,
    raised: execution.raised.map(({ to, because }) => ({ to, because })),
    scores: (taskOf(of)?.scores ?? []).map((score) => ({ ...score })),
    data_classes: [...execution.dataClasses],
  };
}

/** Why it is asked, in the policy's words. */
function policyPart({ approval, bundle }: PackageOf) {
  const reasonOf = (rule: string): string => bundle.rules.get(rule as RuleName)?.annotations['reason'] ?? rule;
  return { version: approval.policy, rules: approval.rules.map((rule) => ({ rule, reason: reasonOf(rule) })) };
}

/** What it holds its holder to, how it ends, and how long it could be misused if nobody ended it. */
function credentialPart({ provider, decision, approval }: PackageOf) {
  const { execution } = decision;
  const declared = provider.declare(execution.target, execution.template);
  const { revokes } = declared;
  return {
    provider: approval.binding.provider,
    target: approval.binding.target,
    lives_s: approval.binding.ttl,
    uses: execution.usesCounted ? approval.binding.uses : null,
    enforces: [...declared.enforces].toSorted(),
    not_enforced: [...approval.binding.not_enforced],
    revoked: revokes === 'commit' || revokes === 'never' ? revokes : { within_s: revokes.within },
    provable: declared.evidence !== null,
    evidence: declared.evidence,
    expiry_ends_use: declared.expiryEndsUse,
  };
}

function rollbackPart(of: PackageOf) {
  const rollback = taskOf(of)?.rollback ?? null;
  const runs = of.undoneBefore.flatMap(({ lease }) => lease?.outcome?.outcome ?? []);
  return {
    task: rollback,
    tried: runs.length,
    succeeded: runs.filter((outcome) => outcome === 'succeeded').length,
  };
}

function beforePart({ request, lease }: PackageOf['before'][number]) {
  const { approval } = request;
  return {
    request: request.id,
    at: toRfc3339(request.at),
    agent: request.agent,
    resource: request.resource,
    state: approval?.state ?? null,
    narrowed: approval?.narrows !== null && approval?.narrows !== undefined,
    rejection: approval?.rejection === null || approval?.rejection === undefined ? null : { ...approval.rejection },
    by: (approval?.votes ?? []).map(({ person, verdict }) => ({ person, verdict })),
    outcome: lease?.outcome?.outcome ?? null,
    lease: lease?.state ?? null,
    death: lease?.death?.how ?? null,
  };
}
