/** Which breakers trip, of what was counted. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { AgentName, TaskName, TenantName } from '../../src/core/ids.ts';
import { seconds } from '../../src/core/time.ts';
import { breakersOf } from '../../src/decide/bundle/breakers.ts';
import { due, isSpike } from '../../src/oversee/due.ts';
import type { Counted } from '../../src/oversee/due.ts';

const BREAKERS = breakersOf({
  limits: {
    failing: { signal: 'failed', count: 3, within_minutes: 60, to: 'ask' },
    'failing-on': { signal: 'failed', count: 6, within_minutes: 60, to: 'block' },
    'failing-slowly': { signal: 'failed', count: 5, within_minutes: 1440, to: 'ask' },
    wrong: { signal: 'verdicts', count: 1, within_minutes: 60, to: 'ask' },
    busy: { signal: 'rate', count: 10, within_minutes: 10, to: 'block', tasks: ['ticket.route'] },
  },
  spike: { trips: 3, tenants: 2, within_minutes: 15 },
});

const of = (place: string) => {
  const [tenant, agent, task] = place.split(' ');
  return { tenant: tenant as TenantName, agent: agent as AgentName, task: task as TaskName };
};
const ROUTE = 'acme bot ticket.route';
const CLOSE = 'acme bot ticket.close';

type Sign = readonly [place: string, signal: Counted['signal'], minutes: number, n: number];

const TABLE: readonly (readonly [
  what: string,
  counted: readonly Sign[],
  standing: readonly (readonly [place: string, to: 'ask' | 'block'])[],
  trips: readonly string[],
])[] = [
  ['nothing', [], [], []],
  ['one fewer than the limit', [[ROUTE, 'failed', 60, 2]], [], []],
  ['the limit', [[ROUTE, 'failed', 60, 3]], [], [`${ROUTE} failing ask failed:3`]],
  ['as many within another span', [[ROUTE, 'failed', 1440, 4]], [], []],
  ['more within a longer span', [[ROUTE, 'failed', 1440, 5]], [], [`${ROUTE} failing-slowly ask failed:5`]],
  ['enough for a block', [[ROUTE, 'failed', 60, 6]], [], [`${ROUTE} failing-on block failed:6`]],
  [
    'signs of two kinds',
    [
      [ROUTE, 'failed', 60, 4],
      [ROUTE, 'verdicts', 60, 2],
    ],
    [],
    [`${ROUTE} failing ask failed:4 verdicts:2`],
  ],
  [
    'two task classes',
    [
      [ROUTE, 'failed', 60, 3],
      [CLOSE, 'failed', 60, 3],
    ],
    [],
    [`${ROUTE} failing ask failed:3`, `${CLOSE} failing ask failed:3`],
  ],
  [
    'two tenants, each for itself',
    [
      [ROUTE, 'failed', 60, 2],
      ['birch bot ticket.route', 'failed', 60, 2],
    ],
    [],
    [],
  ],
  ['what asks already', [[ROUTE, 'failed', 60, 3]], [[ROUTE, 'ask']], []],
  [
    'what asks already, and goes on',
    [[ROUTE, 'failed', 60, 6]],
    [[ROUTE, 'ask']],
    [`${ROUTE} failing-on block failed:6`],
  ],
  ['what is blocked already', [[ROUTE, 'failed', 60, 6]], [[ROUTE, 'block']], []],
  ['what is blocked already, and would ask', [[ROUTE, 'failed', 60, 3]], [[ROUTE, 'block']], []],
  ['what asks elsewhere', [[ROUTE, 'failed', 60, 3]], [[CLOSE, 'ask']], [`${ROUTE} failing ask failed:3`]],
  ['a task class that a limit is for', [[ROUTE, 'rate', 10, 10]], [], [`${ROUTE} busy block rate:10`]],
  ['one that it is not for', [[CLOSE, 'rate', 10, 99]], [], []],
];

const trips = suite('oversee/due');

for (const [what, counted, standing, expected] of TABLE) {
  trips(`${what}: ${expected.length === 0 ? 'none trips' : expected.join(', ')}`, () => {
    const tallies = counted.map(([place, signal, minutes, n]) => ({
      ...of(place),
      signal,
      within: seconds(minutes * 60),
      n,
    }));
    const stand = standing.map(([place, to]) => ({ ...of(place), to }));
    const found = due(BREAKERS, tallies, stand).map(({ tenant, agent, task, breaker, to, counts }) =>
      [tenant, agent, task, breaker, to, ...Object.entries(counts).map(([signal, n]) => `${signal}:${n}`)].join(' '),
    );
    assert.equal(found, expected);
  });
}

for (const [tenants, spikes] of [
  [[], false],
  [['acme', 'birch'], false],
  [['acme', 'acme', 'acme', 'acme'], false],
  [['acme', 'acme', 'birch'], true],
] as const) {
  trips(`trips at ${tenants.join(', ') || 'no tenant'} are ${spikes ? 'a' : 'no'} spike`, () => {
    const begun = tenants.map((tenant) => ({ tenant: tenant as TenantName }));
    assert.is(BREAKERS.spike !== null && isSpike(BREAKERS.spike, begun), spikes);
  });
}

trips.run();
