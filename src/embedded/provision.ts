/**
 * The database, roles and logins that Brevet needs, made in its own Postgres. For an outside Postgres its
 * administrator runs the same statements once: {@link roleStatements} and {@link databaseStatements}.
 */
import { join } from 'node:path';
import postgres from 'postgres';
import type { Connection } from './connection.ts';
import { passwordAt, scramVerifier } from './password.ts';
import type { EmbeddedServer } from './server.ts';

/** Owns the database and runs the migrations; never serves. */
export const OWNER = 'brevet_owner';
/** What Brevet serves as. It sees nothing itself: it enters one of the group roles in each transaction. */
export const LOGIN = 'brevet';
export const DATABASE = 'brevet';

/** The serving, working and listing roles. Migrations say what each may do. */
const GROUPS = ['brevet_serve', 'brevet_work', 'brevet_list'] as const;

/** How Brevet gets in: as the one that migrates, and as the one that serves. */
export interface Provisioned {
  readonly owner: Connection;
  readonly serve: Connection;
}

/** Makes what is missing and leaves the rest; passwords are made once and kept in files of mode 0600. */
export async function provision(server: EmbeddedServer): Promise<Provisioned> {
  const owner = await loginOf(server, OWNER);
  const serve = await loginOf(server, LOGIN);
  await asSuperuser(server, 'postgres', async (sql) => {
    await sql.unsafe(
      roleStatements({ owner: scramVerifier(owner.password()), login: scramVerifier(serve.password()) }),
    );
    const [known] = await sql`select 1 from pg_database where datname = ${DATABASE}`;
    if (!known) await sql.unsafe(`CREATE DATABASE ${DATABASE} OWNER ${OWNER} STRATEGY wal_log`);
    await sql.unsafe(databaseStatements(DATABASE));
    // Nobody but the superuser has any business in the databases that initdb made.
    await sql.unsafe('REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC');
  });
  return { owner: server.connection(DATABASE, owner), serve: server.connection(DATABASE, serve) };
}

/** The login with the password that is kept for it beside the cluster. */
export async function loginOf(server: EmbeddedServer, user: string): Promise<{ user: string; password: () => string }> {
  const password = await passwordAt(join(server.home, `${user}.password`));
  return { user, password: () => password.reveal() };
}

/**
 * Roles, for the whole server. Run by a superuser, or by one with CREATEROLE; safe to run again. Each
 * password is a SCRAM verifier or, from an administrator's own hand, the password itself.
 */
export function roleStatements(passwords: { readonly owner: string; readonly login: string }): string {
  const groups = GROUPS.map((group) => ensureRole(group, 'NOLOGIN NOINHERIT'));
  return [
    ...groups,
    ensureRole(OWNER, `LOGIN NOINHERIT PASSWORD ${literal(passwords.owner)}`),
    ensureRole(LOGIN, `LOGIN NOINHERIT PASSWORD ${literal(passwords.login)}`),
    `GRANT ${GROUPS.join(', ')} TO ${LOGIN} WITH ADMIN FALSE, INHERIT FALSE, SET TRUE;`,
  ].join('\n');
}

/**
 * Who may enter the database: its owner and the serving login. Run once `CREATE DATABASE … OWNER brevet_owner` is done;
 * one who is no superuser needs `GRANT brevet_owner TO CURRENT_USER` before that.
 */
export function databaseStatements(database: string): string {
  const name = identifier(database);
  return [`REVOKE ALL ON DATABASE ${name} FROM PUBLIC;`, `GRANT CONNECT ON DATABASE ${name} TO ${LOGIN};`].join('\n');
}

function ensureRole(role: string, attributes: string): string {
  return [
    `DO $$ BEGIN CREATE ROLE ${role}; EXCEPTION WHEN duplicate_object THEN NULL; END $$;`,
    `ALTER ROLE ${role} ${attributes};`,
  ].join('\n');
}

function literal(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

function identifier(value: string): string {
  return `"${value.replaceAll('"', '""')}"`;
}

async function asSuperuser<T>(
  server: EmbeddedServer,
  database: string,
  action: (sql: postgres.Sql) => Promise<T>,
): Promise<T> {
  const sql = postgres({ ...server.connection(database), max: 1, onnotice: () => {} });
  try {
    return await action(sql);
  } finally {
    await sql.end();
  }
}
