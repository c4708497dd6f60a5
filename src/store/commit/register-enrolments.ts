/** Agents at tenants: one key is one agent at one tenant, and one workload is one agent. */
import { and, eq, ne, or, sql } from 'drizzle-orm';
import type { AgentName, TenantName } from '../../core/ids.ts';
import type { Enrolment } from '../../core/registers.ts';
import { enter } from '../link.ts';
import { ROLES } from '../roles.ts';
import { assignments, enrolments } from '../schema/tenants.ts';
import { needAgent, needIssuer } from './register-names.ts';
import type { Register } from './register.ts';
import { refuse } from './refused.ts';

export async function putEnrolment(register: Register, enrolment: Enrolment): Promise<void> {
  const { tx } = register;
  const { proof, tenant, agent, exception } = enrolment;
  await needAgent(register, agent);
  if (proof.by === 'workload') await needIssuer(register, proof.binding.issuer);
  await tx.execute(enter({ role: ROLES.list, tenants: [] }));
  await (proof.by === 'key' ? refuseKnownKey(register, enrolment, proof) : refuseOverlap(register, enrolment, proof));
  await tx.execute(enter({ role: ROLES.serve, tenants: [tenant] }));
  const row = {
    proof,
    exception,
    thumbprint: proof.by === 'key' ? proof.thumbprint : null,
    issuer: proof.by === 'workload' ? proof.binding.issuer : null,
  };
  await tx
    .insert(enrolments)
    .values({ tenant, agent, ...row })
    .onConflictDoUpdate({ target: [enrolments.tenant, enrolments.agent], set: row });
}

type Proof<By extends string> = Extract<Enrolment['proof'], { readonly by: By }>;

const isAnother = ({ tenant, agent }: Enrolment) => or(ne(enrolments.tenant, tenant), ne(enrolments.agent, agent));

async function refuseKnownKey({ tx }: Register, enrolment: Enrolment, { thumbprint }: Proof<'key'>): Promise<void> {
  const others = await tx
    .select({ agent: enrolments.agent, now: sql<string>`brevet_now()` })
    .from(enrolments)
    .where(and(eq(enrolments.thumbprint, thumbprint), isAnother(enrolment)));
  for (const { agent, now } of others) {
    const excepted =
      agent === enrolment.agent && enrolment.exception !== null && enrolment.exception.until > Number(now);
    if (!excepted) refuse({ unmet: 'taken', by: `key of ${agent}` });
  }
}

/** Two bindings that one token satisfies would let a workload choose which agent it is. */
async function refuseOverlap({ tx }: Register, enrolment: Enrolment, { binding }: Proof<'workload'>): Promise<void> {
  const others = await tx
    .select({ agent: enrolments.agent, proof: enrolments.proof })
    .from(enrolments)
    .where(and(eq(enrolments.issuer, binding.issuer), ne(enrolments.agent, enrolment.agent)));
  const other = others.find(
    ({ proof }) => proof.by === 'workload' && areCompatible(proof.binding.claims, binding.claims),
  );
  if (other !== undefined) refuse({ unmet: 'taken', by: `binding of ${other.agent}` });
}

type Claims = Readonly<Record<string, string>>;

const areCompatible = (a: Claims, b: Claims): boolean =>
  Object.entries(a).every(([name, value]) => b[name] === undefined || b[name] === value);

export async function removeEnrolment({ tx }: Register, tenant: TenantName, agent: AgentName): Promise<void> {
  const removed = await tx
    .delete(enrolments)
    .where(and(eq(enrolments.tenant, tenant), eq(enrolments.agent, agent)))
    .returning({ agent: enrolments.agent });
  if (removed.length === 0) refuse({ unmet: 'missing', what: 'enrolment' });
  await tx
    .delete(assignments)
    .where(and(eq(assignments.tenant, tenant), eq(assignments.holderKind, 'agent'), eq(assignments.holder, agent)));
}
