/** What is live is looked at again a page a time, until none is left that would not be given. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { sweep } from '../../src/revoke/sweep.ts';
import { agentBody, must, PERMITTED, testApp } from '../support/app.ts';

/** More than a page. @see AT_ONCE in `src/revoke/reassess.ts` */
const LIVE = 150;
const AT_ONCE = 25;

const app = await testApp();
const reassessing = suite('reassessing');

const states = async (): Promise<Record<string, number>> => {
  const rows = await app.sql<{ state: string; n: string }>('select state, count(*) as n from leases group by state');
  return Object.fromEntries(rows.map(({ state, n }) => [state, Number(n)]));
};
const queued = () => app.sql<{ what: { after?: string } }>(`select what from work where what->>'task' = 'reassess'`);

reassessing('goes on where it stopped, over more than one page', async () => {
  const token = await app.session();
  const ask = async () => must(await app.call('POST', '/t/acme/requests', { token, body: PERMITTED }));
  while (((await states())['active'] ?? 0) < LIVE) await Promise.all(Array.from({ length: AT_ONCE }, ask));
  const { situations: _, ...context } = must(await app.operator('ada', 'GET', '/api/tenants/acme/context')).body;
  must(await app.operator('ada', 'PUT', '/api/tenants/acme/context', { ...context, autonomy: 'ask-always' }));
  const places = new Set<string | undefined>();
  for (let left = await queued(); left.length > 0; left = await queued()) {
    places.add(left[0]?.what.after);
    await app.sql('update work set due = 0 where held_until = 0');
    await sweep(app.deps);
  }
  assert.equal(await states(), { revoked: LIVE });
  assert.ok(places.size > 1, [...places].join());
});

const CHANGES: readonly (readonly [what: string, change: Record<string, unknown>, state: string])[] = [
  ['works for another purpose', { purpose: 'other tests' }, 'active'],
  ['may only advise', { autonomy: 'advisory' }, 'revoked'],
  ['is only planned', { kind: 'planned' }, 'revoked'],
  ['has another model than the contract names', { model: 'another' }, 'revoked'],
];
for (const [what, change, state] of CHANGES) {
  reassessing(`an agent that by now ${what} has what it was given ${state}`, async () => {
    const other = await testApp();
    const token = await other.session();
    must(await other.call('POST', '/t/acme/requests', { token, body: PERMITTED }));
    must(await other.operator('ada', 'PUT', '/api/agents/triage-bot', agentBody(change)));
    await sweep(other.deps);
    const rows = await other.sql<{ state: string }>('select state from leases');
    assert.equal(
      rows.map((row) => row.state),
      [state],
    );
    await other.close();
  });
}

reassessing.after(() => app.close());
reassessing.run();
