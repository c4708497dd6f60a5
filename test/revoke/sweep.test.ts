/** A start on a long queue: work is rows, so nothing is restored into memory, and nobody waits for it. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { sweep } from '../../src/revoke/sweep.ts';
import { must, PERMITTED, testApp } from '../support/app.ts';

/** As many leases as one fleet restored into memory at a start that never ended. */
const BACKLOG = 40_000;
/** @see BATCH in `src/revoke/sweep.ts` */
const AT_ONCE = 256;

const app = await testApp();
const backlog = suite('a backlog');

const left = async (): Promise<number> => {
  const [row] = await app.sql<{ n: string }>('select count(*) as n from work');
  return Number(row?.n);
};

backlog('is taken up a few at a time by a node that starts on it, while others are served', async () => {
  // No contact of the client wants a digest, so each is over at once.
  await app.sql(`insert into work (tenant, id, what, due)
    select 'acme', 'wrk_' || n, '{"task":"digest","tenant":"acme","from":0,"until":1}'::json, 0
    from generate_series(1, ${BACKLOG}) n`);
  const node = await app.node();
  const swept = await sweep(node.deps);
  assert.ok(swept.done + swept.deferred <= AT_ONCE, JSON.stringify(swept));
  must(await node.call('POST', '/t/acme/requests', { token: await app.session(), body: PERMITTED }));
  assert.ok((await left()) >= BACKLOG - AT_ONCE);
  // A pass waits no longer than its patience for what it began.
  while ((await left()) >= BACKLOG) await new Promise((turn) => setTimeout(turn, 20));
});

backlog.after(() => app.close());
backlog.run();
