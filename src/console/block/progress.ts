/** How far a block has come: what it ended, how dead that is, what is left and why. */
import { html } from 'hono/html';
import type { Lease } from '../../core/lease.ts';
import type { Instant } from '../../core/time.ts';
import { exposureSoFar } from '../../oversee/block-progress.ts';
import type { AtTarget, Progress, Survivor } from '../../oversee/block-progress.ts';
import type { Markup } from '../layout.ts';
import { precise } from '../lease/bars.ts';
import { untrusted } from '../untrusted.ts';

export function progressBody(progress: Progress, ended: readonly Lease[], now: Instant): Markup {
  const { counts, targets, survivors, over } = progress;
  return html`${headline(progress)} ${counts.ended === 0 ? '' : bar(progress)}
    <dl class="figures">
      ${figure('ended', String(counts.ended))} ${figure('not dead yet', String(counts.alive), counts.alive > 0)}
      ${figure('not ended yet', String(progress.untouched), progress.untouched > 0)}
      ${figure('worst exposure', counts.ended === 0 ? 'none' : precise(counts.worst_exposure_ms))}
      ${progress.took === null ? '' : figure('took', precise(progress.took))}
    </dl>
    ${survivors.length === 0 ? '' : survivorsOf(survivors)} ${targets.length === 0 ? '' : targetsOf(targets)}
    ${ended.length === 0 ? '' : endedOf(ended, now, over)}`;
}

function headline({ over, counts, untouched }: Progress): Markup {
  if (over)
    return html`<p class="note" role="status">
      All of it is over${counts.ended === 0 ? ': nothing lived there' : ''}.
    </p>`;
  const left = counts.alive + untouched;
  return html`<p class="note warn" role="status">
    ${left === 0 ? 'It is being made sure of.' : `${left} ${left === 1 ? 'is' : 'are'} not dead yet. This goes on until none is left.`}
  </p>`;
}

const figure = (name: string, value: string, isBad = false): Markup =>
  html`<div>
    <dt>${name}</dt>
    <dd class="figure ${isBad ? 'bad' : ''}">${value}</dd>
  </div>`;

function bar({ counts: { ended, alive, verified, expired, unverifiable, never_minted: never } }: Progress): Markup {
  const parts = [
    ['verified', verified, 'seen dead'],
    ['expired', expired, 'over by expiry'],
    ['unverifiable', unverifiable, 'not to be seen'],
    ['never', never, 'never made'],
    ['alive', alive, 'not dead yet'],
  ] as const;
  const drawn = parts.filter(([, n]) => n > 0);
  let x = 0;
  return html`<svg
      class="toll"
      viewBox="0 0 100 10"
      preserveAspectRatio="none"
      role="img"
      aria-labelledby="toll-title toll-words"
    >
      <title id="toll-title">What it ended</title>
      <desc id="toll-words">${drawn.map(([, n, words]) => `${n} ${words}`).join(', ')}, of ${ended}.</desc>
      ${drawn.map(([kind, n]) => {
        const width = (100 * n) / ended;
        const piece = html`<rect class="toll-${kind}" x="${x}" width="${width}" height="10" />`;
        x += width;
        return piece;
      })}
    </svg>
    <p class="legend">
      ${drawn.map(([kind, n, words]) => html`<span><i class="key toll-${kind}"></i>${n} ${words}</span> `)}
    </p>`;
}

const survivorsOf = (survivors: readonly Survivor[]): Markup =>
  html`<section aria-labelledby="survivors">
    <h2 id="survivors">Not dead yet</h2>
    <div class="wide" tabindex="0" role="region" aria-label="Not dead yet, as a table">
      <table>
        <thead>
          <tr>
            <th scope="col">Credential</th>
            <th scope="col">Target</th>
            <th scope="col">Exposed for</th>
            <th scope="col">Tried</th>
            <th scope="col">Why</th>
          </tr>
        </thead>
        <tbody>
          ${survivors.map(
            ({ lease, why, attempts, exposure }) =>
              html`<tr>
                <td>
                  <a href="/leases/${lease.tenant}/${lease.id}">${lease.task}</a> of ${lease.agent} at ${lease.tenant}
                </td>
                <td>${lease.target}</td>
                <td class="number">${precise(exposure)}</td>
                <td class="number">${attempts}</td>
                <td>${why === null ? 'not tried yet' : untrusted(why)}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </section>`;

const targetsOf = (targets: readonly AtTarget[]): Markup =>
  html`<section aria-labelledby="targets">
    <h2 id="targets">By target</h2>
    <div class="wide" tabindex="0" role="region" aria-label="By target, as a table">
      <table>
        <thead>
          <tr>
            <th scope="col">Target</th>
            <th scope="col">Tenant</th>
            <th scope="col">By</th>
            <th scope="col" class="number">Ended</th>
            <th scope="col" class="number">Alive</th>
            <th scope="col" class="number">Worst exposure</th>
          </tr>
        </thead>
        <tbody>
          ${targets.map(
            ({ tenant, target, provider, ended, alive, worstExposure }) =>
              html`<tr>
                <td>${target}</td>
                <td>${tenant}</td>
                <td>${provider}</td>
                <td class="number">${ended}</td>
                <td class="number ${alive > 0 ? 'bad' : ''}">${alive}</td>
                <td class="number">${precise(worstExposure)}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </section>`;

const endedOf = (ended: readonly Lease[], now: Instant, over: boolean): Markup =>
  html`<details class="fold" ${over ? '' : 'open'}>
    <summary><h2>What it ended</h2></summary>
    <div class="wide" tabindex="0" role="region" aria-label="What it ended, as a table">
      <table>
        <thead>
          <tr>
            <th scope="col">Credential</th>
            <th scope="col">Agent</th>
            <th scope="col">Death</th>
            <th scope="col" class="number">Exposure</th>
          </tr>
        </thead>
        <tbody>
          ${ended.map(
            (lease) =>
              html`<tr>
                <td><a href="/leases/${lease.tenant}/${lease.id}">${lease.task}</a> at ${lease.tenant}</td>
                <td>${lease.agent}</td>
                <td>${lease.death?.how ?? lease.state}</td>
                <td class="number">
                  ${precise(lease.state === 'revoking' ? exposureSoFar(lease, now) : (lease.exposure ?? 0))}
                </td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </details>`;
