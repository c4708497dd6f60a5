/**
 * Looks, past every node, whether what must always hold does: at the rows of Brevet's database as its superuser, and at
 * the logins and sessions of the client's.
 */
import type postgres from 'postgres';
import type { LeaseState } from '../../src/core/lease.ts';
import { withAdmin } from './postgres.ts';
import type { Receipt } from './kill-agent.ts';
import type { KillWorld } from './kill-world.ts';

export interface LeaseRow {
  readonly id: string;
  readonly request: string;
  readonly mark: string;
  readonly provider: 'jwt' | 'postgres';
  readonly state: LeaseState;
  readonly active_at: string | null;
  readonly expires_at: string;
  readonly cause: string | null;
  readonly death: { readonly how: string } | null;
  readonly exposure: string | null;
}

interface Login {
  readonly mark: string;
  readonly can_login: boolean;
  readonly sessions: number;
}

export interface Audit {
  readonly leases: readonly LeaseRow[];
  readonly logins: readonly Login[];
  /** Logins at the client that no lease names. */
  readonly orphans: readonly string[];
  /** Logins that live while Brevet calls them dead. */
  readonly undead: readonly string[];
  /** Leases of whose changes an entry is missing, doubled or of another state; entries of no lease. */
  readonly untold: readonly string[];
  /** Requests that have more than one lease, and keys that have more than one request. */
  readonly doubled: readonly string[];
}

/** First at the client, then at Brevet: whatever is there by then was intended before. */
export async function audit({ client, database }: Pick<KillWorld, 'client' | 'database'>): Promise<Audit> {
  const logins = await withAdmin(
    client.superuser,
    (sql) => sql<Login[]>`
      select rolname as mark, rolcanlogin as can_login,
        (select count(*)::int from pg_stat_activity where usesysid = r.oid) as sessions
      from pg_roles r where rolname ~ '^brevet_[0-9a-z]{26}$'`,
  );
  return inOneView(database, async (sql) => {
    const leases = await readLeases(sql);
    const told = await sql<{ lease: string; kinds: string[] }[]>`
      select lease, array_agg(kind order by kind) as kinds from entries where lease is not null group by lease`;
    const decided = await sql<{ request: string; kinds: string[] }[]>`
      select r.id as request, array_remove(array_agg(e.kind), null) as kinds from requests r
      left join entries e on e.tenant = r.tenant and e.request = r.id and e.kind like 'request.%' group by r.id`;
    const doubled = await sql<{ request: string }[]>`
      select request from leases group by request having count(*) > 1
      union all select i.request from idempotency i where i.request is not null group by 1 having count(*) > 1
      union all select l.request from leases l where not exists (
        select from requests r where r.id = l.request and r.lease = l.id)`;
    const byMark = new Map(leases.map((lease) => [lease.mark, lease]));
    const over = (state: LeaseState | undefined): boolean => state === 'revoked' || state === 'failed';
    return {
      leases,
      logins,
      orphans: logins.filter(({ mark, can_login }) => can_login && !byMark.has(mark)).map(({ mark }) => mark),
      undead: logins
        .filter((login) => (login.can_login || login.sessions > 0) && over(byMark.get(login.mark)?.state))
        .map(({ mark }) => mark),
      untold: [...untoldLeases(leases, told), ...decided.filter(({ kinds }) => kinds.length !== 1).map(asText)],
      doubled: doubled.map(({ request }) => request),
    };
  });
}

const readLeases = (sql: postgres.Sql | postgres.TransactionSql) => sql<LeaseRow[]>`
  select id, request, mark, provider, state, active_at, expires_at, cause, death, exposure from leases`;

/** The leases alone, for when the client does not answer. */
export const leaseRows = ({ database }: Pick<KillWorld, 'database'>): Promise<readonly LeaseRow[]> =>
  withAdmin(database.admin, readLeases);

/** A transaction of a node that was killed may still be committed: what is read is of one moment. */
const inOneView = <T>(
  database: KillWorld['database'],
  read: (sql: postgres.TransactionSql) => Promise<T>,
): Promise<T> =>
  withAdmin(database.admin, (sql) => sql.begin('isolation level repeatable read read only', read)) as Promise<T>;

const asText = ({ request, kinds }: { readonly request: string; readonly kinds: readonly string[] }): string =>
  `${request}: ${kinds.join(' ')}`;

function untoldLeases(
  leases: readonly LeaseRow[],
  told: readonly { readonly lease: string; readonly kinds: readonly string[] }[],
): string[] {
  const kindsOf = new Map(told.map(({ lease, kinds }) => [lease, kinds.filter((kind) => kind !== 'lease.reported')]));
  const known = new Set(leases.map(({ id }) => id));
  const wrong = leases.flatMap((lease) => {
    const [is, must] = [(kindsOf.get(lease.id) ?? []).join(' '), storyOf(lease).toSorted().join(' ')];
    return is === must ? [] : [`${lease.id} ${lease.provider} ${lease.state}: «${is}» and not «${must}»`];
  });
  return [...wrong, ...told.filter(({ lease }) => !known.has(lease)).map(({ lease }) => `${lease}: no such lease`)];
}

/** The entries that a lease in this state has, each once. */
function storyOf({ provider, state, active_at, cause, death }: LeaseRow): string[] {
  const opened = provider === 'jwt' ? ['lease.active'] : ['lease.opening'];
  const active = provider !== 'jwt' && active_at !== null ? ['lease.active'] : [];
  switch (state) {
    case 'opening':
    case 'active':
      return [...opened, ...active];
    case 'failed':
      return [...opened, 'lease.failed'];
    case 'revoking':
      return [...opened, ...active, 'lease.revoking'];
    case 'revoked': {
      // Where the commit of the end is the death itself, one entry tells both.
      const inOne = provider === 'jwt' && cause !== null && death?.how === 'verified' && !isProbed(death);
      return [...opened, ...active, ...(inOne ? [] : ['lease.revoking']), 'lease.revoked'];
    }
  }
}

const isProbed = (death: object): boolean => JSON.stringify(death).includes('the API itself answers');

/** @returns receipts whose entry is not in the ledger as it was acknowledged. */
export async function lostReceipts(
  { database }: Pick<KillWorld, 'database'>,
  receipts: readonly Receipt[],
): Promise<readonly string[]> {
  const rows = await withAdmin(
    database.admin,
    (sql) => sql<{ id: string; leaf: string }[]>`select id, encode(leaf, 'hex') as leaf from entries`,
  );
  const leaves = new Map(rows.map(({ id, leaf }) => [id, leaf]));
  return receipts.filter(({ entry, leaf_hash }) => leaves.get(entry) !== leaf_hash).map(({ entry }) => entry);
}

/**
 * Work that a dead node held is held for a minute yet. It is what is waited for.
 * @see HOLD in `src/revoke/sweep.ts`
 */
export const cutHolds = ({ database }: Pick<KillWorld, 'database'>): Promise<unknown> =>
  withAdmin(database.admin, (sql) => sql`update work set held_until = 0 where held_until > 0`);

/**
 * What stays after a death is taken away once no mint can be on its way any more; here none ever was.
 * @see PAST_DEADLINE in `src/revoke/clean.ts`
 */
export const hastenCleaning = ({ database }: Pick<KillWorld, 'database'>): Promise<unknown> =>
  withAdmin(database.admin, (sql) => sql`update work set due = 0 where what->>'task' = 'clean'`);
