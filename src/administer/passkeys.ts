/**
 * Passkeys come and go. A new one is a change that takes two: its owner proposes it by enrolling, and an administrator
 * who is another person confirms it; in set-up an administrator's own is theirs at once. Taking one away takes one.
 */
import type { JsonObject } from '../core/canonical.ts';
import type { Receipt } from '../core/entry.ts';
import { failure, NOTHING_HERE } from '../core/failure.ts';
import { words } from '../core/parse.ts';
import type { Passkey } from '../core/passkey.ts';
import type { KeptProposal, Proposal } from '../core/proposal.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { DeploymentSnapshot } from '../core/snapshot.ts';
import { newNonce } from '../core/statement.ts';
import { after, seconds } from '../core/time.ts';
import type { Deps } from '../deps.ts';
import { isFresh } from '../authenticate/console.ts';
import type { ConsoleCaller } from '../authenticate/console.ts';
import { verifyEnrolment } from '../authenticate/passkey.ts';
import type { Attestation, EnrolledKey } from '../authenticate/passkey.ts';
import { functionAt } from '../authenticate/principal.ts';
import type { OperatorPrincipal } from '../authenticate/principal.ts';
import { oneUseOf, openTicket, sealTicket } from '../authenticate/ticket.ts';
import type { Ticket } from '../authenticate/ticket.ts';
import { actorOf, administratorAt } from './administrator.ts';
import { proposalOf } from './changes.ts';
import { perform } from './commit.ts';
import { inOwnName } from './own.ts';
import { operatorOf } from './sessions.ts';

/** A person has a few: one in each machine, and one in a drawer. */
const MOST_PASSKEYS = 10;
const LONGEST_LABEL = 60;

export const passkeyLabel = words(LONGEST_LABEL);

export interface Enrolling {
  readonly ticket: Ticket;
  readonly attestation: Attestation;
  readonly label: string;
}

/** `passkey`: it can be used. `proposal`: it waits for another person. */
export type Enrolled = { readonly receipt: Receipt } & ({ readonly passkey: Passkey } | { readonly proposal: string });

export async function enrolPasskey(
  deps: Deps,
  caller: ConsoleCaller,
  { ticket, attestation, label }: Enrolling,
): Promise<Result<Enrolled>> {
  const { statement } = ticket;
  if (!isFresh(caller, deps.clock())) return err(STALE);
  if (statement.purpose !== 'enrol' || statement.person !== caller.person) return err(OTHER_FORM);
  const place = await deps.store.deployment();
  const key = await newKey(deps, place, { statement, attestation });
  if (!key.ok) return key;
  const alone = place.inSetup && functionAt(place, caller.person, deps.clock()) === 'administration';
  const passkey = newPasskey(deps, key.value, label, alone ? caller.person : null);
  const put = { kind: 'passkey.put', passkey } as const;
  const common = { actor: actorOf(caller), place, spends: [oneUseOf(ticket)], said: { label } };
  if (alone) {
    const done = await inOwnName(deps, { ...common, kind: 'register.put', change: put, facts: factsOf(passkey) });
    return done.ok ? ok({ passkey, receipt: done.value }) : done;
  }
  const act = { ...ENROLMENT, change: put, facts: factsOf(passkey), said: { label }, subjects: [caller.person] };
  const proposal = proposalOf(deps, caller, act, 'Enrolled by its owner at the console');
  const change = { kind: 'change.propose', proposal, bundles: [] } as const;
  const done = await inOwnName(deps, { ...common, kind: 'change.proposed', change, facts: proposedFacts(proposal) });
  return done.ok ? ok({ proposal: proposal.id, receipt: done.value }) : done;
}

/** What every enrolment is as a change that takes two. */
const ENROLMENT = { what: 'to give a person a passkey', ledger: null, ends: null, shown: null, policy: null } as const;

const proposedFacts = ({ id, hash, act }: Proposal): JsonObject => ({
  proposal: id,
  proposal_hash: hash,
  proposed: act.change.kind,
  ...act.facts,
});

async function newKey(
  deps: Deps,
  place: DeploymentSnapshot,
  given: Parameters<typeof verifyEnrolment>[1],
): Promise<Result<EnrolledKey>> {
  const key = await verifyEnrolment(deps, given);
  if (!key.ok) {
    deps.log.info('passkey.refused', { why: key.error.why });
    return err(key.error.failure);
  }
  const unfit = whyNotMore(place, key.value);
  return unfit === null ? key : err(unfit);
}

const newPasskey = (deps: Deps, key: EnrolledKey, label: string, confirmedBy: Passkey['confirmedBy']): Passkey => ({
  ...key,
  label,
  enrolledAt: deps.clock(),
  confirmedBy,
});

/** The public key stands in the leaf: with it anyone can verify what was signed, long after it was removed. */
const factsOf = ({ id, person, publicKey, deviceBound, aaguid }: Passkey): JsonObject => ({
  passkey: id,
  person,
  public_key: publicKey,
  device_bound: deviceBound,
  aaguid,
});

function whyNotMore({ passkeys }: DeploymentSnapshot, { id, person }: EnrolledKey) {
  if (passkeys.has(id)) return failure('name_taken', 'this passkey is enrolled already');
  const theirs = [...passkeys.values()].filter((one) => one.person === person);
  return theirs.length < MOST_PASSKEYS
    ? null
    : failure('still_in_use', `a person has at most ${MOST_PASSKEYS} passkeys`, { hint: 'Remove one first.' });
}

const STALE = failure('not_signed_in', 'this takes a sign-in of the last five minutes', { hint: 'Sign in again.' });
const OTHER_FORM = failure('form_over', 'this form was made for something else', { hint: 'Open the page again.' });
/** Its owner, or an administrator of the deployment. What it opened ends with it. */
export async function removePasskey(deps: Deps, operator: OperatorPrincipal, id: string): Promise<Result<Receipt>> {
  const place = await deps.store.deployment();
  const passkey = place.passkeys.get(id);
  const facts = { passkey: id, ...(passkey === undefined ? {} : { person: passkey.person }) };
  const change = { kind: 'passkey.remove', passkey: id } as const;
  if (passkey !== undefined && passkey.person === operator.person && operator.by !== 'local') {
    return inOwnName(deps, { kind: 'register.removed', change, actor: actorOf(operator), place, facts });
  }
  const by = administratorAt(operator, place, deps.clock());
  if (!by.ok) return by;
  if (passkey === undefined) return err(NOTHING_HERE);
  return perform(deps, { by: by.value, change, ledger: null, facts, said: {}, ends: null });
}

/** Who enrolled it takes it back before it was confirmed; what else is proposed is an administrator's to withdraw. */
export async function withdrawEnrolment(
  deps: Deps,
  caller: ConsoleCaller,
  proposal: KeptProposal,
): Promise<Result<Receipt>> {
  const isTheirs = proposal.act.change.kind === 'passkey.put' && proposal.proposer === caller.person;
  if (!isTheirs) return err(NOTHING_HERE);
  return inOwnName(deps, {
    kind: 'change.withdrawn',
    change: { kind: 'change.withdraw', tenant: null, change: proposal.id },
    actor: actorOf(caller),
    place: await deps.store.deployment(),
    facts: proposedFacts(proposal),
  });
}

/** From one terminal to one browser, by the same person. */
const INVITATION_LASTS = seconds(30 * 60);
/** Stands where a session's id does: no session can have it, since those are digests. */
const INVITATION = 'invitation';

/** A code that enrols the first passkey of all. Whoever has it is the operator's person. */
export async function invite(
  deps: Deps,
  operator: OperatorPrincipal,
): Promise<Result<{ readonly code: string; readonly receipt: Receipt }>> {
  const place = await deps.store.deployment();
  const by = administratorAt(operator, place, deps.clock(), 'passkey.enrol_first');
  if (!by.ok) return by;
  const over = whyNotFirst(place);
  if (over !== null) return err(over);
  const statement = { purpose: 'enrol', person: operator.person, nonce: newNonce(deps.random) } as const;
  const until = after(deps.clock(), INVITATION_LASTS);
  const receipt = await perform(deps, {
    by: by.value,
    change: { kind: 'passkey.invite', operator: operator.operator },
    ledger: null,
    facts: { operator: operator.operator },
    said: {},
    ends: null,
  });
  if (!receipt.ok) return receipt;
  return ok({ code: sealTicket(deps, { session: INVITATION, statement, until }), receipt: receipt.value });
}

function whyNotFirst({ passkeys, inSetup }: DeploymentSnapshot) {
  if (!inSetup) {
    return failure('takes_two_persons', 'set-up is over, and a passkey takes two persons', {
      hint: 'Sign in at the operators’ issuer, enrol it there, and have another administrator confirm it.',
    });
  }
  if (passkeys.size > 0) {
    return failure('name_taken', 'there is a passkey already, and an invitation makes the first alone', {
      hint: 'Sign in with it.',
    });
  }
  return null;
}

/** The code becomes a form in the browser that brought it. @param before the id of what that browser has instead of a session. */
export async function openInvitation(deps: Deps, code: string, before: string): Promise<Result<Ticket>> {
  const invited = openTicket(deps, code, INVITATION);
  if (!invited.ok) return err(NO_INVITATION);
  const over = whyNotFirst(await deps.store.deployment());
  return over === null ? ok({ ...invited.value, session: invitationOf(before) }) : err(over);
}

export const invitationOf = (before: string): string => `${INVITATION}:${before}`;

const NO_INVITATION = failure('form_over', 'this invitation is over, or is none', {
  hint: 'Make another: brevet operator invite --as NAME.',
});

export async function acceptInvitation(
  deps: Deps,
  { ticket, attestation, label }: Enrolling,
): Promise<Result<Receipt>> {
  const { statement } = ticket;
  if (statement.purpose !== 'enrol') return err(OTHER_FORM);
  const place = await deps.store.deployment();
  const over = whyNotFirst(place);
  if (over !== null) return err(over);
  const { person } = statement;
  const operator = operatorOf(place, person);
  if (operator === undefined || functionAt(place, person, deps.clock()) !== 'administration') return err(NO_INVITATION);
  const key = await newKey(deps, place, { statement, attestation });
  if (!key.ok) return key;
  const passkey = newPasskey(deps, key.value, label, person);
  return inOwnName(deps, {
    kind: 'register.put',
    change: { kind: 'passkey.put', passkey },
    actor: { kind: 'operator', name: operator.name, person, by: 'invitation' },
    place,
    facts: factsOf(passkey),
    said: { label },
    spends: [oneUseOf({ ...ticket, session: INVITATION })],
  });
}
