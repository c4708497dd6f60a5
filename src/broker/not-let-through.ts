/**
 * Calls that are proven to be a lease's and are not let through, written down as every refusal is: the first of its kind
 * whole, before it is answered; those like it are counted.
 */
import { makeEntry } from '../core/entry.ts';
import type { Failure } from '../core/failure.ts';
import type { Lease } from '../core/lease.ts';
import type { RefusalKind } from '../core/refusals.ts';
import type { Deps } from '../deps.ts';
import type { Called } from '../use/gateway/match.ts';
import { refusedEntry } from '../use/gateway/record.ts';
import { note } from './note.ts';

export async function notLetThrough(deps: Deps, lease: Lease, called: Called, { code }: Failure): Promise<void> {
  // Nothing of the call is wrong: it may come again as it is.
  if (code === 'contended') return;
  const kind: RefusalKind = {
    of: 'call',
    tenant: lease.tenant,
    agent: lease.agent,
    accountable: lease.owner,
    task: lease.task,
    resource: lease.resource,
    code,
    rules: `target:${lease.target}`,
  };
  if (deps.refusals.repeats(kind)) return;
  const { inSetup } = await deps.store.deployment();
  const entry = makeEntry(refusedEntry(lease, { called, code, inSetup, at: deps.clock() }), deps.random);
  if (await note(deps, lease.tenant, [entry])) deps.refusals.wrote(kind);
}
