/** `/api/assignments`: who holds which role, where, until when, reviewed by whom. */
import { Hono } from 'hono';
import type { Context } from 'hono';
import { NOTHING_HERE } from '../core/failure.ts';
import { parseId, parseName } from '../core/ids.ts';
import type { TenantName } from '../core/ids.ts';
import type { Assignment } from '../core/registers.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import * as acts from '../administer/acts.ts';
import { administratorAt } from '../administer/administrator.ts';
import { assignmentTenant } from '../administer/assignments.ts';
import type { Author, Place } from '../administer/author.ts';
import { functionAt } from '../authenticate/principal.ts';
import type { OperatorPrincipal } from '../authenticate/principal.ts';
import { creating, receipt } from './acting.ts';
import { currentDeployment, operatorOf } from './caller.ts';
import { authorOf, itemAnswer } from './conditions.ts';
import { onlyQuery } from './query.ts';
import { assignmentWire } from './register-wire.ts';
import type { Scope } from './scope.ts';
import { answer, problem, receiptWire } from './wire.ts';

export const assignments = new Hono<Scope>();

/** Where an assignment has effect: at its tenant, or above all. Who has nothing to do with a tenant is not told of it. */
async function placeOf(
  c: Context<Scope>,
  { person }: OperatorPrincipal,
  tenant: TenantName | null,
): Promise<Result<Place>> {
  const { store, clock } = c.var.deps;
  if (tenant === null) return ok(await currentDeployment(c.var.deps));
  store.forget(tenant);
  const snapshot = await store.snapshot(tenant);
  return snapshot === null || functionAt(snapshot, person, clock()) === null ? err(NOTHING_HERE) : ok(snapshot);
}

assignments.get('/', async (c) => {
  const operator = await operatorOf(c);
  if (!operator.ok) return problem(c, operator.error);
  const known = onlyQuery(c, ['tenant']);
  if (!known.ok) return problem(c, known.error);
  const tenant = c.req.query('tenant') ?? null;
  const name = tenant === null ? ok(null) : parseName('tenant', tenant);
  const place = name.ok ? await placeOf(c, operator.value, name.value) : name;
  if (!place.ok) return problem(c, place.error);
  const by = administratorAt(operator.value, place.value, c.var.deps.clock());
  if (!by.ok) return problem(c, by.error);
  return answer(c, { items: place.value.assignments.map(assignmentWire), cursor: null });
});

assignments.post('/', async (c) => {
  const giving = await creating(c);
  if (!giving.ok) return problem(c, giving.error);
  const { operator, sent } = giving.value;
  const tenant = assignmentTenant(sent.body);
  const place = tenant.ok ? await placeOf(c, operator, tenant.value) : tenant;
  if (!place.ok) return problem(c, place.error);
  const put = await acts.putAssignment(c.var.deps, operator, place.value, sent);
  if (!put.ok) return problem(c, put.error);
  return answer(c, { assignment: put.value.assignment, receipt: receiptWire(put.value.receipt) });
});

/** An assignment and where it has effect, for whoever has to do with that place. */
async function assignmentHere(
  c: Context<Scope, '/:id'>,
): Promise<Result<{ readonly operator: Author; readonly found: Assignment; readonly place: Place }>> {
  const id = parseId('asg', c.req.param('id'));
  const find = ({ assignments: all }: Place) => {
    const held = all.find((one) => id.ok && one.id === id.value);
    return held === undefined ? undefined : assignmentWire(held);
  };
  const operator = await authorOf(c, find);
  if (!operator.ok) return operator;
  const found = id.ok ? await c.var.deps.store.assignment(id.value) : null;
  if (found === null) return err(NOTHING_HERE);
  const place = await placeOf(c, operator.value, found.tenant);
  return place.ok ? ok({ operator: operator.value, found, place: place.value }) : place;
}

assignments.get('/:id', async (c) => {
  const here = await assignmentHere(c);
  if (!here.ok) return problem(c, here.error);
  const { operator, found, place } = here.value;
  const by = administratorAt(operator, place, c.var.deps.clock());
  return by.ok ? itemAnswer(c, assignmentWire(found)) : problem(c, by.error);
});

assignments.delete('/:id', async (c) => {
  const here = await assignmentHere(c);
  if (!here.ok) return problem(c, here.error);
  const { operator, found, place } = here.value;
  return receipt(c, await acts.removeAssignment(c.var.deps, operator, place, found));
});
