/** People who decide, with authenticators of their own, at a broker under test. */
import * as assert from 'uvu/assert';
import type { Word } from '../../src/approve/verdict.ts';
import type { ConsoleCaller } from '../../src/authenticate/console.ts';
import { sealTicket } from '../../src/authenticate/ticket.ts';
import { answerApproval } from '../../src/broker/decisions/answer.ts';
import { showDecision } from '../../src/broker/decisions/show.ts';
import { prepareWord } from '../../src/broker/decisions/word.ts';
import { ASSERTION_TYPE } from '../../src/client/assertion.ts';
import type { ApprovalId, OperatorName, PersonName, TenantName } from '../../src/core/ids.ts';
import { instant } from '../../src/core/time.ts';
import { ASKED, PUBLIC_URL } from './app.ts';
import type { Answer, TestApp, TestNode } from './app.ts';
import { Authenticator, enrolled } from './authenticator.ts';
import type { Lies } from './authenticator.ts';

const ACME = 'acme' as TenantName;

export const callerOf = (person: string, session = `session of ${person}`): ConsoleCaller => ({
  kind: 'operator',
  operator: person as OperatorName,
  person: person as PersonName,
  by: 'passkey',
  session,
  signedInAt: instant(0),
  provenAt: instant(0),
});

export const part = (answer: Answer, name: string) => answer.body[name] as Record<string, unknown>;

export interface Waiting {
  readonly request: string;
  readonly approval: ApprovalId;
}

export interface Saying {
  readonly word?: Word;
  readonly lies?: Lies;
  readonly with?: Authenticator;
  readonly node?: TestNode;
  readonly as?: ConsoleCaller;
  /** What is sent instead of what was shown. */
  readonly shown?: string;
}

export const YES: Word = { verdict: 'approve' };
export const NO: Word = { verdict: 'reject', reason: 'wrong_client', words: 'Not at this clinic' };

export interface Deciding {
  readonly keys: Map<string, Authenticator>;
  /** An agent asks, and people are asked. */
  ask(more?: Record<string, unknown>): Promise<Waiting>;
  /** What the agent sees of it. */
  stateOf(waiting: Waiting): Promise<Record<string, unknown>>;
  redeem(waiting: Waiting, node?: TestNode, client?: string): Promise<Answer>;
  /** A person says their word. @returns what became of it: a state, or the code of a refusal. */
  say(person: string, waiting: Waiting, saying?: Saying): Promise<string>;
}

/** @param people those who have passkeys, confirmed by ada. */
export async function deciding(app: TestApp, people: readonly string[] = ['paula', 'olga', 'otto']): Promise<Deciding> {
  const keys = new Map(people.map((name) => [name, new Authenticator(PUBLIC_URL)]));
  for (const [person, key] of keys) await enrolled(app, key.passkey(person, { confirmedBy: 'ada' as PersonName }));

  async function ask(more: Record<string, unknown> = {}): Promise<Waiting> {
    const answer = await app.call('POST', '/t/acme/requests', {
      token: await app.session(),
      body: { ...ASKED, ...more },
    });
    assert.is(answer.status, 202, answer.text);
    return { request: String(answer.body['request']), approval: part(answer, 'approval')['id'] as ApprovalId };
  }

  const stateOf = async ({ request }: Waiting) =>
    part(await app.call('GET', `/t/acme/requests/${request}`, { token: await app.session() }), 'approval');

  const redeem = async ({ request }: Waiting, node: TestNode = app, client = 'triage-bot'): Promise<Answer> =>
    node.call('POST', `/t/acme/requests/${request}/credential`, {
      body: { client_assertion_type: ASSERTION_TYPE, client_assertion: await app.assertion(client) },
    });

  async function say(person: string, { approval }: Waiting, saying: Saying = {}): Promise<string> {
    const { word = YES, lies = {}, node = app, as = callerOf(person) } = saying;
    const { deps } = node;
    const seen = await showDecision(deps, as, { tenant: ACME, approval });
    if (!seen.ok) return seen.error.code;
    const yes = sealTicket(deps, seen.value.ticket);
    const prepared = word.verdict === 'approve' ? null : prepareWord(deps, as, { ticket: yes, word });
    if (prepared?.ok === false) return prepared.error.code;
    const ticket = prepared?.value ?? seen.value.ticket;
    const key = saying.with ?? keys.get(person);
    if (key === undefined) throw new Error(`${person} has no key`);
    const assertion = key.sign(ticket.statement, lies);
    const answered = await answerApproval(deps, as, {
      ticket: sealTicket(deps, ticket),
      shown: saying.shown ?? seen.value.package.text,
      assertion,
    });
    return answered.ok ? answered.value.approval.state : answered.error.code;
  }

  return { keys, ask, stateOf, redeem, say };
}
