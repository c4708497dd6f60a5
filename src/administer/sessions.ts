/** Signing in and out at the console. Each time is an entry, and so is somebody whom the issuer knows and we do not. */
import type { Counted, OneUse } from '../core/change/once.ts';
import { failure, NOTHING_HERE } from '../core/failure.ts';
import type { OperatorName, PersonName } from '../core/ids.ts';
import type { StoredAssertion } from '../core/passkey.ts';
import type { Operator } from '../core/registers.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { Receipt } from '../core/entry.ts';
import type { Secret } from '../core/secret.ts';
import type { DeploymentSnapshot } from '../core/snapshot.ts';
import type { Deps } from '../deps.ts';
import type { AuthFailure, Proven } from '../authenticate/auth-failure.ts';
import { newCookie, newSession } from '../authenticate/console.ts';
import type { ConsoleCaller, SignedIn } from '../authenticate/console.ts';
import type { AtIssuer, Pending } from '../authenticate/oidc.ts';
import { findOperator, leadsToPerson } from '../authenticate/operator.ts';
import { verifyAssertion } from '../authenticate/passkey.ts';
import type { OperatorPrincipal } from '../authenticate/principal.ts';
import { oneUseOf } from '../authenticate/ticket.ts';
import type { Ticket } from '../authenticate/ticket.ts';
import { actorOf, administratorAt } from './administrator.ts';
import { perform } from './commit.ts';
import { inOwnName } from './own.ts';
import { witness } from './setup.ts';

/** What a sign-in comes from, beside who it is. */
interface Coming {
  readonly deployment: DeploymentSnapshot;
  /** The session that this browser had. */
  readonly replaces: string | null;
}

/** Somebody whom the issuer signed in becomes an operator of ours, or nobody. */
export async function signInFromIssuer(
  deps: Deps,
  { issuer, subject, provenAt }: AtIssuer,
  { pending, ...coming }: Coming & { readonly pending: Pending },
): Promise<Proven<Secret>> {
  const operator = leadsToPerson(coming.deployment, findOperator(coming.deployment, issuer, subject), 'oidc');
  if (!operator.ok) {
    await writeRefusal(deps, coming.deployment, { issuer, subject, why: operator.error.why });
    return err({ ...operator.error, failure: NOBODY_HERE });
  }
  const { state: jti, until } = pending;
  return open(deps, coming, {
    signedIn: { ...operator.value, passkey: null, provenAt },
    spends: [{ client: 'sign-in', jti, until }],
    counts: null,
  });
}

const NOBODY_HERE = failure('not_signed_in', 'Your account at the identity provider is not an operator here', {
  hint: 'Ask an administrator to create an operator for it that leads to you.',
});

const NO_WAY_IN = failure('not_signed_in', 'no operator leads to the person whose passkey this is', {
  hint: 'Ask an administrator.',
});

async function writeRefusal(
  deps: Deps,
  place: DeploymentSnapshot,
  { issuer, subject, why }: { readonly issuer: string; readonly subject: string; readonly why: string },
): Promise<void> {
  const written = await inOwnName(deps, {
    kind: 'console.refused',
    change: { kind: 'console.refuse' },
    actor: { kind: 'broker', name: deps.node },
    place,
    facts: { issuer, why },
    said: { subject },
  });
  // Whoever is nobody gets nothing either way.
  if (!written.ok) deps.log.warn('console.refusal_not_written', { code: written.error.code });
}

/** @param ticket of the sign-in page that this browser was shown. */
export async function signInByPasskey(
  deps: Deps,
  { ticket, assertion }: { readonly ticket: Ticket; readonly assertion: StoredAssertion },
  coming: Coming,
): Promise<Proven<Secret>> {
  const { statement } = ticket;
  if (statement.purpose !== 'sign_in' || statement.origin !== deps.publicUrl) {
    return notTaken('a ticket of another form');
  }
  const passkey = coming.deployment.passkeys.get(assertion.credential);
  if (passkey === undefined) return notTaken('a passkey that is not confirmed, or not ours');
  const signed = await verifyAssertion(deps, { statement, assertion, passkey });
  if (!signed.ok) return signed;
  const operator = leadsToPerson(coming.deployment, operatorOf(coming.deployment, passkey.person), 'passkey');
  if (!operator.ok) return err({ ...operator.error, failure: NO_WAY_IN });
  return open(deps, coming, {
    signedIn: { ...operator.value, passkey: passkey.id, provenAt: deps.clock() },
    spends: [oneUseOf(ticket)],
    counts: { passkey: passkey.id, signCount: signed.value.signCount },
  });
}

/** A passkey is a person's, and they may have several ways in: the first that works, always the same. */
export const operatorOf = ({ operators }: DeploymentSnapshot, person: PersonName): Operator | undefined =>
  [...operators.values()]
    .filter((one) => one.active && one.person === person)
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))[0];

interface Opening {
  readonly signedIn: SignedIn & OperatorPrincipal;
  readonly spends: readonly OneUse[];
  readonly counts: Counted | null;
}

async function open(
  deps: Deps,
  { deployment: place, replaces }: Coming,
  { signedIn, spends, counts }: Opening,
): Promise<Proven<Secret>> {
  const cookie = newCookie(deps.random);
  const { person, operator, by, passkey, provenAt } = signedIn;
  const session = newSession(cookie, { person, operator, by, passkey, provenAt }, deps.clock());
  const written = await inOwnName(deps, {
    kind: 'console.signed_in',
    change: { kind: 'console.sign_in', session, replaces },
    actor: actorOf(signedIn),
    place,
    facts: { session: session.id, by, ...(passkey === null ? {} : { passkey }) },
    spends,
    counts,
  });
  if (!written.ok) return err({ failure: written.error, why: `not committed: ${written.error.code}` });
  await witness(deps, signedIn);
  return ok(cookie);
}

const notTaken = (why: string): Proven<never> => err<AuthFailure>({ failure: NOT_TAKEN, why });
const NOT_TAKEN = failure('passkey_refused', 'The passkey’s answer was not accepted', {
  hint: 'Open the page again, and answer with a passkey of your own that is confirmed.',
});

/** @param session one of theirs, or (`null`) all. */
export async function signOut(deps: Deps, caller: ConsoleCaller, session: string | null): Promise<Result<Receipt>> {
  const { person } = caller;
  return inOwnName(deps, {
    kind: 'console.signed_out',
    change: { kind: 'console.sign_out', person, session },
    actor: actorOf(caller),
    place: await deps.store.deployment(),
    facts: { person, sessions: session ?? 'all' },
  });
}

/** An administrator ends all sessions of the person behind an operator. */
export async function signOutOther(
  deps: Deps,
  operator: OperatorPrincipal,
  name: OperatorName,
): Promise<Result<Receipt>> {
  const place = await deps.store.deployment();
  const by = administratorAt(operator, place, deps.clock());
  if (!by.ok) return by;
  const person = place.operators.get(name)?.person;
  if (person === undefined || person === null) return err(NOTHING_HERE);
  return perform(deps, {
    by: by.value,
    change: { kind: 'console.sign_out', person, session: null },
    ledger: null,
    facts: { person, sessions: 'all' },
    said: {},
    ends: null,
  });
}
