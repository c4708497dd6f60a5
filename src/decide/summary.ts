/**
 * One page for people: what agents do by themselves, do and tell, must ask for, and never do, role by role, found by
 * deciding a request that says all it should. Pure.
 */
import type { JsonObject } from '../core/canonical.ts';
import type { AgentName, RoleName, TaskName, TenantName } from '../core/ids.ts';
import type { AgentPrincipal } from '../authenticate/principal.ts';
import type { RuleName } from '../core/policy.ts';
import type { Snapshot } from '../core/snapshot.ts';
import type { Instant } from '../core/time.ts';
import { mayBeLifted } from './bundle/model.ts';
import type { Bundle, Role, TaskClass } from './bundle/model.ts';
import { decide } from './decide.ts';
import type { Policy } from './decide.ts';
import type { Decision } from './decision.ts';
import { parametersOfCases, targetGroups } from './diff/cells.ts';
import { fullDraft } from './diff/grid.ts';
import { leastParameters } from './diff/sample.ts';
import { exampleTrial } from './diff/worlds.ts';
import type { World } from './diff/worlds.ts';
import type { Rulebook } from './rulebook.ts';
import { executionRoles } from './segregation.ts';
import { writtenRules } from './written.ts';

/** From the freest: by itself; and tells; on a person's word; not at all. */
export const WAYS = ['acts', 'tells', 'asks', 'never'] as const;
export type Way = (typeof WAYS)[number];

export interface SummaryTask {
  readonly task: TaskName;
  readonly description: string;
  readonly way: Way;
  /** It is less free at some of the clients, targets or agents looked at. */
  readonly atMost: boolean;
  /** Why it must ask, or never may. */
  readonly reasons: readonly string[];
}

export interface SummaryRole {
  readonly role: RoleName;
  readonly description: string;
  readonly owner: string;
  readonly nextReview: string;
  readonly agents: readonly AgentName[];
  readonly tasks: readonly SummaryTask[];
}

export interface Summary {
  readonly policy: string;
  readonly owner: string;
  readonly nextReview: string;
  /** `null`: the bundle as a whole. */
  readonly tenant: TenantName | null;
  readonly roles: readonly SummaryRole[];
  /** No agent gets these, whoever approves. */
  readonly peopleAlone: readonly { readonly task: TaskName; readonly description: string }[];
  /** What holds for all, or at this client, in words. */
  readonly rules: readonly { readonly rule: string; readonly asks: boolean; readonly words: string }[];
}

/** What is looked at. */
export interface Scene extends Policy {
  readonly worlds: readonly World[];
  readonly tenant: TenantName | null;
  readonly now: Instant;
}

export function summarize(scene: Scene): Summary {
  const { bundle, tenant } = scene;
  const found = scene.worlds.flatMap(({ snapshot, principals }) =>
    principals.flatMap((principal) => heldBy(scene, snapshot, principal)),
  );
  const executing = [...bundle.roles.values()].filter((role) => role.function === 'execution');
  const roles = executing.map((role) =>
    roleOf(
      bundle,
      role,
      found.filter((one) => one.role === role.name),
    ),
  );
  return {
    policy: bundle.version,
    owner: bundle.owner,
    nextReview: bundle.nextReview,
    tenant,
    roles: roles.filter(({ agents }) => agents.length > 0),
    peopleAlone: [...bundle.tasks.values()]
      .filter(({ humanOnly }) => humanOnly)
      .map(({ name: task, description }) => ({ task, description })),
    rules: rulesFor(bundle, tenant),
  };
}

/** One decision of the page. */
interface Found {
  readonly role: RoleName;
  readonly agent: AgentName;
  readonly task: TaskName;
  readonly way: Way;
  readonly reasons: readonly string[];
}

function heldBy(scene: Scene, snapshot: Snapshot, principal: AgentPrincipal): Found[] {
  const { name } = principal.agent;
  return executionRoles(scene.bundle, snapshot, name, scene.now).flatMap(({ role }) =>
    [...role.tasks].flatMap((task) => {
      const form = scene.bundle.tasks.get(task);
      if (form === undefined) return [];
      const decisions = decisionsOn(scene, snapshot, principal, { role, form });
      return decisions.map((decision) => ({
        role: role.name,
        agent: name,
        task,
        ...readingOf(scene.bundle, decision),
      }));
    }),
  );
}

/** One for each kind of target. A class for which no parameters can be made is decided as it comes, and refused. */
function decisionsOn(
  scene: Scene,
  snapshot: Snapshot,
  principal: AgentPrincipal,
  { role, form }: { readonly role: Role; readonly form: TaskClass },
): Decision[] {
  const parameters = leastParameters(form) ?? parametersOfCases([scene.bundle], form) ?? {};
  return targetGroups(snapshot, [form]).map(({ target }) => {
    const { request, ...rest } = fullDraft({
      snapshot,
      agent: principal.agent,
      role: role.name,
      forms: [form],
      target,
      parameters: [parameters],
      countsUses: false,
      readAlike: true,
      now: scene.now,
    });
    return decide(scene, { ...rest, request, principal, now: scene.now });
  });
}

function readingOf(bundle: Bundle, decision: Decision): { readonly way: Way; readonly reasons: readonly string[] } {
  const reasonsOf = (rules: readonly RuleName[]): readonly string[] =>
    rules.flatMap((rule) => bundle.rules.get(rule)?.annotations['reason'] ?? []);
  switch (decision.effect) {
    case 'permit':
      return { way: decision.execution.tier === 1 ? 'acts' : 'tells', reasons: [] };
    case 'ask':
      return { way: 'asks', reasons: reasonsOf(decision.approval.rules) };
    case 'forbid': {
      const { rules, detail } = decision.reason;
      const firm = rules.filter((rule) => !mayBeLifted(bundle.rules.get(rule)));
      return { way: 'never', reasons: firm.length > 0 ? reasonsOf(firm) : [detail] };
    }
  }
}

function roleOf(
  bundle: Bundle,
  { name, description, owner, nextReview, tasks }: Role,
  found: readonly Found[],
): SummaryRole {
  const agents = [...new Set(found.map(({ agent }) => agent))].toSorted();
  const each = [...tasks].flatMap((task): SummaryTask[] => {
    const answers = found.filter((one) => one.task === task);
    const way = WAYS.find((one) => answers.some((answer) => answer.way === one));
    if (way === undefined) return [];
    const reasons = new Set(answers.filter((one) => one.way === way).flatMap((one) => one.reasons));
    const atMost = answers.some((one) => one.way !== way);
    const words = bundle.tasks.get(task)?.description ?? '';
    return [{ task, description: words, way, atMost, reasons: [...reasons].toSorted() }];
  });
  return { role: name, description, owner, nextReview, agents, tasks: each };
}

/** What forbids or asks, whatever the role; what permits is in the roles. */
const rulesFor = (bundle: Bundle, tenant: TenantName | null): Summary['rules'] =>
  [...writtenRules(bundle).values()]
    .filter((rule) => rule.effect === 'forbid' && (rule.tenant === null || rule.tenant === tenant))
    .map((rule) => ({ rule: rule.name, asks: mayBeLifted(rule), words: rule.annotations['reason'] ?? '' }));

/** As programs read it. */
export const summaryWire = ({ policy, owner, nextReview, tenant, roles, peopleAlone, rules }: Summary): JsonObject => ({
  policy,
  owner,
  next_review: nextReview,
  tenant,
  roles: roles.map(({ nextReview: review, agents, tasks, ...role }) => ({
    ...role,
    next_review: review,
    agents: [...agents],
    tasks: tasks.map(({ atMost, reasons, ...task }) => ({ ...task, at_most: atMost, reasons: [...reasons] })),
  })),
  people_alone: peopleAlone.map((one) => ({ ...one })),
  rules: rules.map((rule) => ({ ...rule })),
});

/** A bundle's own examples: each agent that people answer for, at each client or at one. */
export function exampleScene(bundle: Bundle, rulebook: Rulebook, tenant: string | null): Scene {
  const { providers, channels, worlds, now } = exampleTrial(bundle, bundle, rulebook);
  const here = worlds.filter(({ snapshot }) => tenant === null || snapshot.tenant.name === tenant);
  return { bundle, rulebook, providers, channels, worlds: here, tenant: tenant as TenantName | null, now };
}
