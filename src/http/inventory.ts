/** `/api/inventory`: every agent, for whoever answers for them. */
import { Hono } from 'hono';
import { toRfc3339 } from '../core/time.ts';
import type { Instant } from '../core/time.ts';
import { inventory } from '../administer/inventory.ts';
import type { InventoryItem } from '../administer/inventory.ts';
import { operatorOf } from './caller.ts';
import { agentWire } from './register-wire.ts';
import { onlyQuery } from './query.ts';
import type { Scope } from './scope.ts';
import { answer, problem } from './wire.ts';

export const inventories = new Hono<Scope>();

inventories.get('/inventory', async (c) => {
  const operator = await operatorOf(c);
  if (!operator.ok) return problem(c, operator.error);
  const known = onlyQuery(c, []);
  if (!known.ok) return problem(c, known.error);
  const seen = await inventory(c.var.deps, operator.value);
  return seen.ok ? answer(c, { items: seen.value.map(itemWire), cursor: null }) : problem(c, seen.error);
});

const time = (at: Instant | null): string | null => (at === null ? null : toRfc3339(at));

const itemWire = ({ agent, answered, canAuthenticate, tenants, roles, lastUse }: InventoryItem) => ({
  ...agentWire(agent),
  answered_for: answered,
  left_by: agent.leftBy,
  can_authenticate: canAuthenticate,
  tenants,
  roles: roles.map(({ assignment: { tenant, role, until }, lastUsed }) => ({
    tenant,
    role,
    until: time(until),
    last_used: time(lastUsed),
  })),
  unused_roles: roles
    .filter(({ lastUsed }) => lastUsed === null)
    .map(({ assignment: { tenant, role } }) => ({ tenant, role })),
  last_use: time(lastUse),
});
