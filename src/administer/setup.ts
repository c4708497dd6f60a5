/**
 * Set-up: the first person, operator and administrator come by a demand signed with the deployment key, and it ends
 * for good when two administrators have each called with a token of the OIDC issuer, or signed in with a passkey. Where
 * fewer than two are left, the deployment key brings it back, and nothing is issued while it lasts.
 */
import { makeEntry } from '../core/entry.ts';
import type { Receipt } from '../core/entry.ts';
import { failure } from '../core/failure.ts';
import type { Failure } from '../core/failure.ts';
import { newId } from '../core/ids.ts';
import type { OperatorName, PersonName, RoleName } from '../core/ids.ts';
import { DEMAND_KEY_USE, verifyDemand } from '../core/local-token.ts';
import type { Demand } from '../core/local-token.ts';
import type { Assignment, Person } from '../core/registers.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { Secret } from '../core/secret.ts';
import type { Instant } from '../core/time.ts';
import type { Deps } from '../deps.ts';
import type { OperatorPrincipal } from '../authenticate/principal.ts';
import { signLocalToken } from '../authenticate/local-token.ts';
import { unmetFailure } from './commit.ts';

/** The role of the first administrator; every bundle has one of this name, with the function administration. */
export const ADMINISTRATOR_ROLE = 'administrator' as RoleName;

export interface LocalToken {
  readonly token: Secret;
  readonly operator: OperatorName;
  readonly receipt: Receipt;
}

/** Answers a demand: its use is written down before the token leaves. */
export async function makeLocalToken(deps: Deps, demand: string): Promise<Result<LocalToken>> {
  const key = deps.keyring.derive(DEMAND_KEY_USE);
  const verified = await verifyDemand(key, demand, deps.publicUrl, deps.clock());
  if (!verified.ok) return verified;
  const begun = await beginIfEmpty(deps, verified.value);
  if (!begun.ok) return begun;
  const now = await deps.store.deployment();
  const operator = now.operators.get(verified.value.operator);
  if (operator?.active !== true || operator.person === null) {
    const hint = 'Name an operator that leads to a person: brevet operator list.';
    return err(failure('unauthenticated', `there is no operator ${verified.value.operator}`, { hint }));
  }
  const written = await writeDown(deps, verified.value, operator.person, now.inSetup);
  if (!written.ok) return written;
  return ok({ token: await signLocalToken(deps, operator.name), operator: operator.name, receipt: written.value });
}

async function writeDown(
  deps: Deps,
  { operator, jti, expiresAt }: Demand,
  person: PersonName,
  inSetup: boolean,
): Promise<Result<Receipt>> {
  const entry = makeEntry(
    {
      tenant: null,
      kind: 'local_token.made',
      at: deps.clock(),
      actor: { kind: 'operator', name: operator, person, by: 'local' },
      accountable: person,
      inSetup,
      facts: { operator },
    },
    deps.random,
  );
  const oneUse = { client: `operator:${operator}`, jti, until: expiresAt };
  const change = { kind: 'local_token.make', operator, oneUse } as const;
  const done = await deps.store.commit({ kind: 'register', change, work: [], deploymentEpoch: null }, [entry]);
  if (!done.ok) return err(unmetFailure(done.error));
  const [receipt] = done.value.receipts;
  if (receipt === undefined) throw new Error('a local token was made without its entry');
  return ok(receipt);
}

async function beginIfEmpty(deps: Deps, { operator }: Demand): Promise<Result<null>> {
  if ((await deps.store.deployment()).persons.size > 0) return ok(null);
  const at = deps.clock();
  const first = personCalled(operator);
  const person = first.name;
  const change = {
    kind: 'setup.begin',
    person: first,
    operator: { name: operator, person, issuer: null, subject: null, active: true },
    assignment: administrating(deps, at, person),
  } as const;
  const actor = { kind: 'operator', name: operator, person, by: 'local' } as const;
  const facts = { person, operator, role: ADMINISTRATOR_ROLE };
  const entry = makeEntry(
    { tenant: null, kind: 'setup.begun', at, actor, accountable: person, inSetup: true, facts },
    deps.random,
  );
  const begun = await deps.store.commit({ kind: 'register', change, work: [], deploymentEpoch: null }, [entry]);
  deps.store.forget(null);
  // Another node may have begun it at the same moment: then there is somebody, which is all that was wanted.
  return begun.ok || begun.error.unmet === 'taken' ? ok(null) : err(unmetFailure(begun.error));
}

/** What came of a recovery: who administers the deployment once more. */
export interface Recovered {
  readonly operator: OperatorName;
  readonly receipt: Receipt;
}

/**
 * Answers a demand to go back to set-up, where fewer than two administrators are left: nothing is issued from then on,
 * until two of them have been seen. Whoever is named is one of them, and new where the name is.
 */
export async function recover(deps: Deps, demand: string): Promise<Result<Recovered>> {
  const at = deps.clock();
  const verified = await verifyDemand(deps.keyring.derive(DEMAND_KEY_USE), demand, deps.publicUrl, at, 'recovery');
  if (!verified.ok) return verified;
  const { operator: name, jti, expiresAt } = verified.value;
  const now = await deps.store.deployment();
  const known = now.operators.get(name);
  const fresh = personCalled(name);
  // One who is there stays as they are: somebody who went does not come back by being named.
  const person = now.persons.get(known?.person ?? fresh.name) ?? (known === undefined ? fresh : undefined);
  if (known?.active === false || person?.active !== true) return err(SOMEBODY_ELSE);
  const operator = known ?? { name, person: person.name, issuer: null, subject: null, active: true };
  const change = {
    kind: 'setup.recover',
    person,
    operator,
    assignment: administrating(deps, at, person.name),
    oneUse: { client: `recovery:${name}`, jti, until: expiresAt },
  } as const;
  const actor = { kind: 'operator', name, person: person.name, by: 'local' } as const;
  const facts = { person: person.name, operator: name, role: ADMINISTRATOR_ROLE };
  const entry = makeEntry(
    { tenant: null, kind: 'setup.recovered', at, actor, accountable: person.name, inSetup: true, facts },
    deps.random,
  );
  const done = await deps.store.commit({ kind: 'register', change, work: [], deploymentEpoch: null }, [entry]);
  deps.store.forget(null);
  if (!done.ok) return err(done.error.unmet === 'taken' ? whyNothing(done.error.by) : unmetFailure(done.error));
  const [receipt] = done.value.receipts;
  if (receipt === undefined) throw new Error('set-up was recovered without an entry');
  return ok({ operator: name, receipt });
}

const SOMEBODY_ELSE = failure('name_retired', 'the operator of this name, or the person behind it, is disabled', {
  hint: 'Name another: one that is not there yet is made.',
});

const whyNothing = (by: string): Failure =>
  by === 'set-up'
    ? failure('nothing_to_recover', 'set-up lasts', { hint: 'Use brevet operator token --as NAME.' })
    : failure('nothing_to_recover', `${by} administer this deployment`, {
        hint: 'What takes two, they do between them: brevet change list. A lost passkey is enrolled anew.',
      });

const personCalled = (operator: OperatorName): Person => ({
  name: operator as string as PersonName,
  displayName: operator,
  email: null,
  active: true,
});

const administrating = (deps: Pick<Deps, 'random'>, at: Instant, person: PersonName): Assignment => ({
  id: newId('asg', at, deps.random),
  tenant: null,
  holder: { kind: 'person', name: person },
  role: ADMINISTRATOR_ROLE,
  function: 'administration',
  until: null,
  reviewer: null,
});

/** An administrator's call with a token of the OIDC issuer, or sign-in, counts towards the end of set-up. */
export async function witness(deps: Deps, operator: OperatorPrincipal): Promise<void> {
  const now = await deps.store.deployment();
  const administers = now.assignments.some(({ holder }) => holder.kind === 'person' && holder.name === operator.person);
  if (!now.inSetup || operator.by === 'local' || !administers) return;
  const entry = makeEntry(
    {
      tenant: null,
      kind: 'setup.witnessed',
      at: deps.clock(),
      actor: { kind: 'operator', name: operator.operator, person: operator.person, by: operator.by },
      accountable: operator.person,
      inSetup: true,
      facts: { administrator: operator.person },
    },
    deps.random,
  );
  const change = { kind: 'setup.witness', person: operator.person } as const;
  await deps.store.commit({ kind: 'register', change, work: [], deploymentEpoch: null }, [entry]);
  deps.store.forget(null);
}
