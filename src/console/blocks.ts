/** The kill switch in the hands of oversight: what stands, and how far one has come. */
import { Hono } from 'hono';
import { html } from 'hono/html';
import { parseId } from '../core/ids.ts';
import type { KeptBlock } from '../core/store/blocks.ts';
import type { Instant } from '../core/time.ts';
import { standingPlaces } from '../oversee/blocks.ts';
import { progressOf } from '../oversee/block-progress.ts';
import type { Scope } from '../http/scope.ts';
import { seenHere } from './block/here.ts';
import { liftSection } from './block/lift.ts';
import { progressBody } from './block/progress.ts';
import { nameOf, placesOf } from './block/words.ts';
import { page, refusalPage } from './layout.ts';
import type { Markup } from './layout.ts';
import { liveOversight } from './live.ts';
import { noteOf } from './note.ts';
import { moment, momentFrom } from './shown.ts';
import { untrusted } from './untrusted.ts';
import { signedIn } from './visit.ts';
import type { SignedInVisit } from './visit.ts';

export const blocks = new Hono<Scope>();

const AT_ONCE = 50;

blocks.get(
  '/blocks',
  signedIn(async (c, visit) => {
    const { deps, caller } = visit;
    const within = await deps.store.overseenBy(caller.person);
    const live = await liveOversight(visit, within, null);
    const before = parseId('blk', c.req.query('before'));
    const which = { within, before: before.ok ? before.value : null };
    const [standing, all] = await Promise.all([
      deps.store.blocks({ ...which, limit: AT_ONCE, standing: true }),
      deps.store.blocks({ ...which, limit: AT_ONCE, standing: false }),
    ]);
    const over = all.filter(({ id }) => !standing.some((one) => one.id === id));
    return page(
      c,
      visit,
      { title: 'Blocks', live },
      html`<h1>Blocks</h1>
        ${noteOf(c)}
        ${
          within.length === 0
            ? html`<p class="calm">These are for oversight, and you oversee nothing.</p>`
            : html`<p>
                  Nothing inside a block is issued, on any node, and what lives there is ended.
                  <a class="button danger" href="/blocks/new">Raise a block</a>
                </p>
                <div id="blocks" data-part>
                  ${standing.length === 0 ? html`<p class="calm">${before.ok ? 'None older stands.' : 'None stands.'}</p>` : rows(visit, standing)}
                  ${
                    over.length === 0
                      ? ''
                      : html`<section aria-labelledby="over">
                          <h2 id="over">Lifted, or over</h2>
                          ${rows(visit, over)}
                        </section>`
                  }
                  ${all.length < AT_ONCE ? '' : html`<p class="actions"><a class="button" href="/blocks?before=${all.at(-1)?.id}">Older ones</a></p>`}
                </div>`
        }`,
    );
  }),
);

const rows = (visit: SignedInVisit, found: readonly KeptBlock[]): Markup =>
  html`<ul class="rows">
    ${found.map((block) => blockRow(visit, block))}
  </ul>`;

/** Also on the page of a tenant. */
export function blockRow({ deps }: SignedInVisit, block: KeptBlock): Markup {
  const now = deps.clock();
  return html`<li>
    <div>
      <a href="/blocks/${block.id}">${nameOf(block)}</a> ${stateTag(block, now)}
      <span class="sub">
        ${untrusted(block.reason)} Raised by ${block.author} ${momentFrom(block.from, now)}, at
        ${placesOf(block.places.map(({ tenant }) => tenant))}.
      </span>
    </div>
    ${block.until === null ? '' : html`<span class="due">${block.until > now ? 'ends' : 'ended'} ${momentFrom(block.until, now)}</span>`}
  </li>`;
}

function stateTag(block: KeptBlock, now: Instant): Markup {
  const standing = standingPlaces(block, now).length;
  const tag = standing > 0 ? html`<span class="tag bad">stands</span>` : html`<span class="tag">over</span>`;
  return html`${tag}${block.drill ? html` <span class="tag">drill</span>` : ''}`;
}

blocks.get(
  '/blocks/:id',
  signedIn(async (c, visit) => {
    const { deps } = visit;
    const within = await deps.store.overseenBy(visit.caller.person);
    const live = await liveOversight(visit, within, null);
    const found = await seenHere(c, visit);
    if (!found.ok) return refusalPage(c, visit, found.error);
    const block = found.value;
    const [progress, ended] = await Promise.all([
      progressOf(deps, block),
      deps.store.ended({
        block: block.id,
        within: block.places.map(({ tenant }) => tenant),
        before: null,
        limit: AT_ONCE,
      }),
    ]);
    const now = deps.clock();
    return page(
      c,
      visit,
      { title: 'A block', live },
      html`<p class="sub"><a href="/blocks">Blocks</a></p>
        <h1>${nameOf(block)} <span id="state" data-part>${stateTag(block, now)}</span></h1>
        ${noteOf(c)}
        <p class="sub"><code>${block.id}</code></p>
        <div id="progress" data-part>${progressBody(progress, ended, now)}</div>
        <div class="halves">
          <section aria-labelledby="what">
            <h2 id="what">The block</h2>
            ${factsOf(block)}
          </section>
          ${liftSection(visit, block)}
        </div>`,
    );
  }),
);

const factsOf = (block: KeptBlock): Markup =>
  html`<dl class="facts">
    <dt>Why</dt>
    <dd class="quoted">${untrusted(block.reason)}</dd>
    <dt>Raised</dt>
    <dd>${moment(block.from)}, by ${block.author}</dd>
    <dt>Until</dt>
    <dd>${block.until === null ? 'it is lifted' : moment(block.until)}</dd>
    ${
      block.deniesRoles
        ? html`<dt>Roles</dt>
            <dd>every session that they gave before is denied too, whoever asked for it</dd>`
        : ''
    }
    ${
      block.agents.length === 0
        ? ''
        : html`<dt>Agents</dt>
            <dd>${block.agents.join(', ')}</dd>`
    }
    <dt>Where</dt>
    <dd>
      <ul class="plain">
        ${block.places.map(
          ({ tenant, liftedAt, liftedBy }) =>
            html`<li>
              ${tenant}${liftedAt === null ? '' : html`, <span class="soft">lifted by ${liftedBy} ${moment(liftedAt)}</span>`}
            </li>`,
        )}
      </ul>
    </dd>
  </dl>`;
