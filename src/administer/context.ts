/**
 * What a tenant is, and what changes there by the hour: an incident, a change freeze, a data subject request. Whoever
 * administers or oversees may set one, since it only holds back; ending one takes the function that answers for it,
 * and nobody who is in conflict.
 */
import { z } from 'zod';
import type { JsonObject } from '../core/canonical.ts';
import { CONTEXT_FIELDS, contextOf, situationFields } from '../core/context-form.ts';
import type { Receipt } from '../core/entry.ts';
import { failure, NOTHING_HERE } from '../core/failure.ts';
import { newId } from '../core/ids.ts';
import type { PersonName, SituationId } from '../core/ids.ts';
import { parseWith, when, words } from '../core/parse.ts';
import { NO_CONTEXT } from '../core/registers.ts';
import type { Situation, SituationKind } from '../core/registers.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { after, seconds, toRfc3339 } from '../core/time.ts';
import type { Instant } from '../core/time.ts';
import type { OperatorAct } from '../authenticate/act.ts';
import type { OperatorPrincipal } from '../authenticate/principal.ts';
import { targetOfResource } from '../decide/context.ts';
import { inConflict } from '../decide/segregation.ts';
import type { Deps } from '../deps.ts';
import { act } from './acts.ts';
import { standingAt } from './administrator.ts';
import type { Author, Sent } from './author.ts';
import { make, perform } from './commit.ts';
import type { Act } from './commit.ts';
import type { Parsed } from './registers.ts';

export const contextBody = z.strictObject(CONTEXT_FIELDS).partial();

/** In whole: what is left out is recorded no more. */
export async function putContext(deps: Deps, operator: Author, at: Snapshot, body: unknown): Promise<Result<Receipt>> {
  return act(deps, operator, at, () => parseContext(at, body));
}

function parseContext(at: Snapshot, body: unknown): Result<Parsed> {
  const parsed = parseWith(contextBody, body);
  if (!parsed.ok) return parsed;
  const unknown = (parsed.value.resources ?? []).findIndex(({ resource }) => !isHere(at, resource));
  if (unknown >= 0) return err(elsewhere(`resources.${unknown}.resource`));
  const context = { ...NO_CONTEXT, ...contextOf(parsed.value) };
  const tenant = at.tenant.name;
  return ok({
    change: { kind: 'context.put', tenant, context },
    facts: { tenant, regulations: context.regulations, autonomy: context.autonomy },
    said: parsed.value,
    takesTwo: null,
    ends: null,
  });
}

const isHere = ({ targets }: Snapshot, resource: string): boolean => targets.has(targetOfResource(resource));

const elsewhere = (path: string) =>
  failure('invalid_field', 'the resource is of no target here', { path, hint: 'Begin it with the name of a target.' });

/** Three months: longer is no state that passes, but a rule or a context. */
const LONGEST = seconds(92 * 24 * 3600);
/** While an incident lasts, what still asks is answered soon or not at all. */
const INCIDENT_ASK_WITHIN = seconds(15 * 60);

const situationBody = z.strictObject({ ...situationFields(when), reason: words(1000) });

export async function setSituation(
  deps: Deps,
  operator: OperatorPrincipal,
  at: Snapshot,
  { body, claim }: Sent,
): Promise<Result<{ readonly situation: SituationId; readonly receipt: Receipt }>> {
  const now = deps.clock();
  const by = standingAt(operator, at, now, ['situation.set', 'administer']);
  if (!by.ok) return by;
  const parsed = parseWith(situationBody, body);
  if (!parsed.ok) return parsed;
  const id = newId('sit', now, deps.random);
  const situation = situationOf(at, { id, author: by.value.person, now }, parsed.value);
  if (!situation.ok) return situation;
  const act: Act = {
    by: by.value,
    change: { kind: 'situation.set', situation: situation.value },
    ledger: at.tenant.name,
    facts: factsOf(situation.value),
    said: { reason: parsed.value.reason, resource: situation.value.resource },
    ends: null,
    claim,
  };
  const done = await make(deps, act, { situation: id });
  return done.ok ? ok({ situation: done.value.made.situation, receipt: done.value.receipt }) : done;
}

function situationOf(
  at: Snapshot,
  { id, author, now }: { readonly id: SituationId; readonly author: PersonName; readonly now: Instant },
  body: z.infer<typeof situationBody>,
): Result<Situation> {
  const { kind, resource = null, from = now, until, ask_within: askWithin } = body;
  if (until <= now || until <= from || until > after(now, LONGEST)) {
    const hint = 'It ends after it begins, after now, and within 92 days.';
    return err(failure('invalid_field', 'it has no such end', { path: 'until', hint }));
  }
  if ((kind === 'data-subject-request') !== (resource !== null)) {
    return err(
      failure('invalid_field', 'a data subject request, and it alone, names a resource', { path: 'resource' }),
    );
  }
  if (resource !== null && !isHere(at, resource)) return err(elsewhere('resource'));
  if (kind !== 'incident' && askWithin !== undefined) {
    return err(failure('invalid_field', 'only an incident shortens what asks', { path: 'ask_within' }));
  }
  const soon = askWithin === undefined ? INCIDENT_ASK_WITHIN : seconds(askWithin);
  const tenant = at.tenant.name;
  return ok({ id, tenant, kind, resource, from, until, askWithin: kind === 'incident' ? soon : null, author });
}

const factsOf = ({ tenant, id, kind, from, until }: Situation): JsonObject => ({
  tenant,
  situation: id,
  kind,
  from: toRfc3339(from),
  until: toRfc3339(until),
});

/** Oversight answers for an incident, administration for the others. */
const ENDED_BY: Readonly<Record<SituationKind, OperatorAct>> = {
  incident: 'incident.end',
  freeze: 'administer',
  'data-subject-request': 'administer',
};

const endBody = z.strictObject({ reason: words(1000) });

export async function endSituation(
  deps: Deps,
  operator: OperatorPrincipal,
  at: Snapshot,
  entry: { readonly situation: SituationId; readonly body: unknown },
): Promise<Result<Receipt>> {
  const now = deps.clock();
  const found = at.situations.find(({ id, until }) => id === entry.situation && until > now);
  if (found === undefined) return err(NOTHING_HERE);
  const by = standingAt(operator, at, now, [ENDED_BY[found.kind]]);
  if (!by.ok) return by;
  const held = inConflict(at, by.value.person, now);
  if (held !== null) {
    const hint = 'Somebody else, who answers for no agent that it holds back, ends it.';
    return err(failure('in_conflict', `you answer for ${held}, which it holds back`, { hint }));
  }
  const parsed = parseWith(endBody, entry.body);
  if (!parsed.ok) return parsed;
  const tenant = at.tenant.name;
  return perform(deps, {
    by: by.value,
    change: { kind: 'situation.end', tenant, situation: found.id, of: found.kind },
    ledger: tenant,
    facts: factsOf(found),
    said: { reason: parsed.value.reason },
    ends: null,
  });
}
