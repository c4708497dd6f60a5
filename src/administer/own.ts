/** What a person does in their own name, whatever function they hold: one commit, with its entry. */
import type { JsonObject } from '../core/canonical.ts';
import type { Counted, OneUse } from '../core/change/once.ts';
import type { RegisterChange } from '../core/change/register.ts';
import { makeEntry } from '../core/entry.ts';
import type { Actor, EntryKind, Receipt } from '../core/entry.ts';
import { failure } from '../core/failure.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { DeploymentSnapshot } from '../core/snapshot.ts';
import type { Deps } from '../deps.ts';
import { unmetFailure } from './commit.ts';

export interface OwnAct {
  readonly kind: EntryKind;
  readonly change: RegisterChange;
  readonly actor: Actor;
  /** Their standing was read in it, and it must not have moved. */
  readonly place: DeploymentSnapshot;
  readonly facts: JsonObject;
  readonly said?: JsonObject;
  readonly seen?: JsonObject;
  readonly spends?: readonly OneUse[];
  readonly counts?: Counted | null;
}

export async function inOwnName(deps: Deps, act: OwnAct): Promise<Result<Receipt>> {
  const { kind, change, actor, place, facts, said = {}, seen = {}, spends = [], counts = null } = act;
  const entry = makeEntry(
    {
      tenant: null,
      kind,
      at: deps.clock(),
      actor,
      accountable: actor.person ?? null,
      inSetup: place.inSetup,
      facts: { change: change.kind, ...facts },
      said,
      seen,
    },
    deps.random,
  );
  const command = { kind: 'register', change, work: [], deploymentEpoch: place.epoch, spends, counts } as const;
  const done = await deps.store.commit(command, [entry]);
  deps.store.forget(null);
  if (!done.ok) return err(done.error.unmet === 'replayed' ? SPENT : unmetFailure(done.error));
  const [receipt] = done.value.receipts;
  if (receipt === undefined) throw new Error('somebody acted without the entry of it');
  return ok(receipt);
}

const SPENT = failure('form_over', 'this form was used before', { hint: 'Open the page again.' });
