/** Every step of issue, of use and of revoke at which a node is killed, as a table. */
import type { ProviderKind } from '../../src/core/registers.ts';

export type StepVerb =
  | 'approval.move'
  | 'lease.open'
  | 'lease.activate'
  | 'lease.use'
  | 'lease.revoke'
  | 'lease.land'
  | 'lease.bury'
  | 'lease.fail'
  | 'mint'
  | 'revoke'
  | 'look'
  | 'fence'
  | 'unfence';

/**
 * What has to be under way for the step to be reached. `overtake`: what was permitted is not any more when its mint has
 * landed. `late`: its end was committed before its mint had landed.
 */
export type StepPhase = 'ask' | 'overtake' | 'late' | 'use' | 'end' | 'reconcile' | 'clean';

export interface Hold {
  readonly provider: ProviderKind;
  readonly verb: StepVerb;
  readonly when: 'before' | 'after';
}

export interface Step extends Hold {
  readonly phase: StepPhase;
}

type Phases = readonly (readonly [StepPhase, readonly StepVerb[]])[];

const AT_A_SERVER: Phases = [
  ['ask', ['lease.open', 'mint', 'lease.activate']],
  ['overtake', ['lease.revoke']],
  ['late', ['lease.land']],
  ['end', ['lease.revoke', 'revoke', 'look', 'lease.bury']],
  ['clean', ['unfence', 'revoke', 'look']],
];

const TABLE: Readonly<Record<ProviderKind, Phases>> = {
  postgres: [...AT_A_SERVER, ['reconcile', ['fence', 'look', 'lease.fail']]],
  vault: [...AT_A_SERVER, ['reconcile', ['fence', 'look', 'lease.fail']]],
  // AWS tells nobody that there is no session: a mint that was lost is taken for one that landed.
  aws: [...AT_A_SERVER, ['reconcile', ['fence', 'look', 'lease.revoke']]],
  jwt: [
    ['ask', ['lease.open', 'mint']],
    ['end', ['lease.revoke', 'look', 'lease.bury']],
  ],
  http: [
    ['ask', ['lease.open', 'mint']],
    ['use', ['lease.use', 'lease.revoke']],
    ['end', ['lease.revoke']],
  ],
};

export const stepsOf = (provider: ProviderKind): readonly Step[] =>
  TABLE[provider].flatMap(([phase, verbs]) =>
    verbs.flatMap((verb) => (['before', 'after'] as const).map((when) => ({ provider, phase, verb, when }))),
  );

export const STEPS: readonly Step[] = (Object.keys(TABLE) as ProviderKind[]).flatMap(stepsOf);

export const nameOf = ({ provider, phase, verb, when }: Step): string => `${provider} ${phase}: ${when} ${verb}`;

/** From the test to the node. `beside`: what comes to this one is held too, and not told. */
export type ToNode = { readonly arm: Step; readonly beside: Hold | null } | { readonly go: true };
/** From the node to the test: a lease, or an approval, is at the step, and stays there. */
export interface FromNode {
  readonly reached: string;
}
