/** Runs the cases of a bundle: each is a real decision, compared with what its author expects. */
import { parseAccessRequest } from './request.ts';
import type { RuleName } from '../core/policy.ts';
import { ENFORCED } from '../core/provider.ts';
import type { Declaration } from '../core/provider.ts';
import { PROVIDER_KINDS } from '../core/registers.ts';
import type { ProviderKind } from '../core/registers.ts';
import { parseInstant, seconds } from '../core/time.ts';
import type { Declarers } from './admit.ts';
import type { CaseForm, ExampleAgent, ExampleTenant } from './bundle/cases.ts';
import type { Bundle } from './bundle/model.ts';
import { decide } from './decide.ts';
import type { Decision } from './decision.ts';
import { denial, forbid } from './denial.ts';
import { USUALLY, exampleOf } from './examples.ts';
import type { Rulebook } from './rulebook.ts';

export interface CaseOutcome {
  readonly file: string;
  readonly name: string;
  /** The task class that it asks for, and the rules that had a say: behind an ask the permits, too. */
  readonly task: string;
  readonly rules: readonly RuleName[];
  /** What came out otherwise than expected; empty where nothing did. */
  readonly differences: readonly string[];
}

export function runCases(bundle: Bundle, rulebook: Rulebook): readonly CaseOutcome[] {
  const tenants = new Map(bundle.cases.flatMap(({ holds }) => Object.entries(holds.tenants ?? {})));
  const agents = new Map(bundle.cases.flatMap(({ holds }) => Object.entries(holds.agents ?? {})));
  return bundle.cases.flatMap(({ file, holds }) =>
    (holds.cases ?? []).map((example) => {
      const rules = new Set<RuleName>();
      const decision = decideCase(bundle, listening(rulebook, rules), example, tenants, agents);
      const differences = differencesOf(example.expect, decision);
      return { file, name: example.name, task: example.request.task, rules: [...rules], differences };
    }),
  );
}

function decideCase(
  bundle: Bundle,
  rulebook: Rulebook,
  example: CaseForm,
  tenants: ReadonlyMap<string, ExampleTenant>,
  agents: ReadonlyMap<string, ExampleAgent>,
): Decision {
  const client = tenants.get(example.tenant);
  const agent = agents.get(example.agent);
  if (client === undefined || agent === undefined) throw new Error('a case without its examples was loaded');
  const request = parseAccessRequest({ reason: 'a case of the bundle', ...example.request });
  if (!request.ok) {
    const { code, detail, path = null } = request.error;
    return forbid(denial(code, detail, { path }));
  }
  const now = (example.at === undefined ? null : parseInstant(example.at)) ?? USUALLY;
  const { situations = [] } = example;
  const moment = { now, situations };
  const { snapshot, principal } = exampleOf(bundle, example.tenant, client, example.agent, agent, moment);
  const channels = example.channels ?? true;
  const policy = { bundle, rulebook, providers: STAND_INS, channels };
  const manyTenants = example.many_tenants ?? false;
  return decide(policy, { snapshot, principal, request: request.value, now, manyTenants });
}

const listening = (rulebook: Rulebook, heard: Set<RuleName>): Rulebook => ({
  sets: rulebook.sets,
  evaluate(...asked) {
    const evaluation = rulebook.evaluate(...asked);
    for (const rule of evaluation.rules) heard.add(rule);
    return evaluation;
  },
});

const rulesOf = (decision: Decision): readonly RuleName[] =>
  decision.effect === 'forbid' ? decision.reason.rules : decision.approval.rules;

function differencesOf(expected: CaseForm['expect'], decision: Decision): string[] {
  const given = {
    effect: decision.effect,
    code: decision.effect === 'forbid' ? decision.reason.code : undefined,
    rules: rulesOf(decision).toSorted(),
    tier: decision.effect === 'forbid' ? undefined : decision.execution.tier,
  };
  const wanted = { ...expected, ...(expected.rules === undefined ? {} : { rules: expected.rules.toSorted() }) };
  return (['effect', 'code', 'rules', 'tier'] as const)
    .filter((field) => wanted[field] !== undefined && String(wanted[field]) !== String(given[field]))
    .map((field) => `${field}: expected ${String(wanted[field])}, is ${String(given[field] ?? 'none')}`);
}

/** Roomy, so that the bundle alone decides: what a provider can do is not what a case is about. */
const declaredOf = (kind: ProviderKind): Declaration => ({
  revokes: 'commit',
  evidence: null,
  expiryEndsUse: true,
  countsUses: true,
  keepsSecret: false,
  enforces: ENFORCED[kind],
  shortest: seconds(1),
  longest: seconds(3600),
});

export const STAND_INS: Declarers = new Map(PROVIDER_KINDS.map((kind) => [kind, { declare: () => declaredOf(kind) }]));
