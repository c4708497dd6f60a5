/** `/api/changes`: what takes two persons, proposed by one and confirmed by another. */
import { Hono } from 'hono';
import type { Context } from 'hono';
import { z } from 'zod';
import { NOTHING_HERE } from '../core/failure.ts';
import { parseId, parseName } from '../core/ids.ts';
import { parseWith } from '../core/parse.ts';
import type { KeptProposal, Proposal } from '../core/proposal.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import { toRfc3339 } from '../core/time.ts';
import type { Instant } from '../core/time.ts';
import { confirmChange, placeNow, proposeChange, seenChange, withdrawChange } from '../administer/changes.ts';
import type { Place } from '../administer/author.ts';
import { functionAt } from '../authenticate/principal.ts';
import type { OperatorPrincipal } from '../authenticate/principal.ts';
import { changing, creating, receipt } from './acting.ts';
import { operatorOf } from './caller.ts';
import { pageOf, pageWire } from './page.ts';
import type { Scope } from './scope.ts';
import { answer, problem, receiptWire } from './wire.ts';

export const changes = new Hono<Scope>();

changes.post('/', async (c) => {
  const proposing = await creating(c);
  if (!proposing.ok) return problem(c, proposing.error);
  const { operator, sent } = proposing.value;
  const done = await proposeChange(c.var.deps, operator, sent);
  if (!done.ok) return problem(c, done.error);
  const { proposal, receipt: written } = done.value;
  return answer(c, { change: proposalWire(proposal), receipt: receiptWire(written) }, 201);
});

changes.get('/', async (c) => {
  const operator = await operatorOf(c);
  if (!operator.ok) return problem(c, operator.error);
  const asked = c.req.query('tenant');
  const tenant = asked === undefined ? ok(null) : parseName('tenant', asked);
  if (!tenant.ok) return problem(c, tenant.error);
  const place = await placeNow(c.var.deps, tenant.value);
  const { deps } = c.var;
  if (place === null || functionAt(place, operator.value.person, deps.clock()) !== 'administration') {
    return problem(c, NOTHING_HERE);
  }
  const page = pageOf(c, `changes:${tenant.value ?? ''}:${operator.value.person}`, ['tenant']);
  if (!page.ok) return problem(c, page.error);
  const found = await deps.store.proposals({ ...page.value, tenant: tenant.value });
  const { inSetup } = 'deployment' in place ? place.deployment : place;
  const items = pageWire(c, page.value, found, (one) => changeWire(one, deps.clock()));
  return answer(c, { ...items, set_up: inSetup });
});

interface Seen {
  readonly operator: OperatorPrincipal;
  readonly proposal: KeptProposal;
  readonly place: Place;
}

/** A change by its id, for one who may see it; for any other there is none. */
async function seen(c: Context<Scope>, operator: OperatorPrincipal): Promise<Result<Seen>> {
  const id = parseId('chg', c.req.param('id'));
  if (!id.ok) return err(NOTHING_HERE);
  const found = await seenChange(c.var.deps, operator, id.value);
  return found.ok ? ok({ operator, ...found.value }) : found;
}

changes.get('/:id', async (c) => {
  const operator = await operatorOf(c);
  if (!operator.ok) return problem(c, operator.error);
  const found = await seen(c, operator.value);
  return found.ok ? answer(c, changeWire(found.value.proposal, c.var.deps.clock())) : problem(c, found.error);
});

const confirmation = z.strictObject({ hash: z.string().regex(/^[0-9a-f]{64}$/, 'it must be the hash of the change') });

changes.post('/:id/confirm', async (c) => {
  const change = await changing(c);
  if (!change.ok) return problem(c, change.error);
  const form = parseWith(confirmation, change.value.body);
  if (!form.ok) return problem(c, form.error);
  const found = await seen(c, change.value.operator);
  if (!found.ok) return problem(c, found.error);
  const { operator, proposal, place } = found.value;
  return receipt(c, await confirmChange(c.var.deps, operator, proposal, { place, hash: form.value.hash }));
});

changes.post('/:id/withdraw', async (c) => {
  const operator = await operatorOf(c);
  if (!operator.ok) return problem(c, operator.error);
  const found = await seen(c, operator.value);
  if (!found.ok) return problem(c, found.error);
  const { proposal, place } = found.value;
  return receipt(c, await withdrawChange(c.var.deps, operator.value, proposal, place));
});

export const proposalWire = ({ id, act, ...proposal }: Proposal) => ({
  id,
  what: act.what,
  act: act.change.kind,
  tenant: act.ledger,
  facts: act.facts,
  said: act.said,
  ...(act.shown === null ? {} : { shown: act.shown }),
  reason: proposal.reason,
  proposer: proposal.proposer,
  operator: proposal.operator,
  proposed_at: toRfc3339(proposal.proposedAt),
  expires_at: toRfc3339(proposal.expiresAt),
  hash: proposal.hash,
});

const changeWire = (proposal: KeptProposal, now: Instant) => ({
  ...proposalWire(proposal),
  state: proposal.state === 'open' && proposal.expiresAt <= now ? 'expired' : proposal.state,
  confirmer: proposal.confirmer,
});
