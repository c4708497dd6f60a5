import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { At } from '../../src/core/breakers.ts';
import { instant } from '../../src/core/time.ts';
import { createBreakers } from '../../src/issue/breakers.ts';

const breakers = suite('issue/breakers');

const AT = { tenant: 'acme', target: 'db', targetVersion: 1 } as At;
const OTHER = { ...AT, tenant: 'birch' } as At;
const REPOINTED: At = { ...AT, targetVersion: 2 };

function opened() {
  let now = 1_000_000;
  const made = createBreakers(() => instant(now));
  return {
    ...made,
    passes: (ms: number) => (now += ms),
    times: (n: number, act: () => void) => {
      while (n-- > 0) act();
    },
  };
}

breakers('give a target more with each answer, up to a limit, and no other', () => {
  const { answered, shares, times } = opened();
  times(4, () => answered(AT));
  assert.equal(shares(), { 'acme db 1': 12 });
  times(1_000, () => answered(AT));
  assert.equal(shares(), { 'acme db 1': 128 });
});

breakers('leave one piece at a time to a target that does not answer, until it does', () => {
  const { answered, failed, shares, times } = opened();
  failed(AT);
  assert.equal(shares(), { 'acme db 1': 4 });
  times(2, () => failed(AT));
  assert.equal(shares(), { 'acme db 1': 1 });
  answered(AT);
  assert.equal(shares(), {}, 'it begins again');
});

breakers('rest what failed three times in a row, for longer each time, up to half a minute', () => {
  const { failed, rests, passes, times } = opened();
  times(2, () => failed(AT));
  assert.is(rests(AT), null);
  failed(AT);
  assert.is(rests(AT), 1);
  assert.is(rests(OTHER), null);
  assert.is(rests(REPOINTED), null);
  passes(1_000);
  assert.is(rests(AT), null, 'then it is tried');
  failed(AT);
  assert.is(rests(AT), 2);
  times(20, () => failed(AT));
  assert.is(rests(AT), 30);
});

breakers('rest nothing that has answered since', () => {
  const { answered, failed, rests, times } = opened();
  times(5, () => failed(AT));
  answered(AT);
  assert.is(rests(AT), null);
});

breakers.run();
