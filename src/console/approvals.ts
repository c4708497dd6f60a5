/** What is asked of the one who is signed in: the list, one decision, and their word on it. */
import { Hono } from 'hono';
import type { Context } from 'hono';
import { html } from 'hono/html';
import { askedSoFar, REJECTION_REASONS, stateAt } from '../core/approval.ts';
import type { Approval } from '../core/approval.ts';
import type { Json } from '../core/canonical.ts';
import { failure, NOTHING_HERE } from '../core/failure.ts';
import type { Failure } from '../core/failure.ts';
import { parseId, parseName } from '../core/ids.ts';
import type { ApprovalId, TenantName } from '../core/ids.ts';
import { parseWith, words } from '../core/parse.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import { z } from 'zod';
import type { Word } from '../approve/verdict.ts';
import { answerApproval } from '../broker/decisions/answer.ts';
import { showDecision } from '../broker/decisions/show.ts';
import { prepareWord } from '../broker/decisions/word.ts';
import type { DecisionTicket } from '../broker/decisions/word.ts';
import { revokeApproval } from '../broker/take-back.ts';
import type { Scope } from '../http/scope.ts';
import { actsOf, packageField } from './decision/acts.ts';
import { becameOf } from './decision/over.ts';
import { decisionBody, sentenceOf, wayWords } from './decision/page.ts';
import { named, valueOf } from './decision/words.ts';
import { page, refusalPage } from './layout.ts';
import type { Markup } from './layout.ts';
import { liveAsks } from './live.ts';
import { noteOf } from './note.ts';
import { assertionIn, signingForm } from './passkey-form.ts';
import { apart, clientOf, momentFrom } from './shown.ts';
import { untrusted } from './untrusted.ts';
import { tenantsSeen } from './standing.ts';
import { fromFormSignedIn, signedIn } from './visit.ts';
import type { Form, SignedInVisit } from './visit.ts';
import { passkeysOf } from './waiting.ts';

export const approvals = new Hono<Scope>();

/** A form carries the whole package along, in which an access request of 32 KiB may stand twice, percent-encoded. */
const FORM_LIMIT = 512 * 1024;

/** As many as a person looks at; the next page has the rest. */
const AT_ONCE = 50;

approvals.get(
  '/approvals',
  signedIn(async (c, visit) => {
    const { deps, caller } = visit;
    const live = await liveAsks(visit);
    const after = afterOf(c);
    const found = await deps.store.asked({ person: caller.person, limit: AT_ONCE + 1, after });
    const waiting = await waitingAmong(visit, found.slice(0, AT_ONCE));
    const last = found.length > AT_ONCE ? found[AT_ONCE - 1] : undefined;
    return page(
      c,
      visit,
      { title: 'Approvals', live },
      html`<h1>What agents ask you</h1>
        ${noteOf(c)}
        <div id="waiting" data-part>
          ${
            waiting.length === 0
              ? html`<p class="calm">Nobody waits for your answer.</p>`
              : html`<ul class="rows">
                  ${waiting.map((one) => approvalRow(visit, one))}
                </ul>`
          }
          ${
            last === undefined
              ? ''
              : html`<p class="actions">
                  <a class="button" href="/approvals?after=${last.expiresAt}.${last.id}">The next ${AT_ONCE}</a>
                </p>`
          }
        </div>`,
    );
  }),
);

/** Also on the start page. Who was asked, and has lost the function since, sees nothing of that client any more. */
export async function waitingAmong(
  { deps, caller }: SignedInVisit,
  asks: readonly Approval[],
): Promise<readonly Approval[]> {
  const now = deps.clock();
  const seen = await tenantsSeen(deps, caller);
  const theirs = new Set(seen.flatMap(({ tenant, held }) => (held === 'approval' ? [tenant] : [])));
  return asks.filter((one) => theirs.has(one.tenant) && stateAt(one, now) === 'pending');
}

/** Plain, since it opens nothing: whatever it says, a person sees their own alone. */
function afterOf(c: Context<Scope>) {
  const [due = '', id = ''] = (c.req.query('after') ?? '').split('.');
  const approval = parseId('apr', id);
  return approval.ok && /^\d{1,15}$/.test(due)
    ? { due: Number(due) as Approval['expiresAt'], approval: approval.value }
    : null;
}

export function approvalRow({ deps }: SignedInVisit, approval: Approval): Markup {
  const now = deps.clock();
  const { binding, tenant, id } = approval;
  const parameters = Object.entries(binding.parameters).map(
    ([name, value]) => `${named(name)} ${JSON.stringify(value)}`,
  );
  return html`<li>
    <div>
      <a href="/approvals/${tenant}/${id}"><strong>${approval.task}</strong> at <strong>${tenant}</strong></a>
      ${approval.tier === 3 ? '' : html`<span class="tag">tier ${approval.tier}</span>`}
      ${approval.narrows === null ? '' : html`<span class="tag">narrower</span>`}
      ${approval.plan === null ? '' : html`<span class="tag">plan ${untrusted(approval.plan)}</span>`}
      <span class="sub">
        ${approval.agent}, on
        ${untrusted(binding.resource)}${parameters.length === 0 ? '' : html`: ${untrusted(parameters.join(', '))}`}
      </span>
    </div>
    <span class="due">${momentFrom(approval.expiresAt, now)}</span>
  </li>`;
}

interface Here {
  readonly tenant: TenantName;
  readonly approval: ApprovalId;
}

function hereOf(c: Context<Scope>): Result<Here> {
  const tenant = parseName('tenant', c.req.param('tenant'));
  const approval = parseId('apr', c.req.param('id'));
  return tenant.ok && approval.ok ? ok({ tenant: tenant.value, approval: approval.value }) : err(NOTHING_HERE);
}

approvals.get(
  '/approvals/:tenant/:id',
  signedIn(async (c, visit) => {
    const { deps, caller, deployment } = visit;
    const here = hereOf(c);
    const found = here.ok ? await showDecision(deps, caller, here.value) : here;
    if (!found.ok) return notOpen(c, visit, here, found.error);
    const { approval, package: shown } = found.value;
    const now = deps.clock();
    return page(
      c,
      visit,
      { title: `${approval.task} at ${approval.tenant}` },
      html`<p class="sub"><a href="/approvals">Approvals</a></p>
        <h1 class="asks">${sentenceOf(shown.shown)}</h1>
        ${noteOf(c)}
        <p class="sub">
          ${stateWords(approval, now)} ${shown.shown.agent.owner} answers for ${approval.agent}. At the client it is
          ${localTime(now, shown.shown.client.time_zone)}.
        </p>
        ${stateAt(approval, now) === 'pending' ? wayWords(shown.shown) : ''} ${await becameOf(deps, approval)}
        ${decisionBody(shown.shown, now)} ${actsOf(visit, found.value, passkeysOf(deployment, caller))}`,
    );
  }),
);

/** What would not be given any more is no decision: who may see it is told why, and how it stands. */
async function notOpen(c: Context<Scope>, visit: SignedInVisit, here: Result<Here>, why: Failure) {
  const { deps } = visit;
  const approval =
    here.ok && why.code === 'approval_over' ? await deps.store.approval(here.value.tenant, here.value.approval) : null;
  if (approval === null) return refusalPage(c, visit, why);
  const { agent, task, tenant, id, request } = approval;
  const called = (await deps.store.snapshot(tenant))?.tenant.displayName ?? tenant;
  return page(
    c,
    visit,
    { title: `${task} at ${tenant}` },
    html`<p class="sub"><a href="/approvals">Approvals</a></p>
      <h1 class="asks"><strong>${agent}</strong> asked for <strong>${task}</strong> at ${clientOf(tenant, called)}</h1>
      ${noteOf(c)}
      <p class="sub">${stateWords(approval, deps.clock())} <code>${id}</code>, for request <code>${request}</code></p>
      ${await becameOf(deps, approval, why)}`,
  );
}

function stateWords(approval: Approval, now: Approval['askedAt']): Markup {
  const state = stateAt(approval, now);
  if (state !== 'pending') return html`<span class="tag">${state}</span>`;
  return html`<span class="tag warn">answer ${apart(approval.expiresAt, now)}</span> Asked
    ${momentFrom(approval.askedAt, now)}.`;
}

/** Whether the client is at work: the weekday, and the hour there. */
const localTime = (at: Approval['askedAt'], timeZone: string): string =>
  new Intl.DateTimeFormat('en-GB', { timeZone, weekday: 'long', hour: '2-digit', minute: '2-digit' }).format(at);

approvals.post(
  '/approvals/:tenant/:id',
  fromFormSignedIn(async (c, visit, form) => {
    const here = hereOf(c);
    if (!here.ok) return refusalPage(c, visit, here.error);
    const assertion = assertionIn(form);
    if (!assertion.ok) return refusalPage(c, visit, assertion.error);
    const ticket = form.get('ticket') ?? '';
    const shown = form.get('package') ?? '';
    const answered = await answerApproval(visit.deps, visit.caller, { ticket, shown, assertion: assertion.value });
    if (!answered.ok) return refusalPage(c, visit, answered.error);
    const { approval, next } = answered.value;
    return c.redirect(
      next === null ? await nextPage(visit, approval) : `/approvals/${approval.tenant}/${next}?done=less`,
      303,
    );
  }, FORM_LIMIT),
);

/** A person goes from one step of a plan to the next that is asked of them. */
async function nextPage(
  { deps, caller }: SignedInVisit,
  { state, tenant, id, agent, plan }: Approval,
): Promise<string> {
  const steps = plan === null ? [] : await deps.store.planned(tenant, agent, plan);
  const next = steps.find(
    (step) =>
      step.id !== id &&
      stateAt(step, deps.clock()) === 'pending' &&
      askedSoFar(step).includes(caller.person) &&
      !step.votes.some(({ person }) => person === caller.person),
  );
  return next === undefined ? `/approvals?done=${state}` : `/approvals/${tenant}/${next.id}?done=${state}`;
}

approvals.post(
  '/approvals/:tenant/:id/take-back',
  fromFormSignedIn(async (c, visit) => {
    const here = hereOf(c);
    const taken = here.ok ? await revokeApproval(visit.deps, visit.caller, here.value) : here;
    return taken.ok ? c.redirect('/approvals?done=taken-back', 303) : refusalPage(c, visit, taken.error);
  }),
);

const reasonForm = z.strictObject({
  reason: z.enum(REJECTION_REASONS),
  words: words(500).nullable(),
});

approvals.post(
  '/approvals/:tenant/:id/no',
  fromFormSignedIn((c, visit, form) => {
    const read = parseWith(reasonForm, { reason: form.get('reason'), words: form.get('words')?.trim() || null });
    const word: Result<Word> = read.ok ? ok({ verdict: 'reject', ...read.value }) : read;
    return signPage(c, visit, form, word);
  }, FORM_LIMIT),
);

approvals.post(
  '/approvals/:tenant/:id/less',
  fromFormSignedIn((c, visit, form) => signPage(c, visit, form, lessIn(form)), FORM_LIMIT),
);

/** What was left empty stays as it was asked. */
function lessIn(form: Form): Result<Word> {
  const [ttl, uses] = ['ttl', 'uses'].map((name) => wholeIn(form, name));
  const given = [...form].filter(([name, value]) => name.startsWith('p.') && value.trim() !== '');
  if (ttl === undefined || uses === undefined) return err(NO_NUMBER);
  try {
    const parameters = Object.fromEntries(given.map(([name, value]) => [name.slice(2), JSON.parse(value) as Json]));
    return ok({ verdict: 'narrow', narrower: { ttl, uses, parameters } });
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return err(failure('invalid_field', 'a parameter is not JSON', { hint: 'Numbers as digits, lists in brackets.' }));
  }
}

/** `null`: left empty; `undefined`: no whole number. */
function wholeIn(form: Form, name: string): number | null | undefined {
  const text = form.get(name)?.trim() ?? '';
  if (text === '') return null;
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

const NO_NUMBER = failure('invalid_field', 'the seconds or the uses are no whole number', {
  hint: 'Digits alone, or leave it empty.',
});

/** The word, once more, and the passkey that signs it. */
function signPage(
  c: Context<Scope>,
  visit: SignedInVisit,
  form: Form,
  word: Result<Word>,
): Response | Promise<Response> {
  const here = hereOf(c);
  if (!here.ok) return refusalPage(c, visit, here.error);
  if (!word.ok) return refusalPage(c, visit, word.error);
  const prepared = prepareWord(visit.deps, visit.caller, { ticket: form.get('yes') ?? '', word: word.value });
  if (!prepared.ok) return refusalPage(c, visit, prepared.error);
  const action = `/approvals/${here.value.tenant}/${here.value.approval}`;
  const isNo = word.value.verdict === 'reject';
  return page(
    c,
    visit,
    { title: isNo ? 'Sign the no' : 'Sign less' },
    html`<article class="slip">
      <h1>${isNo ? 'You say no' : 'You would approve less'}</h1>
      ${wordOf(prepared.value)}
      ${signingForm(visit, passkeysOf(visit.deployment, visit.caller), {
        ticket: prepared.value,
        action,
        fields: packageField(form.get('package') ?? ''),
        button: isNo ? 'Sign the no' : 'Sign it',
        as: isNo ? 'danger' : 'main',
      })}
      <p class="small"><a href="${action}">Back to the decision</a></p>
    </article>`,
  );
}

function wordOf({ statement }: DecisionTicket): Markup {
  switch (statement.purpose) {
    case 'approve':
      return html`<p>Exactly what was asked.</p>`;
    case 'reject':
      return html`<p><strong>${named(statement.reason)}</strong></p>
        ${statement.words === null ? '' : html`<blockquote>${statement.words}</blockquote>`}
        <p>The agent sees this. It gets nothing.</p>`;
    case 'narrow':
      return html`<dl class="facts">
          ${Object.entries(statement.narrower).map(
            ([name, value]) =>
              html`<dt>${named(name)}</dt>
                <dd>${value === null ? 'as asked' : valueOf(value)}</dd>`,
          )}
        </dl>
        <p>The agent takes it or withdraws. If it takes it, you sign that.</p>`;
  }
}
