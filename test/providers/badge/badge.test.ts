/** The toy keeps the contract of every provider, whole, and tells apart what it is answered. */
import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ProviderRefused, ProviderUnavailable } from '../../../src/core/provider.ts';
import type { Minted } from '../../../src/core/provider.ts';
import { Secret } from '../../../src/core/secret.ts';
import { after, instant, milliseconds, seconds } from '../../../src/core/time.ts';
import { exchangesOnNode } from '../../../src/fetch/exchange-node.ts';
import { EXTERNAL_ID, openTargetOf, orderFor, processClock, subjectOf, termsOf } from '../../support/target.ts';
import { providerContract } from '../contract.ts';
import type { Harness } from '../contract.ts';
import { startProxy } from '../proxy.ts';
import { badgeProvider } from './provider.ts';
import { openSite } from './site.ts';

/** Both ends have heard of what the network did. */
const settled = () => wait(100);

const DOORS = ['server-room', 'archive'];
const terms = termsOf({ door: '{{door}}' }, { parameters: { door: 'server-room' } });

/** Comes in and stays. @returns `null` where the door stays shut. */
async function comeIn(port: number, door: string, { code }: Minted['credential']): Promise<IncomingMessage | null> {
  if (!(code instanceof Secret)) throw new Error('a badge without a code');
  const headers = { 'x-badge': code.reveal() };
  const visit = await new Promise<IncomingMessage>((resolve, reject) => {
    const knock = request({ host: '127.0.0.1', port, path: `/doors/${door}`, method: 'POST', headers, agent: false });
    knock.on('response', resolve).on('error', reject).end();
  });
  if (visit.statusCode === 200) return visit.on('error', () => visit.destroy());
  visit.destroy();
  return null;
}

async function opens(port: number, door: string, credential: Minted['credential']): Promise<boolean> {
  const visit = await comeIn(port, door, credential);
  visit?.destroy();
  return visit !== null;
}

const keyOf = (): Secret => new Secret(randomBytes(16).toString('hex'));

const contract = suite('the provider contract, by door badges');

providerContract(contract, async (): Promise<Harness> => {
  const secret = keyOf();
  const building = await openSite(secret.reveal());
  // Takes the same key: it is another building all the same.
  const stranger = await openSite(secret.reveal());
  const proxy = await startProxy(building.port);
  const exchanges = exchangesOnNode();
  const provider = badgeProvider({ exchange: exchanges.exchange, clock: processClock, patience: milliseconds(500) });
  const config = { address: `http://127.0.0.1:${proxy.port}`, site: building.id, doors: DOORS };
  const network = (change: () => void) => async () => {
    change();
    await settled();
  };
  return {
    provider,
    target: openTargetOf(provider, config, { secret }),
    terms,
    // Whoever bears a badge walks: the network is not in their way.
    use: (credential) => opens(building.port, 'server-room', credential),
    overstep: (credential) => opens(building.port, 'archive', credential),
    hold: async (credential) => {
      const visit = await comeIn(building.port, 'server-room', credential);
      return async () => {
        await settled();
        return visit !== null && !visit.destroyed;
      };
    },
    commitRevocation: () => {},
    network: {
      stall: network(() => proxy.stall()),
      // Where nothing listens.
      cut: network(() => proxy.repoint(1)),
      repoint: network(() => proxy.repoint(stranger.port)),
      restore: network(() => {
        proxy.resume();
        proxy.repoint(building.port);
      }),
    },
    close: async () => {
      exchanges.close();
      await proxy.close();
      await Promise.all([building.close(), stranger.close()]);
    },
  };
});

contract.run();

const answers = suite('what answers a badge provider');

const SITE = '5f0c6c1e-6f4e-4c0e-9a53-6d1f2f8f3b11';
const CONFIG = { address: 'https://badges.example', site: SITE, doors: DOORS };

function answeredBy(status: number, body: string) {
  const exchange = () => Promise.resolve({ status, body });
  const provider = badgeProvider({ exchange, clock: processClock, patience: milliseconds(500) });
  const target = openTargetOf(provider, CONFIG, { secret: keyOf() });
  return { provider, target, order: orderFor(provider, target, terms) };
}

const from = (body: object): string => JSON.stringify({ site: SITE, ...body });

const NO_PROOF: readonly (readonly [what: string, status: number, body: string])[] = [
  ['a page of a proxy', 404, '<h1>not found</h1>'],
  ['nothing', 200, ''],
  ['another server that has no such badge', 200, JSON.stringify({ site: 'elsewhere', badge: null })],
  ['a server that does not say who it is', 200, JSON.stringify({ badge: null })],
  ['the building, to a path that it does not know', 404, from({})],
  ['the building, of another version', 200, from({ badges: [] })],
  ['the building, which takes the key no more', 403, from({ badge: null })],
  ['the building, in trouble', 500, from({ badge: null })],
];
for (const [what, status, body] of NO_PROOF) {
  answers(`${what}: neither dead nor alive, and no mint`, async () => {
    const { provider, target, order } = answeredBy(status, body);
    assert.is((await provider.look(subjectOf(order), target)).seen, 'unseen');
    const fault = await faultOf(provider.mint(order, target));
    assert.instance(fault, ProviderUnavailable);
    assert.not.instance(fault, ProviderRefused);
  });
}

for (const status of [409, 410, 507]) {
  answers(`${status}: this badge alone was not made`, async () => {
    const { provider, target, order } = answeredBy(status, from({}));
    assert.instance(await faultOf(provider.mint(order, target)), ProviderRefused);
  });
}

const faultOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => null,
    (fault: unknown) => fault,
  );

for (const door of ['vault', '../archive', '{{door}}']) {
  answers(`a request for the door ${door} is refused`, () => {
    const { provider, target } = answeredBy(200, '');
    const specified = provider.specify({ ...terms, parameters: { door } }, target.version);
    assert.is(!specified.ok && specified.error.code, 'invalid_parameters');
  });
}

answers('a target whose key would cross a network unprotected is refused', () => {
  const { provider, target } = answeredBy(200, '');
  const context = { tenant: target.version.tenant, publicUrl: 'https://brevet.example', externalId: EXTERNAL_ID };
  const parsed = provider.parse({ ...CONFIG, address: 'http://badges.example' }, context);
  assert.is(!parsed.ok && parsed.error.code, 'invalid_target');
});

answers.run();

const building = suite('a badge at its building');

const opened: (() => Promise<void>)[] = [];
building.after.each(async () => {
  await Promise.all(opened.splice(0).map((close) => close()));
});

async function atBuilding(clock = processClock) {
  const secret = keyOf();
  const site = await openSite(secret.reveal());
  const exchanges = exchangesOnNode();
  const provider = badgeProvider({ exchange: exchanges.exchange, clock, patience: milliseconds(500) });
  const config = { address: `http://127.0.0.1:${site.port}`, site: site.id, doors: DOORS };
  opened.push(async () => {
    exchanges.close();
    await site.close();
  });
  return { port: site.port, provider, target: openTargetOf(provider, config, { secret }) };
}

building('is seen to be used never, now, and no more', async () => {
  const { port, provider, target } = await atBuilding();
  const order = orderFor(provider, target, terms);
  const { credential } = await provider.mint(order, target);
  const seen = () => provider.activity(subjectOf(order), target);
  assert.equal(await seen(), { use: 'over', last: null });
  const visit = await comeIn(port, 'server-room', credential);
  assert.equal(await seen(), { use: 'now' });
  visit?.destroy();
  await settled();
  const over = await seen();
  assert.ok(over.use === 'over' && over.last !== null);
});

building('is not made after its deadline, whatever the clock of the broker says', async () => {
  const { provider, target } = await atBuilding(() => instant(0));
  const late = orderFor(provider, target, terms, { deadline: after(processClock(), seconds(-1)) });
  assert.instance(await faultOf(provider.mint(late, target)), ProviderRefused);
  assert.equal(await provider.list(target), []);
});

building('is not for a target with a wrong key', async () => {
  const { provider, target } = await atBuilding();
  assert.equal(await provider.check(target), []);
  const [finding] = await provider.check({ ...target, secret: keyOf() });
  assert.is(finding?.level, 'refuse');
});

building.run();
