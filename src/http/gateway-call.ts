/** A call through the gateway as every edge takes it, and its answer as every edge writes it. */
import { callThrough } from '../broker/gateway.ts';
import type { GatewayCall } from '../broker/gateway.ts';
import type { TenantName } from '../core/ids.ts';
import type { Result } from '../core/result.ts';
import type { Deps } from '../deps.ts';
import type { Exchanged } from '../use/gateway/exchange.ts';
import { bearerIn } from './caller.ts';

export type IncomingCall = Omit<GatewayCall, 'token'>;

/** @returns with the headers of the answer, or why there is none. */
export async function throughGateway(
  deps: Deps,
  tenant: Result<TenantName>,
  call: IncomingCall,
): Promise<Result<Exchanged>> {
  if (!tenant.ok) return tenant;
  const token = bearerIn(call.headers.get('authorization'));
  if (!token.ok) return token;
  const answer = await callThrough(deps, tenant.value, { ...call, token: token.value });
  if (!answer.ok) return answer;
  const { headers, receipt, ...rest } = answer.value;
  const all = { ...headers, 'cache-control': 'no-store', 'brevet-receipt': `${receipt.entry} ${receipt.leafHash}` };
  return { ok: true, value: { ...rest, headers: all } };
}
