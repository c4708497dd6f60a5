/** Who holds which role, where, until when, reviewed by whom. */
import { z } from 'zod';
import type { LeaseFilter } from '../core/change.ts';
import type { RegisterChange } from '../core/change/register.ts';
import { failure } from '../core/failure.ts';
import { newId } from '../core/ids.ts';
import type { AgentName, PersonName, RoleName, TenantName } from '../core/ids.ts';
import { name, parseWith, when } from '../core/parse.ts';
import type { Assignment, Holder } from '../core/registers.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import { after, seconds, toRfc3339 } from '../core/time.ts';
import type { Bundle } from '../decide/bundle.ts';
import type { Deps } from '../deps.ts';
import { EVERYTHING } from './registers.ts';
import type { Place } from './author.ts';
import { breakGlass } from './break-glass.ts';
import type { Breaking } from './break-glass.ts';
import type { Parsed } from './registers.ts';

export const assignmentBody = z.strictObject({
  tenant: name().nullable(),
  holder: z.union([z.strictObject({ person: name() }), z.strictObject({ agent: name() })]),
  role: name(),
  until: when().nullable().optional(),
  reviewer: name().nullable().default(null),
});

/** An assignment ends by itself after a quarter, unless it says otherwise. */
const DEFAULT_TERM = seconds(90 * 24 * 3600);

export const assignmentTenant = (input: unknown): Result<TenantName | null> => {
  const parsed = parseWith(assignmentBody, input);
  return parsed.ok ? ok(parsed.value.tenant as TenantName | null) : parsed;
};

/** Of the active bundle, what an assignment rests on. */
type Roles = Pick<Bundle, 'roles' | 'tasks'>;
export const NO_BUNDLE: Roles = { roles: new Map(), tasks: new Map() };

/** Under what it is given, and by whom. */
export interface Giving {
  readonly bundle: Roles;
  readonly place: Place;
  readonly author: Breaking;
}

export type PutsAssignment = Extract<RegisterChange, { readonly kind: 'assignment.put' }>;

export async function parseAssignment(
  deps: Deps,
  input: unknown,
  { bundle, place, author }: Giving,
): Promise<Result<Parsed<PutsAssignment>>> {
  const parsed = parseWith(assignmentBody, input);
  if (!parsed.ok) return parsed;
  const { tenant, holder: held, role, until, reviewer } = parsed.value;
  const { roles } = bundle;
  const asked = roles.get(role as RoleName);
  const given = asked?.function;
  if (given === undefined) return err(failure('not_found', `the bundle has no role ${role}`, { path: 'role' }));
  if (tenant === null && given !== 'administration') {
    const hint = 'Name a tenant; only administration may stand above them.';
    return err(failure('invalid_field', `the function ${given} is held at a tenant`, { path: 'tenant', hint }));
  }
  const holder: Holder =
    'person' in held
      ? { kind: 'person', name: held.person as PersonName }
      : { kind: 'agent', name: held.agent as AgentName };
  if (holder.kind === 'agent' && given !== 'execution') {
    return err(failure('second_function', 'an agent holds execution alone', { path: 'holder' }));
  }
  const now = deps.clock();
  const ends = until === undefined ? after(now, DEFAULT_TERM) : until;
  if (ends !== null && ends <= now)
    return err(failure('invalid_field', 'it would have ended already', { path: 'until' }));
  const assignment: Assignment = {
    id: newId('asg', now, deps.random),
    tenant: tenant as TenantName | null,
    holder,
    role: role as RoleName,
    function: given,
    until: ends,
    reviewer: reviewer as PersonName | null,
  };
  const put = putting(assignment, place.assignments);
  if (asked === undefined || !asked.breakGlass) return ok(put);
  return breakGlass(deps, put, assignment, { role: asked, bundle, place, author });
}

/** @param before what is held there now: the same role given anew with an earlier end takes away. */
function putting(assignment: Assignment, before: readonly Assignment[]): Parsed<PutsAssignment> {
  const { until, function: given } = assignment;
  return {
    change: { kind: 'assignment.put', assignment },
    facts: { ...factsOf(assignment), until: until === null ? null : toRfc3339(until), reviewer: assignment.reviewer },
    said: {},
    takesTwo: given === 'execution' ? null : `to give ${given}`,
    ends: before.some((held) => isShortened(held, assignment)) ? restingOn(assignment) : null,
  };
}

const isShortened = (held: Assignment, { holder, role, until }: Assignment): boolean =>
  held.holder.kind === holder.kind &&
  held.holder.name === holder.name &&
  held.role === role &&
  until !== null &&
  (held.until === null || held.until > until);

const restingOn = ({ tenant, holder, role }: Assignment): LeaseFilter | null =>
  holder.kind === 'agent' ? { ...EVERYTHING, tenant, agent: holder.name, role } : null;

/** Ending an assignment ends what rests on it. */
export const endAssignment = (assignment: Assignment): Parsed => ({
  change: { kind: 'assignment.remove', assignment },
  facts: factsOf(assignment),
  said: {},
  takesTwo: null,
  ends: restingOn(assignment),
});

const factsOf = ({ id, tenant, holder, role, function: given }: Assignment) => ({
  assignment: id,
  tenant,
  holder: { ...holder },
  role,
  function: given,
});
