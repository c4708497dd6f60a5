/**
 * The end of a policy that was active for a time: the one that follows was obeyed from that moment on, by every snapshot
 * that was read since. Here it is written down, and what the wider one gave is looked at again.
 */
import type { NewWork, WorkTask } from '../core/change.ts';
import { makeEntry } from '../core/entry.ts';
import { newId } from '../core/ids.ts';
import type { DeploymentSnapshot } from '../core/snapshot.ts';
import type { Deps } from '../deps.ts';
import type { KillResult } from './lease.ts';
import { reassess } from './reassess.ts';

type Narrow = Extract<WorkTask, { readonly task: 'narrow' }>;

export async function narrow(deps: Deps, { policy }: Narrow): Promise<KillResult> {
  deps.store.forget(null);
  const deployment = await deps.store.deployment();
  const { widening } = deployment;
  // A later policy took its place, with an end of its own where it inherited this one: what it would not give ends.
  if (widening?.version !== policy) return reassess(deps, { task: 'reassess', tenant: null });
  if (widening.until > deps.clock()) return { dead: false, why: 'its time is not over', until: widening.until };
  return write(deps, deployment, widening);
}

async function write(
  deps: Deps,
  { inSetup }: DeploymentSnapshot,
  { version, next, by }: NonNullable<DeploymentSnapshot['widening']>,
): Promise<KillResult> {
  const at = deps.clock();
  const entry = makeEntry(
    {
      tenant: null,
      kind: 'policy.activated',
      at,
      actor: { kind: 'broker', name: deps.node },
      accountable: by,
      inSetup,
      facts: { policy: next, replaces: version, widening: 'ended' },
    },
    deps.random,
  );
  const change = {
    kind: 'policy.activate',
    version: next,
    files: null,
    functions: {},
    reading: [],
    onlyFirst: false,
    undoes: version,
  } as const;
  const again: NewWork = { id: newId('wrk', at, deps.random), due: at, what: { task: 'reassess', tenant: null } };
  const done = await deps.store.commit({ kind: 'register', change, work: [again], deploymentEpoch: null }, [entry]);
  deps.store.forget(null);
  // Another node wrote it, or another policy came: either way it is looked at once more.
  return done.ok ? { dead: true } : { dead: false, why: done.error.unmet };
}
