/**
 * An agent's command under `brevet exec`: reads a login with the token that it finds in its environment, by Vault's API,
 * and queries with it. Prints the token, the login's name and the answer; then waits, with its session open.
 *
 *     node read-and-query.ts HOST PORT DATABASE
 */
import postgres from 'postgres';

const [host = '', port = '', database = ''] = process.argv.slice(2);
const { VAULT_ADDR = '', VAULT_TOKEN = '', VAULT_READS = '' } = process.env;
const answer = await fetch(`${VAULT_ADDR}/v1/${VAULT_READS}`, { headers: { 'X-Vault-Token': VAULT_TOKEN } });
const { username, password } = ((await answer.json()) as { data: { username: string; password: string } }).data;
const sql = postgres({
  host,
  port: Number(port),
  database,
  user: username,
  password,
  max: 1,
  onnotice: () => undefined,
});
const [row] = await sql<{ count: string }[]>`select count(*) from tickets`;
console.log([VAULT_TOKEN, username, row?.count].join(' '));
// The process ends, and leaves its session to whoever holds the other end.
await sql.end();
