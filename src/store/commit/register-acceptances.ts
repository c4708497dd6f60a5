/** Who answers for an agent at a tenant. It ends with the agent's enrolment there, by the database's own hand. */
import { and, eq } from 'drizzle-orm';
import type { AgentName, TenantName } from '../../core/ids.ts';
import type { Acceptance } from '../../core/registers.ts';
import { acceptances, enrolments } from '../schema/tenants.ts';
import type { Register } from './register.ts';
import { refuse } from './refused.ts';

export async function putAcceptance({ tx }: Register, acceptance: Acceptance): Promise<void> {
  const { tenant, agent } = acceptance;
  const [enrolled] = await tx
    .select({ agent: enrolments.agent })
    .from(enrolments)
    .where(and(eq(enrolments.tenant, tenant), eq(enrolments.agent, agent)));
  if (enrolled === undefined) refuse({ unmet: 'missing', what: 'enrolment' });
  const row = { ...acceptance, tasks: [...acceptance.tasks], authors: [...acceptance.authors] };
  await tx
    .insert(acceptances)
    .values(row)
    .onConflictDoUpdate({ target: [acceptances.tenant, acceptances.agent], set: row });
}

export async function removeAcceptance({ tx }: Register, tenant: TenantName, agent: AgentName): Promise<void> {
  const removed = await tx
    .delete(acceptances)
    .where(and(eq(acceptances.tenant, tenant), eq(acceptances.agent, agent)))
    .returning({ agent: acceptances.agent });
  if (removed.length === 0) refuse({ unmet: 'missing', what: 'acceptance' });
}
