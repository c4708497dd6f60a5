/** How a client is told where Postgres is and who it is there, without the password showing on the way. */

/**
 * Options for postgres.js. `host` is a folder when the server listens on a socket. The password is a
 * function, which postgres.js calls as it connects: an object that is printed or logged shows none.
 */
export interface Connection {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: () => string;
  readonly database: string;
}

/**
 * The connection as a libpq URL, password included: for programs that take nothing else, such as psql.
 * postgres.js itself does not understand one that names a socket; hand it the options.
 *
 * @see https://www.postgresql.org/docs/18/libpq-connect.html#LIBPQ-CONNSTRING-URIS
 */
export function connectionUrl(to: Connection): string {
  const login = `${encodeURIComponent(to.user)}:${encodeURIComponent(to.password())}`;
  return `postgresql://${login}@${encodeURIComponent(to.host)}:${to.port}/${encodeURIComponent(to.database)}`;
}
