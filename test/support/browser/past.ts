/** A past: copies of a lease that is over, ended through the last month, each dead after a while of its own. */
import postgres from 'postgres';
import { embeddedAt } from '../../../src/embedded/server.ts';
import { DATABASE } from '../../../src/embedded/provision.ts';
import type { ConsoleWorld } from './world.ts';

/** @param n how many; written by the superuser, since nothing of Brevet's could. */
export async function past({ place }: ConsoleWorld, n: number): Promise<void> {
  const server = await embeddedAt(place.dataDir);
  const sql = postgres({ ...server.connection(DATABASE), max: 1, onnotice: () => undefined });
  try {
    await sql`set session_replication_role = replica`;
    const rows = await sql<{ name: string }[]>`
      select attname as name from pg_attribute where attrelid = 'leases'::regclass and attnum > 0 and not attisdropped`;
    const changed: Readonly<Record<string, string>> = {
      id: `'lse_' || ${ulid('opened_at - n * 2000000')}`,
      request: `request || n`,
      mark: `mark || n`,
      provider: `(array['jwt', 'postgres', 'postgres', 'aws', 'http'])[1 + n % 5]`,
      opened_at: 'opened_at - n * 2000000',
      active_at: 'active_at - n * 2000000',
      revoking_at: 'revoking_at - n * 2000000',
      exposure: `case n % 5 when 0 then 0 when 3 then 400 + (n * 7919) % 90000 else 20 + (n * 31) % 900 end`,
    };
    const names = rows.map(({ name }) => `"${name}"`);
    const values = rows.map(({ name }) => changed[name] ?? `"${name}"`);
    await sql.unsafe(`insert into leases (${names.join(', ')}) select ${values.join(', ')}
      from (select * from leases where state = 'revoked' limit 1) l, generate_series(1, ${n}) n`);
  } finally {
    await sql.end({ timeout: 1 });
  }
}

/** The first ten characters of a ULID are its time; the rest is the number. */
const ulid = (ms: string): string =>
  `(select string_agg(substr('0123456789abcdefghjkmnpqrstvwxyz', (((${ms}) >> (5 * d)) & 31)::int + 1, 1), '' order by d desc)
    from generate_series(0, 9) d) || lpad(n::text, 16, '0')`;
