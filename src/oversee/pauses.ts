/**
 * A pause puts everything at a tenant, or everywhere, at its most conservative tier at once: nothing is given there
 * without a person's word, and what is live without one is ended. Who oversees a tenant pauses it; who oversees all of
 * them, everything. Only a person ends it, who answers for no agent that it holds back.
 */
import { z } from 'zod';
import type { JsonObject } from '../core/canonical.ts';
import type { NewWork } from '../core/change.ts';
import type { Claim } from '../core/change/once.ts';
import { makeEntry } from '../core/entry.ts';
import type { Receipt } from '../core/entry.ts';
import { failure, NOTHING_HERE } from '../core/failure.ts';
import { newId } from '../core/ids.ts';
import type { PauseId, TenantName } from '../core/ids.ts';
import { BROKER } from '../core/oversight.ts';
import type { KeptPause } from '../core/oversight.ts';
import { name as nameField, parseWith, words } from '../core/parse.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { Instant } from '../core/time.ts';
import { standingAt } from '../administer/administrator.ts';
import type { Administrator } from '../administer/administrator.ts';
import type { Sent } from '../administer/author.ts';
import { claimBy, doneBefore, perform } from '../administer/commit.ts';
import type { OperatorPrincipal } from '../authenticate/principal.ts';
import { conflictWithBlock } from '../decide/segregation.ts';
import type { Deps } from '../deps.ts';
import { conflictWithAny } from './conflict.ts';
import { nowhere, outside, oversight, reaching } from './overseen.ts';
import { placesToEnd } from './places.ts';

const MOST_TENANTS = 1_000;

const startBody = z.strictObject({
  reason: words(1000),
  /** At these alone of the tenants that the author oversees. */
  tenants: z.array(nameField()).min(1).max(MOST_TENANTS).optional(),
  /** At all tenants, also those to come. */
  everywhere: z.boolean().default(false),
});

export interface Started {
  readonly id: PauseId;
  readonly at: Instant;
  /** `null`: everywhere. */
  readonly tenants: readonly TenantName[] | null;
  readonly receipts: readonly Receipt[];
}

/** One commit, which waits for no epoch: nobody is kept from pausing because something else changed. */
export async function startPause(
  deps: Deps,
  operator: OperatorPrincipal,
  { body, claim }: Sent,
): Promise<Result<Started>> {
  const asked = parseWith(startBody, body);
  if (!asked.ok) return asked;
  const { reason, tenants: named, everywhere } = asked.value;
  if (everywhere && named !== undefined) {
    return err(failure('invalid_field', 'everywhere names no tenants', { path: 'tenants' }));
  }
  const overseen = await oversight(deps, operator, 'pause.start');
  if (!overseen.ok) return overseen;
  const { tenants: mine, by } = overseen.value;
  const foreign = named === undefined ? null : outside(named, await reaching(deps, operator, 'pause.start'));
  if (foreign !== null) return err(foreign);
  if (everywhere && !(await isAll(deps, mine))) return err(NOT_ALL);
  const tenants = everywhere ? null : ([...new Set(named ?? mine)] as TenantName[]);
  return pauseNow(deps, by, { tenants, reason, claim });
}

interface NewPause {
  readonly tenants: readonly TenantName[] | null;
  readonly reason: string;
  readonly facts?: JsonObject;
  readonly notices?: (pause: PauseId) => readonly NewWork[];
  readonly claim?: Claim | null;
}

/** @param by a person of oversight there, or the broker where breakers tripped. */
export async function pauseNow(
  deps: Deps,
  by: Pick<Administrator, 'actor' | 'person' | 'inSetup'>,
  { tenants, reason, facts: because = {}, notices = () => [], claim = null }: NewPause,
): Promise<Result<Started>> {
  const at = deps.clock();
  const id = newId('pse', at, deps.random);
  const accountable = by.person === BROKER ? null : by.person;
  const draft = { kind: 'pause.started', at, actor: by.actor, accountable, inSetup: by.inSetup } as const;
  const facts = { pause: id, everywhere: tenants === null, ...because };
  const places = tenants ?? [null];
  const entries = places.map((tenant) => makeEntry({ ...draft, tenant, facts, said: { reason } }, deps.random));
  const reassessing = places.map((tenant): NewWork => ({
    id: newId('wrk', at, deps.random),
    due: at,
    what: { task: 'reassess', tenant },
  }));
  const work = [...reassessing, ...notices(id)];
  const change = { kind: 'pause.start', pause: { id, author: by.person, from: at }, tenants, reason } as const;
  const made = { id, at, tenants };
  // As with a block: it may reach other tenants when it is sent again.
  const idempotency = claimBy(by, claim, { place: null, made });
  const command = { kind: 'register', change, work, deploymentEpoch: null, idempotency } as const;
  const done = await deps.store.commit(command, entries);
  for (const tenant of places) deps.store.forget(tenant);
  if (done.ok) return ok({ ...made, receipts: done.value.receipts });
  const before = doneBefore(done.error);
  return before.ok ? ok({ ...(before.value.made as typeof made), receipts: before.value.receipts }) : before;
}

async function isAll(deps: Deps, mine: readonly TenantName[]): Promise<boolean> {
  return (await deps.store.tenants()).every(({ name }) => mine.includes(name));
}

const NOT_ALL = failure('function_needed', 'This takes oversight at every tenant', {
  hint: 'Pause the tenants that you oversee, and ask somebody who oversees the others.',
  members: { function: 'oversight' },
});

const endBody = z.strictObject({
  reason: words(1000),
  tenants: z.array(nameField()).min(1).max(MOST_TENANTS).optional(),
});

/** A place where it can be ended on its own: a tenant, or everywhere (`null`). */
type Where = TenantName | null;

export interface EndedPause {
  readonly tenants: readonly TenantName[] | null;
  /** None for where the same person ended it before. */
  readonly receipts: readonly Receipt[];
}

/** Place by place, each under the epochs that the standing there was read with; all are looked at before the first. */
export async function endPause(
  deps: Deps,
  operator: OperatorPrincipal,
  { id, body }: { readonly id: PauseId; readonly body: unknown },
): Promise<Result<EndedPause>> {
  const found = await seenPause(deps, operator, id);
  if (!found.ok) return found;
  const said = parseWith(endBody, body);
  if (!said.ok) return said;
  const mine = found.value.places.filter(({ endedBy }) => endedBy === operator.person);
  const places = placesToEnd<Where>(
    { standing: standingPlaces(found.value), ended: mine.map(({ tenant }) => tenant) },
    said.value.tenants,
  );
  if (!places.ok) return places;
  const { standing, ended } = places.value;
  const all = [...standing, ...ended];
  for (const place of all) {
    const by = await enderAt(deps, operator, place);
    if (!by.ok) return by;
  }
  const receipts: Receipt[] = [];
  for (const place of standing) {
    const by = await enderAt(deps, operator, place);
    if (!by.ok) return by;
    const tenants = place === null ? null : [place];
    const done = await perform(deps, {
      by: by.value,
      change: { kind: 'pause.end', pause: id, tenants, by: by.value.person },
      ledger: place,
      facts: { pause: id, everywhere: place === null },
      said: { reason: said.value.reason },
      ends: null,
    });
    if (!done.ok) return done;
    receipts.push(done.value);
  }
  return ok({ tenants: all.includes(null) ? null : (all as TenantName[]), receipts });
}

async function enderAt(deps: Deps, operator: OperatorPrincipal, place: Where): Promise<Result<Administrator>> {
  const now = deps.clock();
  // Another node may have begun it: what is kept here would be found stale.
  deps.store.forget(place);
  if (place === null) {
    const overseen = await oversight(deps, operator, 'pause.end');
    if (!overseen.ok) return overseen;
    const { tenants, by } = overseen.value;
    if (!(await isAll(deps, tenants))) return err(NOT_ALL);
    const conflict = await conflictWithAny(deps, { person: by.person, now });
    return conflict === null ? ok({ ...by, tenantEpoch: null }) : err(conflict);
  }
  const at = await deps.store.snapshot(place);
  if (at === null) return err(nowhere(place, []));
  const by = standingAt(operator, at, now, ['pause.end']);
  if (!by.ok) return by;
  const held = conflictWithBlock(at, { scope: 'everything', name: '', agents: [] }, { person: by.value.person, now });
  return held === null
    ? by
    : err(failure('in_conflict', `you answer for ${held}, which it holds back`, { hint: HINT }));
}

const HINT = 'Somebody else, who answers for nothing that it holds back, ends it.';

export const standingPlaces = ({ places }: KeptPause): readonly Where[] =>
  places.filter(({ endedAt }) => endedAt === null).map(({ tenant }) => tenant);

/** As much of it as its reader oversees. One that stands everywhere is known to everybody who oversees anything. */
export async function seenPause(deps: Deps, operator: OperatorPrincipal, id: PauseId): Promise<Result<KeptPause>> {
  const within = await deps.store.overseenBy(operator.person);
  const found = within.length === 0 ? null : await deps.store.pause(id, within);
  return found === null ? err(NOTHING_HERE) : ok(found);
}
