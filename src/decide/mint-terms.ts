/** What a decision asks of a provider: all that its `specify` may look at, beside the target. */
import type { AgentName, RequestId, TenantName } from '../core/ids.ts';
import type { MintTerms } from '../core/provider.ts';
import type { Execution } from './decision.ts';

export interface MintFor {
  readonly tenant: TenantName;
  readonly agent: AgentName;
  readonly request: RequestId;
}

export const mintTermsOf = ({ tenant, agent, request }: MintFor, execution: Execution): MintTerms => ({
  tenant,
  agent,
  task: execution.task,
  request,
  resource: execution.resource,
  parameters: execution.parameters,
  template: execution.template,
  ttl: execution.ttl,
  uses: execution.uses,
});
