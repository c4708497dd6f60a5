/** A credential leaves once. If the caller has gone before the answer was written, nobody has it, and it is ended. */
import type { Context } from 'hono';
import type { LeaseTerms } from '../core/lease.ts';
import { takeBack } from '../revoke/undelivered.ts';
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
