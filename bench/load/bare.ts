/** The life of a login by bare statements, each sent alone: create, disable, terminate, drop, look. */
import { randomUUID } from 'node:crypto';
import postgres from 'postgres';
import type { Measured } from '../load.ts';
import { overAfter, summaryOf } from '../load.ts';

export interface BareLogins {
  /** Made beforehand, since whoever makes logins in earnest hashes too. */
  readonly verifier: string;
  readonly group: string;
  readonly connections: number;
  readonly seconds: number;
}

/** From the bench's own process, which does nothing else meanwhile. */
export async function bareLogins(
  admin: postgres.Options<Record<string, postgres.PostgresType>>,
  { verifier, group, connections, seconds }: BareLogins,
): Promise<Measured> {
  const clients = Array.from({ length: connections }, () =>
    postgres({ ...admin, max: 1, fetch_types: false, onnotice: () => undefined }),
  );
  try {
    await Promise.all(clients.map((sql) => sql`select 1`));
    const times: number[] = [];
    const isOver = overAfter(seconds);
    const began = performance.now();
    await Promise.all(
      clients.map(async (sql) => {
        while (!isOver()) {
          const asked = performance.now();
          await oneLogin(sql, verifier, group);
          times.push(performance.now() - asked);
        }
      }),
    );
    return summaryOf(times, (performance.now() - began) / 1000);
  } finally {
    await Promise.all(clients.map((sql) => sql.end({ timeout: 1 })));
  }
}

/** Ends logins that are there, one by one over so many connections. @returns milliseconds for all of them. */
export async function bareEnds(
  admin: postgres.Options<Record<string, postgres.PostgresType>>,
  { verifier, group, connections, count }: Omit<BareLogins, 'seconds'> & { readonly count: number },
): Promise<number> {
  const clients = Array.from({ length: connections }, () =>
    postgres({ ...admin, max: 1, fetch_types: false, onnotice: () => undefined }),
  );
  const overAll = async (work: (sql: postgres.Sql, name: string) => Promise<void>, names: readonly string[]) => {
    const left = [...names];
    const one = async (sql: postgres.Sql): Promise<void> => {
      for (let name = left.pop(); name !== undefined; name = left.pop()) await work(sql, name);
    };
    await Promise.all(clients.map(one));
  };
  try {
    const names = Array.from({ length: count }, nameOne);
    await overAll((sql, name) => makeOne(sql, name, { verifier, group }), names);
    const began = performance.now();
    await overAll(endOne, names);
    return performance.now() - began;
  } finally {
    await Promise.all(clients.map((sql) => sql.end({ timeout: 1 })));
  }
}

const nameOne = (): string => `bench_${randomUUID().replaceAll('-', '')}`;

async function oneLogin(sql: postgres.Sql, verifier: string, group: string): Promise<void> {
  const name = nameOne();
  await makeOne(sql, name, { verifier, group });
  await endOne(sql, name);
}

async function makeOne(
  sql: postgres.Sql,
  name: string,
  { verifier, group }: Pick<BareLogins, 'verifier' | 'group'>,
): Promise<void> {
  const until = new Date(Date.now() + 300_000).toISOString();
  await sql.unsafe(
    `CREATE ROLE ${name} LOGIN NOINHERIT CONNECTION LIMIT 2 PASSWORD '${verifier}' VALID UNTIL '${until}' IN ROLE ${group}`,
  );
}

async function endOne(sql: postgres.Sql, name: string): Promise<void> {
  await sql.unsafe(`ALTER ROLE ${name} NOLOGIN`);
  await sql`select pg_terminate_backend(pid, 500) from pg_stat_activity where usename = ${name}`;
  await sql.unsafe(`DROP ROLE ${name}`);
  const [left] = await sql<{ left: boolean }[]>`
    select exists (select from pg_roles where rolname = ${name})
      or exists (select from pg_stat_activity where usename = ${name}) as left`;
  if (left?.left !== false) throw new Error(`${name} is still there`);
}
