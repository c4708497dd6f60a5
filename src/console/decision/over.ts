/** An ask of which nothing is left to decide: what people said, and what became of it. */
import { html } from 'hono/html';
import { stateAt } from '../../core/approval.ts';
import type { Approval } from '../../core/approval.ts';
import type { Failure } from '../../core/failure.ts';
import type { KeptEntry } from '../../core/store/requests.ts';
import type { Deps } from '../../deps.ts';
import { sentence } from '../layout.ts';
import type { Markup } from '../layout.ts';
import { moment } from '../shown.ts';
import { untrusted } from '../untrusted.ts';
import { named } from './words.ts';

/** @param now why it would be refused as things are. */
export async function becameOf(deps: Deps, approval: Approval, now: Failure | null = null): Promise<Markup | ''> {
  const state = stateAt(approval, deps.clock());
  if (now === null && (state === 'pending' || state === 'approved')) return '';
  const { votes, tenant, request } = approval;
  const ended = state === 'revoked' ? revokedIn(await deps.store.entries(tenant, { request })) : null;
  return html`<section class="over" aria-labelledby="over">
    <h2 id="over">What became of it</h2>
    ${ended === null ? '' : html`<p class="note warn">${ended}</p>`}
    ${now === null ? '' : html`<p class="note warn">${sentence(now.detail)}</p>`}
    <dl class="facts">
      <dt>Asked</dt>
      <dd>${moment(approval.askedAt)}</dd>
      ${votes.map(
        ({ person, verdict, at }) =>
          html`<dt>${person}</dt>
            <dd>${SAID[verdict]}, ${moment(at)}</dd>`,
      )}
      <dt>It is</dt>
      <dd><strong>${state}</strong></dd>
    </dl>
  </section>`;
}

const SAID = { approve: 'said yes', narrow: 'said yes to less', reject: 'said no' } as const;

function revokedIn(entries: readonly KeptEntry[]): Markup {
  const entry = entries.findLast(({ kind }) => kind === 'approval.revoked');
  const { facts, actor } = JSON.parse(entry?.text ?? '{}') as Leaf;
  const detail = entry?.seen['detail'];
  const words = typeof detail === 'string' ? detail : '';
  return revokedWords({ because: facts?.because ?? '', who: actor?.person ?? 'Somebody', detail: words });
}

interface Leaf {
  readonly facts?: { readonly because?: string };
  readonly actor?: { readonly person?: string };
}

interface Revoked {
  readonly because: string;
  /** Took it back, where somebody did. */
  readonly who: string;
  /** Why it would not be given any more. */
  readonly detail: string;
}

/** Also in the story of a request. */
export function revokedWords({ because, who, detail }: Revoked): Markup {
  if (because === 'taken_back') return html`<strong>${who}</strong> took the yes back, before the agent came.`;
  if (because === 'oversight') return html`<strong>${who}</strong>, of oversight, took the yes back.`;
  return html`The agent came for what was approved, and it would not be given any more. Nothing was given, and the yes
  is worth nothing: ${detail === '' ? named(because) : untrusted(detail)} (<code>${because}</code>).`;
}
