/**
 * Looks, past every node, whether what must always hold does: at the rows of Brevet's database as its superuser, and at
 * what its clients hold, as their administrators.
 */
import type postgres from 'postgres';
import type { JsonObject } from '../../src/core/canonical.ts';
import type { LeaseState } from '../../src/core/lease.ts';
import type { ProviderKind } from '../../src/core/registers.ts';
import { withAdmin } from './postgres.ts';
import type { Receipt } from './kill-agent.ts';
import { databaseHoldings } from './kill-holdings.ts';
import type { Holdings } from './kill-holdings.ts';
import type { KillWorld } from './kill-world.ts';

export interface LeaseRow {
  readonly id: string;
  readonly request: string;
  readonly mark: string;
  readonly provider: ProviderKind;
  readonly state: LeaseState;
  readonly opened_at: string;
  readonly active_at: string | null;
  readonly expires_at: string;
  readonly reference: JsonObject | null;
  readonly cause: string | null;
  readonly death: { readonly how: string } | null;
  readonly exposure: string | null;
  readonly uses: number | null;
  readonly used: number;
}

export interface Audit {
  readonly leases: readonly LeaseRow[];
  /** Marks of what clients hold that may live. */
  readonly held: readonly string[];
  /** Of those that live, the ones that no lease names. */
  readonly orphans: readonly string[];
  /** And those that Brevet calls dead. */
  readonly undead: readonly string[];
  /** Leases of whose changes an entry is missing, doubled or of another state; entries of no lease. */
  readonly untold: readonly string[];
  /** Requests that have more than one lease, and keys that have more than one request. */
  readonly doubled: readonly string[];
}

/** First at the clients, then at Brevet: whatever is there by then was intended before. */
export async function audit(
  { client, database }: Pick<KillWorld, 'client' | 'database'>,
  holdings: readonly Holdings[] = [databaseHoldings(client)],
): Promise<Audit> {
  const found = await Promise.all(
    holdings.map(async (at) => (await at.held()).map((mark) => ({ mark, lives: () => at.lives(mark) }))),
  );
  const held = found.flat();
  const told = await inOneView(database, readTold);
  const byMark = new Map(told.leases.map((lease) => [lease.mark, lease]));
  const among = async (wrong: (state: LeaseState | undefined) => boolean): Promise<readonly string[]> => {
    const suspect = held.filter(({ mark }) => wrong(byMark.get(mark)?.state));
    const lives = await Promise.all(suspect.map((one) => one.lives()));
    return suspect.flatMap(({ mark }, place) => (lives[place] === true ? [mark] : []));
  };
  return {
    ...told,
    held: held.map(({ mark }) => mark),
    orphans: await among((state) => state === undefined),
    undead: await among((state) => state === 'revoked' || state === 'failed'),
  };
}

async function readTold(sql: postgres.TransactionSql): Promise<Pick<Audit, 'leases' | 'untold' | 'doubled'>> {
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
  return {
    leases,
    untold: [...untoldLeases(leases, told), ...decided.filter(({ kinds }) => kinds.length !== 1).map(asText)],
    doubled: doubled.map(({ request }) => request),
  };
}

const readLeases = (sql: postgres.Sql | postgres.TransactionSql) => sql<LeaseRow[]>`
  select id, request, mark, provider, state, opened_at, active_at, expires_at, reference, cause, death, exposure, uses, used
  from leases`;

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

/** What is written of a lease beside its states: as often as it happened. */
const BESIDE = ['lease.reported', 'lease.landed', 'lease.used', 'gateway.answered', 'gateway.refused'];

function untoldLeases(
  leases: readonly LeaseRow[],
  told: readonly { readonly lease: string; readonly kinds: readonly string[] }[],
): string[] {
  const kindsOf = new Map(told.map(({ lease, kinds }) => [lease, kinds]));
  const known = new Set(leases.map(({ id }) => id));
  const wrong = leases.flatMap((lease) => {
    const kinds = kindsOf.get(lease.id) ?? [];
    const is = kinds.filter((kind) => !BESIDE.includes(kind)).join(' ');
    const must = storyOf(lease).toSorted().join(' ');
    const used = kinds.filter((kind) => kind === 'lease.used').length;
    const landed = kinds.filter((kind) => kind === 'lease.landed').length;
    return [
      ...(is === must ? [] : [`${lease.id} ${lease.provider} ${lease.state}: «${is}» and not «${must}»`]),
      ...(used === lease.used ? [] : [`${lease.id}: ${lease.used} uses, of which ${used} are told`]),
      ...(landed <= (lease.active_at === null && lease.reference !== null ? 1 : 0) ? [] : [`${lease.id}: has landed`]),
    ];
  });
  return [...wrong, ...told.filter(({ lease }) => !known.has(lease)).map(({ lease }) => `${lease}: no such lease`)];
}

/** Whose mint is Brevet's own signature. */
const isLocal = (provider: ProviderKind): boolean => provider === 'jwt' || provider === 'http';

/** The entries that a lease in this state has, each once. */
function storyOf({ provider, state, active_at, cause, death }: LeaseRow): string[] {
  const opened = isLocal(provider) ? ['lease.active'] : ['lease.opening'];
  const active = !isLocal(provider) && active_at !== null ? ['lease.active'] : [];
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
      const inOne = isLocal(provider) && cause !== null && death?.how === 'verified' && !isProbed(death);
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
 * Work, and the turn at a role's policies, that a dead node held are held for a minute yet. It is what is waited for.
 * @see HOLD in `src/revoke/sweep.ts` and in `src/providers/aws/deny.ts`
 */
export const cutHolds = ({ database }: Pick<KillWorld, 'database'>): Promise<unknown> =>
  withAdmin(database.admin, async (sql) => {
    await sql`update work set held_until = 0 where held_until > 0`;
    await sql`update turns set held_until = 0 where name like 'aws:%'`;
  });

/** Whose mints were lost before they were sent is looked at once their deadline has passed: nothing of them can land. */
export const hastenReconciling = ({ database }: Pick<KillWorld, 'database'>, since: number): Promise<unknown> =>
  withAdmin(database.admin, async (sql) => {
    await sql`update leases set mint_deadline = brevet_now() where state = 'opening' and opened_at >= ${since}`;
    await sql`update work set due = 0 where what->>'task' = 'reconcile'`;
  });

/** The same of those that nobody can see, which are waited for to their end. */
export const hastenExpiry = ({ database }: Pick<KillWorld, 'database'>, since: number): Promise<unknown> =>
  withAdmin(database.admin, async (sql) => {
    await sql`update leases set expires_at = brevet_now()
      where state = 'revoking' and reference is null and opened_at >= ${since}`;
    await sql`update work set due = 0 where what->>'task' = 'kill'`;
  });

/**
 * What stays after a death is taken away once no mint can be on its way any more; here none ever was.
 * @see PAST_DEADLINE in `src/revoke/clean.ts`
 */
export const hastenCleaning = ({ database }: Pick<KillWorld, 'database'>): Promise<unknown> =>
  withAdmin(database.admin, (sql) => sql`update work set due = 0 where what->>'task' = 'clean'`);
