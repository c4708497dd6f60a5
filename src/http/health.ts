/** `/healthz`: the process is up. `/readyz`: it can do its work. */
import { Hono } from 'hono';
import { isCounted, isWatched, sinceCounted } from '../broker.ts';
import { currentDeployment } from './caller.ts';
import type { Scope } from './scope.ts';
import { answer } from './wire.ts';

export const health = new Hono<Scope>();

health.get('/healthz', (c) => answer(c, { up: true }));

health.get('/readyz', async (c) => {
  const { deps } = c.var;
  const { store, node } = deps;
  const { database, migrations } = await store.ready();
  if (!database)
    return answer(
      c,
      { ready: false, database, migrations: false, policy: false, sweeper: false, breakers: false },
      503,
    );
  const { policy, inSetup, stopped } = await currentDeployment(deps);
  const sweeper = isWatched(await store.sinceBeat());
  // It is told; what is issued rests on none that has yet to trip.
  const breakers = isCounted(await sinceCounted(deps));
  const ready = migrations && policy !== null && sweeper && stopped === null;
  const state = {
    ready,
    database,
    migrations,
    policy: policy !== null,
    sweeper,
    breakers,
    set_up: inSetup,
    stopped,
    node,
  };
  return answer(c, state, ready ? 200 : 503);
});
