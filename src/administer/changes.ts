/**
 * What takes two persons: one proposes it, another confirms the hash of what they saw, and it is done then, exactly as
 * it stood, in the commit of that word. Taking away takes one, and so does withdrawing.
 */
import { z } from 'zod';
import type { Receipt } from '../core/entry.ts';
import { failure, NOTHING_HERE } from '../core/failure.ts';
import { newId } from '../core/ids.ts';
import type { AgentName, ChangeId, PersonName, TenantName } from '../core/ids.ts';
import { name, parseWith, words } from '../core/parse.ts';
import { hashed } from '../core/proposal.ts';
import type { KeptProposal, Proposal, ProposedAct } from '../core/proposal.ts';
import type { JsonObject } from '../core/canonical.ts';
import type { DoneBefore } from '../core/change.ts';
import type { Claim } from '../core/change/once.ts';
import type { NewBundle, RegisterChange } from '../core/change/register.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { ActivateStatement, ConfirmStatement } from '../core/statement.ts';
import { after, seconds, toRfc3339 } from '../core/time.ts';
import type { Instant } from '../core/time.ts';
import type { Deps } from '../deps.ts';
import { functionAt } from '../authenticate/principal.ts';
import type { OperatorPrincipal } from '../authenticate/principal.ts';
import type { Signed } from '../authenticate/passkey.ts';
import { oneUseOf } from '../authenticate/ticket.ts';
import type { Ticket } from '../authenticate/ticket.ts';
import { involvedIn, whyNotSecond } from '../decide/segregation.ts';
import { parseAcceptance } from './acceptances.ts';
import { administratorAt } from './administrator.ts';
import type { Administrator } from './administrator.ts';
import type { Place, Sent } from './author.ts';
import { NO_BUNDLE, parseAssignment } from './assignments.ts';
import { make, perform } from './commit.ts';
import type { Act } from './commit.ts';
import { gainsBy } from './gaining.ts';
import { parsePut } from './registers.ts';
import type { Parsed } from './registers.ts';

/** Long enough for a holiday, short enough that what was seen is still so. */
const PROPOSAL_LASTS = seconds(7 * 24 * 3600);

const reason = () => words(1000);
const form = z.discriminatedUnion('act', [
  z.strictObject({ act: z.literal('person.put'), name: name(), body: z.unknown(), reason: reason() }),
  z.strictObject({ act: z.literal('operator.put'), name: name(), body: z.unknown(), reason: reason() }),
  z.strictObject({ act: z.literal('assignment.put'), body: z.unknown(), reason: reason() }),
  z.strictObject({
    act: z.literal('acceptance.put'),
    tenant: name(),
    agent: name(),
    body: z.unknown(),
    reason: reason(),
  }),
]);
type Form = z.infer<typeof form>;

export interface Proposed {
  readonly proposal: Proposal;
  readonly receipt: Receipt;
}

export async function proposeChange(
  deps: Deps,
  operator: OperatorPrincipal,
  { body, claim }: Sent,
): Promise<Result<Proposed>> {
  const asked = parseWith(form, body);
  if (!asked.ok) return asked;
  const place = await placeNow(deps, tenantIn(asked.value));
  if (place === null || functionAt(place, operator.person, deps.clock()) === null) return err(NOTHING_HERE);
  const by = administratorAt(operator, place, deps.clock(), 'change.word');
  if (!by.ok) return by;
  const parsed = await parseAct(deps, operator, asked.value, place);
  if (!parsed.ok) return parsed;
  return proposeParsed(deps, { operator, by: by.value, place, claim }, parsed.value, asked.value.reason);
}

/** Of an assignment, before it is read in whole. */
const assignmentPlace = z.looseObject({ tenant: name().nullable() });

function tenantIn(asked: Form): TenantName | null {
  if (asked.act === 'acceptance.put') return asked.tenant as TenantName;
  const place = asked.act === 'assignment.put' ? assignmentPlace.safeParse(asked.body) : null;
  return (place?.success === true ? place.data.tenant : null) as TenantName | null;
}

async function parseAct(deps: Deps, operator: OperatorPrincipal, asked: Form, place: Place): Promise<Result<Parsed>> {
  const deployment = 'deployment' in place ? place.deployment : place;
  switch (asked.act) {
    case 'person.put':
      return parsePut('people', asked.name, asked.body, deployment);
    case 'operator.put':
      return parsePut('operators', asked.name, asked.body, deployment);
    case 'assignment.put': {
      const bundle = deployment.policy === null ? NO_BUNDLE : await deps.bundles.at(deployment.policy);
      const author = { person: operator.person, reason: asked.reason };
      return parseAssignment(deps, asked.body, { bundle, place, author });
    }
    case 'acceptance.put': {
      if (!('tenant' in place)) return err(NOTHING_HERE);
      const tasks = deployment.policy === null ? new Map() : (await deps.bundles.at(deployment.policy)).tasks;
      return parseAcceptance(place, asked.agent as AgentName, operator, tasks, asked.body);
    }
  }
}

export interface Proposer {
  readonly operator: OperatorPrincipal;
  readonly by: Administrator;
  readonly place: Place;
  readonly claim: Claim | null;
}

const TAKES_ONE = failure('invalid_request', 'this takes one person', {
  hint: 'Do it as it is, without proposing it.',
});

/** What comes with a proposal of a policy. */
export interface Accompanied {
  /** Kept from here on, so that what is confirmed is what was seen. */
  readonly bundles: readonly NewBundle[];
  readonly shown: JsonObject | null;
  /** Whom it gives something to, beside those whom the change itself names. */
  readonly gaining: readonly PersonName[];
}

const ALONE: Accompanied = { bundles: [], shown: null, gaining: [] };

export async function proposeParsed(
  deps: Deps,
  { operator, by, place, claim }: Proposer,
  { takesTwo, change, facts, said, ends }: Parsed,
  why: string,
  { bundles, shown, gaining }: Accompanied = ALONE,
): Promise<Result<Proposed>> {
  if (takesTwo === null) return err(TAKES_ONE);
  const ledger = 'tenant' in place ? place.tenant.name : null;
  const act = {
    what: takesTwo,
    change,
    ledger,
    facts,
    said,
    ends,
    subjects: [...subjectsOf(change, place, deps.clock()), ...gaining],
    shown,
    policy: policyOf(change, place),
  };
  const proposal = proposalOf(deps, operator, act, why);
  const propose: Act = {
    by,
    change: { kind: 'change.propose', proposal, bundles },
    ledger,
    facts: { ...factsOf(proposal), expires_at: toRfc3339(proposal.expiresAt) },
    said: { ...said, reason: why },
    ends: null,
    claim,
  };
  return proposed(deps, propose, proposal);
}

/** A proposal can be long, and is kept anyway: its id is what is remembered with the key. */
export async function proposed(deps: Deps, act: Act, proposal: Proposal): Promise<Result<Proposed>> {
  const done = await make(deps, act, { id: proposal.id });
  if (!done.ok) return done;
  const { made, receipt } = done.value;
  return ok({ proposal: made.id === proposal.id ? proposal : await keptProposal(deps, made.id), receipt });
}

/** What was proposed under a key that is sent again. */
export async function proposedBefore(deps: Deps, { made, receipts }: DoneBefore): Promise<Result<Proposed>> {
  const [receipt] = receipts;
  if (made === null || !('id' in made) || receipt === undefined) throw new Error('nothing was proposed under this key');
  return ok({ proposal: await keptProposal(deps, made.id as ChangeId), receipt });
}

async function keptProposal(deps: Deps, id: ChangeId): Promise<Proposal> {
  const proposal = await deps.store.proposal(id);
  if (proposal === null) throw new Error(`the change ${id} was proposed, and is not kept`);
  return proposal;
}

export function proposalOf(deps: Deps, operator: OperatorPrincipal, act: ProposedAct, why: string): Proposal {
  const now = deps.clock();
  return hashed({
    id: newId('chg', now, deps.random),
    act,
    reason: why,
    proposer: operator.person,
    operator: operator.operator,
    proposedAt: now,
    expiresAt: after(now, PROPOSAL_LASTS),
  });
}

/** Who comes to be somebody, or to hold something, by it; or whose agent does, or was of late. */
function subjectsOf(change: RegisterChange, place: Place, now: Instant): readonly PersonName[] {
  if (change.kind === 'acceptance.put') return answeringFor(change.acceptance.agent, place, now);
  if (change.kind === 'person.put') return [change.person.name];
  if (change.kind === 'operator.put') return change.operator.person === null ? [] : [change.operator.person];
  if (change.kind !== 'assignment.put') return [];
  const { holder } = change.assignment;
  if (holder.kind === 'person') return [holder.name];
  // Whose agent it is gains by what it is let do behind the glass.
  return change.glass === undefined ? [] : answeringFor(holder.name, place, now);
}

function answeringFor(called: AgentName, place: Place, now: Instant): readonly PersonName[] {
  const agent = 'agents' in place ? place.agents.get(called)?.agent : undefined;
  return agent === undefined ? [] : [...involvedIn({ agent, launchedBy: null }, now)];
}

const RESTS_ON_POLICY: readonly RegisterChange['kind'][] = ['assignment.put', 'acceptance.put', 'policy.activate'];

/** A role and a task class mean what the bundle says, and a bundle was compared with the one before it. */
function policyOf(change: RegisterChange, place: Place): string | null {
  const { policy } = 'deployment' in place ? place.deployment : place;
  return RESTS_ON_POLICY.includes(change.kind) ? policy : null;
}

const factsOf = ({ id, hash, act, proposer }: Proposal) => ({
  proposal: id,
  proposal_hash: hash,
  proposed: act.change.kind,
  proposed_by: proposer,
  ...act.facts,
});

export interface Confirming {
  readonly place: Place;
  readonly hash: string;
  /** Whether what a policy would not give any more is ended. */
  readonly reassesses?: boolean;
  /** The confirmer's signature, and the ticket that it was given for; `null` from one who has no passkey. */
  readonly signed?: Word | null;
}

/** Another administrator, naming the hash of what they saw. What was done before is only looked at. */
export async function confirmChange(
  deps: Deps,
  operator: OperatorPrincipal,
  proposal: KeptProposal,
  { place, hash, reassesses, signed = null }: Confirming,
): Promise<Result<Receipt>> {
  const by = administratorAt(operator, place, deps.clock(), 'change.word');
  if (!by.ok) return by;
  const { act, proposer } = proposal;
  const subjects = [...act.subjects, ...(await gainingSince(deps, operator, act, place))];
  const unfit = whyNotSecond({ proposer, subjects }, operator.person);
  if (unfit !== null) return err(NOT_SECOND[unfit]);
  const confirmation = { change: proposal.id, hash, by: operator.person };
  const common = {
    by: by.value,
    ledger: act.ledger,
    facts: factsOf(proposal),
    said: { ...act.said, reason: proposal.reason },
    ...(signed === null ? {} : witnessed(signed)),
  };
  if (proposal.state === 'owed') {
    return perform(deps, {
      ...common,
      change: { kind: 'change.review', tenant: act.ledger, confirmation },
      ends: null,
    });
  }
  if (!isFirstStill(proposal, place, deps.clock())) return err(FIRST_GONE);
  if (act.policy !== null && act.policy !== policyOf(act.change, place)) return err(OTHER_POLICY);
  const change = signedByBoth(act.change, operator.person);
  return perform(deps, {
    ...common,
    change,
    ends: act.ends,
    confirms: confirmation,
    ...(reassesses === undefined ? {} : { reassesses }),
  });
}

/** Also who has come to own what gains by it since it was proposed. */
async function gainingSince(
  deps: Deps,
  { person }: OperatorPrincipal,
  act: ProposedAct,
  place: Place,
): Promise<readonly PersonName[]> {
  const now = deps.clock();
  const deployment = 'deployment' in place ? place.deployment : place;
  const gains = await gainsBy(deps, act, { person, deployment, now });
  return [...subjectsOf(act.change, place, now), ...(gains ? [person] : [])];
}

/** Of two persons the first is one whose word still counts there. One's own passkey anybody may enrol. */
function isFirstStill({ proposer, act }: KeptProposal, place: Place, now: Instant): boolean {
  const { persons } = 'deployment' in place ? place.deployment : place;
  if (act.change.kind === 'passkey.put') return persons.get(proposer)?.active === true;
  return functionAt(place, proposer, now) === 'administration';
}

const FIRST_GONE = failure('change_over', 'who proposed it administers nothing here any more', {
  hint: 'Withdraw it, and propose it in your own name.',
});

/** A second person's word, under their own key. */
export interface Word {
  readonly ticket: Ticket;
  readonly signed: Signed<ConfirmStatement | ActivateStatement>;
}

/** Kept whole, so that anyone with the public key can verify it years later. */
const witnessed = ({ ticket, signed }: Word) => ({
  seen: { statement: { ...signed.statement }, assertion: { ...signed.assertion } },
  spends: [oneUseOf(ticket)],
  counts: { passkey: signed.passkey.id, signCount: signed.signCount },
});

/** An acceptance names who answers for it: the first is in it already. For a policy's end the second one answers. */
function signedByBoth(change: RegisterChange, second: PersonName): RegisterChange {
  if (change.kind === 'policy.activate' && change.widening) {
    return { ...change, widening: { ...change.widening, by: second } };
  }
  if (change.kind === 'passkey.put') return { ...change, passkey: { ...change.passkey, confirmedBy: second } };
  // Whoever confirms that the glass is broken had a hand in it.
  if (change.kind === 'assignment.put' && change.glass !== undefined) {
    const { review, tell } = change.glass;
    return { ...change, glass: { tell, review: { ...review, notBy: [...review.notBy, second] } } };
  }
  if (change.kind !== 'acceptance.put') return change;
  return { ...change, acceptance: { ...change.acceptance, authors: [...change.acceptance.authors, second] } };
}

const OTHER_POLICY = failure('version_conflict', 'another policy is active than the one it was proposed under', {
  hint: 'Withdraw it and propose it anew.',
});

const NOT_SECOND = {
  same_person: failure('takes_two_persons', 'who proposed it is the first of the two persons', {
    hint: 'Have another administrator confirm it.',
  }),
  beneficiary: failure('takes_two_persons', 'who is given something by it is not the second person', {
    hint: 'Have another administrator confirm it.',
  }),
} as const;

export async function withdrawChange(
  deps: Deps,
  operator: OperatorPrincipal,
  proposal: KeptProposal,
  place: Place,
): Promise<Result<Receipt>> {
  const by = administratorAt(operator, place, deps.clock());
  if (!by.ok) return by;
  return perform(deps, {
    by: by.value,
    change: { kind: 'change.withdraw', tenant: proposal.act.ledger, change: proposal.id },
    ledger: proposal.act.ledger,
    facts: factsOf(proposal),
    said: {},
    ends: null,
  });
}

/** A proposal, and where it has effect as that is now; one who holds no administration there is told of nothing. */
export async function seenChange(
  deps: Deps,
  operator: OperatorPrincipal,
  id: ChangeId,
): Promise<Result<{ readonly proposal: KeptProposal; readonly place: Place }>> {
  const proposal = await deps.store.proposal(id);
  const place = proposal === null ? null : await placeNow(deps, proposal.act.ledger);
  if (proposal === null || place === null) return err(NOTHING_HERE);
  if (functionAt(place, operator.person, deps.clock()) !== 'administration') return err(NOTHING_HERE);
  return ok({ proposal, place });
}

export async function placeNow(deps: Deps, tenant: TenantName | null): Promise<Place | null> {
  deps.store.forget(tenant);
  return tenant === null ? deps.store.deployment() : deps.store.snapshot(tenant);
}
