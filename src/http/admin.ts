/** `/api`: the deployment's registers, tenants and what they have, the policy, and operators' views across tenants. */
import { Hono } from 'hono';
import type { Context } from 'hono';
import { z } from 'zod';
import type { Receipt } from '../core/entry.ts';
import { failure } from '../core/failure.ts';
import { parseId, parseName } from '../core/ids.ts';
import type { PersonName, TenantName } from '../core/ids.ts';
import type { Assignment } from '../core/registers.ts';
import { parseWith } from '../core/parse.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { DeploymentSnapshot, Snapshot } from '../core/snapshot.ts';
import * as acts from '../administer/acts.ts';
import { administratorAt } from '../administer/administrator.ts';
import type { Author, Place } from '../administer/author.ts';
import { assignmentTenant } from '../administer/assignments.ts';
import { DEPLOYMENT_REGISTERS } from '../administer/registers.ts';
import { makeLocalToken } from '../administer/setup.ts';
import { functionAt } from '../authenticate/principal.ts';
import type { OperatorPrincipal } from '../authenticate/principal.ts';
import { BUNDLE_LIMIT, readJson } from './body.ts';
import { currentDeployment, currentSnapshot, operatorOf } from './caller.ts';
import { authorOf, itemAnswer } from './conditions.ts';
import type { Find } from './conditions.ts';
import { leaseWire, requestWire } from './lease-wire.ts';
import { leaseFilterOf, pageOf, pageWire } from './page.ts';
import { assignmentWire, enrolmentWire, listOf, targetWire, tenantWire } from './register-wire.ts';
import type { Scope } from './scope.ts';
import { answer, problem, receiptWire } from './wire.ts';

const NOTHING_HERE = failure('not_found', 'there is nothing here');

export const admin = new Hono<Scope>();

const receipt = (c: Context<Scope>, done: Result<Receipt>): Response =>
  done.ok ? answer(c, { receipt: receiptWire(done.value) }) : problem(c, done.error);

/** An operator and the body of a change, or the refusal of either. */
async function changing(
  c: Context<Scope>,
  find: Find | null,
  limit?: number,
): Promise<Result<{ readonly operator: Author; readonly body: unknown }>> {
  const operator = await authorOf(c, find);
  if (!operator.ok) return operator;
  const body = await readJson(c, limit);
  return body.ok ? ok({ operator: operator.value, body: body.value }) : body;
}

async function administrator(c: Context<Scope>, place: DeploymentSnapshot): Promise<Result<OperatorPrincipal>> {
  const operator = await operatorOf(c);
  if (!operator.ok) return operator;
  const by = administratorAt(operator.value, place, c.var.deps.clock());
  return by.ok ? operator : by;
}

const demandForm = z.strictObject({ demand: z.string().max(4096) });

admin.post('/local-tokens', async (c) => {
  const body = await readJson(c);
  if (!body.ok) return problem(c, body.error);
  const form = parseWith(demandForm, body.value);
  if (!form.ok) return problem(c, form.error);
  const made = await makeLocalToken(c.var.deps, form.value.demand);
  if (!made.ok) return problem(c, made.error);
  const { token, operator } = made.value;
  return answer(c, { token: token.reveal(), operator, receipt: receiptWire(made.value.receipt) }, 201);
});

/** A tenant as it is now. It is changed from above, where its own snapshot is not. */
const tenantHere = (c: Context<Scope, '/:tenant'>) => async () => {
  const name = parseName('tenant', c.req.param('tenant'));
  const found = name.ok ? await c.var.deps.store.snapshot(name.value) : null;
  return found === null ? undefined : tenantWire(found.tenant);
};

/** What a tenant has, by the name in the path. */
const targetIn = (c: Context<Scope, '/:name'>) => (place: Place) => {
  const found = 'targets' in place ? [...place.targets.values()].find(isCalled(c)) : undefined;
  return found === undefined ? undefined : targetWire(found);
};
const enrolmentIn = (c: Context<Scope, '/:name'>) => (place: Place) => {
  const found = 'agents' in place ? [...place.agents.values()].find(({ agent }) => isCalled(c)(agent)) : undefined;
  return found === undefined ? undefined : enrolmentWire(found.enrolment);
};
const isCalled =
  (c: Context<Scope, '/:name'>) =>
  ({ name }: { readonly name: string }): boolean =>
    name === c.req.param('name');

for (const register of DEPLOYMENT_REGISTERS) {
  const itemHere = (c: Context<Scope, '/:name'>) => async () => {
    const items: readonly { readonly name: string }[] = await listOf(c.var.deps, register);
    return items.find(isCalled(c));
  };
  admin.get(`/${register}`, async (c) => {
    const operator = await administrator(c, await currentDeployment(c.var.deps));
    return operator.ok
      ? answer(c, { items: await listOf(c.var.deps, register), cursor: null })
      : problem(c, operator.error);
  });
  admin.get(`/${register}/:name`, async (c) => {
    const operator = await administrator(c, await currentDeployment(c.var.deps));
    if (!operator.ok) return problem(c, operator.error);
    const found = await itemHere(c)();
    return found === undefined ? problem(c, NOTHING_HERE) : itemAnswer(c, found);
  });
  admin.put(`/${register}/:name`, async (c) => {
    const change = await changing(c, itemHere(c));
    if (!change.ok) return problem(c, change.error);
    const { operator, body } = change.value;
    return receipt(c, await acts.putInRegister(c.var.deps, operator, { register, name: c.req.param('name'), body }));
  });
  admin.delete(`/${register}/:name`, async (c) => {
    const operator = await authorOf(c, itemHere(c));
    if (!operator.ok) return problem(c, operator.error);
    return receipt(c, await acts.removeFromRegister(c.var.deps, operator.value, register, c.req.param('name')));
  });
}

admin.get('/tenants', async (c) => {
  const operator = await administrator(c, await currentDeployment(c.var.deps));
  if (!operator.ok) return problem(c, operator.error);
  return answer(c, { items: (await c.var.deps.store.tenants()).map(tenantWire), cursor: null });
});

admin.put('/tenants/:tenant', async (c) => {
  const change = await changing(c, tenantHere(c));
  if (!change.ok) return problem(c, change.error);
  const name = parseName('tenant', c.req.param('tenant'));
  if (!name.ok) return problem(c, name.error);
  return receipt(c, await acts.putTenant(c.var.deps, change.value.operator, name.value, change.value.body));
});

admin.delete('/tenants/:tenant', async (c) => {
  const operator = await authorOf(c, tenantHere(c));
  if (!operator.ok) return problem(c, operator.error);
  const name = parseName('tenant', c.req.param('tenant'));
  return name.ok ? receipt(c, await acts.removeTenant(c.var.deps, operator.value, name.value)) : problem(c, name.error);
});

/** A tenant that the operator administers; any other is not there. */
async function administered(
  c: Context<Scope>,
  find: Find | null = null,
): Promise<Result<{ readonly operator: Author; readonly at: Snapshot }>> {
  const operator = await authorOf(c, find);
  if (!operator.ok) return operator;
  const at = await currentSnapshot(c);
  if (!at.ok) return at;
  const held = functionAt(at.value, operator.value.person, c.var.deps.clock());
  if (held === null) return err(NOTHING_HERE);
  const by = administratorAt(operator.value, at.value, c.var.deps.clock());
  return by.ok ? ok({ operator: operator.value, at: at.value }) : by;
}

admin.get('/tenants/:tenant', async (c) => {
  const here = await administered(c);
  return here.ok ? itemAnswer(c, tenantWire(here.value.at.tenant)) : problem(c, here.error);
});

admin.get('/tenants/:tenant/targets', async (c) => {
  const here = await administered(c);
  if (!here.ok) return problem(c, here.error);
  return answer(c, { items: [...here.value.at.targets.values()].map(targetWire), cursor: null });
});

admin.get('/tenants/:tenant/enrolments', async (c) => {
  const here = await administered(c);
  if (!here.ok) return problem(c, here.error);
  const items = [...here.value.at.agents.values()].map(({ enrolment }) => enrolmentWire(enrolment));
  return answer(c, { items, cursor: null });
});

admin.get('/tenants/:tenant/targets/:name', async (c) => {
  const here = await administered(c);
  if (!here.ok) return problem(c, here.error);
  const found = targetIn(c)(here.value.at);
  return found === undefined ? problem(c, NOTHING_HERE) : itemAnswer(c, found);
});

admin.get('/tenants/:tenant/enrolments/:name', async (c) => {
  const here = await administered(c);
  if (!here.ok) return problem(c, here.error);
  const found = enrolmentIn(c)(here.value.at);
  return found === undefined ? problem(c, NOTHING_HERE) : itemAnswer(c, found);
});

admin.put('/tenants/:tenant/targets/:name', async (c) => {
  const here = await administered(c, targetIn(c));
  if (!here.ok) return problem(c, here.error);
  const body = await readJson(c);
  if (!body.ok) return problem(c, body.error);
  const target = parseName('target', c.req.param('name'));
  if (!target.ok) return problem(c, target.error);
  const { operator, at } = here.value;
  return receipt(c, await acts.putTarget(c.var.deps, operator, at, { target: target.value, body: body.value }));
});

admin.delete('/tenants/:tenant/targets/:name', async (c) => {
  const here = await administered(c, targetIn(c));
  if (!here.ok) return problem(c, here.error);
  const target = parseName('target', c.req.param('name'));
  if (!target.ok) return problem(c, target.error);
  return receipt(c, await acts.removeTarget(c.var.deps, here.value.operator, here.value.at, target.value));
});

admin.post('/tenants/:tenant/targets/:name/check', async (c) => {
  const here = await administered(c);
  if (!here.ok) return problem(c, here.error);
  const target = parseName('target', c.req.param('name'));
  if (!target.ok) return problem(c, target.error);
  const found = await acts.checkTarget(c.var.deps, here.value.operator, here.value.at, target.value);
  return found.ok ? answer(c, { findings: found.value }) : problem(c, found.error);
});

admin.put('/tenants/:tenant/enrolments/:name', async (c) => {
  const here = await administered(c, enrolmentIn(c));
  if (!here.ok) return problem(c, here.error);
  const body = await readJson(c);
  if (!body.ok) return problem(c, body.error);
  const agent = parseName('agent', c.req.param('name'));
  if (!agent.ok) return problem(c, agent.error);
  const { operator, at } = here.value;
  return receipt(c, await acts.putEnrolment(c.var.deps, operator, at, { agent: agent.value, body: body.value }));
});

admin.delete('/tenants/:tenant/enrolments/:name', async (c) => {
  const here = await administered(c, enrolmentIn(c));
  if (!here.ok) return problem(c, here.error);
  const agent = parseName('agent', c.req.param('name'));
  if (!agent.ok) return problem(c, agent.error);
  return receipt(c, await acts.removeEnrolment(c.var.deps, here.value.operator, here.value.at, agent.value));
});

/** Where an assignment has effect: at its tenant, or above all. Who has nothing to do with a tenant is not told of it. */
async function placeOf(
  c: Context<Scope>,
  { person }: OperatorPrincipal,
  tenant: TenantName | null,
): Promise<Result<Snapshot | DeploymentSnapshot>> {
  const { store, clock } = c.var.deps;
  if (tenant === null) return ok(await currentDeployment(c.var.deps));
  store.forget(tenant);
  const snapshot = await store.snapshot(tenant);
  return snapshot === null || functionAt(snapshot, person, clock()) === null ? err(NOTHING_HERE) : ok(snapshot);
}

admin.get('/assignments', async (c) => {
  const operator = await operatorOf(c);
  if (!operator.ok) return problem(c, operator.error);
  const tenant = c.req.query('tenant') ?? null;
  const name = tenant === null ? ok(null) : parseName('tenant', tenant);
  const place = name.ok ? await placeOf(c, operator.value, name.value) : name;
  if (!place.ok) return problem(c, place.error);
  const by = administratorAt(operator.value, place.value, c.var.deps.clock());
  if (!by.ok) return problem(c, by.error);
  return answer(c, { items: place.value.assignments.map(assignmentWire), cursor: null });
});

admin.post('/assignments', async (c) => {
  const change = await changing(c, null);
  if (!change.ok) return problem(c, change.error);
  const { operator, body } = change.value;
  const tenant = assignmentTenant(body);
  const place = tenant.ok ? await placeOf(c, operator, tenant.value) : tenant;
  if (!place.ok) return problem(c, place.error);
  return receipt(c, await acts.putAssignment(c.var.deps, operator, place.value, body));
});

/** An assignment and where it has effect, for whoever has to do with that place. */
async function assignmentHere(
  c: Context<Scope, '/:id'>,
): Promise<Result<{ readonly operator: Author; readonly found: Assignment; readonly place: Place }>> {
  const id = parseId('asg', c.req.param('id'));
  const find = ({ assignments }: Place) => {
    const held = assignments.find((one) => id.ok && one.id === id.value);
    return held === undefined ? undefined : assignmentWire(held);
  };
  const operator = await authorOf(c, find);
  if (!operator.ok) return operator;
  const found = id.ok ? await c.var.deps.store.assignment(id.value) : null;
  if (found === null) return err(NOTHING_HERE);
  const place = await placeOf(c, operator.value, found.tenant);
  return place.ok ? ok({ operator: operator.value, found, place: place.value }) : place;
}

admin.get('/assignments/:id', async (c) => {
  const here = await assignmentHere(c);
  if (!here.ok) return problem(c, here.error);
  const { operator, found, place } = here.value;
  const by = administratorAt(operator, place, c.var.deps.clock());
  return by.ok ? itemAnswer(c, assignmentWire(found)) : problem(c, by.error);
});

admin.delete('/assignments/:id', async (c) => {
  const here = await assignmentHere(c);
  if (!here.ok) return problem(c, here.error);
  const { operator, found, place } = here.value;
  return receipt(c, await acts.removeAssignment(c.var.deps, operator, place, found));
});

const bundleForm = z.strictObject({ files: z.record(z.string().min(1).max(255), z.string()) });

admin.post('/policy/activate', async (c) => {
  const change = await changing(c, null, BUNDLE_LIMIT);
  if (!change.ok) return problem(c, change.error);
  const form = parseWith(bundleForm, change.value.body);
  if (!form.ok) return problem(c, form.error);
  return receipt(c, await acts.activatePolicy(c.var.deps, change.value.operator, form.value.files));
});

/** The tenants at which the operator oversees: what lists across tenants are narrowed to. */
async function overseen(c: Context<Scope>): Promise<Result<{ person: PersonName; tenants: readonly TenantName[] }>> {
  const operator = await operatorOf(c);
  if (!operator.ok) return operator;
  const { person } = operator.value;
  return ok({ person, tenants: await c.var.deps.store.overseenBy(person) });
}

admin.get('/leases', async (c) => {
  const seen = await overseen(c);
  if (!seen.ok) return problem(c, seen.error);
  const page = pageOf(c, `leases:*:${seen.value.person}`);
  if (!page.ok) return problem(c, page.error);
  const narrowed = leaseFilterOf(c);
  if (!narrowed.ok) return problem(c, narrowed.error);
  const found = await c.var.deps.store.leases({ ...page.value, ...narrowed.value }, seen.value.tenants);
  return answer(c, pageWire(c, page.value, found, leaseWire));
});

admin.get('/requests', async (c) => {
  const seen = await overseen(c);
  if (!seen.ok) return problem(c, seen.error);
  const page = pageOf(c, `requests:*:${seen.value.person}`);
  if (!page.ok) return problem(c, page.error);
  const narrowed = leaseFilterOf(c);
  if (!narrowed.ok) return problem(c, narrowed.error);
  const { tenant, agent } = narrowed.value;
  const found = await c.var.deps.store.requests({ ...page.value, tenant, agent }, seen.value.tenants);
  return answer(c, pageWire(c, page.value, found, requestWire));
});
