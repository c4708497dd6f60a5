/** What every route of an operator's act has in common. */
import type { Context } from 'hono';
import type { Receipt } from '../core/entry.ts';
import { ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { Author, Sent } from '../administer/author.ts';
import { readJson } from './body.ts';
import { claimOf } from './caller.ts';
import { authorOf } from './conditions.ts';
import type { Find } from './conditions.ts';
import type { Scope } from './scope.ts';
import { answer, problem, receiptWire } from './wire.ts';

/** An operator and the body of a change, or the refusal of either. */
export async function changing(
  c: Context<Scope>,
  { find = null, limit }: { readonly find?: Find | null; readonly limit?: number } = {},
): Promise<Result<{ readonly operator: Author; readonly body: unknown }>> {
  const operator = await authorOf(c, find);
  if (!operator.ok) return operator;
  const body = await readJson(c, limit);
  return body.ok ? ok({ operator: operator.value, body: body.value }) : body;
}

/** The same of a POST that creates. The path is the route, within which a key is the operator's own. */
export async function creating(
  c: Context<Scope>,
  options: { readonly limit?: number } = {},
): Promise<Result<{ readonly operator: Author; readonly sent: Sent }>> {
  const change = await changing(c, options);
  if (!change.ok) return change;
  const { operator, body } = change.value;
  const claim = claimOf(c, c.req.path, body);
  return claim.ok ? ok({ operator, sent: { body, claim: claim.value } }) : claim;
}

export const receipt = (c: Context<Scope>, done: Result<Receipt>): Response =>
  done.ok ? answer(c, { receipt: receiptWire(done.value) }) : problem(c, done.error);
