/** Calls that arrive while one is under way go together, and each gets its own outcome. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fulfilled, gather, rejected } from '../../src/providers/gather.ts';

const gathering = suite('gathered calls');

/** Doubles, slowly, and remembers what went together. */
function doubling({ most = 100, atOnce = 1 } = {}) {
  const batches: (readonly number[])[] = [];
  const double = gather<number, number>({ most, atOnce }, async (items) => {
    batches.push(items);
    await new Promise((resolve) => setTimeout(resolve, 5));
    return items.map((item) => (item < 0 ? rejected(new Error(`no ${item}`)) : fulfilled(item * 2)));
  });
  return { batches, double };
}

gathering('that come in one turn go at once', async () => {
  const { batches, double } = doubling();
  assert.equal(await Promise.all([1, 2, 3].map(double)), [2, 4, 6]);
  assert.equal(batches, [[1, 2, 3]]);
});

gathering('that come while one is under way wait for it', async () => {
  const { batches, double } = doubling();
  const first = double(1);
  await new Promise((resolve) => setTimeout(resolve, 1));
  assert.equal(await Promise.all([first, double(2), double(3)]), [2, 4, 6]);
  assert.equal(batches, [[1], [2, 3]]);
  assert.is(await double(4), 8);
});

gathering('are never more than told', async () => {
  const { batches, double } = doubling({ most: 2 });
  assert.equal(await Promise.all([1, 2, 3, 4, 5].map(double)), [2, 4, 6, 8, 10]);
  assert.equal(batches, [[1, 2], [3, 4], [5]]);
});

gathering('are under way in as many calls as told', async () => {
  const { batches, double } = doubling({ atOnce: 2 });
  const first = double(1);
  await new Promise((resolve) => setTimeout(resolve, 1));
  const second = double(2);
  await new Promise((resolve) => setTimeout(resolve, 1));
  assert.equal(batches, [[1], [2]]);
  assert.equal(await Promise.all([first, second, double(3), double(4)]), [2, 4, 6, 8]);
  assert.equal(batches, [[1], [2], [3, 4]]);
});

gathering('that go together leave no empty call beside theirs', async () => {
  const { batches, double } = doubling({ atOnce: 2 });
  assert.equal(await Promise.all([double(1), double(2)]), [2, 4]);
  await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal(batches, [[1, 2]]);
});

gathering('fail each for itself', async () => {
  const { double } = doubling();
  const outcomes = await Promise.allSettled([1, -2, 3].map(double));
  assert.equal(
    outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : String(outcome.reason))),
    [2, 'Error: no -2', 6],
  );
});

gathering('all fail when the whole call does, and the next ones work', async () => {
  let down = true;
  const ask = gather<number, number>({ most: 10, atOnce: 1 }, async (items) => {
    await Promise.resolve();
    if (down) throw new Error('down');
    return items.map(fulfilled);
  });
  const outcomes = await Promise.allSettled([1, 2].map(ask));
  assert.equal(
    outcomes.map(({ status }) => status),
    ['rejected', 'rejected'],
  );
  down = false;
  assert.is(await ask(3), 3);
});

gathering('that are answered too few fail rather than wait for ever', async () => {
  const ask = gather<number, number>({ most: 10, atOnce: 1 }, (items) =>
    Promise.resolve(items.slice(1).map(fulfilled)),
  );
  const outcomes = await Promise.allSettled([1, 2].map(ask));
  assert.is(outcomes[1]?.status, 'rejected');
});

gathering.run();
