/** An operator whose function was seen to allow the act where it has effect. Only this file makes one. */
import type { RegisterChange } from '../core/change/register.ts';
import type { Actor } from '../core/entry.ts';
import { failure } from '../core/failure.ts';
import type { PersonName } from '../core/ids.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { DeploymentSnapshot, Snapshot } from '../core/snapshot.ts';
import type { Instant } from '../core/time.ts';
import type { OperatorPrincipal } from '../authenticate/principal.ts';
import { functionAt, readsAlone } from '../authenticate/principal.ts';
import { ACTS, mayUse } from '../authenticate/act.ts';
import type { OperatorAct } from '../authenticate/act.ts';

export interface Administrator {
  readonly actor: Actor;
  readonly person: PersonName;
  readonly inSetup: boolean;
  /** The deployment's epoch that this standing was read under. */
  readonly epoch: number;
  /** The tenant's, where it was read there: one who stood down meanwhile changes nothing any more. */
  readonly tenantEpoch: number | null;
}

const GONE = failure('unauthenticated', 'The token is missing, wrong or over', { hint: 'Ask an administrator.' });

/** @param place the tenant's snapshot, or the deployment's for what stands above tenants. */
export function administratorAt(
  operator: OperatorPrincipal,
  place: Snapshot | DeploymentSnapshot,
  now: Instant,
  act: 'administer' | 'change.word' | 'passkey.enrol_first' = 'administer',
): Result<Administrator> {
  return standingAt(operator, place, now, [act]);
}

/** @param acts one of which the operator's function must allow; the first is named where it does not. */
export function standingAt(
  operator: OperatorPrincipal,
  place: Snapshot | DeploymentSnapshot,
  now: Instant,
  acts: readonly [OperatorAct, ...OperatorAct[]],
): Result<Administrator> {
  if (!isStillTheirs(operator, place)) return err(GONE);
  const held = functionAt(place, operator.person, now);
  const act = acts.find((one) => ACTS[one].function === held) ?? acts[0];
  const may = mayUse(operator, act, { held, alone: readsAlone(place, operator.person, now) });
  return may.ok ? ok(standing(operator, place)) : may;
}

/**
 * What people say of themselves, they may say whatever function they hold; of another, an administrator may. Whoever
 * holds the deployment key is nobody in particular.
 */
export function aboutPerson(
  operator: OperatorPrincipal,
  deployment: DeploymentSnapshot,
  now: Instant,
  person: PersonName,
): Result<Administrator> {
  if (operator.person !== person || operator.by === 'local') return administratorAt(operator, deployment, now);
  return isStillTheirs(operator, deployment) ? ok(standing(operator, deployment)) : err(GONE);
}

/** It was looked at before the body came, which may have taken its time. */
function isStillTheirs({ operator, person }: OperatorPrincipal, place: Snapshot | DeploymentSnapshot): boolean {
  const account = deploymentOf(place).operators.get(operator);
  return account?.active === true && account.person === person;
}

const deploymentOf = (place: Snapshot | DeploymentSnapshot): DeploymentSnapshot =>
  'deployment' in place ? place.deployment : place;

function standing(operator: OperatorPrincipal, place: Snapshot | DeploymentSnapshot): Administrator {
  const { inSetup, epoch } = deploymentOf(place);
  return {
    actor: actorOf(operator),
    person: operator.person,
    inSetup,
    epoch,
    tenantEpoch: 'deployment' in place ? place.epochs.tenant : null,
  };
}

export const actorOf = (operator: OperatorPrincipal): Actor => ({
  kind: 'operator',
  name: operator.operator,
  person: operator.person,
  by: operator.by,
});

const BY_CHANGE = 'POST /api/changes (brevet … --propose)';
const BY_POLICY = 'POST /api/policy/propose (brevet policy propose)';

/** What takes two persons is refused once set-up is over, until a second one can confirm it. */
export function unlessTwo(by: Administrator, what: string, kind: RegisterChange['kind']): Result<null> {
  if (by.inSetup) return ok(null);
  const where = kind === 'policy.activate' ? BY_POLICY : BY_CHANGE;
  const hint = `Propose it at ${where}, and have another administrator confirm it.`;
  return err(failure('takes_two_persons', `${what} takes two persons`, { hint }));
}
