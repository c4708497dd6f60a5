/** Sessions at the console, as they are read: those alone that are not over. */
import { and, desc, eq, gt, isNull, or, sql } from 'drizzle-orm';
import type { Store } from '../core/store.ts';
import type { TenantName } from '../core/ids.ts';
import type { Link } from './link.ts';
import { ROLES } from './roles.ts';
import { EVERYWHERE } from './schema/columns.ts';
import { consoleSessions } from './schema/console.ts';
import { assignments } from './schema/tenants.ts';

const serving = { role: ROLES.serve, tenants: [] } as const;
const listing = { role: ROLES.list, tenants: [] } as const;

const lasts = and(gt(consoleSessions.idleUntil, sql`brevet_now()`), gt(consoleSessions.until, sql`brevet_now()`));

export const createConsoleReads = (
  link: Link,
): Pick<Store, 'consoleSession' | 'consoleSessionsOf' | 'usedConsole' | 'functionsOf'> => ({
  consoleSession: (id) =>
    link.transaction(serving, async (tx) => {
      const [found] = await tx
        .select()
        .from(consoleSessions)
        .where(and(eq(consoleSessions.id, id), lasts));
      return found ?? null;
    }),
  consoleSessionsOf: (person) =>
    link.transaction(serving, (tx) =>
      tx
        .select()
        .from(consoleSessions)
        .where(and(eq(consoleSessions.person, person), lasts))
        .orderBy(desc(consoleSessions.signedInAt)),
    ),
  usedConsole: (id, idleUntil) =>
    link.transaction(serving, async (tx) => {
      await tx
        .update(consoleSessions)
        .set({ idleUntil })
        .where(and(eq(consoleSessions.id, id), lasts));
    }),
  functionsOf: (person) =>
    link.transaction(listing, async (tx) => {
      const rows = await tx
        .selectDistinct({ tenant: assignments.tenant, held: assignments.function })
        .from(assignments)
        .where(
          and(
            eq(assignments.holderKind, 'person'),
            eq(assignments.holder, person),
            or(isNull(assignments.until), gt(assignments.until, sql`brevet_now()`)),
          ),
        );
      return rows.map(({ tenant, held }) => ({
        tenant: tenant === EVERYWHERE ? null : (tenant as TenantName),
        held,
      }));
    }),
});
