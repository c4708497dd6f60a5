/** The registers as administrators see them. No secret is among them, sealed or not. */
import type {
  Agent,
  Assignment,
  Enrolment,
  Operator,
  Person,
  TargetVersion,
  Tenant,
  TrustedIssuer,
} from '../core/registers.ts';
import { toRfc3339 } from '../core/time.ts';
import type { Deps } from '../deps.ts';
import type { DeploymentRegister } from '../administer/registers.ts';

export async function listOf(deps: Deps, register: DeploymentRegister) {
  const { persons, operators, issuers } = await deps.store.deployment();
  switch (register) {
    case 'people':
      return [...persons.values()].map(personWire);
    case 'operators':
      return [...operators.values()].map(operatorWire);
    case 'agents':
      return (await deps.store.agents()).map(agentWire);
    case 'issuers':
      return issuers.map(issuerWire);
  }
}

const personWire = ({ name, displayName, email, active }: Person) => ({
  name,
  display_name: displayName,
  email,
  active,
});

const operatorWire = ({ name, person, issuer, subject, active }: Operator) => ({
  name,
  person,
  issuer,
  subject,
  active,
});

export const agentWire = ({ modelVersion, leftBy, ...agent }: Agent) => ({
  ...agent,
  model_version: modelVersion,
  left_by: leftBy,
});

const issuerWire = ({ maxAge, ...issuer }: TrustedIssuer) => ({ ...issuer, max_age: maxAge });

export const tenantWire = ({ name, displayName, context }: Tenant) => ({
  name,
  display_name: displayName,
  regulations: context.regulations,
  data_classes: context.dataClasses,
  autonomy: context.autonomy,
  time_zone: context.timeZone,
});

export const targetWire = (target: TargetVersion) => ({
  name: target.name,
  version: target.version,
  provider: target.provider,
  config: target.config,
  has_secret: target.secret !== null,
  jwk: target.jwk,
  environment: target.environment,
  data_classes: target.dataClasses,
  msp_wide: target.mspWide,
});

export const enrolmentWire = ({ agent, proof, exception }: Enrolment) => ({
  name: agent,
  ...(proof.by === 'key'
    ? { jwk: proof.jwk, thumbprint: proof.thumbprint }
    : { issuer: proof.binding.issuer, claims: proof.binding.claims }),
  exception:
    exception === null
      ? null
      : { reason: exception.reason, author: exception.author, until: toRfc3339(exception.until) },
});

export const assignmentWire = ({ id, tenant, holder, role, function: given, until, reviewer }: Assignment) => ({
  id,
  tenant,
  holder: holder.kind === 'person' ? { person: holder.name } : { agent: holder.name },
  role,
  function: given,
  until: until === null ? null : toRfc3339(until),
  reviewer,
});
