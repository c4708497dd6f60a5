/** Every step of issue and of revoke at which a node is killed, as a table. */
import type { ProviderKind } from '../../src/core/registers.ts';

export type StepVerb =
  | 'lease.open'
  | 'lease.activate'
  | 'lease.revoke'
  | 'lease.bury'
  | 'lease.fail'
  | 'mint'
  | 'revoke'
  | 'look'
  | 'fence'
  | 'unfence';

/** What has to be under way for the step to be reached. */
export type StepPhase = 'ask' | 'overtake' | 'end' | 'reconcile' | 'clean';

export interface Step {
  readonly provider: ProviderKind;
  readonly phase: StepPhase;
  readonly verb: StepVerb;
  readonly when: 'before' | 'after';
}

const VERBS: readonly (readonly [ProviderKind, StepPhase, readonly StepVerb[]])[] = [
  ['postgres', 'ask', ['lease.open', 'mint', 'lease.activate']],
  ['postgres', 'overtake', ['lease.revoke']],
  ['postgres', 'end', ['lease.revoke', 'revoke', 'look', 'lease.bury']],
  ['postgres', 'reconcile', ['fence', 'look', 'lease.fail']],
  ['postgres', 'clean', ['unfence', 'revoke', 'look']],
  ['jwt', 'ask', ['lease.open', 'mint']],
  ['jwt', 'end', ['lease.revoke', 'look', 'lease.bury']],
];

export const STEPS: readonly Step[] = VERBS.flatMap(([provider, phase, verbs]) =>
  verbs.flatMap((verb) => (['before', 'after'] as const).map((when) => ({ provider, phase, verb, when }))),
);

export const nameOf = ({ provider, phase, verb, when }: Step): string => `${provider} ${phase}: ${when} ${verb}`;

/** From the test to the node. */
export type ToNode = { readonly arm: Step } | { readonly go: true };
/** From the node to the test: a lease is at the step, and stays there. */
export interface FromNode {
  readonly reached: string;
}
