/** How often an agent asks at one node, in memory and about: a storm of requests costs the database nothing. */
import type { AgentName, TenantName } from './ids.ts';
import type { Seconds } from './time.ts';

export interface Rates {
  /** Takes one request. @returns `null` where there was one to take, else after how long there is. */
  take(who: { readonly tenant: TenantName; readonly agent: AgentName }, perMinute: number): Seconds | null;
}
