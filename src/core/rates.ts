/** How often something is done at one node, in memory and about: a storm of requests costs the database nothing. */
import type { AgentName, TargetName, TenantName } from './ids.ts';
import type { Seconds } from './time.ts';

/** Who asks, or who is called. */
export type Rated =
  | { readonly tenant: TenantName; readonly agent: AgentName }
  | { readonly tenant: TenantName; readonly target: TargetName };

export interface Rates {
  /** Takes one request. @returns `null` where there was one to take, else after how long there is. */
  take(who: Rated, perMinute: number): Seconds | null;
}
