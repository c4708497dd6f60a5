/** How people are told: which channel works, since when one does not, and what waits to be told. */
import { html } from 'hono/html';
import type { ChannelName, ChannelState } from '../core/channel.ts';
import type { Instant } from '../core/time.ts';
import type { Markup } from './layout.ts';
import { momentFrom } from './shown.ts';
import { tenantsSeen } from './standing.ts';
import { untrusted } from './untrusted.ts';
import type { SignedInVisit } from './visit.ts';

/** For those who look after it: whoever administers or oversees anything. */
export async function telling({ deps, caller }: SignedInVisit): Promise<Markup | ''> {
  const seen = await tenantsSeen(deps, caller);
  const theirs = seen.filter(({ held }) => held === 'administration' || held === 'oversight');
  const held = await deps.store.functionsOf(caller.person);
  const all = held.some((one) => one.tenant === null && one.held === 'administration');
  if (theirs.length === 0 && !all) return '';
  const within = all ? null : theirs.map(({ tenant }) => tenant);
  const [states, untold] = await Promise.all([deps.store.channels(), deps.store.untold(within)]);
  const now = deps.clock();
  const names = deps.channels.map(({ name }) => name);
  return html`<section aria-labelledby="telling">
    <h2 id="telling">How people are told</h2>
    ${
      names.length === 0
        ? html`<p class="note warn">
            Nobody is: no channel is configured. What agents would do and tell of, they ask for.
          </p>`
        : html`<ul class="rows">
            ${names.map((name, at) => channelRow(name, states.find((one) => one.name === name) ?? null, { now, at }))}
          </ul>`
    }
    ${
      untold.count === 0 || untold.since === null
        ? ''
        : html`<p class="note warn">
            ${untold.count === 1 ? 'One notice waits' : `${untold.count} notices wait`} to be taken by any channel, the
            first since ${momentFrom(untold.since, now)}. It is tried until one does.
          </p>`
    }
  </section>`;
}

const CALLED: Readonly<Record<ChannelName, string>> = {
  slack: 'Slack',
  teams: 'Teams',
  mail: 'Mail',
  webhook: 'Webhook',
};

function channelRow(
  name: ChannelName,
  state: ChannelState | null,
  { now, at }: { readonly now: Instant; readonly at: number },
): Markup {
  return html`<li>
    <div>
      <strong>${CALLED[name]}</strong> ${tagOf(state)}
      <span class="sub">
        ${at === 0 ? 'Tried first.' : 'Tried where those before it did not take it, or reach nobody.'}
        ${state === null || state.why === null ? '' : html`The last time: ${untrusted(state.why)}.`}
      </span>
    </div>
    <span class="due">${timesOf(state, now)}</span>
  </li>`;
}

function tagOf(state: ChannelState | null): Markup {
  if (state === null) return html`<span class="tag">not used yet</span>`;
  return state.failingSince === null
    ? html`<span class="tag good">works</span>`
    : html`<span class="tag bad">fails</span>`;
}

function timesOf(state: ChannelState | null, now: Instant): Markup | '' {
  if (state === null) return '';
  const { failingSince, toldAt } = state;
  if (failingSince === null) return toldAt === null ? '' : html`took one ${momentFrom(toldAt, now)}`;
  return html`fails since
  ${momentFrom(failingSince, now)}${toldAt === null ? ', and never took one' : html`, took one ${momentFrom(toldAt, now)}`}`;
}
