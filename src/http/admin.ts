/** `/api`: the deployment's registers, tenants and what they have, the policy, and operators' views across tenants. */
import { Hono } from 'hono';
import type { Context } from 'hono';
import { z } from 'zod';
import { NOTHING_HERE } from '../core/failure.ts';
import { parseId, parseName } from '../core/ids.ts';
import type { PersonName, TenantName } from '../core/ids.ts';
import { parseWith } from '../core/parse.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { DeploymentSnapshot, Snapshot } from '../core/snapshot.ts';
import * as acts from '../administer/acts.ts';
import { administratorAt } from '../administer/administrator.ts';
import type { Author, Place } from '../administer/author.ts';
import { DEPLOYMENT_REGISTERS } from '../administer/registers.ts';
import { makeLocalToken, recover } from '../administer/setup.ts';
import { functionAt } from '../authenticate/principal.ts';
import type { OperatorPrincipal } from '../authenticate/principal.ts';
import { changing, receipt } from './acting.ts';
import { readJson } from './body.ts';
import { currentDeployment, currentSnapshot, operatorOf } from './caller.ts';
import { authorOf, itemAnswer } from './conditions.ts';
import type { Find } from './conditions.ts';
import { leaseWire, requestWire } from './lease-wire.ts';
import { LEASE_FILTER, leaseFilterOf, pageOf, pageWire, REQUEST_FILTER, requestFilterOf } from './page.ts';
import { onlyQuery } from './query.ts';
import { enrolmentWire, listOf, targetWire, tenantWire } from './register-wire.ts';
import type { Scope } from './scope.ts';
import { answer, problem, receiptWire } from './wire.ts';

export const admin = new Hono<Scope>();

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

/** By the deployment key alone: nobody who could sign in is left to ask for it. */
admin.post('/recoveries', async (c) => {
  const body = await readJson(c);
  if (!body.ok) return problem(c, body.error);
  const form = parseWith(demandForm, body.value);
  if (!form.ok) return problem(c, form.error);
  const done = await recover(c.var.deps, form.value.demand);
  if (!done.ok) return problem(c, done.error);
  return answer(c, { operator: done.value.operator, set_up: true, receipt: receiptWire(done.value.receipt) }, 201);
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

/** A register comes in one page, and is narrowed by nothing. */
function wholeList(c: Context<Scope>, items: readonly unknown[]): Response {
  const known = onlyQuery(c, []);
  return known.ok ? answer(c, { items, cursor: null }) : problem(c, known.error);
}

for (const register of DEPLOYMENT_REGISTERS) {
  const itemHere = (c: Context<Scope, '/:name'>) => async () => {
    const items: readonly { readonly name: string }[] = await listOf(c.var.deps, register);
    return items.find(isCalled(c));
  };
  admin.get(`/${register}`, async (c) => {
    const operator = await administrator(c, await currentDeployment(c.var.deps));
    return operator.ok ? wholeList(c, await listOf(c.var.deps, register)) : problem(c, operator.error);
  });
  admin.get(`/${register}/:name`, async (c) => {
    const operator = await administrator(c, await currentDeployment(c.var.deps));
    if (!operator.ok) return problem(c, operator.error);
    const found = await itemHere(c)();
    return found === undefined ? problem(c, NOTHING_HERE) : itemAnswer(c, found);
  });
  admin.put(`/${register}/:name`, async (c) => {
    const change = await changing(c, { find: itemHere(c) });
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
  return wholeList(c, (await c.var.deps.store.tenants()).map(tenantWire));
});

admin.put('/tenants/:tenant', async (c) => {
  const change = await changing(c, { find: tenantHere(c) });
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
export async function administered(
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
  return wholeList(c, [...here.value.at.targets.values()].map(targetWire));
});

admin.get('/tenants/:tenant/enrolments', async (c) => {
  const here = await administered(c);
  if (!here.ok) return problem(c, here.error);
  return wholeList(
    c,
    [...here.value.at.agents.values()].map(({ enrolment }) => enrolmentWire(enrolment)),
  );
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
  const page = pageOf(c, `leases:*:${seen.value.person}`, LEASE_FILTER);
  if (!page.ok) return problem(c, page.error);
  const narrowed = leaseFilterOf(c);
  if (!narrowed.ok) return problem(c, narrowed.error);
  const found = await c.var.deps.store.leases({ ...page.value, ...narrowed.value }, seen.value.tenants);
  return answer(c, pageWire(c, page.value, found, leaseWire));
});

admin.get('/requests', async (c) => {
  const seen = await overseen(c);
  if (!seen.ok) return problem(c, seen.error);
  const page = pageOf(c, `requests:*:${seen.value.person}`, REQUEST_FILTER);
  if (!page.ok) return problem(c, page.error);
  const narrowed = requestFilterOf(c);
  if (!narrowed.ok) return problem(c, narrowed.error);
  const now = c.var.deps.clock();
  const found = await c.var.deps.store.requests({ ...page.value, ...narrowed.value }, seen.value.tenants);
  return answer(
    c,
    pageWire(c, page.value, found, (request) => requestWire(request, now)),
  );
});

admin.get('/requests/:id', async (c) => {
  const seen = await overseen(c);
  if (!seen.ok) return problem(c, seen.error);
  const id = parseId('req', c.req.param('id'));
  if (!id.ok) return problem(c, NOTHING_HERE);
  const { store, clock } = c.var.deps;
  const found = await store.requestWithin(id.value, seen.value.tenants);
  return found === null ? problem(c, NOTHING_HERE) : answer(c, requestWire(found, clock()));
});
