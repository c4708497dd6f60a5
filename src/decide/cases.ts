/** Runs the cases of a bundle: each is a real decision, compared with what its author expects. */
import { parseAccessRequest } from './request.ts';
import type { JsonObject } from '../core/canonical.ts';
import { failure } from '../core/failure.ts';
import type { RuleName } from '../core/policy.ts';
import { enforcedBy } from '../core/provider.ts';
import type { Declaration } from '../core/provider.ts';
import { PROVIDER_KINDS } from '../core/registers.ts';
import type { ProviderKind } from '../core/registers.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import { parseInstant, seconds } from '../core/time.ts';
import type { Asking, Declarers } from './admit.ts';
import type { CaseForm, ExampleAgent, ExampleTenant } from './bundle/cases.ts';
import type { Bundle } from './bundle/model.ts';
import { decide } from './decide.ts';
import type { Policy } from './decide.ts';
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
  return bundle.cases.flatMap(({ file, holds }) =>
    (holds.cases ?? []).map((example) => {
      const rules = new Set<RuleName>();
      const decision = decideCase(bundle, listening(rulebook, rules), example);
      const differences = differencesOf(example.expect, decision);
      return { file, name: example.name, task: example.request.task, rules: [...rules], differences };
    }),
  );
}

/** Those that came out otherwise than expected. */
export const failedOf = (outcomes: readonly CaseOutcome[]): readonly CaseOutcome[] =>
  outcomes.filter(({ differences }) => differences.length > 0);

function decideCase(bundle: Bundle, rulebook: Rulebook, example: CaseForm): Decision {
  const posed = posedBy(bundle, rulebook, example);
  if (posed.ok) return decide(posed.value.policy, posed.value.asking);
  const { code, detail, path = null } = posed.error;
  return forbid(denial(code, detail, { path }));
}

/** What decides, and what is asked of it. */
export interface Posed {
  readonly policy: Policy;
  readonly asking: Asking;
}

/** Of a case, or of a request that is no case, by an example agent at an example client. */
export type Example = Omit<CaseForm, 'name' | 'expect'>;

/** @returns a refusal where the request is none, or where there is no such example. */
export function posedBy(bundle: Bundle, rulebook: Rulebook, example: Example): Result<Posed> {
  const client = exampleNamed(bundle, 'tenants', example.tenant);
  const agent = exampleNamed(bundle, 'agents', example.agent);
  if (client === undefined || agent === undefined) return err(NO_EXAMPLE);
  const request = parseAccessRequest({ reason: 'a case of the bundle', ...example.request });
  if (!request.ok) return request;
  const now = (example.at === undefined ? null : parseInstant(example.at)) ?? USUALLY;
  const { situations = [] } = example;
  const moment = { now, situations };
  const { snapshot, principal } = exampleOf(bundle, example.tenant, client, example.agent, agent, moment);
  const channels = example.channels ?? true;
  const policy = { bundle, rulebook, providers: STAND_INS, channels };
  const manyTenants = example.many_tenants ?? false;
  return ok({ policy, asking: { snapshot, principal, request: request.value, now, manyTenants } });
}

const NO_EXAMPLE = failure('not_found', 'the cases of the bundle have no such agent or client', {
  hint: 'Name an example agent and an example client of the cases.',
});

export function exampleNamed(bundle: Bundle, of: 'tenants', name: string): ExampleTenant | undefined;
export function exampleNamed(bundle: Bundle, of: 'agents', name: string): ExampleAgent | undefined;
export function exampleNamed({ cases }: Bundle, of: 'tenants' | 'agents', name: string): object | undefined {
  return cases.map(({ holds }) => holds[of] ?? {}).find((known) => Object.hasOwn(known, name))?.[name];
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
const declaredOf = (kind: ProviderKind, template: JsonObject): Declaration => ({
  revokes: 'commit',
  evidence: null,
  expiryEndsUse: true,
  countsUses: true,
  keepsSecret: false,
  seesUse: false,
  enforces: enforcedBy(kind, template),
  shortest: seconds(1),
  longest: seconds(3600),
});

export const STAND_INS: Declarers = new Map(
  PROVIDER_KINDS.map((kind) => [
    kind,
    { declare: (_target: unknown, template: JsonObject) => declaredOf(kind, template) },
  ]),
);
