/** The database's clock on a machine whose own clock is set, or that sleeps: PITFALLS 38. */
import { setImmediate as turn } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { milliseconds } from '../../src/core/time.ts';
import { databaseClock } from '../../src/node/clock.ts';

const HOUR = 3_600_000;
const NOW = 1_800_000_000_000;

/** A machine, and a database 7 s ahead of it that nobody sets. */
async function machine() {
  const at = { database: NOW + 7_000, wall: NOW, steady: 5.5, isAway: false, measured: 0 };
  const warned: string[] = [];
  const store = {
    async clockOffset() {
      at.measured++;
      if (at.isAway) throw new Error('the database is away');
      return milliseconds(at.database - at.wall);
    },
  };
  const own = { wall: () => at.wall, steady: () => at.steady };
  const { clock, stop } = await databaseClock(store, { warn: (event) => warned.push(event) }, own);
  stop();
  const pass = (ms: number): void => {
    for (const one of ['database', 'wall', 'steady'] as const) at[one] += ms;
  };
  return { at, clock, pass, warned };
}

const clocks = suite('a node’s clock');

clocks('is the database’s, in whole milliseconds', async () => {
  const { at, clock, pass } = await machine();
  assert.is(clock(), at.database);
  pass(12_345);
  assert.is(clock(), at.database);
  assert.is(at.measured, 1);
});

for (const jump of [HOUR, -HOUR, 700, -700]) {
  clocks(`does not move when the machine’s is set by ${jump} ms, and is measured once more`, async () => {
    const { at, clock, pass } = await machine();
    at.wall += jump;
    assert.is(clock(), at.database);
    assert.is(clock(), at.database);
    await turn();
    pass(2_000);
    assert.is(clock(), at.database);
    assert.is(at.measured, 2);
  });
}

clocks('is right again once a machine that slept has asked', async () => {
  const { at, clock } = await machine();
  at.database += HOUR;
  at.wall += HOUR;
  clock();
  await turn();
  assert.is(clock(), at.database);
});

clocks('goes on while the database is away, and asks it once a second', async () => {
  const { at, clock, pass, warned } = await machine();
  at.isAway = true;
  at.wall += HOUR;
  for (let tick = 0; tick < 20; tick++) {
    assert.is(clock(), at.database);
    await turn();
    pass(100);
  }
  assert.is(at.measured, 3);
  assert.equal(warned, ['clock.not_measured', 'clock.not_measured']);
});

clocks.run();
