import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { AgentName, TenantName } from '../../src/core/ids.ts';
import { instant } from '../../src/core/time.ts';
import { createRates } from '../../src/decide/rates.ts';

const who = (agent: string, tenant = 'acme') => ({ tenant: tenant as TenantName, agent: agent as AgentName });

const rates = suite('decide/rates');

rates('let a minute’s worth through at once, and then as many as the minute brings', () => {
  let now = 0;
  const { take } = createRates(() => instant(now));
  const times = (count: number) => Array.from({ length: count }, () => take(who('bot'), 6));
  assert.equal(times(8), [null, null, null, null, null, null, 10, 10]);
  now = 4_000;
  assert.is(take(who('bot'), 6), 6, 'a refusal takes nothing');
  now = 10_000;
  assert.equal(times(2), [null, 10]);
  now = 3_600_000;
  assert.equal(times(7), [null, null, null, null, null, null, 10], 'an hour brings no more than a minute');
});

rates('count each agent at each tenant by itself', () => {
  const { take } = createRates(() => instant(0));
  assert.is(take(who('bot'), 1), null);
  assert.is(take(who('bot'), 1), 60);
  assert.is(take(who('bot', 'birch'), 1), null);
  assert.is(take(who('other'), 1), null);
});

rates('follow a policy that was changed', () => {
  let now = 0;
  const { take } = createRates(() => instant(now));
  for (let time = 0; time < 60; time++) assert.is(take(who('bot'), 60), null);
  now = 30_000;
  assert.is(take(who('bot'), 2), null);
  assert.is(take(who('bot'), 2), 30);
});

rates('say a second at the least, and gain nothing by a clock that is set back', () => {
  let now = 60_000;
  const { take } = createRates(() => instant(now));
  for (let time = 0; time < 600; time++) take(who('bot'), 600);
  assert.is(take(who('bot'), 600), 1);
  now = 0;
  assert.is(take(who('bot'), 600), 1);
});

rates('remember so many agents and no more: the one unused for longest goes', () => {
  const { take } = createRates(() => instant(0), 2);
  for (const agent of ['a', 'b', 'a', 'c']) take(who(agent), 1);
  assert.is(take(who('a'), 1), 60, 'used last but one');
  assert.is(take(who('b'), 1), null, 'forgotten');
});

rates.run();
