/** What every route of an operator's act has in common. */
import type { Context } from 'hono';
import type { Receipt } from '../core/entry.ts';
import { ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { Author } from '../administer/author.ts';
import { readJson } from './body.ts';
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

export const receipt = (c: Context<Scope>, done: Result<Receipt>): Response =>
  done.ok ? answer(c, { receipt: receiptWire(done.value) }) : problem(c, done.error);
