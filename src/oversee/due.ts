/** Which circuit breakers trip, of what was counted; and whether so many have that it is a trouble of all. Pure. */
import type { Signal, Trip } from '../core/oversight.ts';
import type { Tally } from '../core/store/breakers.ts';
import type { Seconds } from '../core/time.ts';
import type { Breakers, BreakerLimit, Spike } from '../decide/bundle/breakers.ts';

export interface Counted extends Tally {
  readonly signal: Signal;
  readonly within: Seconds;
}

export type Key = Pick<Trip, 'tenant' | 'agent' | 'task'>;

export interface Due extends Key, Pick<Trip, 'breaker' | 'signal' | 'to' | 'counts'> {
  readonly limit: BreakerLimit;
}

export const keyOf = ({ tenant, agent, task }: Key): string => `${tenant} ${agent} ${task}`;

/**
 * At most one of each agent and task class at a tenant. One that blocks goes before one that asks; what stands already,
 * or is blocked, trips no further.
 */
export function due(
  { limits }: Pick<Breakers, 'limits'>,
  counted: readonly Counted[],
  standing: readonly (Key & Pick<Trip, 'to'>)[],
): readonly Due[] {
  const reached = [...limits].flatMap(([breaker, limit]) =>
    counted.filter((tally) => reaches(limit, tally)).map((tally) => ({ breaker, limit, tally })),
  );
  const keys = new Map(reached.map(({ tally }) => [keyOf(tally), tally]));
  return [...keys].flatMap(([key, { tenant, agent, task }]): Due[] => {
    const here = standing.filter((trip) => keyOf(trip) === key);
    if (here.some(({ to }) => to === 'block')) return [];
    const mine = reached.filter(({ tally }) => keyOf(tally) === key);
    const [first] = [...mine.filter(({ limit }) => limit.to === 'block'), ...mine];
    if (first === undefined || here.some(({ to }) => to === first.limit.to)) return [];
    const { breaker, limit } = first;
    return [{ tenant, agent, task, breaker, limit, signal: limit.signal, to: limit.to, counts: countsOf(mine, first) }];
  });
}

const reaches = ({ signal, within, count, tasks }: BreakerLimit, tally: Counted): boolean =>
  tally.signal === signal && tally.within === within && tally.n >= count && (tasks === null || tasks.has(tally.task));

interface Reached {
  readonly limit: BreakerLimit;
  readonly tally: Counted;
}

/** Of each kind that has reached a limit; of its own, what it was held against. */
const countsOf = (reached: readonly Reached[], first: Reached): Trip['counts'] =>
  Object.fromEntries([...reached, first].map(({ tally }) => [tally.signal, tally.n]));

export const isSpike = (spike: Spike, trips: readonly Pick<Trip, 'tenant'>[]): boolean =>
  trips.length >= spike.trips && new Set(trips.map(({ tenant }) => tenant)).size >= spike.tenants;
