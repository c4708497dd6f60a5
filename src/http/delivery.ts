/** A credential leaves once. If the caller has gone before the answer was written, nobody has it, and it is ended. */
import type { Context } from 'hono';
import type { LeaseTerms } from '../core/lease.ts';
import type { Deps } from '../deps.ts';
import { seconds } from '../core/time.ts';
import { end } from '../broker.ts';
import type { Scope } from './scope.ts';

export function revokeUndelivered(c: Context<Scope>, lease: LeaseTerms): void {
  const { deps } = c.var;
  const outgoing = c.env?.outgoing;
  if (c.req.raw.signal.aborted) deps.background(takeBack(deps, lease));
  else
    outgoing?.once('close', () => {
      if (!outgoing.writableFinished) deps.background(takeBack(deps, lease));
    });
}

async function takeBack(deps: Deps, { tenant, id }: LeaseTerms): Promise<void> {
  const lease = await deps.store.lease(tenant, id);
  if (lease === null) throw new Error(`the undelivered lease ${id} has gone from the store`);
  const actor = { kind: 'broker', name: deps.node } as const;
  await end(deps, lease, { cause: 'undelivered', actor, reason: null, outcome: null, killer: 'caller' }, seconds(2));
}
