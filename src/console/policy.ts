/** The policy in its versions, and what each would change for the agents and people there are. */
import { Hono } from 'hono';
import type { Context } from 'hono';
import { html } from 'hono/html';
import { NOTHING_HERE } from '../core/failure.ts';
import type { KeptProposal } from '../core/proposal.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { KeptPolicy } from '../core/store/policies.ts';
import { administratorAt } from '../administer/administrator.ts';
import { compare } from '../administer/comparison.ts';
import { currentDeployment } from '../http/caller.ts';
import type { Scope } from '../http/scope.ts';
import { page, refusalPage } from './layout.ts';
import type { Markup } from './layout.ts';
import { comparisonBody } from './policy/difference.ts';
import { moment, momentFrom } from './shown.ts';
import { untrusted } from './untrusted.ts';
import { signedIn } from './visit.ts';
import type { SignedInVisit } from './visit.ts';
import { changesAt, isWaiting } from './waiting.ts';

export const policy = new Hono<Scope>();

/** Of the deployment's administrators alone, as the API has it. */
async function versionsFor({ deps, caller }: SignedInVisit): Promise<Result<Versions>> {
  const deployment = await currentDeployment(deps);
  const by = administratorAt(caller, deployment, deps.clock());
  if (!by.ok) return err(NOTHING_HERE);
  const now = deps.clock();
  const [kept, changes] = await Promise.all([deps.store.policies(), changesAt(deps, [null])]);
  const waiting = changes.filter((one) => one.act.change.kind === 'policy.activate' && isWaiting(one, now));
  return ok({
    kept,
    waiting,
    active: deployment.policy,
    before: deployment.policiesBefore,
    widening: deployment.widening,
  });
}

interface Versions {
  readonly kept: readonly KeptPolicy[];
  readonly waiting: readonly KeptProposal[];
  readonly active: string | null;
  readonly before: readonly string[];
  readonly widening: {
    readonly version: string;
    readonly until: KeptProposal['expiresAt'];
    readonly next: string;
  } | null;
}

policy.get(
  '/policy',
  signedIn(async (c, visit) => {
    const found = await versionsFor(visit);
    return page(
      c,
      visit,
      { title: 'Policy' },
      html`<h1>Policy</h1>
        ${
          found.ok
            ? versionsBody(visit, found.value)
            : html`<p class="calm">
                This is for administrators of the deployment. What agents may do at a client stands at
                <a href="/tenants">Tenants</a>.
              </p>`
        }`,
    );
  }),
);

function versionsBody(visit: SignedInVisit, versions: Versions): Markup {
  const { kept, waiting, widening } = versions;
  return html`<p>
      A version decides once two persons have said so: one proposes it with <code>brevet policy propose</code>, another
      confirms it at <a href="/changes">Changes</a>.
    </p>
    ${
      widening === null
        ? ''
        : html`<p class="note warn">
            What is active widens until ${moment(widening.until)}; then <code>${short(widening.next)}</code> takes its
            place by itself.
          </p>`
    }
    ${
      waiting.length === 0
        ? ''
        : html`<section aria-labelledby="waiting">
            <h2 id="waiting">Waits for a second person</h2>
            <ul class="rows">
              ${waiting.map((one) => waitingRow(visit, one))}
            </ul>
          </section>`
    }
    <section aria-labelledby="versions">
      <h2 id="versions">Versions</h2>
      <ul class="rows">
        ${kept.map((one) => versionRow(visit, one, versions))}
      </ul>
    </section>`;
}

const short = (version: string): string => version.slice(0, 12);

function waitingRow({ deps }: SignedInVisit, { id, act, reason, proposer, expiresAt }: KeptProposal): Markup {
  const version = act.change.kind === 'policy.activate' ? act.change.version : '';
  return html`<li>
    <div>
      <a href="/policy/${version}"><code>${short(version)}</code></a> <span class="tag warn">proposed</span>
      <span class="sub">${untrusted(reason)} By ${proposer}; lapses ${momentFrom(expiresAt, deps.clock())}.</span>
    </div>
    <a class="button" href="/changes/${id}">Look, and confirm</a>
  </li>`;
}

function versionRow({ deps }: SignedInVisit, { version, addedAt, functions }: KeptPolicy, of: Versions): Markup {
  return html`<li>
    <div>
      <a href="/policy/${version}"><code>${short(version)}</code></a> ${tagOf(version, of)}
      <span class="sub">${Object.keys(functions).length} roles; kept since ${moment(addedAt)}.</span>
    </div>
    <span class="due">${momentFrom(addedAt, deps.clock())}</span>
  </li>`;
}

function tagOf(version: string, { active, before, waiting }: Versions): Markup | '' {
  if (version === active) return html`<span class="tag good">active</span>`;
  if (waiting.some(({ act }) => act.change.kind === 'policy.activate' && act.change.version === version)) {
    return html`<span class="tag warn">proposed</span>`;
  }
  return before.includes(version) ? html`<span class="tag">was active</span>` : '';
}

const VERSION = /^[0-9a-f]{64}$/;

policy.get(
  '/policy/:version',
  signedIn(async (c, visit) => {
    const found = await seenVersion(c, visit);
    if (!found.ok) return refusalPage(c, visit, found.error);
    const { versions, kept } = found.value;
    return page(
      c,
      visit,
      { title: `Policy ${short(kept.version)}` },
      html`<p class="sub"><a href="/policy">Policy</a></p>
        <h1>Version <code>${short(kept.version)}</code> ${tagOf(kept.version, versions)}</h1>
        <p class="sub"><code>${kept.version}</code></p>
        ${await againstActive(visit, kept.version, versions)}`,
    );
  }),
);

async function seenVersion(
  c: Context<Scope>,
  visit: SignedInVisit,
): Promise<Result<{ readonly versions: Versions; readonly kept: KeptPolicy }>> {
  const versions = await versionsFor(visit);
  if (!versions.ok) return versions;
  const asked = c.req.param('version') ?? '';
  const kept = VERSION.test(asked) ? versions.value.kept.find(({ version }) => version === asked) : undefined;
  return kept === undefined ? err(NOTHING_HERE) : ok({ versions: versions.value, kept });
}

async function againstActive({ deps }: SignedInVisit, version: string, { active, waiting }: Versions): Promise<Markup> {
  if (active === null || version === active) return bundleFacts(await deps.bundles.at(version));
  const [before, after] = await Promise.all([deps.bundles.at(active), deps.bundles.at(version)]);
  const found = await compare(deps, before, after);
  const change = waiting.find(({ act }) => act.change.kind === 'policy.activate' && act.change.version === version);
  return html`${
    change === undefined
      ? ''
      : html`<p class="actions">
          <a class="button main" href="/changes/${change.id}">Look at the change, and confirm it</a>
        </p>`
  }
  ${comparisonBody(found)}`;
}

type Bundle = Awaited<ReturnType<SignedInVisit['deps']['bundles']['at']>>;

/** Of the one that is active there is nothing to compare. */
const bundleFacts = (bundle: Bundle): Markup =>
  html`<dl class="facts">
      <dt>Answers for it</dt>
      <dd>${bundle.owner}, looked at again by ${bundle.nextReview}</dd>
      <dt>Roles</dt>
      <dd>
        ${[...bundle.roles.values()].map(({ name, function: of }) => html`<span class="tag" title="${of}">${name}</span> `)}
      </dd>
      <dt>Task classes</dt>
      <dd>${bundle.tasks.size}</dd>
      <dt>Rules</dt>
      <dd>${bundle.rules.size}</dd>
    </dl>
    <section aria-labelledby="rules">
      <h2 id="rules">What forbids, or asks</h2>
      <ul class="rows">
        ${[...bundle.rules.values()]
          .filter(({ effect }) => effect === 'forbid')
          .map(
            ({ name, annotations }) =>
              html`<li>
                <div>
                  ${annotations['reason'] ?? ''}
                  <span class="sub"><code>${name}</code></span>
                </div>
                <span class="tag ${annotations['obligation'] === 'approval' ? 'warn' : ''}"
                  >${annotations['obligation'] === 'approval' ? 'asks' : 'forbids'}</span
                >
              </li>`,
          )}
      </ul>
    </section>`;
