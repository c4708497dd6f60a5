/**
 * The registers, one row each: how a body is read, what it changes, whose ledger says so, whether it takes two, and
 * what ends when it is taken away.
 */
import { z } from 'zod';
import type { JsonObject } from '../core/canonical.ts';
import type { LeaseFilter } from '../core/change.ts';
import type { RegisterChange } from '../core/change/register.ts';
import { failure } from '../core/failure.ts';
import { parseName } from '../core/ids.ts';
import type { AgentName, IssuerName, OperatorName, PersonName, TenantName, VendorName } from '../core/ids.ts';
import { name, parseWith, words } from '../core/parse.ts';
import { CONTEXT_FIELDS, VendorForm, contextOf, vendorOf } from '../core/context-form.ts';
import { AGENT_KINDS, AUTONOMY_LEVELS, DATA_CLASSES } from '../core/registers.ts';
import type { Agent, Person } from '../core/registers.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import { seconds } from '../core/time.ts';
import type { DeploymentSnapshot } from '../core/snapshot.ts';
import { checkIssuerUrl } from '../authenticate/keys.ts';

/** An act that was read and may be committed. */
export interface Parsed<Change extends RegisterChange = RegisterChange> {
  readonly change: Change;
  readonly facts: JsonObject;
  readonly said: JsonObject;
  /** What it is that takes two persons, or `null` where one is enough. */
  readonly takesTwo: string | null;
  readonly ends: LeaseFilter | null;
  /** What the policy would not give any more is ended, since what it decides on has changed. */
  readonly reassesses?: boolean;
}

/** Registers that stand above tenants. */
export const DEPLOYMENT_REGISTERS = ['people', 'operators', 'agents', 'issuers', 'vendors'] as const;
export type DeploymentRegister = (typeof DEPLOYMENT_REGISTERS)[number];

export const EVERYTHING: LeaseFilter = { tenant: null, agent: null, owner: null, target: null, role: null };

export const personBody = z.strictObject({
  display_name: words(200),
  email: z.email().max(254).nullable().default(null),
  active: z.boolean().default(true),
});
export const operatorBody = z.strictObject({
  person: name().nullable().default(null),
  issuer: z.url().max(500).nullable().default(null),
  subject: words(255).nullable().default(null),
  active: z.boolean().default(true),
});
export const agentBody = z.strictObject({
  owner: name(),
  deputy: name().nullable().default(null),
  kind: z.enum(AGENT_KINDS),
  purpose: words(1000),
  decisions: z.array(words(200)).max(50).default([]),
  vendor: words(100),
  model: words(100),
  model_version: words(100),
  autonomy: z.enum(AUTONOMY_LEVELS),
  data: z.array(z.enum(DATA_CLASSES)).max(DATA_CLASSES.length).default([]),
  active: z.boolean().default(true),
});
/** An hour: a platform's token older than that proves little of now. */
const OLDEST_TOKEN_S = 3600;
export const issuerBody = z.strictObject({
  url: z
    .string()
    .refine((url) => checkIssuerUrl(url).ok, 'it is not an issuer’s URL: https, without query or fragment'),
  platform: z.enum(['github', 'kubernetes', 'generic']),
  max_age: z.int().min(60).max(OLDEST_TOKEN_S).default(OLDEST_TOKEN_S),
});
/** What is known at the beginning; the rest of a context has a place of its own. */
const { regulations, data_classes, autonomy, terms, time_zone } = CONTEXT_FIELDS;
export const tenantBody = z.strictObject({
  display_name: words(200),
  ...z.strictObject({ regulations, data_classes, autonomy, terms, time_zone }).partial().shape,
});

type TenantPut = Extract<RegisterChange, { readonly kind: 'tenant.put' }>['tenant'];

export function parseTenant(tenant: TenantName, body: unknown): Result<TenantPut> {
  const parsed = parseWith(tenantBody, body);
  if (!parsed.ok) return parsed;
  const { display_name: displayName, ...given } = parsed.value;
  return ok({ name: tenant, displayName, context: contextOf(given) });
}

/** Reads what is to be put under a name into a register that stands above tenants. */
export function parsePut(
  register: DeploymentRegister,
  called: string,
  body: unknown,
  now: DeploymentSnapshot,
): Result<Parsed> {
  switch (register) {
    case 'people':
      return putPerson(called, body, now);
    case 'operators':
      return putOperator(called, body, now);
    case 'agents':
      return putAgent(called, body, now);
    case 'issuers':
      return putIssuer(called, body);
    case 'vendors':
      return putVendor(called, body);
  }
}

export function parseRemove(register: DeploymentRegister, called: string): Result<Parsed> {
  switch (register) {
    case 'people':
      return removal('person', called, (person) => ({
        change: { kind: 'person.remove', person },
        ends: { ...EVERYTHING, owner: person },
      }));
    case 'operators':
      return removal('operator', called, (operator) => ({
        change: { kind: 'operator.remove', operator },
        ends: null,
      }));
    case 'agents':
      return removal('agent', called, (agent) => ({
        change: { kind: 'agent.remove', agent },
        ends: { ...EVERYTHING, agent },
      }));
    case 'issuers':
      return removal('issuer', called, (issuer) => ({
        change: { kind: 'issuer.remove', issuer },
        ends: null,
      }));
    case 'vendors':
      return removal('vendor', called, (vendor) => ({
        change: { kind: 'vendor.remove', vendor },
        ends: null,
      }));
  }
}

interface RemovableNames {
  readonly person: PersonName;
  readonly operator: OperatorName;
  readonly agent: AgentName;
  readonly issuer: IssuerName;
  readonly vendor: VendorName;
}

function removal<Kind extends keyof RemovableNames>(
  kind: Kind,
  called: string,
  make: (name: RemovableNames[Kind]) => Pick<Parsed, 'change' | 'ends'>,
): Result<Parsed> {
  const parsed = parseName(kind, called);
  if (!parsed.ok) return parsed;
  return ok({ ...make(parsed.value), facts: { [kind]: called }, said: {}, takesTwo: null });
}

function putPerson(called: string, body: unknown, now: DeploymentSnapshot): Result<Parsed> {
  const name = parseName('person', called);
  if (!name.ok) return name;
  const parsed = parseWith(personBody, body);
  if (!parsed.ok) return parsed;
  const { display_name, email, active } = parsed.value;
  const person: Person = { name: name.value, displayName: display_name, email, active };
  const before = now.persons.get(person.name);
  const comesBack = active && before?.active !== true;
  return ok({
    change: { kind: 'person.put', person },
    facts: { person: called, active },
    said: { display_name, email },
    takesTwo: comesBack ? 'to say that there is a person' : null,
    ends: active ? null : { ...EVERYTHING, owner: person.name },
  });
}

function putOperator(called: string, body: unknown, now: DeploymentSnapshot): Result<Parsed> {
  const name = parseName('operator', called);
  if (!name.ok) return name;
  const parsed = parseWith(operatorBody, body);
  if (!parsed.ok) return parsed;
  const { person, issuer, subject, active } = parsed.value;
  if ((issuer === null) !== (subject === null)) {
    return err(failure('invalid_field', 'issuer and subject come together', { path: 'subject' }));
  }
  const linked = person as PersonName | null;
  if (linked !== null && !now.persons.has(linked)) return missing('person', linked);
  return ok({
    change: { kind: 'operator.put', operator: { name: name.value, person: linked, issuer, subject, active } },
    facts: { operator: called, person, active },
    said: { issuer, subject },
    takesTwo: active && person !== null ? 'to link an operator to a person' : null,
    ends: null,
  });
}

function putAgent(called: string, body: unknown, now: DeploymentSnapshot): Result<Parsed> {
  const name = parseName('agent', called);
  if (!name.ok) return name;
  const parsed = parseWith(agentBody, body);
  if (!parsed.ok) return parsed;
  const { owner, deputy, model_version, ...rest } = parsed.value;
  for (const person of [owner, deputy]) {
    if (person !== null && now.persons.get(person as PersonName)?.active !== true) return missing('person', person);
  }
  if (owner === deputy) {
    return err(failure('invalid_field', 'the deputy must be another person than the owner', { path: 'deputy' }));
  }
  const agent: Omit<Agent, 'leftBy'> = {
    ...rest,
    name: name.value,
    owner: owner as PersonName,
    deputy: deputy as PersonName | null,
    formerOwners: [],
    modelVersion: model_version,
  };
  return ok({
    change: { kind: 'agent.put', agent },
    facts: { agent: called, owner, deputy, kind: agent.kind, autonomy: agent.autonomy, active: agent.active },
    said: { purpose: agent.purpose, vendor: agent.vendor, model: agent.model, model_version },
    takesTwo: null,
    ends: agent.active ? null : { ...EVERYTHING, agent: agent.name },
  });
}

function putIssuer(called: string, body: unknown): Result<Parsed> {
  const name = parseName('issuer', called);
  if (!name.ok) return name;
  const parsed = parseWith(issuerBody, body);
  if (!parsed.ok) return parsed;
  const { url, platform, max_age } = parsed.value;
  if (GITHUB.test(new URL(url).hostname) && platform !== 'github') return err(NAMED_BY_SUBJECT);
  return ok({
    change: { kind: 'issuer.put', issuer: { name: name.value, url, platform, maxAge: seconds(max_age) } },
    facts: { issuer: called, platform },
    said: { url },
    takesTwo: null,
    ends: null,
  });
}

/** Where the subject of a token is made of names, which GitHub gives again to others. */
const GITHUB = /^token\.actions\.(?:githubusercontent\.com|[a-z0-9-]+\.ghe\.com)$/;
const NAMED_BY_SUBJECT = failure('invalid_field', 'this issuer is GitHub’s, whose subjects are names', {
  path: 'platform',
  hint: 'Say github: its workloads are known by ids that are never given again.',
});

function putVendor(called: string, body: unknown): Result<Parsed> {
  const name = parseName('vendor', called);
  if (!name.ok) return name;
  const parsed = parseWith(VendorForm, body);
  if (!parsed.ok) return parsed;
  return ok({
    change: { kind: 'vendor.put', vendor: vendorOf(name.value, parsed.value) },
    facts: { vendor: called, ...parsed.value },
    said: {},
    takesTwo: null,
    ends: null,
  });
}

const missing = (kind: string, called: string): Result<never> =>
  err(failure('not_found', `there is no ${kind} ${called} who could stand here`, { path: kind }));
