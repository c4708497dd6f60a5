/**
 * The plug of every provider is pulled, and a block raised over what lives at all of them. While one is out, the report
 * says what there is alive, why, and for how long, and whoever can reach it otherwise sees that it is so; when it is back,
 * what was there ends dead, whatever else is still out.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ProviderKind } from '../../../src/core/registers.ts';
import type { Serving } from '../../../src/node/serve.ts';
import { startProxy } from '../../providers/proxy.ts';
import { ask, leaseOf, routing } from '../../support/kill-agent.ts';
import type { Task } from '../../support/kill-agent.ts';
import { audit } from '../../support/kill-audit.ts';
import { callTool, killGrounds } from '../../support/kill-grounds.ts';
import type { Credential, Grounds } from '../../support/kill-grounds.ts';
import { call, must, sessionAt } from '../../support/kill-world.ts';

/** In the order in which they come back. `http` is the tool behind the gateway, `jwt` the API that is asked about its tokens. */
const PROVIDERS = ['http', 'postgres', 'jwt', 'aws', 'vault'] as const;
/** Those at whom a death is seen; a lease of the gateway is dead with the commit. */
const SEEN_AT = PROVIDERS.filter((provider) => provider !== 'http');
const EACH = 2;
/** What nobody sees dead lives so long at the least. */
const OUT_MS = 1_500;
/** The slowest pause between two tries is a minute. */
const BACK_LIMIT_MS = 120_000;

interface Held {
  readonly lease: string;
  readonly provider: ProviderKind;
  readonly credential: Credential;
  readonly taken: Credential;
}

interface Reported {
  readonly id: string;
  readonly provider: ProviderKind;
  readonly state: string;
  readonly death: { readonly how: string } | null;
  readonly exposure_ms: number | null;
  readonly why: string | null;
}

interface Progress {
  readonly over: boolean;
  readonly ended: number;
  readonly alive: number;
  readonly verified: number;
  readonly worst_exposure_ms: number;
  readonly survivors: readonly { readonly id: string; readonly why: string | null }[];
}

let grounds: Grounds;
let node: Serving;
let held: readonly Held[];
let block: string;
let raisedAt: number;

/** The way to a server, which can be cut: what was open there breaks off, and nobody gets through until it is back. */
interface Plug {
  pull(): void;
  putIn(): void;
  close(): Promise<void>;
}
const plugs = new Map<ProviderKind, Plug>();

/** Where nothing listens. */
const NOWHERE = 1;

async function plugTo(provider: ProviderKind, port: number): Promise<number> {
  const proxy = await startProxy(port);
  const { close } = proxy;
  plugs.set(provider, { pull: () => proxy.repoint(NOWHERE), putIn: () => proxy.repoint(port), close });
  return proxy.port;
}

const test = suite('the plug of every provider is pulled during a block');

test.before(async () => {
  grounds = await killGrounds(1, plugTo);
  node = await grounds.world.serve();
  const asked = PROVIDERS.flatMap((provider) => Array.from({ length: EACH }, () => provider));
  held = await Promise.all(asked.map(hold));
});

test.after(async () => {
  await node.stop();
  await Promise.all([...plugs.values()].map((plug) => plug.close()));
  await grounds.close();
});

/** At the API that is probed, whose plug can be pulled. */
const taskAt = (provider: ProviderKind): Task =>
  provider === 'jwt' ? routing('tickets-api') : grounds.at[provider].task('bystander');

async function hold(provider: ProviderKind): Promise<Held> {
  const task = taskAt(provider);
  const reply = await ask(node.url, await sessionAt(grounds.world, node.url, task.agent), task);
  assert.is(reply?.status, 201, JSON.stringify(reply));
  const credential = reply?.body['credential'] as Credential;
  const taken = await grounds.at[provider].take(credential);
  return { lease: leaseOf(reply) ?? '', provider, credential, taken };
}

const at = (provider: ProviderKind): readonly Held[] => held.filter((one) => one.provider === provider);
const plugOf = (provider: ProviderKind): Plug => {
  const plug = plugs.get(provider);
  assert.ok(plug !== undefined, `${provider} has a plug`);
  return plug;
};

/** For whoever needs no plug of Brevet's. */
const works = ({ provider, taken }: Held): Promise<boolean> => {
  const past = provider === 'postgres' ? { ...taken, port: grounds.world.client.port } : taken;
  return grounds.at[provider].works(past, node.url);
};
const working = async (provider: ProviderKind): Promise<readonly boolean[]> => Promise.all(at(provider).map(works));
const ALL_WORK = Array<boolean>(EACH).fill(true);
const NONE_WORKS = Array<boolean>(EACH).fill(false);
/** What can be used past Brevet: an API that asks, and the gateway, are Brevet's own word. */
const USED_PAST_BREVET = ['postgres', 'vault', 'aws'] as const;

async function overseer(path: string) {
  return must(node.url, 'GET', path, { token: await grounds.world.token(node.url, 'otto') });
}
const progress = async (): Promise<Progress> => (await overseer(`/api/blocks/${block}`)).body['progress'] as Progress;
const reported = async (provider: ProviderKind): Promise<readonly Reported[]> => {
  const items = (await overseer(`/api/blocks/${block}/leases`)).body['items'] as readonly Reported[];
  return items.filter((one) => one.provider === provider);
};

async function until(holds: () => Promise<boolean>, what: string): Promise<void> {
  for (const began = Date.now(); !(await holds());) {
    assert.ok(Date.now() - began < BACK_LIMIT_MS, `${what}: ${JSON.stringify(await progress())}`);
    await pause(100);
  }
}

test('with all of them out, nothing more is issued, and the report names what is alive and why', async () => {
  for (const provider of PROVIDERS) plugOf(provider).pull();
  const token = await grounds.world.token(node.url, 'otto');
  const body = { scope: 'everything', reason: 'INC-12: all of it is suspect' };
  const raised = await must(node.url, 'POST', '/api/blocks', { token, body });
  block = String(raised.body['id']);
  raisedAt = Date.parse(String(raised.body['from']));
  for (const provider of PROVIDERS) {
    const task = taskAt(provider);
    const refused = await ask(node.url, await sessionAt(grounds.world, node.url, task.agent), task);
    assert.equal([refused?.status, refused?.body['code']], [403, 'blocked'], provider);
  }
  const alive = SEEN_AT.length * EACH;
  await until(async () => {
    const { survivors } = await progress();
    return survivors.length === alive && survivors.every(({ why }) => why !== null);
  }, 'it is not known why they live');
  await pause(Math.max(0, raisedAt + OUT_MS - Date.now()));
  const seen = await progress();
  assert.equal([seen.over, seen.ended, seen.alive, seen.verified], [false, PROVIDERS.length * EACH, alive, EACH]);
  assert.ok(seen.worst_exposure_ms >= OUT_MS, 'the exposure grows while they live');
});

test('what the gateway let through is dead at once, with its tool out of reach', async () => {
  for (const { state, death, exposure_ms } of await reported('http')) {
    assert.equal([state, death?.how, exposure_ms], ['revoked', 'verified', 0]);
  }
  assert.equal(await Promise.all(at('http').map(({ credential }) => callTool(credential, node.url))), [401, 401]);
});

for (const provider of USED_PAST_BREVET) {
  test(`the report is right that what is at ${provider} lives`, async () => {
    assert.equal(await working(provider), ALL_WORK);
  });
}

const out = new Set<ProviderKind>(SEEN_AT);
for (const provider of PROVIDERS) {
  test(`${provider} is back: what is there ends dead, for as long as it was alive, and the others are waited for`, async () => {
    const mended = Date.now();
    plugOf(provider).putIn();
    out.delete(provider);
    await until(async () => (await reported(provider)).every(({ state }) => state === 'revoked'), provider);
    const dead = Date.now();
    const leases = await reported(provider);
    assert.is(leases.length, EACH);
    for (const { death, exposure_ms, why } of leases) {
      assert.equal([death?.how, why], ['verified', null]);
      if (provider === 'http') continue;
      const exposure = Number(exposure_ms);
      assert.ok(exposure >= mended - raisedAt, `${exposure} ms are less than it was out: ${mended - raisedAt}`);
      assert.ok(exposure <= dead - raisedAt, `${exposure} ms are more than have passed: ${dead - raisedAt}`);
    }
    const told = leases.map(({ exposure_ms }) => `${exposure_ms} ms`).join(', ');
    console.log(`${provider}: out for ${mended - raisedAt} ms of the block, seen dead by ${dead - raisedAt}: ${told}`);
    for (const other of out) {
      for (const { state, why } of await reported(other)) assert.ok(state === 'revoking' && why !== null, other);
    }
    for (const one of USED_PAST_BREVET) {
      assert.equal(await working(one), out.has(one) ? ALL_WORK : NONE_WORKS, one);
    }
  });
}

test('it is over, and nothing lives that Brevet calls dead or does not know', async () => {
  await until(async () => (await progress()).over, 'it is not over');
  const { ended, alive, verified } = await progress();
  assert.equal([ended, alive, verified], [held.length, 0, held.length]);
  const { orphans, undead, untold } = await audit(grounds.world, grounds.holdings());
  assert.equal({ orphans, undead, untold }, { orphans: [], undead: [], untold: [] });
  assert.is((await call(node.url, 'GET', '/readyz')).status, 200);
});

test.run();
