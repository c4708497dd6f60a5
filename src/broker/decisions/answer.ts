/**
 * People answer: one is shown the decision package, signs its hash with their passkey, and that word is committed. No
 * other way decides; there is none for a token.
 */
import { beginning } from '../../core/approval.ts';
import type { Approval, ApprovalTerms, Vote } from '../../core/approval.ts';
import type { ApprovalChange } from '../../core/change.ts';
import type { Counted } from '../../core/change/once.ts';
import { sha256Hex, utf8 } from '../../core/digest.ts';
import { makeEntry } from '../../core/entry.ts';
import type { EntryDraft, Receipt } from '../../core/entry.ts';
import { failure, NOTHING_HERE } from '../../core/failure.ts';
import type { Failure } from '../../core/failure.ts';
import { newId } from '../../core/ids.ts';
import type { ApprovalId } from '../../core/ids.ts';
import type { StoredAssertion } from '../../core/passkey.ts';
import { err, ok } from '../../core/result.ts';
import type { Result } from '../../core/result.ts';
import type { Snapshot } from '../../core/snapshot.ts';
import type { DecisionStatement } from '../../core/statement.ts';
import { parseInstant } from '../../core/time.ts';
import { approvalWork } from '../../approve/approval.ts';
import { bindingOf } from '../../approve/binding.ts';
import { narrowed, narrowerTerms } from '../../approve/narrow.ts';
import { answeredNotice } from '../../approve/notices.ts';
import { approvalEntry } from '../../approve/record.ts';
import { isDeviceBound, whyMayNotAnswer, yesStanding } from '../../approve/standing.ts';
import type { Moment } from '../../approve/standing.ts';
import { moveOf } from '../../approve/verdict.ts';
import type { Word } from '../../approve/verdict.ts';
import type { ConsoleCaller } from '../../authenticate/console.ts';
import { verifyAssertion } from '../../authenticate/passkey.ts';
import { oneUseOf } from '../../authenticate/ticket.ts';
import { parseAccessRequest } from '../../decide/request.ts';
import type { Deps } from '../../deps.ts';
import { CONTENDED, done, isStale, trying } from '../callers.ts';
import type { Step } from '../callers.ts';
import { decidedNow, whyYesInVain } from './decided.ts';
import { openDecision, wordOf } from './word.ts';
import type { DecisionTicket } from './word.ts';

/** What a person answers with. */
export interface Answering {
  readonly ticket: string;
  /** The text of the package that they were shown. */
  readonly shown: string;
  readonly assertion: StoredAssertion;
}

export interface Answered {
  readonly approval: Approval;
  /** The narrower one that took its place. */
  readonly next: ApprovalId | null;
  readonly receipt: Receipt;
}

export async function answerApproval(
  deps: Deps,
  caller: ConsoleCaller,
  answering: Answering,
): Promise<Result<Answered>> {
  const opened = openDecision(deps, answering.ticket, caller);
  if (!opened.ok) return opened;
  const ticket = opened.value;
  if (sha256Hex(utf8(answering.shown)) !== ticket.statement.package_hash) {
    return err(failure('form_over', 'this is not what the page showed', { hint: 'Open the page again.' }));
  }
  return trying<Answered>(deps, ticket.statement.tenant, (snapshot) =>
    answer(deps, caller, { ticket, answering, snapshot }),
  );
}

interface AnsweringOn {
  readonly ticket: DecisionTicket;
  readonly answering: Answering;
  readonly snapshot: Snapshot;
}

async function answer(deps: Deps, caller: ConsoleCaller, on: AnsweringOn): Promise<Step<Answered>> {
  const { ticket, answering, snapshot } = on;
  const { statement } = ticket;
  const approval = await deps.store.approval(statement.tenant, statement.approval_id);
  if (approval === null) return done(err(NOTHING_HERE));
  const { policy } = snapshot.deployment;
  if (policy === null) return done(err(failure('policy_fault', 'no policy is active')));
  const now = deps.clock();
  const word = wordOf(statement);
  const bundle = await deps.bundles.at(policy);
  const moment = { bundle, snapshot, now };
  const mayNot = whyMayNotAnswer(approval, caller.person, moment);
  if (mayNot !== null) return done(err(mayNot));
  if (word.verdict === 'approve' && approval.narrows !== null && approval.acceptedAt === null) {
    return done(err(failure('approval_waits', 'the agent has not taken the narrower answer yet')));
  }
  const passkey = snapshot.deployment.passkeys.get(answering.assertion.credential);
  if (passkey === undefined) return done(err(failure('passkey_refused', 'this passkey is not known here')));
  if (word.verdict !== 'reject' && isDeviceBound(approval, bundle) && !passkey.deviceBound) {
    return done(err(SYNCED));
  }
  const vain = await inVain(deps, { approval, word, moment }, caller);
  if (vain !== null) return (await isStale(deps, snapshot)) ? { again: true } : done(err(vain));
  const signed = await verifyAssertion(deps, { statement, assertion: answering.assertion, passkey });
  if (!signed.ok) {
    deps.log.info('caller.refused', {
      tenant: approval.tenant,
      code: signed.error.failure.code,
      why: signed.error.why,
    });
    return done(err(signed.error.failure));
  }
  const vote: Vote = {
    person: caller.person,
    operator: caller.operator,
    verdict: word.verdict,
    at: now,
    passkey: passkey.id,
    packageHash: statement.package_hash,
    tookMs: tookMs(answering.shown, now),
  };
  const next = word.verdict === 'narrow' ? await narrowerOf(deps, { approval, snapshot, word, by: vote }) : ok(null);
  if (!next.ok) return done(next);
  const entry = answeredEntry(
    caller,
    { approval, snapshot, vote, statement },
    { answering, publicKey: passkey.publicKey },
  );
  return commitAnswer(deps, {
    approval,
    next: next.value,
    move: moveOf(approval, word, { vote, standing: yesStanding(approval, moment) }),
    ticket,
    snapshot,
    counts: { passkey: passkey.id, signCount: signed.value.signCount },
    entry,
  });
}

const SYNCED = failure('passkey_refused', 'a yes at this tier takes a passkey that is bound to its device', {
  hint: 'Sign with a security key, or one that your browser does not sync.',
});

/** As the page says it beforehand. A no never is: the agent hears it. */
async function inVain(
  deps: Deps,
  { approval, word, moment }: { readonly approval: Approval; readonly word: Word; readonly moment: Moment },
  { person }: ConsoleCaller,
): Promise<Failure | null> {
  if (word.verdict === 'reject') return null;
  const decided = await decidedNow(deps, moment.snapshot, approval);
  return decided.ok ? whyYesInVain(deps, { approval, decision: decided.value, moment }, person) : decided.error;
}

/** Since the page was made for them. */
function tookMs(shown: string, now: number): number {
  const { shown_at: at } = JSON.parse(shown) as { readonly shown_at: string };
  return Math.max(0, now - (parseInstant(at) ?? now));
}

/** What an approver would say yes to instead, decided and specified as if it had been asked. */
async function narrowerOf(
  deps: Deps,
  {
    approval,
    snapshot,
    word,
    by,
  }: {
    readonly approval: Approval;
    readonly snapshot: Snapshot;
    readonly word: Extract<Word, { readonly verdict: 'narrow' }>;
    readonly by: Vote;
  },
): Promise<Result<ApprovalTerms>> {
  const asked = narrowed(approval.asked, approval.binding, word.narrower);
  if (!asked.ok) return asked;
  const request = parseAccessRequest(asked.value);
  if (!request.ok) return request;
  const decided = await decidedNow(deps, snapshot, { ...approval, asked: asked.value });
  if (!decided.ok) return decided;
  const agent = snapshot.agents.get(approval.agent);
  if (agent === undefined) return err(NOTHING_HERE);
  const of = {
    id: approval.request,
    principal: { tenant: approval.tenant, ...agent },
    request: request.value,
    snapshot,
  };
  const binding = bindingOf(deps.providers, of, decided.value.execution);
  if (!binding.ok) return binding;
  const id = newId('apr', by.at, deps.random);
  return ok(narrowerTerms(approval, { id, asked: asked.value, binding: binding.value, by }));
}

/** With everything that anyone needs to check, years later, that this person said this. */
function answeredEntry(
  caller: ConsoleCaller,
  of: {
    readonly approval: Approval;
    readonly snapshot: Snapshot;
    readonly vote: Vote;
    readonly statement: DecisionStatement;
  },
  signed: { readonly answering: Answering; readonly publicKey: string },
): EntryDraft {
  const { approval, snapshot, vote, statement } = of;
  const { words, ...plain } = { words: null, ...statement } as DecisionStatement & { readonly words: string | null };
  return approvalEntry(approval, snapshot, {
    kind: 'approval.answered',
    at: vote.at,
    actor: { kind: 'operator', name: caller.operator, person: caller.person, by: 'passkey' },
    facts: {
      verdict: vote.verdict,
      purpose: plain.purpose,
      package_hash: vote.packageHash,
      nonce: statement.nonce,
      passkey: { credential: vote.passkey, public_key: signed.publicKey },
      assertion: { ...signed.answering.assertion },
    },
    said: { statement: { ...statement }, ...(words === null ? {} : { words }) },
    seen: { package: signed.answering.shown, took_ms: vote.tookMs },
  });
}

async function commitAnswer(
  deps: Deps,
  of: {
    readonly approval: Approval;
    readonly next: ApprovalTerms | null;
    readonly move: ApprovalChange['move'];
    readonly ticket: DecisionTicket;
    readonly snapshot: Snapshot;
    readonly counts: Counted;
    readonly entry: EntryDraft;
  },
): Promise<Step<Answered>> {
  const { approval, next, move, ticket, snapshot, counts } = of;
  const { tenant, id } = approval;
  const work = [
    ...(next === null ? [] : [approvalWork(deps, next, beginning(next).stepEndsAt)]),
    ...(move.redeemBy === undefined ? [] : [approvalWork(deps, approval, move.redeemBy)]),
    ...answeredNotice(deps, approval, move),
  ];
  const when = { epochs: snapshot.epochs, oneUse: oneUseOf(ticket), counts };
  const change = {
    kind: 'approval.move',
    tenant,
    approval: id,
    move,
    when,
    time: 'before_end',
    next,
    fence: null,
  } as const;
  const written = await deps.store.commit({ ...change, work }, [makeEntry(of.entry, deps.random)]);
  if (written.ok) {
    const [receipt] = written.value.receipts;
    if (receipt === undefined) throw new Error('an answer was recorded without its entry');
    const now = (await deps.store.approval(tenant, id)) ?? approval;
    return done(ok({ approval: now, next: next?.id ?? null, receipt }));
  }
  switch (written.error.unmet) {
    case 'moved':
    // Another person's word came first: it is looked at again, with that.
    case 'approval':
      return { again: true };
    case 'replayed':
      return done(err(failure('form_over', 'this form was sent before', { hint: 'Open the page again.' })));
    case 'claimed':
    case 'budget':
    case 'spread':
    case 'state':
    case 'order':
    case 'fenced':
    case 'retired':
    case 'taken':
    case 'second_function':
    case 'in_use':
    case 'missing':
    case 'proposal':
      return done(err(CONTENDED));
  }
}
