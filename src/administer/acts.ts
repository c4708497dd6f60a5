/** What administrators do, each an act of one line in the ledger: look who asks, read, commit. */
import type { Claim } from '../core/change.ts';
import type { Receipt } from '../core/entry.ts';
import { failure } from '../core/failure.ts';
import type { AgentName, TargetName, TenantName } from '../core/ids.ts';
import type { Finding } from '../core/provider.ts';
import type { Assignment } from '../core/registers.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { DeploymentSnapshot, Snapshot } from '../core/snapshot.ts';
import type { Deps } from '../deps.ts';
import type { OperatorPrincipal } from '../authenticate/principal.ts';
import { openTarget } from '../issue/target.ts';
import { endAcceptance, parseAcceptance } from './acceptances.ts';
import { administratorAt, unlessTwo } from './administrator.ts';
import { endAssignment, parseAssignment } from './assignments.ts';
import { perform } from './commit.ts';
import { EVERYTHING, parsePut, parseRemove, parseTenant } from './registers.ts';
import type { DeploymentRegister, Parsed } from './registers.ts';
import { makeSigningKeys, parseEnrolment, parseTarget } from './tenants.ts';

const NO_TENANT = failure('not_found', 'there is nothing here');

export async function act(
  deps: Deps,
  operator: OperatorPrincipal,
  place: Snapshot | DeploymentSnapshot,
  read: () => Promise<Result<Parsed>> | Result<Parsed>,
  claim: Claim | null = null,
): Promise<Result<Receipt>> {
  const by = administratorAt(operator, place, deps.clock());
  if (!by.ok) return by;
  const parsed = await read();
  if (!parsed.ok) return parsed;
  const { takesTwo, ...rest } = parsed.value;
  const alone = takesTwo === null ? ok(null) : unlessTwo(by.value, takesTwo);
  if (!alone.ok) return alone;
  return perform(deps, { ...rest, by: by.value, ledger: 'tenant' in place ? place.tenant.name : null, claim });
}

export async function putInRegister(
  deps: Deps,
  operator: OperatorPrincipal,
  entry: { readonly register: DeploymentRegister; readonly name: string; readonly body: unknown },
): Promise<Result<Receipt>> {
  const now = await deps.store.deployment();
  return act(deps, operator, now, () => parsePut(entry.register, entry.name, entry.body, now));
}

export async function removeFromRegister(
  deps: Deps,
  operator: OperatorPrincipal,
  register: DeploymentRegister,
  name: string,
): Promise<Result<Receipt>> {
  return act(deps, operator, await deps.store.deployment(), () => parseRemove(register, name));
}

export async function putTenant(
  deps: Deps,
  operator: OperatorPrincipal,
  name: TenantName,
  body: unknown,
): Promise<Result<Receipt>> {
  const known = await deps.store.snapshot(name);
  return act(deps, operator, await deps.store.deployment(), async () => {
    const tenant = parseTenant(name, body);
    if (!tenant.ok) return tenant;
    const keys = known === null ? await makeSigningKeys(deps, name) : [];
    const { displayName, context } = tenant.value;
    return ok({
      change: { kind: 'tenant.put', tenant: tenant.value, keys },
      facts: { tenant: name, keys: keys.map(({ kid }) => kid) },
      said: { display_name: displayName, ...context },
      takesTwo: null,
      ends: null,
    });
  });
}

export async function removeTenant(
  deps: Deps,
  operator: OperatorPrincipal,
  name: TenantName,
): Promise<Result<Receipt>> {
  const known = await deps.store.snapshot(name);
  return act(deps, operator, await deps.store.deployment(), () => {
    if (known === null) return err(NO_TENANT);
    return ok({
      change: { kind: 'tenant.remove', tenant: name },
      facts: { tenant: name },
      said: {},
      takesTwo: null,
      ends: { ...EVERYTHING, tenant: name },
    });
  });
}

export async function putTarget(
  deps: Deps,
  operator: OperatorPrincipal,
  at: Snapshot,
  entry: { readonly target: TargetName; readonly body: unknown },
): Promise<Result<Receipt>> {
  return act(deps, operator, at, () => parseTarget(deps, at, entry.target, entry.body));
}

export async function removeTarget(
  deps: Deps,
  operator: OperatorPrincipal,
  at: Snapshot,
  target: TargetName,
): Promise<Result<Receipt>> {
  const tenant = at.tenant.name;
  return act(deps, operator, at, () =>
    ok({
      change: { kind: 'target.remove', tenant, target },
      facts: { tenant, target },
      said: {},
      takesTwo: null,
      ends: { ...EVERYTHING, tenant, target },
    }),
  );
}

/** What is wrong with a target, asked of the target itself. */
export async function checkTarget(
  deps: Deps,
  operator: OperatorPrincipal,
  at: Snapshot,
  called: TargetName,
): Promise<Result<readonly Finding[]>> {
  const by = administratorAt(operator, at, deps.clock());
  if (!by.ok) return by;
  const version = at.targets.get(called);
  const provider = version === undefined ? undefined : deps.providers.get(version.provider);
  if (version === undefined || provider === undefined) return err(failure('not_found', `there is no target ${called}`));
  return ok(await provider.check(await openTarget(deps.keyring, version)));
}

export async function putEnrolment(
  deps: Deps,
  operator: OperatorPrincipal,
  at: Snapshot,
  entry: { readonly agent: AgentName; readonly body: unknown },
): Promise<Result<Receipt>> {
  return act(deps, operator, at, () => parseEnrolment(at, entry.agent, operator.operator, entry.body));
}

export async function removeEnrolment(
  deps: Deps,
  operator: OperatorPrincipal,
  at: Snapshot,
  agent: AgentName,
): Promise<Result<Receipt>> {
  const tenant = at.tenant.name;
  return act(deps, operator, at, () =>
    ok({
      change: { kind: 'enrolment.remove', tenant, agent },
      facts: { tenant, agent },
      said: {},
      takesTwo: null,
      ends: { ...EVERYTHING, tenant, agent },
    }),
  );
}

export async function putAcceptance(
  deps: Deps,
  operator: OperatorPrincipal,
  at: Snapshot,
  entry: { readonly agent: AgentName; readonly body: unknown },
): Promise<Result<Receipt>> {
  const { policy } = at.deployment;
  const tasks = policy === null ? new Map() : (await deps.bundles.at(policy)).tasks;
  return act(deps, operator, at, () => parseAcceptance(at, entry.agent, operator, tasks, entry.body));
}

export async function removeAcceptance(
  deps: Deps,
  operator: OperatorPrincipal,
  at: Snapshot,
  agent: AgentName,
): Promise<Result<Receipt>> {
  return act(deps, operator, at, () => ok(endAcceptance(at, agent)));
}

export async function putAssignment(
  deps: Deps,
  operator: OperatorPrincipal,
  place: Snapshot | DeploymentSnapshot,
  { body, claim }: { readonly body: unknown; readonly claim: Claim | null },
): Promise<Result<Receipt>> {
  const { policy } = 'deployment' in place ? place.deployment : place;
  const roles = policy === null ? new Map() : (await deps.bundles.at(policy)).roles;
  return act(deps, operator, place, () => parseAssignment(deps, body, roles, place.assignments), claim);
}

export async function removeAssignment(
  deps: Deps,
  operator: OperatorPrincipal,
  place: Snapshot | DeploymentSnapshot,
  assignment: Assignment,
): Promise<Result<Receipt>> {
  return act(deps, operator, place, () => ok(endAssignment(assignment)));
}
