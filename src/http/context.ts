/** `/api/tenants/{t}/context`: what a tenant is; and `…/situations`, what holds there for the time being. */
import { Hono } from 'hono';
import type { Context } from 'hono';
import { contextFormOf } from '../core/context-form.ts';
import { NOTHING_HERE } from '../core/failure.ts';
import { parseId } from '../core/ids.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { standingAt } from '../administer/administrator.ts';
import type { Author, Place } from '../administer/author.ts';
import { endSituation, putContext, setSituation } from '../administer/context.ts';
import { functionAt } from '../authenticate/principal.ts';
import { receipt } from './acting.ts';
import { readJson } from './body.ts';
import { claimOf, currentSnapshot } from './caller.ts';
import { authorOf, itemAnswer } from './conditions.ts';
import type { Find } from './conditions.ts';
import { situationWire } from './register-wire.ts';
import type { Scope } from './scope.ts';
import { answer, problem, receiptWire } from './wire.ts';

export const context = new Hono<Scope>();

interface Present {
  readonly operator: Author;
  readonly at: Snapshot;
}

/** Who has nothing to do with a tenant is not told that it is there. */
async function presentOf(c: Context<Scope>, find: Find | null = null): Promise<Result<Present>> {
  const operator = await authorOf(c, find);
  if (!operator.ok) return operator;
  const at = await currentSnapshot(c);
  if (!at.ok) return at;
  const held = functionAt(at.value, operator.value.person, c.var.deps.clock());
  return held === null ? err(NOTHING_HERE) : ok({ operator: operator.value, at: at.value });
}

async function changing(
  c: Context<Scope>,
  find: Find | null = null,
): Promise<Result<Present & { readonly body: unknown }>> {
  const present = await presentOf(c, find);
  if (!present.ok) return present;
  const body = await readJson(c);
  return body.ok ? ok({ ...present.value, body: body.value }) : body;
}

const contextHere = ({ tenant, situations }: Snapshot) => ({
  ...contextFormOf(tenant.context),
  situations: situations.map(situationWire),
});
const contextIn = (place: Place) => ('tenant' in place ? contextHere(place) : undefined);

context.get('/tenants/:tenant/context', async (c) => {
  const present = await presentOf(c);
  if (!present.ok) return problem(c, present.error);
  const { operator, at } = present.value;
  const may = standingAt(operator, at, c.var.deps.clock(), ['read', 'administer']);
  if (!may.ok) return problem(c, may.error);
  return itemAnswer(c, contextHere(at));
});

context.put('/tenants/:tenant/context', async (c) => {
  const change = await changing(c, contextIn);
  if (!change.ok) return problem(c, change.error);
  const { operator, at, body } = change.value;
  const done = await putContext(c.var.deps, operator, at, body);
  return receipt(c, done);
});

context.post('/tenants/:tenant/situations', async (c) => {
  const change = await changing(c);
  if (!change.ok) return problem(c, change.error);
  const { operator, at, body } = change.value;
  const claim = claimOf(c, c.req.path, body);
  if (!claim.ok) return problem(c, claim.error);
  const set = await setSituation(c.var.deps, operator, at, { body, claim: claim.value });
  if (!set.ok) return problem(c, set.error);
  return answer(c, { id: set.value.situation, receipt: receiptWire(set.value.receipt) }, 201);
});

context.post('/tenants/:tenant/situations/:id/end', async (c) => {
  const change = await changing(c);
  if (!change.ok) return problem(c, change.error);
  const id = parseId('sit', c.req.param('id'));
  if (!id.ok) return problem(c, NOTHING_HERE);
  const { operator, at, body } = change.value;
  const done = await endSituation(c.var.deps, operator, at, { situation: id.value, body });
  return receipt(c, done);
});
