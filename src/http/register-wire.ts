/** The registers as administrators see them. No secret is among them, sealed or not. */
import type {
  Absence,
  Acceptance,
  Agent,
  Assignment,
  Enrolment,
  Operator,
  Person,
  Situation,
  TargetVersion,
  Tenant,
  TrustedIssuer,
  Vendor,
} from '../core/registers.ts';
import { termsFormOf } from '../core/context-form.ts';
import { toRfc3339 } from '../core/time.ts';
import type { Deps } from '../deps.ts';
import type { DeploymentRegister } from '../administer/registers.ts';

export async function listOf(deps: Deps, register: DeploymentRegister) {
  const { persons, operators, issuers, vendors } = await deps.store.deployment();
  switch (register) {
    case 'people':
      return [...persons.values()].map(personWire);
    case 'operators':
      return [...operators.values()].map(operatorWire);
    case 'agents':
      return (await deps.store.agents()).map(agentWire);
    case 'issuers':
      return issuers.map(issuerWire);
    case 'vendors':
      return [...vendors.values()].map(vendorWire);
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

/** As it can be put back: who owned it before is not written by anybody. */
export const agentWire = (agent: Agent) => ({
  name: agent.name,
  owner: agent.owner,
  deputy: agent.deputy,
  kind: agent.kind,
  purpose: agent.purpose,
  decisions: agent.decisions,
  vendor: agent.vendor,
  model: agent.model,
  model_version: agent.modelVersion,
  autonomy: agent.autonomy,
  data: agent.data,
  active: agent.active,
});

const issuerWire = ({ maxAge, ...issuer }: TrustedIssuer) => ({ ...issuer, max_age: maxAge });

const vendorWire = ({ name, trains, retentionDays, residency }: Vendor) => ({
  name,
  trains_on_client_data: trains,
  retention_days: retentionDays,
  residency,
});

export const tenantWire = ({ name, displayName, context }: Tenant) => ({
  name,
  display_name: displayName,
  regulations: context.regulations,
  data_classes: context.dataClasses,
  autonomy: context.autonomy,
  terms: termsFormOf(context),
  time_zone: context.timeZone,
});

export const situationWire = ({ id, kind, resource, from, until, askWithin, author }: Situation) => ({
  id,
  kind,
  resource,
  from: toRfc3339(from),
  until: toRfc3339(until),
  ask_within: askWithin,
  author,
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

export const absenceWire = ({ person, from, until, by }: Absence) => ({
  person,
  from: toRfc3339(from),
  until: toRfc3339(until),
  by,
});

export const acceptanceWire = ({ modelVersion, inSetup, ...same }: Acceptance) => ({
  ...same,
  model_version: modelVersion,
  in_setup: inSetup,
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
