/** Where things stand that open pages show: a few short reads by their indexes, whatever the number of pages. */
import { and, gt, sql } from 'drizzle-orm';
import type { PersonName, TenantName } from '../core/ids.ts';
import type { Store } from '../core/store.ts';
import type { Link } from './link.ts';
import { ROLES } from './roles.ts';
import { consoleSessions } from './schema/console.ts';

/** As many as a list shows at once. */
const ASKS = 50;
/** Ids of nodes whose clocks differ, or of commits that overtook each other, come in no order: the last few are told. */
const ENTRIES = 8;

interface Mark {
  readonly name: string;
  readonly mark: string | null;
}

/** One array as one parameter, however many are in it. */
const names = (list: readonly string[]) => sql`unnest(string_to_array(${list.join(' ')}, ' ')) as named (name)`;

export const createMarks = (link: Link): Pick<Store, 'marks'> => ({
  async marks({ persons, ledgers, sessions }) {
    const [asks, written] = await Promise.all([
      persons.length === 0 ? [] : asksOf(link, persons),
      ledgers.length + sessions.length === 0 ? null : writtenIn(link, ledgers, sessions),
    ]);
    return {
      asks: new Map(asks.map(({ name, mark }) => [name as PersonName, mark ?? ''])),
      ledgers: new Map((written?.marks ?? []).map(({ name, mark }) => [name as TenantName, mark ?? ''])),
      sessions: new Map((written?.sessions ?? []).map((session) => [session.id, session])),
    };
  },
});

const asksOf = (link: Link, persons: readonly PersonName[]): Promise<readonly Mark[]> =>
  link.transaction({ role: ROLES.list, tenants: [] }, (tx) =>
    tx.execute<Mark & Record<string, unknown>>(sql`
      select name, (
        select md5(string_agg(due || tenant || approval, ' ')) from (
          select due, tenant, approval from asks where person = named.name order by due, tenant, approval limit ${ASKS}
        ) shown
      ) as mark from ${names(persons)}`),
  );

const writtenIn = (link: Link, ledgers: readonly TenantName[], sessions: readonly string[]) =>
  link.transaction({ role: ROLES.serve, tenants: ledgers }, async (tx) => ({
    marks:
      ledgers.length === 0
        ? []
        : await tx.execute<Mark & Record<string, unknown>>(sql`
            select name, (
              select md5(string_agg(id, ' ')) from (
                select id from entries where tenant = named.name order by id desc limit ${ENTRIES}
              ) newest
            ) as mark from ${names(ledgers)}`),
    sessions:
      sessions.length === 0
        ? []
        : await tx
            .select()
            .from(consoleSessions)
            .where(
              and(
                sql`${consoleSessions.id} = any(string_to_array(${sessions.join(' ')}, ' '))`,
                gt(consoleSessions.idleUntil, sql`brevet_now()`),
                gt(consoleSessions.until, sql`brevet_now()`),
              ),
            ),
  }));
