/** Approvals: what is asked of people. Deciding takes a passkey's assertion in a console session, and nothing else. */
import { Hono } from 'hono';
import { failure } from '../core/failure.ts';
import { operatorOf } from './caller.ts';
import type { Scope } from './scope.ts';
import { problem } from './wire.ts';

export const approvals = new Hono<Scope>();

/** No token decides, whoever holds it: an approval by token does not exist. */
approvals.post('/:id', async (c) => {
  const operator = await operatorOf(c);
  if (!operator.ok) return problem(c, operator.error);
  const hint = 'Decide in the console, with your passkey.';
  return problem(c, failure('passkey_needed', 'no token decides on an approval', { hint }));
});
