/** What is decided, in the broker's own words: made from the canonical request and the registers, never from the agent's. */
import { html } from 'hono/html';
import type { Json } from '../../core/canonical.ts';
import type { Shown } from '../../approve/package.ts';
import type { Markup } from '../layout.ts';
import { spanOf } from '../spans.ts';
import { untrusted } from '../untrusted.ts';

/** A value of the request, as it is: text that an agent chose, so its hidden marks are written out. */
export function valueOf(value: Json | undefined): Markup | string {
  if (typeof value === 'string') return html`<code>${untrusted(value)}</code>`;
  if (typeof value === 'number' || typeof value === 'boolean') return html`<code>${String(value)}</code>`;
  if (value === null || value === undefined) return 'nothing';
  return html`<code>${untrusted(JSON.stringify(value))}</code>`;
}

export const named = (name: string): string => name.replaceAll('_', ' ');

const TIERS: Readonly<Record<number, string>> = {
  1: 'it may act by itself',
  2: 'it acts, and people are told',
  3: 'it waits for a person',
};
export const tierWords = (tier: number): string => `Tier ${tier}: ${TIERS[tier] ?? 'unknown'}`;

/** How it ends, and who could tell. */
export function endWords({ lives_s, revoked, provable, expiry_ends_use }: Shown['credential']): Markup {
  const lives = html`Lives <strong>${spanOf(lives_s)}</strong> from when it is fetched.`;
  const ends =
    revoked === 'commit'
      ? 'It ends the moment Brevet says so'
      : revoked === 'never'
        ? 'It cannot be ended early'
        : html`Ended early, it is dead within <strong>${spanOf(revoked.within_s)}</strong>`;
  const seen = provable
    ? ', and its death is looked for until it is seen.'
    : ', and nobody can see whether it is dead.';
  const use = expiry_ends_use ? '' : ' What is open when it expires stays open until Brevet cuts it.';
  return html`${lives} ${ends}${seen}${use}`;
}

/** The longest that it could be misused if this goes wrong: to its end, or to the end of a revocation that comes late. */
export function worstWords({ lives_s, revoked, provable }: Shown['credential']): string {
  if (revoked === 'commit') return `${spanOf(lives_s)}, or less if somebody ends it`;
  if (revoked === 'never') return `${spanOf(lives_s)}, whoever notices`;
  return `${spanOf(lives_s + revoked.within_s)}${provable ? '' : ', as far as anybody can tell'}`;
}

const AUTONOMY: Readonly<Record<string, string>> = {
  'advise-only': 'advice alone',
  'ask-always': 'acts that a person approved',
  notify: 'acts that people are told of',
  autonomous: 'acts by itself',
};
export const contractWords = (contract: string | null): string =>
  contract === null ? 'says nothing of AI: everything asks' : `accepts ${AUTONOMY[contract] ?? contract}`;

const RAISES: Readonly<Record<string, string>> = {
  'regulation:unknown': 'the client is under what policy does not know',
  'model:not_accepted': 'the client has not accepted this model',
  probation: 'the agent is on probation here',
  pause: 'oversight has paused everything here',
  many_tenants: 'the same goes on at many clients at once',
  'claims:disputed': 'the agent says that this is disputed',
  'claims:low_confidence': 'the agent is not sure itself',
  'claims:more_data': 'the agent says that more data is touched',
  no_channel: 'nobody could be told afterwards',
  notices_late: 'people could not be told in time of what was done before',
};

/** Why a tier is higher than the task class's own. @see `effectiveTier` in `src/decide/tier.ts` */
export function raiseWords(because: string): string {
  const [about = '', what = ''] = because.split(':');
  if (about === 'contract') return `the client’s contract ${contractWords(what === 'none' ? null : what)}`;
  if (about === 'autonomy') return `the agent is registered for ${AUTONOMY[what] ?? what}`;
  if (about === 'breaker') return `a circuit breaker of this agent and task class has tripped here (${what})`;
  return RAISES[because] ?? because;
}

type Before = Shown['before'][number];

const UNANSWERED: Readonly<Record<string, string>> = {
  pending: 'no answer yet',
  expired: 'nobody answered',
  cancelled: 'withdrawn by the agent',
};

/** What people said when the same was asked before. */
export function saidBefore({ state, by, narrowed, rejection }: Before): string {
  const who = by.map(({ person }) => person).join(', ');
  if (state === 'rejected') return `no: ${named(rejection?.reason ?? 'other')} (${who})`;
  if (state === 'approved' || state === 'redeemed') return `${narrowed ? 'yes to less' : 'yes'} (${who})`;
  if (state === 'revoked') return `yes, and taken back (${who})`;
  return UNANSWERED[state ?? ''] ?? 'unknown';
}

/** By the agent's own report, or else by what is known of its credential. */
export function cameOf({ outcome, lease }: Before): string {
  if (outcome !== null) return named(outcome);
  if (lease === null) return '–';
  return lease === 'opening' || lease === 'active' ? 'under way' : 'nothing reported';
}

export const SITUATIONS: Readonly<Record<string, string>> = {
  incident: 'An incident is open here',
  freeze: 'A change freeze is on',
  'data-subject-request': 'A data subject request is open',
};

export const SKIPPED: Readonly<Record<string, string>> = {
  owns: 'owns the agent',
  owned: 'owned the agent of late',
  launched: 'launched it',
  other_function: 'holds another function here',
  level: 'is below the level that it takes',
  away: 'is away',
  asked_too_much: 'is asked too much already',
  off_duty: 'is off duty',
};
