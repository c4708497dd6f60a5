/** What administrators do, each an act of one line in the ledger: look who asks, read, commit. */
import type { JsonObject } from '../core/canonical.ts';
import type { Claim } from '../core/change/once.ts';
import type { RegisterChange } from '../core/change/register.ts';
import type { Receipt } from '../core/entry.ts';
import { failure, NOTHING_HERE } from '../core/failure.ts';
import type { AgentName, AssignmentId, TargetName, TenantName } from '../core/ids.ts';
import type { Finding } from '../core/provider.ts';
import type { Assignment } from '../core/registers.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { Snapshot } from '../core/snapshot.ts';
import type { Deps } from '../deps.ts';
import type { OperatorPrincipal } from '../authenticate/principal.ts';
import { openTarget } from '../issue/target.ts';
import { endAcceptance, parseAcceptance } from './acceptances.ts';
import { administratorAt, unlessTwo } from './administrator.ts';
import { mustBeAsSeen } from './author.ts';
import type { Author, Place, Sent } from './author.ts';
import { endAssignment, NO_BUNDLE, parseAssignment } from './assignments.ts';
import { make, perform } from './commit.ts';
import type { Act } from './commit.ts';
import { EVERYTHING, parsePut, parseRemove, parseTenant } from './registers.ts';
import type { DeploymentRegister, Parsed } from './registers.ts';
import { makeSigningKeys, parseEnrolment, parseTarget } from './tenants.ts';

interface Resting {
  /** A key under which it may be sent again. */
  readonly claim?: Claim | null;
  /** A tenant is changed from above, and has an epoch of its own that the author may rest on. */
  readonly tenantEpoch?: number | null;
}

export async function act(
  deps: Deps,
  author: Author,
  place: Place,
  read: () => Promise<Result<Parsed>> | Result<Parsed>,
  resting: Resting = {},
): Promise<Result<Receipt>> {
  const ready = await prepare(deps, author, { place, read, resting });
  return ready.ok ? perform(deps, ready.value) : ready;
}

/** All but its commit. */
async function prepare<Change extends RegisterChange>(
  deps: Deps,
  author: Author,
  {
    place,
    read,
    resting: { claim = null, tenantEpoch = null },
  }: {
    readonly place: Place;
    readonly read: () => Promise<Result<Parsed<Change>>> | Result<Parsed<Change>>;
    readonly resting: Resting;
  },
): Promise<Result<Act & { readonly change: Change }>> {
  const by = administratorAt(author, place, deps.clock());
  if (!by.ok) return by;
  const seen = await mustBeAsSeen(deps, author, place);
  if (!seen.ok) return seen;
  const parsed = await read();
  if (!parsed.ok) return parsed;
  const { takesTwo, ...rest } = parsed.value;
  const alone = takesTwo === null ? ok(null) : unlessTwo(by.value, takesTwo, rest.change.kind);
  if (!alone.ok) return alone;
  const reason = author.reason === null ? {} : { reason: author.reason };
  return ok({
    ...rest,
    said: { ...reason, ...rest.said },
    by: tenantEpoch === null ? by.value : { ...by.value, tenantEpoch },
    ledger: 'tenant' in place ? place.tenant.name : null,
    claim,
  });
}

export async function putInRegister(
  deps: Deps,
  operator: Author,
  entry: { readonly register: DeploymentRegister; readonly name: string; readonly body: unknown },
): Promise<Result<Receipt>> {
  const now = await deps.store.deployment();
  const read = async (): Promise<Result<Parsed>> => {
    const parsed = parsePut(entry.register, entry.name, entry.body, now);
    return parsed.ok ? ok({ ...parsed.value, reassesses: await isKnownAgent(deps, parsed.value) }) : parsed;
  };
  return act(deps, operator, now, read);
}

/** An agent's model, vendor, kind and autonomy are what decisions rest on; a new one has been given nothing. */
const isKnownAgent = async ({ store }: Deps, { change }: Parsed): Promise<boolean> =>
  change.kind === 'agent.put' && (await store.agents()).some(({ name }) => name === change.agent.name);

export async function removeFromRegister(
  deps: Deps,
  operator: Author,
  register: DeploymentRegister,
  name: string,
): Promise<Result<Receipt>> {
  return act(deps, operator, await deps.store.deployment(), () => parseRemove(register, name));
}

export async function putTenant(
  deps: Deps,
  operator: Author,
  name: TenantName,
  body: unknown,
): Promise<Result<Receipt>> {
  const known = await knownTenant(deps, operator, name);
  const read = async (): Promise<Result<Parsed>> => {
    const tenant = parseTenant(name, body);
    if (!tenant.ok) return tenant;
    const keys = known === null ? await makeSigningKeys(deps, name) : [];
    const { displayName, context } = tenant.value;
    return ok({
      change: { kind: 'tenant.put', tenant: tenant.value, keys },
      facts: { tenant: name, keys: keys.map(({ kid }) => kid) },
      said: { display_name: displayName, ...(context as JsonObject) },
      takesTwo: null,
      ends: null,
    });
  };
  return act(deps, operator, await deps.store.deployment(), read, { tenantEpoch: epochSeen(operator, known) });
}

/** Read anew where the change rests on it: a kept one would be found overtaken again and again. */
async function knownTenant(deps: Deps, { isAsSeen }: Author, name: TenantName): Promise<Snapshot | null> {
  if (isAsSeen !== null) deps.store.forget(name);
  return deps.store.snapshot(name);
}

/** 0: there is none yet. */
const epochSeen = ({ isAsSeen }: Author, known: Snapshot | null): number | null =>
  isAsSeen === null ? null : (known?.epochs.tenant ?? 0);

export async function removeTenant(deps: Deps, operator: Author, name: TenantName): Promise<Result<Receipt>> {
  const known = await knownTenant(deps, operator, name);
  const read = (): Result<Parsed> => {
    if (known === null) return err(NOTHING_HERE);
    return ok({
      change: { kind: 'tenant.remove', tenant: name },
      facts: { tenant: name },
      said: {},
      takesTwo: null,
      ends: { ...EVERYTHING, tenant: name },
    });
  };
  return act(deps, operator, await deps.store.deployment(), read, { tenantEpoch: epochSeen(operator, known) });
}

export async function putTarget(
  deps: Deps,
  operator: Author,
  at: Snapshot,
  entry: { readonly target: TargetName; readonly body: unknown },
): Promise<Result<Receipt>> {
  return act(deps, operator, at, () => parseTarget(deps, at, entry, operator.operator));
}

export async function removeTarget(
  deps: Deps,
  operator: Author,
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
  operator: Author,
  at: Snapshot,
  entry: { readonly agent: AgentName; readonly body: unknown },
): Promise<Result<Receipt>> {
  return act(deps, operator, at, () => parseEnrolment(at, entry.agent, operator.operator, entry.body));
}

export async function removeEnrolment(
  deps: Deps,
  operator: Author,
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
  operator: Author,
  at: Snapshot,
  entry: { readonly agent: AgentName; readonly body: unknown },
): Promise<Result<Receipt>> {
  const { policy } = at.deployment;
  const tasks = policy === null ? new Map() : (await deps.bundles.at(policy)).tasks;
  return act(deps, operator, at, () => parseAcceptance(at, entry.agent, operator, tasks, entry.body));
}

export async function removeAcceptance(
  deps: Deps,
  operator: Author,
  at: Snapshot,
  agent: AgentName,
): Promise<Result<Receipt>> {
  return act(deps, operator, at, () => ok(endAcceptance(at, agent)));
}

export async function putAssignment(
  deps: Deps,
  operator: Author,
  place: Place,
  { body, claim }: Sent,
): Promise<Result<{ readonly assignment: AssignmentId; readonly receipt: Receipt }>> {
  const { policy } = 'deployment' in place ? place.deployment : place;
  const bundle = policy === null ? NO_BUNDLE : await deps.bundles.at(policy);
  const read = () => parseAssignment(deps, body, { bundle, place, author: operator });
  const ready = await prepare(deps, operator, { place, read, resting: { claim } });
  if (!ready.ok) return ready;
  const done = await make(deps, ready.value, { assignment: ready.value.change.assignment.id });
  return done.ok ? ok({ assignment: done.value.made.assignment, receipt: done.value.receipt }) : done;
}

export async function removeAssignment(
  deps: Deps,
  operator: Author,
  place: Place,
  assignment: Assignment,
): Promise<Result<Receipt>> {
  return act(deps, operator, place, () => ok(endAssignment(assignment)));
}
