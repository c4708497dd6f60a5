/**
 * A request that names an order: it is held against what oversight ordered taken back, so that what lets it pass a pause
 * is no more than that. It is taken in the commit that gives or asks, once.
 */
import type { JsonObject } from '../core/canonical.ts';
import { canonicalText } from '../core/canonical.ts';
import { failure } from '../core/failure.ts';
import type { Failure } from '../core/failure.ts';
import type { OrderId } from '../core/ids.ts';
import type { KeptOrder } from '../core/oversight.ts';
import type { AccessRequest } from '../core/request.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { AgentPrincipal } from '../authenticate/principal.ts';
import type { Deps } from '../deps.ts';

export const ORDER_OVER = failure('order_over', 'the order was taken before, or its time is over', {
  hint: 'See what is ordered: GET orders.',
});

export async function orderNamed(
  deps: Deps,
  { tenant, agent }: AgentPrincipal,
  request: AccessRequest,
): Promise<Result<OrderId | null>> {
  if (request.order === null) return ok(null);
  const order = await deps.store.order(tenant, request.order);
  if (order === null || order.agent !== agent.name) return err(NO_ORDER);
  if (order.request !== null) return err({ ...ORDER_OVER, members: { request: order.request } });
  if (order.until <= deps.clock()) return err(ORDER_OVER);
  const other = whyAnother(order, request);
  return other === null ? ok(order.id) : err(other);
}

const NO_ORDER = failure('not_found', 'no such order waits for this agent', {
  path: 'order',
  hint: 'See what is ordered: GET orders.',
});

/** What the two have in common is the same: class, resource, and every parameter that both name. */
function whyAnother(order: KeptOrder, { task, resource, parameters }: AccessRequest): Failure | null {
  if (task !== order.task) return another('task', order.task);
  if (resource !== order.resource) return another('resource', order.resource);
  const changed = Object.keys(parameters).find((name) => !isSame(name, order.parameters, parameters));
  return changed === undefined ? null : another(`parameters.${changed}`, 'as it was');
}

const isSame = (name: string, before: JsonObject, now: JsonObject): boolean =>
  before[name] === undefined || canonicalText(before[name]) === canonicalText(now[name] ?? null);

const another = (path: string, ordered: string): Failure =>
  failure('invalid_field', 'the order is for something else', { path, hint: `Ask for what was ordered: ${ordered}.` });
