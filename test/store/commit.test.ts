import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Unmet } from '../../src/core/change.ts';
import { makeEntry } from '../../src/core/entry.ts';
import type { EntryDraft } from '../../src/core/entry.ts';
import type { LeaseId, TenantName } from '../../src/core/ids.ts';
import { newId } from '../../src/core/ids.ts';
import type { LeaseState } from '../../src/core/lease.ts';
import type { Committed } from '../../src/core/change.ts';
import type { Result } from '../../src/core/result.ts';
import type { Epochs } from '../../src/core/snapshot.ts';
import type { Store } from '../../src/core/store.ts';
import { instant, seconds } from '../../src/core/time.ts';
import { approvalOf, deathOf, entryOf, epochsOf, move, opening, requestAt, send, whenOf } from '../support/lives.ts';
import type { OpenOptions } from '../support/lives.ts';
import { withAdmin } from '../support/postgres.ts';
import { ACME, agentOf, BIRCH, random, testStore, TICKETS, TRIAGE } from '../support/store.ts';
import type { TestStore } from '../support/store.ts';

let test: TestStore;
let store: Store;
const before = async () => {
  test = await testStore();
  store = test.store;
};

const outcomeOf = (result: Result<Committed, Unmet>): string => (result.ok ? 'done' : result.error.unmet);

async function open(options: Partial<OpenOptions> = {}): Promise<LeaseId> {
  const life = opening({ epochs: await epochsOf(store, options.tenant), ...options });
  assert.is(outcomeOf(await send(store, life)), 'done');
  return life.change.lease.id;
}

async function count(table: string): Promise<number> {
  const [row] = await withAdmin(test.database.admin, (sql) => sql`select count(*)::int as n from ${sql(table)}`);
  return row?.['n'] as number;
}

const admission = suite('admission');
admission.before(before);
admission.after(() => test.close());

admission('keeps a lease, its request and its entries as they were given', async () => {
  const life = opening({ epochs: await epochsOf(store), jti: 'kept', secret: 'aa.bb.cc' });
  const { lease, request } = life.change;
  const committed = await send(store, life);
  assert.ok(committed.ok && committed.value.receipts.length === 2);
  const kept = await store.lease(ACME, lease.id);
  assert.equal(kept, {
    ...lease,
    state: 'active',
    secret: 'aa.bb.cc',
    activeAt: lease.openedAt,
    reference: null,
    revokingAt: null,
    cause: null,
    death: null,
    exposure: null,
    outcome: null,
    used: 0,
    usedAt: null,
    block: null,
    lookAt: null,
    tenantEpoch: life.change.when.epochs.tenant,
    deploymentEpoch: life.change.when.epochs.deployment,
  });
  assert.equal(await store.request(ACME, request.id), { ...request, tenant: ACME, lease: lease.id, approval: null });
  const entries = await store.entries(ACME, { lease: lease.id });
  assert.equal(
    entries.map(({ id, kind, text, leaf, said }) => ({ id, kind, text, leaf, said })),
    life.entries.map(({ id, kind, text, leaf }) => ({ id, kind, text, leaf, said: { reason: 'because' } })),
  );
});

admission('spends an assertion once', async () => {
  const epochs = await epochsOf(store);
  assert.is(outcomeOf(await send(store, opening({ epochs, jti: 'once' }))), 'done');
  assert.is(outcomeOf(await send(store, opening({ epochs, jti: 'once' }))), 'replayed');
  const tenant = BIRCH;
  const elsewhere = opening({ epochs: await epochsOf(store, tenant), tenant, jti: 'once' });
  assert.is(outcomeOf(await send(store, elsewhere)), 'done');
});

admission('takes no assertion that is over, since whether it was used is forgotten by then', async () => {
  const { change, entries } = opening({ epochs: await epochsOf(store), jti: 'late' });
  const spending = (until: number) => ({ client: TRIAGE, jti: 'late', until: instant(Date.now() + until) });
  const late = { ...change, when: { ...change.when, oneUse: spending(-1_000) } };
  assert.is(outcomeOf(await send(store, { change: late, entries })), 'replayed');
  const inTime = { ...change, when: { ...change.when, oneUse: spending(60_000) } };
  assert.is(outcomeOf(await send(store, { change: inTime, entries })), 'done');
});

admission('gives one of many with the same assertion, at once and on two nodes, its lease', async () => {
  const other = await test.open();
  const epochs = await epochsOf(store);
  const tries = Array.from({ length: 40 }, (_, at) =>
    send(at % 2 === 0 ? store : other, opening({ epochs, jti: 'raced' })),
  );
  const outcomes = (await Promise.all(tries)).map(outcomeOf);
  assert.is(outcomes.filter((outcome) => outcome === 'done').length, 1);
  assert.is(outcomes.filter((outcome) => outcome === 'replayed').length, 39);
});

admission('refuses what was decided under epochs that have moved, and spends nothing', async () => {
  const before = await epochsOf(store);
  const leases = await count('leases');
  await test.change({ kind: 'agent.put', agent: agentOf(TRIAGE) });
  assert.is(outcomeOf(await send(store, opening({ epochs: before, jti: 'moved' }))), 'moved');
  const stale = { ...(await epochsOf(store)), tenant: before.tenant - 1 };
  assert.is(outcomeOf(await send(store, opening({ epochs: stale, jti: 'moved' }))), 'moved');
  assert.is(await count('leases'), leases);
  assert.is(outcomeOf(await send(store, opening({ epochs: await epochsOf(store), jti: 'moved' }))), 'done');
});

admission('opens no lease that is over before it began', async () => {
  const epochs = await epochsOf(store);
  assert.is(outcomeOf(await send(store, opening({ epochs, ttl: -1000 }))), 'moved');
});

admission('answers a claimed idempotency key with what it was claimed for, and spends the assertion', async () => {
  const epochs = await epochsOf(store);
  const idempotency = { principal: TRIAGE, route: 'POST requests', key: 'k', digest: 'd' };
  const first = opening({ epochs, idempotency });
  assert.is(outcomeOf(await send(store, first)), 'done');
  const request = first.change.request.id;
  const again = await send(store, opening({ epochs, idempotency, jti: 'spent anyway' }));
  assert.equal(again, { ok: false, error: { unmet: 'claimed', same: true, request, done: null } });
  const other = await send(store, opening({ epochs, idempotency: { ...idempotency, digest: 'e' } }));
  assert.equal(other, { ok: false, error: { unmet: 'claimed', same: false, request, done: null } });
  assert.is(outcomeOf(await send(store, opening({ epochs, jti: 'spent anyway' }))), 'replayed');
  const tenant = BIRCH;
  const elsewhere = opening({ epochs: await epochsOf(store, tenant), tenant, idempotency });
  assert.is(outcomeOf(await send(store, elsewhere)), 'done');
});

admission('gives one of many with the same idempotency key its lease', async () => {
  const epochs = await epochsOf(store);
  const idempotency = { principal: TRIAGE, route: 'POST requests', key: 'raced', digest: 'd' };
  const other = await test.open();
  const tries = Array.from({ length: 20 }, (_, at) =>
    send(at % 2 === 0 ? store : other, opening({ epochs, idempotency })),
  );
  const outcomes = (await Promise.all(tries)).map(outcomeOf);
  assert.is(outcomes.filter((outcome) => outcome === 'done').length, 1);
  assert.is(outcomes.filter((outcome) => outcome === 'claimed').length, 19);
});

admission('writes asks and refusals, and sessions that only spend', async () => {
  const when = whenOf({ epochs: await epochsOf(store), jti: 'asks' });
  const asked = { ...requestAt(), effect: 'ask' } as const;
  const approval = approvalOf(asked);
  const ask = { kind: 'request.ask', tenant: ACME, when, request: asked, approval, work: [] } as const;
  assert.is(outcomeOf(await store.commit(ask, [entryOf('request.asked')])), 'done');
  const kept = await store.request(ACME, asked.id);
  assert.equal(kept?.approval, await store.approval(ACME, approval.id));
  assert.equal([kept?.approval?.id, kept?.approval?.state, kept?.approval?.step], [approval.id, 'pending', 0]);
  const refused = { ...requestAt(), effect: 'forbid' } as const;
  const free = whenOf({ epochs: when.epochs });
  const refusal = { kind: 'request.refuse', tenant: ACME, when: free, request: refused, work: [] } as const;
  assert.is(outcomeOf(await store.commit(refusal, [entryOf('request.forbidden')])), 'done');
  assert.is((await store.request(ACME, refused.id))?.effect, 'forbid');
  assert.is(outcomeOf(await store.commit({ kind: 'session.open', tenant: ACME, when }, [])), 'replayed');
});

admission('harms nobody else by a row that the database refuses', async () => {
  const epochs = await epochsOf(store);
  const known = opening({ epochs });
  assert.is(outcomeOf(await send(store, known)), 'done');
  const good = Array.from({ length: 20 }, () => opening({ epochs }));
  const results = await Promise.allSettled(
    [...good, known, ...good.map(() => opening({ epochs }))].map((life) => send(store, life)),
  );
  const faults = results.filter(({ status }) => status === 'rejected').length;
  const done = results.filter((result) => result.status === 'fulfilled' && result.value.ok).length;
  assert.equal({ faults, done }, { faults: 1, done: 40 });
});

admission('takes no fact without its entry, and none of another ledger', async () => {
  const life = opening({ epochs: await epochsOf(store) });
  const rejected = async (entries: typeof life.entries) =>
    store.commit(life.change, entries).then(
      () => 'taken',
      (fault: unknown) => (fault instanceof TypeError ? 'refused' : String(fault)),
    );
  assert.is(await rejected([]), 'refused');
  assert.is(await rejected([entryOf('lease.active', BIRCH)]), 'refused');
  assert.is(await store.lease(ACME, life.change.lease.id), null);
});

admission('refuses a NUL before it reaches a batch', async () => {
  const life = opening({ epochs: await epochsOf(store) });
  const change = { ...life.change, request: { ...life.change.request, resource: 'a\u0000b' } };
  const refused = await store.commit(change, life.entries).catch((fault: unknown) => fault);
  assert.instance(refused, TypeError);
});

admission('works by ones, as on Workers', async () => {
  const one = await test.open({ mode: 'workers', checked: true });
  const epochs = await epochsOf(one);
  const outcomes = await Promise.all(Array.from({ length: 5 }, () => send(one, opening({ epochs, jti: 'by ones' }))));
  assert.equal(outcomes.map(outcomeOf).toSorted(), ['done', 'replayed', 'replayed', 'replayed', 'replayed']);
});

admission.run();

const moves = suite('moves');
moves.before(before);
moves.after(() => test.close());

const PATHS: Readonly<Record<LeaseState, readonly Parameters<typeof move>[0][]>> = {
  opening: [],
  active: ['activate'],
  revoking: ['revoke'],
  revoked: ['revoke', 'bury'],
  failed: ['fail'],
};
const ALLOWED: Readonly<Record<Parameters<typeof move>[0], readonly LeaseState[]>> = {
  activate: ['opening'],
  fail: ['opening'],
  revoke: ['opening', 'active'],
  die: ['opening', 'active'],
  land: ['revoking'],
  bury: ['revoking'],
  report: ['revoking', 'revoked'],
};

for (const [kind, from] of Object.entries(ALLOWED) as [Parameters<typeof move>[0], readonly LeaseState[]][]) {
  moves(`${kind} only from ${from.join(' or ')}`, async () => {
    const epochs = await epochsOf(store);
    for (const [state, path] of Object.entries(PATHS) as [LeaseState, readonly Parameters<typeof move>[0][]][]) {
      const lease = await open({ state: 'opening' });
      for (const step of path) assert.is(outcomeOf(await send(store, move(step, lease, epochs))), 'done');
      const written = await count('entries');
      const moved = await send(store, move(kind, lease, epochs));
      const expected = from.includes(state) ? 'done' : 'state';
      assert.is(outcomeOf(moved), expected, `${kind} from ${state}`);
      if (!moved.ok) assert.equal(moved.error, { unmet: 'state', state });
      assert.is((await count('entries')) - written, moved.ok ? 1 : 0, 'an entry with its change, and none without');
    }
  });
}

moves('of a lease that is not there, or another tenant’s, find nothing', async () => {
  const lease = await open();
  const stranger = await send(store, move('revoke', lease, await epochsOf(store), { tenant: BIRCH }));
  assert.equal(stranger, { ok: false, error: { unmet: 'state', state: null } });
  assert.is((await store.lease(ACME, lease))?.state, 'active');
});

moves('activates only while the epochs stand', async () => {
  const before = await epochsOf(store);
  const lease = await open({ state: 'opening' });
  await test.change({ kind: 'agent.put', agent: agentOf(TRIAGE) });
  assert.is(outcomeOf(await send(store, move('activate', lease, before))), 'moved');
  assert.is((await store.lease(ACME, lease))?.state, 'opening');
  assert.is(outcomeOf(await send(store, move('activate', lease, await epochsOf(store)))), 'done');
});

moves('activates nothing that is over before its mint has landed', async () => {
  const lease = await open({ state: 'opening', ttl: 300 });
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.is(outcomeOf(await send(store, move('activate', lease, await epochsOf(store)))), 'state');
  assert.is((await store.lease(ACME, lease))?.state, 'opening');
});

moves('count no use of what is over', async () => {
  const lease = await open({ ttl: 1_000 });
  const use = async () => {
    const change = {
      kind: 'lease.use',
      tenant: ACME,
      lease,
      epochs: await epochsOf(store),
      at: instant(Date.now()),
    } as const;
    return outcomeOf(await send(store, { change, entries: [entryOf('lease.used', ACME, lease)] }));
  };
  assert.is(await use(), 'done');
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  assert.is(await use(), 'state');
  assert.is((await store.lease(ACME, lease))?.used, 1);
});

moves('forgets the secret of what is dead', async () => {
  const lease = await open({ secret: 'aa.bb.cc' });
  const epochs = await epochsOf(store);
  await send(store, move('revoke', lease, epochs));
  assert.is((await store.lease(ACME, lease))?.secret, 'aa.bb.cc');
  await send(store, move('bury', lease, epochs));
  const dead = await store.lease(ACME, lease);
  assert.is(dead?.secret, null);
  assert.is(dead?.exposure, 5);
  assert.is(dead?.death?.how, 'verified');
});

moves('land once, on what was never active, and write over nothing', async () => {
  const epochs = await epochsOf(store);
  const ending = async (steps: readonly Parameters<typeof move>[0][]) => {
    const lease = await open({ state: 'opening' });
    for (const step of steps) assert.is(outcomeOf(await send(store, move(step, lease, epochs))), 'done');
    return lease;
  };
  const lease = await ending(['revoke']);
  const land = move('land', lease, epochs);
  assert.is(outcomeOf(await send(store, land)), 'done');
  const landed = await store.lease(ACME, lease);
  assert.equal([landed?.state, landed?.reference, landed?.secret], ['revoking', { found_by: 'this' }, 'aa.bb.dd']);
  assert.is(landed?.activeAt, null);
  const another = { ...land.change, reference: { found_by: 'that' } } as typeof land.change;
  assert.is(outcomeOf(await store.commit(another, [entryOf('lease.landed')])), 'state');
  assert.equal((await store.lease(ACME, lease))?.reference, { found_by: 'this' });
  // What an agent reported of its work meanwhile is no reason against it.
  const reported = await ending(['revoke', 'report']);
  assert.is(outcomeOf(await send(store, move('land', reported, epochs))), 'done');
});

moves('lets one of many that race for a lease have it', async () => {
  const other = await test.open();
  const epochs = await epochsOf(store);
  for (let round = 0; round < 20; round++) {
    const lease = await open({ state: 'opening' });
    const tries = (['activate', 'fail', 'activate', 'fail', 'activate', 'fail'] as const).map((kind, at) =>
      send(at % 2 === round % 2 ? store : other, move(kind, lease, epochs)),
    );
    const outcomes = (await Promise.all(tries)).map(outcomeOf);
    assert.equal(outcomes.toSorted(), ['done', 'state', 'state', 'state', 'state', 'state']);
  }
});

moves('are done only by the attempt that holds the work, which goes with them', async () => {
  const lease = await open();
  const epochs = await epochsOf(store);
  const revoke = move('revoke', lease, epochs);
  const at = instant(Date.now() - 1000);
  const work = [
    { id: newId('wrk', at, random), due: at, what: { task: 'kill', tenant: ACME, lease, target: TICKETS } as const },
  ];
  const change = { ...revoke.change, work } as typeof revoke.change;
  assert.is(outcomeOf(await store.commit(change, revoke.entries)), 'done');
  const [older] = await store.claim(1, 1, seconds(0));
  const [newer] = await store.claim(1, 1, seconds(60));
  assert.ok(older !== undefined && newer !== undefined && older.work === newer.work);
  const bury = move('bury', lease, epochs);
  const buriedBy = (fence: typeof older) =>
    store.commit({ ...bury.change, fence } as typeof bury.change, [entryOf('lease.revoked')]);
  assert.is(outcomeOf(await buriedBy(older)), 'fenced');
  assert.is((await store.lease(ACME, lease))?.state, 'revoking');
  assert.is(await count('work'), 1);
  assert.is(outcomeOf(await buriedBy(newer)), 'done');
  assert.is(await count('work'), 0);
});

moves('take with them the work that has nothing left to do, and no other', async () => {
  const epochs = await epochsOf(store);
  const at = instant(Date.now() + 60_000);
  for (const [kind, state] of [
    ['activate', 'opening'],
    ['bury', 'active'],
  ] as const) {
    const [over, other] = [newId('wrk', at, random), newId('wrk', at, random)];
    const what = { task: 'kill', tenant: ACME, lease: newId('lse', at, random), target: TICKETS } as const;
    const work = [over, other].map((id) => ({ id, due: at, what }));
    const life = opening({ epochs, state, work });
    assert.is(outcomeOf(await send(store, life)), 'done');
    const lease = life.change.lease.id;
    if (kind === 'bury') await send(store, move('revoke', lease, epochs));
    const { change } = move(kind, lease, epochs);
    assert.is(outcomeOf(await store.commit({ ...change, over } as typeof change, [entryOf('lease.active')])), 'done');
    const left = await withAdmin(test.database.admin, (sql) => sql`delete from work returning id`);
    assert.equal([...left], [{ id: other }]);
  }
});

moves('keep what the agent said of its work apart, once', async () => {
  const lease = await open();
  const epochs = await epochsOf(store);
  await send(store, move('revoke', lease, epochs));
  assert.is(outcomeOf(await send(store, move('report', lease, epochs))), 'done');
  assert.is((await store.lease(ACME, lease))?.outcome?.outcome, 'succeeded');
  assert.is(outcomeOf(await send(store, move('report', lease, epochs))), 'state');
  assert.is(deathOf().how, 'verified');
});

moves.run();

const uses = suite('uses');
uses.before(before);
uses.after(() => test.close());

async function use(lease: LeaseId, epochs: Epochs): Promise<string> {
  const change = { kind: 'lease.use', tenant: ACME, lease, epochs, at: instant(1_700_000_000_000) } as const;
  return outcomeOf(await store.commit(change, [entryOf('lease.used', ACME, lease)]));
}

uses('are counted of what is active alone, each with its entry, and change nothing else', async () => {
  const epochs = await epochsOf(store);
  for (const [state, path] of Object.entries(PATHS) as [LeaseState, readonly Parameters<typeof move>[0][]][]) {
    const lease = await open({ state: 'opening' });
    for (const step of path) assert.is(outcomeOf(await send(store, move(step, lease, epochs))), 'done');
    const before = await store.lease(ACME, lease);
    const written = await count('entries');
    const isActive = state === 'active';
    assert.is(await use(lease, epochs), isActive ? 'done' : 'state', state);
    const used = isActive ? { used: 1, usedAt: instant(1_700_000_000_000) } : {};
    assert.equal(await store.lease(ACME, lease), { ...before, ...used });
    assert.is((await count('entries')) - written, isActive ? 1 : 0);
  }
});

uses('are as many as were given, however many are asked for at once', async () => {
  const epochs = await epochsOf(store);
  const life = opening({ epochs });
  const change = { ...life.change, lease: { ...life.change.lease, uses: 3 } };
  assert.is(outcomeOf(await store.commit(change, life.entries)), 'done');
  const outcomes = await Promise.all(Array.from({ length: 8 }, () => use(change.lease.id, epochs)));
  assert.is(outcomes.filter((outcome) => outcome === 'done').length, 3);
  assert.is(outcomes.filter((outcome) => outcome === 'state').length, 5);
  assert.is((await store.lease(ACME, change.lease.id))?.used, 3);
});

uses('end with the lease, and rest on the epochs', async () => {
  const before = await epochsOf(store);
  const over = await open();
  await withAdmin(test.database.admin, (sql) => sql`update leases set expires_at = brevet_now() where id = ${over}`);
  assert.is(await use(over, before), 'state');
  const lease = await open();
  await test.change({ kind: 'agent.put', agent: agentOf(TRIAGE) });
  assert.is(await use(lease, before), 'moved');
  assert.is((await store.lease(ACME, lease))?.used, 0);
});

uses.run();

const notes = suite('notes');
notes.before(before);
notes.after(() => test.close());

notes('are facts whatever has moved, and none where there is no tenant', async () => {
  const entry = entryOf('gateway.answered');
  await test.change({ kind: 'agent.put', agent: agentOf(TRIAGE) });
  const written = await store.commit({ kind: 'ledger.note', tenant: ACME }, [entry, entryOf('gateway.answered')]);
  assert.ok(written.ok && written.value.receipts.length === 2);
  const before = await count('entries');
  const gone = 'gone' as TenantName;
  const nowhere = await store.commit({ kind: 'ledger.note', tenant: gone }, [entryOf('gateway.answered', gone)]);
  assert.is(outcomeOf(nowhere), 'state');
  await withAdmin(test.database.admin, (sql) => sql`update tenants set retired = true where name = ${BIRCH}`);
  const retired = await store.commit({ kind: 'ledger.note', tenant: BIRCH }, [entryOf('gateway.answered', BIRCH)]);
  assert.is(outcomeOf(retired), 'state');
  assert.is(await count('entries'), before);
});

notes('are kept byte for byte, and a NUL is refused before it reaches a batch', async () => {
  const noteOf = (facts: EntryDraft['facts']) => {
    const by = { kind: 'broker', name: 'test' } as const;
    const at = instant(Date.now());
    const draft = { tenant: ACME, kind: 'gateway.answered', at, actor: by, accountable: null, inSetup: false } as const;
    return makeEntry({ ...draft, facts }, random);
  };
  const odd = noteOf({ b: '"\\u0041 \\\\ \u2028\u00e9\u{1f600}\n', a: [1e21, { z: null, y: ' ,"text":{}}' }] });
  const bad = noteOf({ a: '\0' });
  const [kept, refused] = await Promise.allSettled(
    [odd, bad].map((entry) => store.commit({ kind: 'ledger.note', tenant: ACME }, [entry])),
  );
  assert.instance(refused?.status === 'rejected' ? refused.reason : null, TypeError);
  assert.is(kept?.status, 'fulfilled');
  const [row] = await withAdmin(
    test.database.admin,
    (sql) => sql`select text, encode(leaf, 'hex') as leaf from entries where id = ${odd.id}`,
  );
  assert.equal({ ...row }, { text: odd.text, leaf: odd.leaf });
});

notes.run();
