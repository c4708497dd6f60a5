/**
 * A Postgres client for where there is no psql: runs one statement, by the settings of the environment alone.
 *
 *     node query.ts STATEMENT
 */
import postgres from 'postgres';

const sql = postgres({ max: 1, onnotice: () => undefined });
const rows = await sql.unsafe(process.argv[2] ?? 'select 1').values();
console.log(rows.map((row) => row.map(String).join('|')).join('\n'));
await sql.end();
