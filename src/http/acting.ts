/** What every route of an operator's act has in common. */
import type { Context } from 'hono';
import type { Receipt } from '../core/entry.ts';
import { ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { OperatorPrincipal } from '../authenticate/principal.ts';
import { readJson } from './body.ts';
import { operatorOf } from './caller.ts';
import type { Scope } from './scope.ts';
import { answer, problem, receiptWire } from './wire.ts';

/** An operator and the body of a change, or the refusal of either. */
export async function changing(
  c: Context<Scope>,
  limit?: number,
): Promise<Result<{ readonly operator: OperatorPrincipal; readonly body: unknown }>> {
  const operator = await operatorOf(c);
  if (!operator.ok) return operator;
  const body = await readJson(c, limit);
  return body.ok ? ok({ operator: operator.value, body: body.value }) : body;
}

export const receipt = (c: Context<Scope>, done: Result<Receipt>): Response =>
  done.ok ? answer(c, { receipt: receiptWire(done.value) }) : problem(c, done.error);
