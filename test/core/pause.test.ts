import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { pause } from '../../src/core/pause.ts';

const AN_HOUR = 3_600_000;
const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;

const pauses = suite('pauses');

pauses('end with what they wait for, and leave no timer', async () => {
  const over = new AbortController();
  const paused = pause(AN_HOUR, over.signal);
  over.abort();
  await paused;
  assert.is(timers(), 0);
});

pauses('end with the first of what they wait for, whichever that is', async () => {
  for (const first of [0, 1]) {
    const overs = [new AbortController(), new AbortController()];
    const paused = pause(AN_HOUR, ...overs.map(({ signal }) => signal));
    overs[first]?.abort();
    await paused;
    assert.is(timers(), 0);
  }
});

pauses('do not begin for what is over', async () => {
  await pause(AN_HOUR, AbortSignal.abort());
  await pause(AN_HOUR, undefined, AbortSignal.abort());
  assert.is(timers(), 0);
});

pauses('end by themselves', () => pause(1));

pauses.run();
