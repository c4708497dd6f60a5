/**
 * Set-up: the first person, operator and administrator come by a demand signed with the deployment key, and it ends
 * for good when two administrators have each called with a token of the OIDC issuer, or signed in with a passkey.
 */
import { makeEntry } from '../core/entry.ts';
import type { Receipt } from '../core/entry.ts';
import { failure } from '../core/failure.ts';
import { newId } from '../core/ids.ts';
import type { OperatorName, PersonName, RoleName } from '../core/ids.ts';
import { DEMAND_KEY_USE, verifyDemand } from '../core/local-token.ts';
import type { Demand } from '../core/local-token.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { Secret } from '../core/secret.ts';
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
  const person = operator as string as PersonName;
  const holder = { kind: 'person', name: person } as const;
  const change = {
    kind: 'setup.begin',
    person: { name: person, displayName: operator, email: null, active: true },
    operator: { name: operator, person, issuer: null, subject: null, active: true },
    assignment: {
      id: newId('asg', at, deps.random),
      tenant: null,
      holder,
      role: ADMINISTRATOR_ROLE,
      function: 'administration',
      until: null,
      reviewer: null,
    },
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
