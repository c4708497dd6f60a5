/**
 * What somebody has to look at: opened by oversight on a lease, by a reversal, or by the glass being broken; and done by
 * another person of oversight, in words, once what it is about is over.
 */
import { z } from 'zod';
import type { Receipt } from '../core/entry.ts';
import { failure, NOTHING_HERE } from '../core/failure.ts';
import type { Failure } from '../core/failure.ts';
import { newId, parseId } from '../core/ids.ts';
import type { ReviewId } from '../core/ids.ts';
import type { Lease } from '../core/lease.ts';
import type { KeptReview, Review } from '../core/oversight.ts';
import { name as nameField, parseWith, when, words } from '../core/parse.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { after, seconds, toRfc3339 } from '../core/time.ts';
import type { Instant } from '../core/time.ts';
import type { PersonName, TenantName } from '../core/ids.ts';
import { standingAt } from '../administer/administrator.ts';
import type { Sent } from '../administer/author.ts';
import { make, perform } from '../administer/commit.ts';
import type { Act } from '../administer/commit.ts';
import type { OperatorPrincipal } from '../authenticate/principal.ts';
import type { Deps } from '../deps.ts';
import { conflictWithLeases } from './conflict.ts';
import { nowhere } from './overseen.ts';
import { allUnder, underReview } from './under-review.ts';

const REVIEW_WITHIN = seconds(7 * 24 * 3600);

const openBody = z.strictObject({
  tenant: nameField(),
  lease: z.string(),
  reason: words(1000),
  due: when().optional(),
});

export interface Opened {
  readonly review: Review;
  readonly receipt: Receipt;
}

/** Where there is nothing of that name, the answer is the one for a tenant that is not overseen. */
async function placeOf(deps: Deps, operator: OperatorPrincipal, tenant: TenantName): Promise<Result<Snapshot>> {
  const within = await deps.store.overseenBy(operator.person);
  const at = within.includes(tenant) ? await deps.store.snapshot(tenant) : null;
  return at === null ? err(nowhere(tenant, within)) : ok(at);
}

export async function openReview(
  deps: Deps,
  operator: OperatorPrincipal,
  { body, claim }: Sent,
): Promise<Result<Opened>> {
  const asked = parseWith(openBody, body);
  if (!asked.ok) return asked;
  const { reason, due } = asked.value;
  const place = await placeOf(deps, operator, asked.value.tenant as TenantName);
  if (!place.ok) return place;
  const now = deps.clock();
  const by = standingAt(operator, place.value, now, ['review.open']);
  if (!by.ok) return by;
  if (due !== undefined && due <= now) {
    return err(failure('invalid_field', 'it would be due already', { path: 'due' }));
  }
  const { name: tenant } = place.value.tenant;
  const id = parseId('lse', asked.value.lease);
  const lease = id.ok ? await deps.store.lease(tenant, id.value) : null;
  if (lease === null) return err(failure('not_found', 'there is no such lease here', { path: 'lease' }));
  const { person } = by.value;
  const review: Review = {
    id: newId('rev', now, deps.random),
    tenant,
    reason,
    at: now,
    from: now,
    what: 'lease',
    about: lease.id,
    agent: lease.agent,
    role: null,
    openedBy: person,
    due: due ?? after(now, REVIEW_WITHIN),
    notBy: [person],
  };
  const act: Act = {
    by: by.value,
    change: { kind: 'review.open', review },
    ledger: tenant,
    facts: { review: review.id, what: review.what, about: lease.id, due: toRfc3339(review.due) },
    said: { reason },
    about: lease,
    ends: null,
    claim,
  };
  const opened = await make(deps, act, review);
  return opened.ok ? ok({ review: opened.value.made, receipt: opened.value.receipt }) : opened;
}

export const doneBody = z.strictObject({ words: words(2000) });

export async function doReview(
  deps: Deps,
  operator: OperatorPrincipal,
  { id, body }: { readonly id: ReviewId; readonly body: unknown },
): Promise<Result<Receipt>> {
  const found = await seenReview(deps, operator, id);
  if (!found.ok) return found;
  const review = found.value;
  const place = await placeOf(deps, operator, review.tenant);
  if (!place.ok) return place;
  const now = deps.clock();
  const by = standingAt(operator, place.value, now, ['review.done']);
  if (!by.ok) return by;
  const said = parseWith(doneBody, body);
  if (!said.ok) return said;
  const refused = await whyNotDone(deps, review, { person: by.value.person, now });
  if (refused !== null) return err(refused);
  return perform(deps, {
    by: by.value,
    change: { kind: 'review.done', tenant: review.tenant, review: id, by: by.value.person, words: said.value.words },
    ledger: review.tenant,
    facts: { review: id, what: review.what, about: review.about },
    said: { words: said.value.words },
    ...(await storyOf(deps, review)),
    ends: null,
  });
}

/** Where it is about one credential, it stands in the story of that. */
async function storyOf(deps: Deps, review: Review): Promise<{ readonly about?: Lease }> {
  const [lease] = review.what === 'break_glass' ? [] : (await underReview(deps, review)).leases;
  return lease === undefined ? {} : { about: lease };
}

/** Also for a page, which says beforehand whether its reader may. */
export async function whyNotDone(
  deps: Deps,
  review: KeptReview,
  who: { readonly person: PersonName; readonly now: Instant },
): Promise<Failure | null> {
  if (review.done !== null) return failure('review_over', `${review.done.by} has done it`);
  if (review.notBy.includes(who.person)) {
    const hint = 'Somebody else, who had no hand in it, does this.';
    return failure('in_conflict', 'you had a hand in what it is about', { hint });
  }
  const conflict = await conflictWith(deps, review, who);
  if (conflict !== null) return conflict;
  if (review.from <= who.now) return null;
  return failure('review_over', `what it is about is not over before ${toRfc3339(review.from)}`, {
    hint: 'Look at it then, in whole.',
  });
}

/** With each credential that it is about, since who owned the agent then, or launched it, had a part in it. */
async function conflictWith(
  deps: Deps,
  review: Review,
  who: { readonly person: PersonName; readonly now: Instant },
): Promise<Failure | null> {
  const { agent } = review;
  if (agent === null) return null;
  let conflict = await conflictWithLeases(deps, agent, [], who);
  for await (const leases of allUnder(deps, review)) conflict ??= await conflictWithLeases(deps, agent, leases, who);
  return conflict;
}

export async function seenReview(deps: Deps, operator: OperatorPrincipal, id: ReviewId): Promise<Result<KeptReview>> {
  const within = await deps.store.overseenBy(operator.person);
  const found = within.length === 0 ? null : await deps.store.review(id, within);
  return found === null ? err(NOTHING_HERE) : ok(found);
}
