/** A start on a long queue: work is rows, so nothing is restored into memory, and nobody waits for it. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { StoreUnavailable } from '../../src/core/store.ts';
import type { Deps } from '../../src/deps.ts';
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

const heartbeat = suite('the heartbeat');

heartbeat('is not given by a pass that cannot see what has expired, or take up what is to be done', async () => {
  const { store } = app.deps;
  const fails = () => Promise.reject(new StoreUnavailable('a statement took too long'));
  let beats = 0;
  const beat = (node: string) => (beats++, store.beat(node));
  const passes = (broken: Partial<Deps['store']>) => sweep({ ...app.deps, store: { ...store, beat, ...broken } });
  for (const broken of [{ overdue: fails }, { claim: fails }]) {
    await passes(broken).then(
      () => assert.unreachable(),
      (fault: unknown) => assert.instance(fault, StoreUnavailable),
    );
  }
  assert.is(beats, 0);
  await passes({});
  assert.is(beats, 1);
});

heartbeat.run();

backlog.after(() => app.close());
backlog.run();
