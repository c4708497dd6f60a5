/**
 * How each target has answered of late, as this process saw it: by it the queue gives more work at once to one that
 * answers, and little to one that does not, and nothing is asked to be minted where nothing answers.
 */
import type { TargetName, TenantName } from './ids.ts';
import type { Seconds } from './time.ts';

/** One whose answers are not known yet gets this many pieces of work at once; each answer earns it one more. */
export const FIRST_SHARE = 8;

/** A target that was repointed is another place: what does not answer where it was says nothing of where it is. */
export interface At {
  readonly tenant: TenantName;
  readonly target: TargetName;
  readonly targetVersion: number;
}

export interface Breakers {
  answered(at: At): void;
  failed(at: At): void;
  /** How long nothing should be minted there; `null`: it may be tried. */
  rests(at: At): Seconds | null;
  /** How much of the queue each may have in hand at once, where that is not {@link FIRST_SHARE}. By {@link placeKey}. */
  shares(): Readonly<Record<string, number>>;
}

/** No name has a space. */
export const placeKey = ({ tenant, target, targetVersion }: At): string => `${tenant} ${target} ${targetVersion}`;
