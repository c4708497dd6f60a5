/**
 * What a request needs before any rule is asked: an agent in standing, a role that carries the task class, a target of
 * its provider, parameters of its form, and somebody who oversees.
 */
import { agentInStanding } from '../authenticate/principal.ts';
import type { AgentPrincipal } from '../authenticate/principal.ts';
import type { PersonName } from '../core/ids.ts';
import type { Declaration, Provider } from '../core/provider.ts';
import type { ProviderKind, TargetVersion } from '../core/registers.ts';
import type { AccessRequest, Circumstances } from '../core/request.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { Snapshot } from '../core/snapshot.ts';
import type { Instant } from '../core/time.ts';
import type { Bundle, Circumstance, TaskClass } from './bundle/model.ts';
import { denial } from './denial.ts';
import type { Denial } from './decision.ts';
import { executionRoles, involvedIn, standingFor } from './segregation.ts';
import type { HeldRole, Standing } from './segregation.ts';

/** Of a provider, a decision asks only what it can do. */
export type Declarers = ReadonlyMap<ProviderKind, Pick<Provider, 'declare'>>;

/** A request, at one moment, on what is known at that moment. */
export interface Asking {
  readonly snapshot: Snapshot;
  readonly principal: AgentPrincipal;
  readonly request: AccessRequest;
  readonly now: Instant;
  /** The commit has found that the same is being done at more tenants than are taken one by one. */
  readonly manyTenants: boolean;
  /** It takes back what oversight has ordered taken back. */
  readonly ordered?: boolean;
  /** How many asks wait for each person's answer, over all tenants. Without it nobody is passed over for that. */
  readonly open?: ReadonlyMap<PersonName, number>;
  /** People are at it, or have answered: whether others could be asked by now does not matter. */
  readonly underWay?: true;
}

export interface Admitted {
  /** As the snapshot has it, whatever was proven before. */
  readonly principal: AgentPrincipal;
  readonly task: TaskClass;
  /** Those that carry the task class, at least one. */
  readonly roles: readonly HeldRole[];
  readonly target: TargetVersion;
  readonly declared: Declaration;
  /** Who may oversee it, and who could approve it. */
  readonly oversight: Standing;
  readonly approvers: Standing;
}

export function admit(bundle: Bundle, providers: Declarers, asking: Asking): Result<Admitted, Denial> {
  const { snapshot, request, now } = asking;
  const principal = standing(asking);
  if (!principal.ok) return principal;
  const carried = rolesFor(bundle, asking);
  if (!carried.ok) return carried;
  const { task, roles } = carried.value;
  const involved = involvedIn(principal.value, now);
  const oversight = standingFor('oversight', involved, { bundle, snapshot, now });
  if (oversight.persons.length === 0) return err(UNSEEN);
  const approvers = standingFor('approval', involved, { bundle, snapshot, now });
  const connected = connect(task, providers, asking);
  if (!connected.ok) return connected;
  const wrong = parameterDenial(task, request) ?? circumstanceDenial(task, request.circumstances);
  if (wrong !== null) return err(wrong);
  return ok({ principal: principal.value, task, roles, oversight, approvers, ...connected.value });
}

const UNSEEN = denial('nobody_oversees', 'nobody who may oversee this agent holds oversight here', {
  hint: 'A person other than the owner of the agent must hold oversight at this tenant.',
});

function standing({ snapshot, principal, now }: Asking): Result<AgentPrincipal, Denial> {
  const { stopped } = snapshot.deployment;
  if (stopped !== null) return err(denial('issuing_stopped', 'nothing is issued for now', { because: stopped }));
  const current = agentInStanding(snapshot, principal.agent.name, principal.by, now);
  if (!current.ok) {
    const { failure, why } = current.error;
    return err(denial(failure.code, failure.detail, { hint: failure.hint ?? null, because: why }));
  }
  const { launchedBy } = principal;
  if (launchedBy !== null && snapshot.deployment.persons.get(launchedBy)?.active !== true) {
    return err(denial('invalid_field', `there is no active person ${launchedBy}`, NAME_A_PERSON));
  }
  return ok({ ...current.value, launchedBy });
}

const NAME_A_PERSON = { path: 'launched_by', hint: 'Name the person as the register has them.' };

function rolesFor(
  bundle: Bundle,
  { snapshot, principal, request, now }: Asking,
): Result<{ readonly task: TaskClass; readonly roles: readonly HeldRole[] }, Denial> {
  const task = bundle.tasks.get(request.task);
  if (task?.humanOnly === true) return err(humansOnly(task));
  const held = executionRoles(bundle, snapshot, principal.agent.name, now);
  const roles = held.filter(
    ({ role }) => role.tasks.has(request.task) && (request.role === null || role.name === request.role),
  );
  if (task !== undefined && roles.length > 0) return ok({ task, roles });
  // A task class that does not exist gets the words for one that is not carried.
  const named = request.role === null ? '' : ` named ${request.role}`;
  return err(
    denial('no_role', `no role${named} that the agent holds here carries ${request.task}`, {
      hint: 'Ask for a task class of a role that it holds, or have one assigned.',
      path: request.role === null ? 'task' : 'role',
    }),
  );
}

const humansOnly = ({ name }: TaskClass): Denial =>
  denial('humans_only', `${name} is for people alone, whoever approves`, {
    hint: 'Hand it to a person.',
    path: 'task',
  });

function connect(
  task: TaskClass,
  providers: Declarers,
  { snapshot, request }: Asking,
): Result<Pick<Admitted, 'target' | 'declared'>, Denial> {
  const target = snapshot.targets.get(request.target);
  const provider = providers.get(task.provider);
  if (target === undefined || target.provider !== task.provider || provider === undefined) {
    return err(
      denial('target_unknown', `no target ${request.target} here takes ${task.name}`, {
        hint: `Name a target whose provider is ${task.provider}.`,
        path: 'resource',
      }),
    );
  }
  return ok({ target, declared: provider.declare(target, task.template) });
}

function parameterDenial(task: TaskClass, { parameters }: AccessRequest): Denial | null {
  const misfit = task.parameters.misfitIn(parameters);
  if (misfit === null) return null;
  return denial('invalid_parameters', `the parameters do not fit ${task.name}: ${misfit.what}`, {
    hint: 'Send the parameters that the task class defines.',
    path: `parameters${misfit.place.replaceAll('/', '.')}`,
  });
}

function circumstanceDenial(task: TaskClass, said: Circumstances): Denial | null {
  const missing = task.requires.find((field) => said[SAID_AS[field]] === undefined);
  if (missing === undefined) return null;
  return denial('invalid_field', `${task.name} requires ${missing}`, { hint: `Say ${missing}.`, path: missing });
}

export const SAID_AS: Readonly<Record<Circumstance, keyof Circumstances>> = {
  trigger: 'trigger',
  data_considered: 'dataConsidered',
  data_classes: 'dataClasses',
  purpose: 'purpose',
  legal_basis: 'legalBasis',
  environment: 'environment',
  confidence: 'confidence',
  model: 'model',
  model_version: 'modelVersion',
  evidence: 'evidence',
  rollback: 'rollback',
  change: 'change',
  plan: 'plan',
};
