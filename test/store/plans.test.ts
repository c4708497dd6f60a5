import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MOVE } from '../../src/store/commit/move.ts';
import { USE } from '../../src/store/commit/use.ts';
import { LEASES } from '../../src/store/read-together.ts';
import { ROLES } from '../../src/store/roles.ts';
import { testDatabase, withAdmin } from '../support/postgres.ts';
import type { TestDatabase } from '../support/postgres.ts';

let database: TestDatabase;

const plans = suite('plans made on an empty broker');
plans.before(async () => {
  database = await testDatabase();
});
plans.after(() => database.drop());

/** How each scan of a table finds its rows, in a plan as `link.ts` has it made. */
function scansOf(statement: string, parameters: number): Promise<readonly { table: string; by: string }[]> {
  return withAdmin(database.admin, async (sql) => {
    await sql.unsafe(`set plan_cache_mode = force_generic_plan; set enable_seqscan = off;
      set brevet.tenants = 'acme'; set role ${ROLES.serve}; prepare planned as ${statement}`);
    const none = Array.from({ length: parameters }, () => `'[]'`).join(', ');
    const [row] = await sql.unsafe<{ 'QUERY PLAN': unknown }[]>(`explain (format json) execute planned(${none})`);
    const scans: { table: string; by: string }[] = [];
    JSON.parse(JSON.stringify(row), (_, node: Record<string, unknown> | null) => {
      const table = node?.['Relation Name'] ?? node?.['Index Name'];
      // What a bitmap was made of is told by the scan of its index.
      const finds = !['ModifyTable', 'Bitmap Heap Scan'].includes(String(node?.['Node Type']));
      if (typeof table === 'string' && finds) scans.push({ table, by: String(node?.['Index Cond']) });
      return node;
    });
    return scans;
  });
}

for (const [name, statement, parameters] of [
  ['uses', USE, 2],
  ['moves', MOVE, 3],
  ['readings', LEASES, 1],
] as const) {
  plans(`of ${name} find leases by their ids for as long as they are kept`, async () => {
    const found = (await scansOf(statement, parameters)).filter(({ table }) => table.startsWith('leases'));
    assert.ok(found.length > 0);
    for (const { by } of found) assert.match(by, /\(id = /);
  });
}

plans.run();
