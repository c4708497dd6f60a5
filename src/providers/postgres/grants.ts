/**
 * What a client's own administrator runs, once, before Brevet can make logins at a database.
 */

export interface Grants {
  readonly admin: string;
  readonly database: string;
  /** With the rights of their task classes already, and without any other. */
  readonly groups: readonly string[];
  /** Holds CONNECT on the database alone. */
  readonly connectRole: string;
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/**
 * The statements, for a superuser in the target's database, as text for documents, tests and the demo. Not among them:
 * the groups and their rights, and `ALTER ROLE admin PASSWORD '…'`, which `\password` of psql sends without showing it.
 */
export function targetGrants({ admin, database, groups, connectRole }: Grants): readonly string[] {
  const [a, d, c] = [quoted(admin), quoted(database), quoted(connectRole)];
  return [
    // Makes and ends logins, and reaches no role that it did not make.
    `CREATE ROLE ${a} LOGIN CREATEROLE NOSUPERUSER`,
    // Ends their sessions.
    `GRANT pg_signal_backend TO ${a}`,
    // Gets in when agents have filled the other slots (with reserved_connections = 4 or more).
    `GRANT pg_use_reserved_connections TO ${a}`,
    // Gives the groups to logins, and cannot use them itself.
    ...groups.map((group) => `GRANT ${quoted(group)} TO ${a} WITH ADMIN OPTION, INHERIT FALSE, SET FALSE`),
    // Logins get into this database, and into no other that does the same.
    `CREATE ROLE ${c} NOLOGIN`,
    `GRANT ${c} TO ${a} WITH ADMIN OPTION, INHERIT FALSE, SET FALSE`,
    `GRANT CONNECT ON DATABASE ${d} TO ${c}, ${a}`,
    `REVOKE ALL ON DATABASE ${d} FROM PUBLIC`,
  ];
}

/** Its answer is the target's `system_identifier`. */
export const SYSTEM_IDENTIFIER = 'SELECT system_identifier FROM pg_control_system()';
