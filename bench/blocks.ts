/** The kill switch: over ten thousand live tokens, and over a thousand logins beside the bare statements that end them. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { fillLive, liftAll } from './fill.ts';
import { alternate, ratioOf, rowOf } from './figures.ts';
import type { Contender } from './figures.ts';
import { bareEnds } from './load/bare.ts';
import type { Plan } from './plan.ts';
import { freePort, startBrevet } from './servers.ts';
import type { BrevetServer } from './servers.ts';
import { ADMIN, DATABASE, GROUP, prepare, startShop, target, verifierOf } from './shop.ts';
import type { Outcome } from './tokens.ts';
import { AGENT, agentSession, newAgentKey, operatorToken, populate, send, SERVICE_DESK, TENANT } from './world.ts';
import type { AgentKey } from './world.ts';

const TOKENS = 10_000;
const LOGINS = 1_000;
/** Each login may take one, and the administrators keep some. */
const CONNECTIONS = 1_100;
const AT_ONCE = 32;
/** A round is one block over all of them; more say no more. */
const ROUNDS = 3;
/** The broker waits so long in one answer. */
const WAIT_S = 30;

interface Blocked {
  /** Milliseconds from the request until its answer: from its commit on everything is refused. */
  readonly committed: number;
  /** Until all of it was seen dead, by the records of both ends. */
  readonly dead: number;
}

export async function measureBlocks(folder: string, plan: Plan): Promise<Outcome> {
  const port = await freePort();
  const shop = await startShop(join(folder, 'client'), port, CONNECTIONS);
  const broker = await startBrevet({ dataDir: join(folder, 'broker'), without: 'hashing' });
  try {
    const password = randomBytes(24).toString('base64url');
    const key = newAgentKey();
    const { config, ...rest } = target(port, password, await prepare(shop, password), 4096);
    await populate(broker, key, { shop: { ...rest, config: { ...config, connection_limit: 1 } } });
    const admin = { host: '127.0.0.1', port, database: DATABASE, user: ADMIN, password };
    const bare = { verifier: verifierOf(4096), group: GROUP, connections: AT_ONCE, count: LOGINS };
    const contenders: Contender<Blocked>[] = [
      { name: 'tokens', run: () => blockTokens(broker, key) },
      { name: 'logins', run: () => blockLogins(broker, key) },
      { name: 'bare', run: async () => ({ committed: 0, dead: await bareEnds(admin, bare) }) },
    ];
    return outcomeOf(await alternate(Math.min(ROUNDS, plan.rounds), contenders, plan.told));
  } finally {
    await broker.stop();
    await shop.stop();
  }
}

function outcomeOf(results: ReadonlyMap<string, readonly Blocked[]>): Outcome {
  const of = (name: string, field: keyof Blocked): number[] => (results.get(name) ?? []).map((one) => one[field]);
  const rate = (name: string): number[] => of(name, 'dead').map((ms) => (LOGINS * 1000) / ms);
  return {
    rows: [
      rowOf(
        'block_tokens_refused',
        `a block over ${TOKENS} live tokens: until all are refused`,
        'ms',
        of('tokens', 'committed'),
      ),
      rowOf('block_tokens_dead', 'until each is revoked and written down', 'ms', of('tokens', 'dead')),
      rowOf(
        'block_logins_refused',
        `a block over ${LOGINS} logins: until nothing more is issued`,
        'ms',
        of('logins', 'committed'),
      ),
      rowOf('block_logins', 'logins ended by it and proven dead', 'per second', rate('logins')),
      rowOf('bare_ends', `the bare statements that end one; ${AT_ONCE} at once`, 'per second', rate('bare')),
    ],
    ratios: { block_logins_over_bare: ratioOf(rate('logins'), rate('bare')) },
  };
}

async function blockTokens(broker: BrevetServer, key: AgentKey): Promise<Blocked> {
  await ask(broker, await agentSession(broker, key), {
    task: 'ticket.route',
    resource: `${SERVICE_DESK}/BEN-1`,
    parameters: { ticket: 'BEN-1', queue: 'network' },
    reason: 'The ticket names a switch',
  });
  await fillLive(broker, TOKENS - 1);
  return block(broker, { scope: 'agent', name: AGENT }, TOKENS);
}

async function blockLogins(broker: BrevetServer, key: AgentKey): Promise<Blocked> {
  const token = await agentSession(broker, key);
  let left = LOGINS;
  const caller = async (): Promise<void> => {
    while (left-- > 0)
      await ask(broker, token, { task: 'report.query', resource: 'shop', reason: 'The report is due' });
  };
  await Promise.all(Array.from({ length: AT_ONCE }, caller));
  return block(broker, { scope: 'provider', name: 'postgres' }, LOGINS);
}

const ask = (broker: BrevetServer, token: string, body: object): Promise<unknown> =>
  send(broker, 'POST', `/t/${TENANT}/requests`, body, token);

interface Progress {
  readonly over: boolean;
  readonly ended: number;
  readonly verified: number;
  readonly took_ms: number;
}

async function block(broker: BrevetServer, of: object, wanted: number): Promise<Blocked> {
  const token = await operatorToken(broker, 'otto');
  const asked = performance.now();
  const { id } = await send(broker, 'POST', '/api/blocks', { ...of, reason: 'It is measured' }, token);
  const committed = performance.now() - asked;
  const path = `/api/blocks/${String(id)}?wait=${WAIT_S}`;
  const { progress } = (await send(broker, 'GET', path, undefined, token)) as unknown as {
    readonly progress: Progress;
  };
  if (!progress.over || progress.verified !== wanted) throw new Error(`a block ended ${JSON.stringify(progress)}`);
  await liftAll(broker);
  return { committed, dead: progress.took_ms };
}
