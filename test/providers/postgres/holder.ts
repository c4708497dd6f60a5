/** Who holds a Postgres credential, and does with it what they like. */
import postgres from 'postgres';
import { z } from 'zod';
import type { Minted } from '../../../src/core/provider.ts';
import { Secret } from '../../../src/core/secret.ts';

const login = z.object({
  host: z.string(),
  port: z.int(),
  database: z.string(),
  user: z.string(),
  password: z.instanceof(Secret),
});

export type Login = z.infer<typeof login>;

export const loginIn = (credential: Minted['credential']): Login => login.parse(credential);

/** One connection, that is never made again by itself. */
export function connectAs(credential: Minted['credential'], more: Partial<Login> = {}): postgres.Sql {
  const { host, port, database, user, password } = { ...loginIn(credential), ...more };
  return postgres({
    host,
    port,
    database,
    user,
    password: password.reveal(),
    max: 1,
    fetch_types: false,
    onnotice: () => {},
  });
}

/** Whether one statement does what it says, over a connection of its own. */
export async function works(
  credential: Minted['credential'],
  statement: string,
  more: Partial<Login> = {},
): Promise<boolean> {
  const sql = connectAs(credential, more);
  try {
    await sql.unsafe(statement);
    return true;
  } catch (fault) {
    if (fault instanceof postgres.PostgresError) return false;
    throw fault;
  } finally {
    await sql.end({ timeout: 1 });
  }
}
