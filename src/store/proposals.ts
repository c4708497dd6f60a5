/** Changes that take two, as they are read: by the listing role, since who may see one is settled by where it has effect. */
import { and, desc, eq, lt, sql } from 'drizzle-orm';
import type { ChangeId, TenantName } from '../core/ids.ts';
import type { Store } from '../core/store.ts';
import type { Link } from './link.ts';
import { ROLES } from './roles.ts';
import { DEPLOYMENT } from './schema/columns.ts';
import { changes, policies } from './schema/deployment.ts';
import { assignments } from './schema/tenants.ts';

const listing = { role: ROLES.list, tenants: [] } as const;
const serving = { role: ROLES.serve, tenants: [] } as const;

const columns = {
  id: changes.id,
  act: changes.act,
  reason: changes.reason,
  proposer: changes.proposer,
  operator: changes.operator,
  proposedAt: changes.proposedAt,
  expiresAt: changes.expiresAt,
  hash: changes.hash,
  state: changes.state,
  confirmer: changes.confirmer,
};

export const createProposals = (link: Link): Pick<Store, 'proposal' | 'proposals' | 'policies' | 'rolesHeld'> => ({
  proposal: (id) =>
    link.transaction(listing, async (tx) => {
      const [found] = await tx.select(columns).from(changes).where(eq(changes.id, id));
      return found ?? null;
    }),
  proposals: ({ tenant, before, limit }) =>
    link.transaction(listing, (tx) =>
      tx
        .select(columns)
        .from(changes)
        .where(
          and(
            eq(changes.tenant, tenant ?? (DEPLOYMENT as TenantName)),
            before === null ? undefined : lt(changes.id, before as ChangeId),
          ),
        )
        .orderBy(desc(changes.id))
        .limit(limit),
    ),
  policies: () =>
    link.transaction(serving, (tx) =>
      tx
        .select({ version: policies.version, functions: policies.functions, addedAt: policies.addedAt })
        .from(policies)
        .orderBy(desc(policies.addedAt), desc(policies.version)),
    ),
  rolesHeld: () =>
    link.transaction(listing, (tx) =>
      tx
        .select({
          role: assignments.role,
          function: assignments.function,
          lasting: sql<boolean>`bool_or(${assignments.until} is null or ${assignments.until} > brevet_now())`,
        })
        .from(assignments)
        .groupBy(assignments.role, assignments.function),
    ),
});
