/** What a block has not seen dead yet is told with its reason, and is exposed all that time. */
import { setTimeout as pause } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { sweep } from '../../src/revoke/sweep.ts';
import { must, REPORT, testApp } from '../support/app.ts';
import { clientDatabase } from '../support/target.ts';

const client = await clientDatabase();
const app = await testApp({ database: client });

interface Seen {
  readonly over: boolean;
  readonly alive: number;
  readonly worst_exposure_ms: number;
  readonly survivors: readonly { readonly id: string; readonly why: string; readonly exposure_ms: number }[];
}

const tryAll = async (): Promise<void> => {
  await app.sql('update work set due = 0, held_until = 0');
  await sweep(app.deps);
};
const seen = async (block: string): Promise<Seen> =>
  must(await app.operator('otto', 'GET', `/api/blocks/${block}`)).body['progress'] as Seen;
const exposures = async (block: string): Promise<readonly number[]> => {
  const { items } = must(await app.operator('otto', 'GET', `/api/blocks/${block}/leases`)).body;
  return (items as { exposure_ms: number }[]).map(({ exposure_ms: exposure }) => exposure);
};

const progress = suite('oversee/block-progress');

progress('tells survivors of a provider that is down, until their death was seen', async () => {
  const token = await app.session('report-bot');
  const { lease } = must(await app.call('POST', '/t/acme/requests', { token, body: REPORT })).body as {
    lease: { id: string };
  };
  await client.stop();
  const aim = { scope: 'agent', name: 'report-bot', reason: 'It mails strangers' };
  const block = String(must(await app.operator('otto', 'POST', '/api/blocks', aim)).body['id']);
  for (let round = 0; round < 3; round++) await tryAll();
  const { over, alive, survivors, worst_exposure_ms: worst } = await seen(block);
  assert.equal([over, alive, survivors.map(({ id }) => id)], [false, 1, [lease.id]]);
  assert.match(survivors[0]?.why ?? '', 'ECONNREFUSED');
  assert.ok(worst > 0);
  assert.is(worst, survivors[0]?.exposure_ms);
  assert.ok(((await exposures(block))[0] ?? 0) >= worst, 'it grows');

  await client.start();
  for (let round = 0; round < 3; round++) await tryAll();
  const after = await seen(block);
  assert.equal([after.over, after.alive, after.survivors], [true, 0, []]);
  assert.ok(after.worst_exposure_ms > worst);
  assert.equal(await exposures(block), [after.worst_exposure_ms]);
});

progress('counts exposure from the commit of the block, however late it is enforced', async () => {
  const token = await app.session('report-bot', 'acme');
  await app.sql('delete from blocks');
  app.deps.store.forget('acme' as never);
  must(await app.call('POST', '/t/acme/requests', { token, body: REPORT }));
  const aim = { scope: 'agent', name: 'report-bot', reason: 'It mails strangers' };
  const { id, from } = must(await app.operator('otto', 'POST', '/api/blocks', aim)).body;
  while (Date.now() <= Date.parse(String(from))) await pause(1);
  for (let round = 0; round < 3; round++) await tryAll();
  const { items } = must(await app.operator('otto', 'GET', `/api/blocks/${String(id)}/leases`)).body;
  const [lease] = items as { revoking_at: string; death: { at: string }; exposure_ms: number }[];
  assert.is(lease?.revoking_at, from);
  assert.is(lease?.exposure_ms, Date.parse(lease?.death.at ?? '') - Date.parse(String(from)));
});

progress.after(async () => {
  await app.close();
  await client.remove();
});
progress.run();
