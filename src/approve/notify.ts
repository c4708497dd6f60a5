/**
 * A notice in words. Pure. They are Brevet's own, made of names, ids and times; an agent's are quoted beside them,
 * bounded and with what hides made visible. What people say of their own is left to the console.
 */
import type { JsonObject } from '../core/canonical.ts';
import type { Notice, NoticeLine } from '../core/channel.ts';
import type { PersonName } from '../core/ids.ts';
import { approvalPage, reversalPage, reviewsPage } from '../core/links.ts';
import type { AskedFor, NoticeFacts } from '../core/notice.ts';
import { SIGNAL_WORDS } from '../core/oversight.ts';
import type { Person, Tenant } from '../core/registers.ts';
import { toRfc3339 } from '../core/time.ts';
import type { Instant } from '../core/time.ts';
import { visible } from '../core/visible.ts';

/** Of an agent's words: enough to know what it is about. The console shows them whole. */
export const QUOTED = 300;
const NAMED = 100;

/** Where a notice is told: what its names stand for. */
export interface Telling {
  /** Of the work that carries it. */
  readonly id: string;
  readonly tenant: Pick<Tenant, 'name' | 'displayName'>;
  readonly persons: ReadonlyMap<PersonName, Pick<Person, 'displayName' | 'email' | 'active'>>;
  readonly publicUrl: string;
  readonly at: Instant;
}

type Words = Pick<Notice, 'subject' | 'lines' | 'link' | 'about' | 'audience' | 'to'>;

export function noticeInWords(facts: NoticeFacts, telling: Telling): Notice {
  const { id, tenant, at } = telling;
  return { id, kind: facts.kind, tenant: tenant.name, at, facts: factsOf(facts), ...wordsOf(facts, telling) };
}

/** Times as they are everywhere; who is written to is no business of programs. */
function factsOf(facts: NoticeFacts): JsonObject {
  const told = Object.entries(facts).filter(([name]) => name !== 'address');
  const times: readonly string[] = ['until', 'reviewBy', 'at'];
  return Object.fromEntries(
    told.map(([name, value]: [string, unknown]) => [
      name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      times.includes(name) ? toRfc3339(value as Instant) : value,
    ]),
  ) as JsonObject;
}

function wordsOf(facts: NoticeFacts, telling: Telling): Words {
  switch (facts.kind) {
    case 'asked':
    case 'escalated': {
      const { step, until, tell } = facts;
      const first = facts.kind === 'asked' ? 'is asked of you' : 'has not been answered and is asked of you';
      return ofApproval(facts, telling, first, [
        own('Asked', `${namesOf(tell, telling)} (${step})`),
        own('Until', `${timeOf(until)}; then the next are asked, and without an answer it ends as a no`),
      ]);
    }
    case 'answered': {
      const { verdict, by, because } = facts;
      const why = because === null ? [] : [own('Because', because.replaceAll('_', ' '))];
      return ofApproval(facts, telling, `was ${verdict}`, [own('By', namesOf(by, telling)), ...why]);
    }
    case 'narrowed':
      return ofApproval(facts, telling, 'would be given in part', [
        own('By', namesOf([facts.by], telling)),
        own('Next', 'The agent takes the narrower form or withdraws; then it is signed.'),
      ]);
    case 'expired':
      return ofApproval(facts, telling, 'was not answered in time', [own('So', 'Nothing was given.')]);
    case 'acted':
      return acted(facts, telling);
    case 'refused':
      return {
        ...team(facts.tell, telling),
        subject: `${facts.agent} was refused ${facts.task} at ${clientOf(telling)}`,
        lines: [
          ...whatAndWhere(facts, telling),
          own('By rule', facts.rules.join(', ')),
          own('Told', namesOf(facts.tell, telling)),
        ],
        link: null,
        about: facts.request,
      };
    case 'glass_broken':
      return {
        ...team(facts.tell, telling),
        subject: `The glass was broken at ${clientOf(telling)}: ${facts.agent ?? 'an agent'} has ${facts.role}`,
        lines: [
          own('By', namesOf([facts.by], telling)),
          own('Because', visible(facts.reason, QUOTED)),
          own('Ends', timeOf(facts.until)),
          own('Next', 'It waits for another person to look at it.'),
        ],
        link: reviewsPage(telling.publicUrl),
        about: facts.assignment,
      };
    case 'tripped':
      return tripped(facts, telling);
    case 'all_paused':
      return {
        ...team(facts.tell, telling),
        subject: 'Everything is paused everywhere: breakers trip at many clients',
        lines: [
          own(
            'Why',
            `${facts.trips} breakers have tripped at ${facts.tenants} clients, ${clientOf(telling)} among them`,
          ),
          own('So', 'Everything asks, and what lived without a person’s word is ended.'),
          own('To end it', 'A person who oversees every client, and answers for no agent, ends the pause.'),
        ],
        link: null,
        about: facts.pause,
      };
    case 'done_at_client':
      return {
        audience: 'client',
        to: [{ name: clientOf(telling), address: facts.address }],
        subject: `Done for you: ${facts.task}`,
        lines: [
          ...whatAndWhere(facts, telling),
          own('When', timeOf(facts.at)),
          own('How', HOW_AT_CLIENT[facts.tier] ?? 'after a person agreed'),
        ],
        link: null,
        about: facts.lease,
      };
  }
}

export const HOW_AT_CLIENT: Readonly<Record<number, string>> = {
  1: 'by an agent, by itself',
  2: 'by an agent, of which your provider’s people were told',
  3: 'by an agent, after a person at your provider agreed',
};

type OfApproval = Extract<NoticeFacts, { readonly approval: unknown }>;

function ofApproval(facts: OfApproval, telling: Telling, what: string, lines: readonly NoticeLine[]): Words {
  const { ask, approval, tell } = facts;
  return {
    ...team(tell, telling),
    subject: `${ask.task} at ${clientOf(telling)} ${what}`,
    lines: [...whatAndWhere(ask, telling), own('Tier', String(ask.tier)), ...lines, ...reasonOf(ask)],
    link: approvalPage(telling.publicUrl, telling.tenant.name, approval),
    about: approval,
  };
}

function acted(facts: Extract<NoticeFacts, { readonly kind: 'acted' }>, telling: Telling): Words {
  const { lease, agent, task, confidence, reviewBy, tell } = facts;
  return {
    ...team(tell, telling),
    subject: `${agent} did ${task} at ${clientOf(telling)}`,
    lines: [
      ...whatAndWhere(facts, telling),
      agents('How sure it says it is', confidence === null ? 'not said' : `${Math.round(confidence * 100)} %`),
      own('Told', namesOf(tell, telling)),
      own('To be reviewed by', timeOf(reviewBy)),
      own('To reverse it', 'Open its page: one click there ends the credential and orders the way back.'),
    ],
    link: reversalPage(telling.publicUrl, telling.tenant.name, lease),
    about: lease,
  };
}

function tripped(facts: Extract<NoticeFacts, { readonly kind: 'tripped' }>, telling: Telling): Words {
  const { trip, block, agent, task, signal, count, within, to, tell } = facts;
  const [what, next] =
    to === 'ask'
      ? ['asks from now on', `brevet trip reset ${trip}`]
      : ['is stopped', block === null ? '' : `brevet block lift ${block}`];
  return {
    ...team(tell, telling),
    subject: `A breaker has tripped: ${task} of ${agent} at ${clientOf(telling)} ${what}`,
    lines: [
      own('Agent', agent),
      own('Task', task),
      own('Client', `${clientOf(telling)} (${telling.tenant.name})`),
      own('Why', `${count} ${SIGNAL_WORDS[signal]} within ${within / 60} min`),
      own('To end it', `Somebody who oversees, and does not answer for it: ${next}`),
    ],
    link: null,
    about: trip,
  };
}

const whatAndWhere = (
  { agent, task, resource }: Pick<AskedFor, 'agent' | 'task' | 'resource'>,
  telling: Telling,
): readonly NoticeLine[] => [
  own('Agent', agent),
  own('Task', task),
  own('Client', `${clientOf(telling)} (${telling.tenant.name})`),
  agents('Resource', visible(resource, QUOTED)),
];

const reasonOf = ({ reason }: AskedFor): readonly NoticeLine[] =>
  reason === '' ? [] : [agents('The agent’s words', visible(reason, QUOTED))];

const own = (label: string, text: string): NoticeLine => ({ label, text, words: 'brevet' });
const agents = (label: string, text: string): NoticeLine => ({ label, text, words: 'agent' });

/** Written by an administrator, and bounded like everything that people write. */
const clientOf = ({ tenant }: Telling): string => visible(tenant.displayName, NAMED);

const nameOf = (person: PersonName, { persons }: Telling): string =>
  visible(persons.get(person)?.displayName ?? person, NAMED);

const namesOf = (all: readonly PersonName[], telling: Telling): string =>
  all.length === 0 ? 'nobody' : all.map((person) => nameOf(person, telling)).join(', ');

/** Whoever has gone is written to no more. */
function team(tell: readonly PersonName[], telling: Telling): Pick<Notice, 'audience' | 'to'> {
  const here = tell.filter((person) => telling.persons.get(person)?.active === true);
  return {
    audience: 'team',
    to: here.map((person) => ({
      name: nameOf(person, telling),
      address: telling.persons.get(person)?.email ?? null,
    })),
  };
}

/** To the minute, in UTC: who reads it may be anywhere. */
export const timeOf = (at: Instant): string => `${toRfc3339(at).slice(0, 16).replace('T', ' ')} UTC`;
