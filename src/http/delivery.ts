/** A credential leaves once. If the caller has gone before the answer was written, nobody has it, and it is ended. */
import type { Context } from 'hono';
import type { LeaseTerms } from '../core/lease.ts';
import type { Deps } from '../deps.ts';
import { takeBack } from '../revoke/undelivered.ts';
import type { Outgoing, Scope } from './scope.ts';

export const revokeUndelivered = (c: Context<Scope>, lease: LeaseTerms): void =>
  revokeUnlessWritten(c.var.deps, lease, { isGone: c.req.raw.signal.aborted, outgoing: c.env?.outgoing });

/** @param to whoever waits for it: gone already, or what is written to, where the platform has that. */
export function revokeUnlessWritten(
  deps: Deps,
  lease: LeaseTerms,
  { isGone, outgoing }: { readonly isGone: boolean; readonly outgoing: Outgoing | undefined },
): void {
  if (isGone) deps.background(takeBack(deps, lease));
  else
    outgoing?.once('close', () => {
      if (!outgoing.writableFinished) deps.background(takeBack(deps, lease));
    });
}
