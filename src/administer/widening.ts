/**
 * The end that a policy is given: its own, or the one that it inherits from what is active for a time. At that end the
 * widening is taken back and nothing that came after it: what remains is worked out, checked and tried now, while
 * people are there to see where it cannot be.
 */
import type { NewBundle } from '../core/change/register.ts';
import { failure } from '../core/failure.ts';
import type { PersonName } from '../core/ids.ts';
import type { BundleFiles, Widening } from '../core/registers.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { DeploymentSnapshot } from '../core/snapshot.ts';
import { after, seconds, toRfc3339 } from '../core/time.ts';
import type { Instant } from '../core/time.ts';
import type { Deps } from '../deps.ts';
import { without } from '../decide/bundle/merge.ts';
import type { Bundle } from '../decide/bundle.ts';
import { newBundle, tried } from './trial.ts';

/** What should hold for longer is no widening for a time. */
const LONGEST = seconds(90 * 24 * 3600);

export interface End {
  readonly widening: Widening;
  /** What is active from then on. */
  readonly bundle: Bundle;
  readonly kept: NewBundle | null;
}

export async function endOf(
  deps: Deps,
  place: DeploymentSnapshot,
  asked: { readonly files: BundleFiles; readonly until: Instant | null; readonly by: PersonName },
): Promise<Result<End | null>> {
  const now = deps.clock();
  const lasting = place.widening !== null && place.widening.until > now ? place.widening : null;
  if (asked.until === null) return lasting === null ? ok(null) : inherited(deps, lasting, asked);
  if (lasting !== null) return err(badEnd(`what is active ends at ${toRfc3339(lasting.until)} already`));
  if (asked.until <= now) return err(badEnd('it would have ended already'));
  if (asked.until > after(now, LONGEST)) return err(badEnd('it is more than 90 days away'));
  if (place.policy === null) return err(badEnd('nothing is active that could be gone back to'));
  const bundle = await deps.bundles.at(place.policy);
  return ok({ widening: { until: asked.until, next: place.policy, by: asked.by }, bundle, kept: null });
}

async function inherited(
  deps: Deps,
  { version, next, until }: NonNullable<DeploymentSnapshot['widening']>,
  { files, by }: { readonly files: BundleFiles; readonly by: PersonName },
): Promise<Result<End>> {
  const [before, wider] = await Promise.all([deps.store.bundle(next), deps.store.bundle(version)]);
  if (before === null || wider === null) throw new Error('a version that was active is not kept');
  const rest = without({ before, after: wider }, files);
  const end = toRfc3339(until);
  if (!rest.ok) {
    return err(failure('invalid_policy', `what is taken back at ${end} is changed in ${rest.error.join(', ')}`, REDO));
  }
  const trial = tried(deps, rest.value, `what would be left at ${end}`);
  if (!trial.ok) return trial;
  const { bundle } = trial.value;
  return ok({ widening: { until, next: bundle.version, by }, bundle, kept: newBundle(bundle, rest.value) });
}

const REDO = { hint: 'Leave those lines as they are, or go back with brevet policy rollback first.' };

const badEnd = (detail: string) => failure('invalid_field', detail, { path: 'until' });
