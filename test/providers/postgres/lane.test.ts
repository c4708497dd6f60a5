import postgres from 'postgres';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { answersTo } from '../../../src/providers/postgres/lane.ts';

const calls = suite('what a call sends in one go');

calls('is answered whole before the call fails, so that nothing of it meets the next', async () => {
  const refusal = Object.assign(Object.create(postgres.PostgresError.prototype) as Error, { code: 'BV001' });
  const last = Promise.withResolvers<string>();
  let over = false;
  const call = answersTo([Promise.resolve(1), Promise.reject(refusal), last.promise] as const).then(
    () => null,
    (fault: unknown) => {
      over = true;
      return fault;
    },
  );
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
  assert.is(over, false);
  last.resolve('last');
  assert.is(await call, refusal);
});

calls('is answered in its order', async () => {
  assert.equal(await answersTo([Promise.resolve(1), Promise.resolve('two')] as const), [1, 'two']);
});

calls.run();
