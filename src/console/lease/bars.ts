/** Lives of credentials, drawn: how much is left of one, and the whole of one that may be over. */
import { html } from 'hono/html';
import type { Lease } from '../../core/lease.ts';
import type { Instant } from '../../core/time.ts';
import type { Markup } from '../layout.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** As the script goes on saying it: `90 s`, `4 min`, `2 h`. */
export function rest(ms: number): string {
  if (ms <= 0) return 'over';
  if (ms < 2 * MINUTE) return `${Math.ceil(ms / SECOND)} s`;
  return ms < 2 * HOUR ? `${Math.floor(ms / MINUTE)} min` : `${Math.floor(ms / HOUR)} h`;
}

const share = (part: number, whole: number): number =>
  Math.round(Math.min(100, Math.max(0, (100 * part) / Math.max(1, whole))) * 10) / 10;

/** A bar that runs down to its end. What it says stands beside it in words. */
export function timeLeft({ openedAt, activeAt, expiresAt }: Lease, now: Instant): Markup {
  const from = activeAt ?? openedAt;
  return html`<span class="left" data-from="${from}" data-until="${expiresAt}"
      ><svg viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true" focusable="false">
        <rect class="bar-ground" width="100" height="6" />
        <rect class="bar-rest" data-rest width="${share(expiresAt - now, expiresAt - from)}" height="6" /></svg></span
    ><span class="rest number">${rest(expiresAt - now)}</span>`;
}

interface Piece {
  readonly kind: 'minting' | 'alive' | 'exposed' | 'unused';
  readonly from: number;
  readonly to: number;
}

/** No part of a life is too short to be seen. */
const LEAST = 0.6;

/** From the first entry to the last moment that matters: its death, or its end where that comes later. */
export function lifeline(lease: Lease, now: Instant): Markup | '' {
  const { openedAt, expiresAt, death } = lease;
  const last = Math.max(expiresAt, death?.at ?? 0, lease.state === 'revoking' ? now : 0);
  const whole = last - openedAt;
  if (lease.state === 'failed' || whole <= 0) return '';
  const at = (moment: number): number => share(moment - openedAt, whole);
  const pieces = piecesOf(lease, now).filter(({ from, to }) => to >= from);
  return html`<svg
      class="lifeline"
      viewBox="0 0 100 10"
      preserveAspectRatio="none"
      role="img"
      aria-labelledby="life-title life-words"
    >
      <title id="life-title">Its life</title>
      <desc id="life-words">${wordsOf(pieces)}</desc>
      ${pieces.map(
        ({ kind, from, to }) =>
          html`<rect class="life-${kind}" x="${at(from)}" width="${Math.max(LEAST, at(to) - at(from))}" height="10" />`,
      )}
    </svg>
    <p class="legend">
      ${pieces.map(({ kind, from, to }) => html`<span><i class="key life-${kind}"></i>${precise(to - from)} ${SHORTLY[kind]}</span> `)}
    </p>`;
}

function piecesOf({ openedAt, activeAt, revokingAt, expiresAt, death, state }: Lease, now: Instant): readonly Piece[] {
  const born = activeAt ?? revokingAt ?? (state === 'opening' ? now : openedAt);
  const ended = Math.min(revokingAt ?? now, Math.max(expiresAt, born));
  const dead = death?.at ?? (state === 'revoking' || (revokingAt === null && now > expiresAt) ? now : ended);
  return [
    { kind: 'minting', from: openedAt, to: born },
    { kind: 'alive', from: born, to: ended },
    { kind: 'exposed', from: ended, to: dead },
    { kind: 'unused', from: Math.max(dead, ended), to: expiresAt },
  ].filter(({ from, to }) => to > from) as readonly Piece[];
}

const CALLED = {
  minting: 'being minted',
  alive: 'in use',
  exposed: 'ended and not yet seen dead',
  unused: 'never used, since it was ended before',
} as const satisfies Record<Piece['kind'], string>;

const SHORTLY = {
  minting: 'being made',
  alive: 'alive',
  exposed: 'exposed',
  unused: 'saved',
} as const satisfies Record<Piece['kind'], string>;

const wordsOf = (pieces: readonly Piece[]): string =>
  `${pieces.map(({ kind, from, to }) => `${CALLED[kind]} for ${precise(to - from)}`).join('; then ')}.`;

/** Exposures are told to the millisecond while they are short. */
export function precise(ms: number): string {
  if (ms < SECOND) return `${Math.round(ms)} ms`;
  if (ms < MINUTE) return `${Math.floor(ms / 100) / 10} s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min ${Math.floor((ms % MINUTE) / SECOND)} s`;
  return `${Math.floor(ms / HOUR)} h ${Math.floor((ms % HOUR) / MINUTE)} min`;
}
