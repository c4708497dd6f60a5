import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { seconds } from '../../src/core/time.ts';
import { withAdmin } from '../support/postgres.ts';
import { testStore } from '../support/store.ts';
import type { TestStore } from '../support/store.ts';

const HOUR_MS = 3_600_000;
const HOLD = seconds(60);

let test: TestStore;

const turns = suite('turns');
turns.before(async () => {
  test = await testStore({ world: false });
});
turns.after(() => test.close());

/** As if the database's clock were set back by so much, now. */
const setBack = (ms: number) =>
  withAdmin(
    test.database.admin,
    (sql) => sql`update turns set held_until = held_until + ${ms}, done_at = done_at + ${ms}`,
  );

turns('are one node’s, until it gives them back', async () => {
  const { turns: rounds } = test.store;
  const turn = await rounds.take('one', HOLD);
  assert.ok(turn !== null);
  assert.is(await rounds.take('one', HOLD), null);
  assert.ok(await rounds.isHeld(turn));
  await rounds.release(turn);
  assert.not.ok(await rounds.isHeld(turn));
  assert.is((await rounds.take('one', HOLD))?.fence, turn.fence + 1);
});

turns('are kept for as long again by who still holds them, and by nobody else', async () => {
  const { turns: rounds } = test.store;
  const turn = await rounds.take('kept', HOLD);
  assert.ok(turn !== null);
  await withAdmin(
    test.database.admin,
    (sql) => sql`update turns set held_until = held_until - 50000 where name = 'kept'`,
  );
  assert.ok(await rounds.extend(turn, HOLD));
  await withAdmin(
    test.database.admin,
    (sql) => sql`update turns set held_until = held_until - 50000 where name = 'kept'`,
  );
  assert.ok(await rounds.isHeld(turn));
  assert.not.ok(await rounds.extend({ ...turn, fence: turn.fence - 1 }, HOLD));
  await rounds.release(turn);
  assert.not.ok(await rounds.extend(turn, HOLD));
  assert.ok((await rounds.take('kept', HOLD)) !== null);
});

turns('are not held, nor done, from before the clock was set back', async () => {
  const { turns: rounds } = test.store;
  const turn = await rounds.take('two', HOLD);
  assert.ok(turn !== null);
  await rounds.done(turn, seconds(10));
  assert.ok(((await rounds.sinceDone('two')) ?? HOUR_MS) < HOUR_MS);
  assert.is(await rounds.take('two', HOLD), null);
  await setBack(2_000);
  assert.is(await rounds.take('two', HOLD), null, 'a clock that is put right');
  assert.is(await rounds.sinceDone('two'), null);
  await setBack(HOUR_MS);
  const next = await rounds.take('two', HOLD);
  assert.is(next?.fence, turn.fence + 1);
  assert.is(await rounds.take('two', HOLD), null);
  assert.not.ok(await rounds.isHeld(turn));
});

turns.run();
