/** A mint that is held up on its way to Vault: whoever fences the lease's name meanwhile is right about it for good. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Exchange, ExchangeCall } from '../../../src/core/fetch.ts';
import { ProviderUnavailable } from '../../../src/core/provider.ts';
import type { Minted, MintOrder } from '../../../src/core/provider.ts';
import { instant } from '../../../src/core/time.ts';
import type { Instant } from '../../../src/core/time.ts';
import { MINT_TOKEN_TTL } from '../../../src/providers/vault/session.ts';
import { orderFor, subjectOf, termsOf } from '../../support/target.ts';
import { login, readLogin, READS_LOGIN } from './agent.ts';
import { openDesk } from './desk.ts';
import type { Desk } from './desk.ts';

let desk: Desk;

const late = suite('a mint that is held up on its way to Vault');

late.before(async () => {
  desk = await openDesk();
});
late.after(() => desk.close());

/** The first call that fits is held until `go`. */
function gate(fits: (call: ExchangeCall) => boolean) {
  const held = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  let shut = true;
  const around =
    (exchange: Exchange): Exchange =>
    async (call) => {
      if (shut && fits(call)) {
        shut = false;
        held.resolve();
        await released.promise;
      }
      return exchange(call);
    };
  return { around, held: held.promise, go: () => released.resolve() };
}

const isWrite = (to: string) => (call: ExchangeCall) =>
  call.method === 'POST' && new URL(call.url).pathname.startsWith(`/v1/${to}`);

interface Held {
  readonly order: MintOrder;
  readonly outcome: Promise<Minted | Error>;
  /** The paused node's clock goes on. */
  setClock(now: Instant): void;
  go(): void;
}

async function holdMint(at: string): Promise<Held> {
  const { around, held, go } = gate(isWrite(at));
  let now: Instant | null = null;
  const paused = desk.another({ around, clock: () => now ?? instant(Date.now()) });
  const order = orderFor(paused, desk.target, termsOf(READS_LOGIN));
  const outcome = paused.mint(order, desk.target).catch((fault: unknown) => fault as Error);
  const ended = outcome.then((early) => Promise.reject(new Error('the mint was over before', { cause: early })));
  await Promise.race([held, ended]);
  ended.catch(() => undefined);
  return { order, outcome, go, setClock: (to) => (now = to) };
}

const seen = async (order: MintOrder) => (await desk.provider.look(subjectOf(order), desk.target)).seen;
const lives = async (order: MintOrder) => (await desk.provider.list(desk.target)).includes(order.mark);

const WRITES = [
  'auth/token/roles/brevet-acme_',
  'database/roles/brevet-acme_',
  'auth/token/create/brevet-acme_',
] as const;

for (const at of WRITES) {
  late(`is shut out by a fence before its write of ${at}`, async () => {
    const { order, outcome, go } = await holdMint(at);
    const subject = subjectOf(order);
    await desk.provider.fence(subject, desk.target);
    assert.is(await seen(order), 'gone');
    go();
    assert.instance(await outcome, ProviderUnavailable);
    assert.is(await seen(order), 'gone');
    assert.is(await lives(order), false);
    await desk.provider.unfence(subject, desk.target);
    await desk.provider.revoke(subject, desk.target);
    assert.is(await seen(order), 'gone');
    const left = await desk.vault.call('GET', 'database/roles?list=1');
    assert.not(JSON.stringify(left.body).includes(order.mark.slice(7)), 'nor is a role of it left at the engine');
  });

  late(`is too late when the fence is gone, with its write of ${at}`, async () => {
    const { order, outcome, go, setClock } = await holdMint(at);
    const subject = subjectOf(order);
    await desk.provider.fence(subject, desk.target);
    await desk.provider.unfence(subject, desk.target);
    // What Vault does by itself long before a fence is taken away.
    assert.ok((await endMintTokens()).every((ttl) => ttl === MINT_TOKEN_TTL));
    setClock(instant(order.deadline + 90_000));
    go();
    assert.instance(await outcome, ProviderUnavailable);
    assert.is(await lives(order), false);
    await desk.provider.revoke(subject, desk.target);
    assert.is(await seen(order), 'gone');
  });
}

/** @returns their explicit maximum lives: no renewal goes beyond. */
async function endMintTokens(): Promise<readonly number[]> {
  const { data } = await desk.vault.must('GET', 'auth/token/accessors?list=1');
  const ended: number[] = [];
  for (const accessor of (data?.['keys'] ?? []) as readonly string[]) {
    const found = (await desk.vault.call('POST', 'auth/token/lookup-accessor', { accessor })).body.data;
    const policies = (found?.['policies'] ?? []) as readonly string[];
    if (found?.['path'] !== 'auth/token/create' || !policies.includes('brevet-acme')) continue;
    ended.push(Number(found['explicit_max_ttl']));
    await desk.vault.must('POST', 'auth/token/revoke-accessor', { accessor });
  }
  assert.ok(ended.length > 0, 'a mint has a token of its own');
  return ended;
}

late('is found and ended where it landed before the fence, its answer lost', async () => {
  const provider = desk.another();
  const order = orderFor(provider, desk.target, termsOf(READS_LOGIN));
  const minted = await provider.mint(order, desk.target);
  await desk.provider.fence(subjectOf(order), desk.target);
  assert.ok(await readLogin(minted.credential), 'a fence ends no token');
  assert.is(await seen(order), 'present');
  await desk.provider.revoke(subjectOf(order), desk.target);
  assert.is(await seen(order), 'gone');
  assert.is(await readLogin(minted.credential), null);
  await desk.provider.unfence(subjectOf(order), desk.target);
  const roles = await desk.vault.call('GET', 'auth/token/roles?list=1');
  assert.not(JSON.stringify(roles.body).includes(order.mark.slice(7)));
});

late('is ended where no lease says what it was made as', async () => {
  const { minted, subject } = await desk.issue();
  const held = await login(desk, (await readLogin(minted.credential)) ?? NOBODY).hold('select 1');
  const orphan = { ...subject, reference: null, specification: null };
  const another = desk.another();
  assert.is((await another.look(orphan, desk.target)).seen, 'present');
  await another.revoke(orphan, desk.target);
  assert.is((await another.look(orphan, desk.target)).seen, 'gone');
  assert.is(await held.answers(), false);
  assert.equal(await another.list(desk.target), []);
  const roles = await desk.vault.call('GET', 'auth/token/roles?list=1');
  assert.not(JSON.stringify(roles.body).includes(subject.mark.slice(7)));
});

const NOBODY = { username: 'nobody', password: '' };

late('is settled by Vault where fence and mint come at once', async () => {
  const orders = Array.from({ length: 24 }, () => orderFor(desk.provider, desk.target, termsOf(READS_LOGIN)));
  const outcomes = await Promise.all(
    orders.map(async (order, place) => {
      const minting = desk.provider.mint(order, desk.target).then(
        () => true,
        (fault: unknown) => {
          assert.instance(fault, ProviderUnavailable);
          return false;
        },
      );
      await new Promise((resolve) => setTimeout(resolve, place % 12));
      await desk.another().fence(subjectOf(order), desk.target);
      const first = await seen(order);
      const landed = await minting;
      return { first, landed, afterwards: await seen(order), order };
    }),
  );
  for (const { first, landed, afterwards, order } of outcomes) {
    // Gone once is gone for good; a mint that succeeded was there.
    assert.is(first, afterwards);
    assert.is(landed, afterwards === 'present');
    await desk.provider.revoke(subjectOf(order), desk.target);
    assert.is(await seen(order), 'gone');
    await desk.provider.unfence(subjectOf(order), desk.target);
  }
});

late.run();
