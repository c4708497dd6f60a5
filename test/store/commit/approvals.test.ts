import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { APPROVAL_MOVES, APPROVAL_STATES } from '../../../src/core/approval.ts';
import type { Approval, ApprovalTerms, Vote } from '../../../src/core/approval.ts';
import type { ApprovalChange, ApprovalMove } from '../../../src/core/change.ts';
import { newId } from '../../../src/core/ids.ts';
import type { OperatorName, PersonName } from '../../../src/core/ids.ts';
import { instant, seconds } from '../../../src/core/time.ts';
import { approvalOf, entryOf, epochsOf, move, opening, requestAt, send, whenOf } from '../../support/lives.ts';
import { withAdmin } from '../../support/postgres.ts';
import { ACME, BIRCH, OLGA, PAULA, random, testStore } from '../../support/store.ts';
import type { TestStore } from '../../support/store.ts';

let test: TestStore;
const before = async () => {
  test = await testStore();
};
const after = () => test.close();

const soon = (ms: number) => instant(Date.now() + ms);

const VOTE: Vote = {
  person: PAULA,
  operator: 'paula' as OperatorName,
  verdict: 'approve',
  at: instant(Date.now()),
  passkey: 'key',
  packageHash: 'aa',
  tookMs: 5,
};

async function asked(more: Partial<ApprovalTerms> = {}): Promise<Approval> {
  const request = { ...requestAt(), effect: 'ask' } as const;
  const approval = approvalOf(request, more);
  const when = whenOf({ epochs: await epochsOf(test.store) });
  const ask = { kind: 'request.ask', tenant: ACME, when, request, approval, work: [] } as const;
  assert.ok((await test.store.commit(ask, [entryOf('request.asked')])).ok);
  return kept(approval.id);
}

async function kept(id: Approval['id']): Promise<Approval> {
  const found = await test.store.approval(ACME, id);
  if (found === null) throw new Error('it was not kept');
  return found;
}

const changeOf = ({ id }: Approval, to: ApprovalMove, more: Partial<ApprovalChange> = {}): ApprovalChange => ({
  kind: 'approval.move',
  tenant: ACME,
  approval: id,
  move: to,
  when: null,
  time: 'before_end',
  next: null,
  fence: null,
  work: [],
  ...more,
});

const commit = async (change: ApprovalChange) => {
  const done = await test.store.commit(change, [entryOf('approval.answered')]);
  return done.ok ? 'done' : done.error.unmet;
};

const approving = ({ state, version }: Approval, ms = 60_000): ApprovalMove => ({
  from: state,
  to: 'approved',
  version,
  votes: [VOTE],
  decidedAt: instant(Date.now()),
  redeemBy: soon(ms),
});

/** Moved as people, or time, would move it. */
async function approved(ms = 60_000): Promise<Approval> {
  const approval = await asked();
  assert.is(await commit(changeOf(approval, approving(approval, ms))), 'done');
  return kept(approval.id);
}

const askedOf = async (person: PersonName) =>
  (await test.store.asked({ person, limit: 100, after: null })).map(({ id }) => id);

const moving = suite('an approval');
moving.before(before);
moving.after(after);

moving('is moved once, of two who move it at once', async () => {
  const approval = await asked();
  const tries = Array.from({ length: 10 }, (_, n) =>
    commit(
      changeOf(
        approval,
        n % 2 === 0
          ? approving(approval)
          : { ...approving(approval), to: 'rejected', rejection: { reason: 'too_wide', words: null, by: PAULA } },
      ),
    ),
  );
  const outcomes = await Promise.all(tries);
  assert.is(outcomes.filter((outcome) => outcome === 'done').length, 1);
  assert.is(outcomes.filter((outcome) => outcome === 'approval').length, 9);
});

moving(
  'leaves the lists of those who were asked once it is over, and comes to the next when it escalates',
  async () => {
    const approval = await asked();
    assert.ok((await askedOf(PAULA)).includes(approval.id));
    assert.not.ok((await askedOf(OLGA)).includes(approval.id));
    const next = {
      from: 'pending',
      to: 'pending',
      version: 1,
      step: 1,
      stepEndsAt: soon(9_000),
      asks: [OLGA],
    } as const;
    assert.is(await commit(changeOf(approval, next)), 'done');
    assert.ok((await askedOf(PAULA)).includes(approval.id), 'who was asked may answer still');
    assert.ok((await askedOf(OLGA)).includes(approval.id));
    const end = { from: 'pending', to: 'cancelled', version: 2 } as const;
    assert.is(await commit(changeOf(approval, end)), 'done');
    assert.not.ok([...(await askedOf(PAULA)), ...(await askedOf(OLGA))].includes(approval.id));
  },
);

moving('takes one of two words that were said over the same, though neither ends it', async () => {
  const approval = await asked();
  const said = (person: PersonName) =>
    commit(changeOf(approval, { from: 'pending', to: 'pending', version: 1, votes: [{ ...VOTE, person }] }));
  assert.equal((await Promise.all([said(PAULA), said(OLGA)])).toSorted(), ['approval', 'done']);
  assert.is((await kept(approval.id)).votes.length, 1);
});

moving('takes no word once its end has come, and expires no sooner', async () => {
  const over = await asked({ expiresAt: soon(-1) });
  assert.is(await commit(changeOf(over, approving(over))), 'approval');
  assert.is(
    await commit(changeOf(over, { from: 'pending', to: 'expired', version: 1 }, { time: 'after_end' })),
    'done',
  );
  const open = await asked();
  const early = changeOf(open, { from: 'pending', to: 'expired', version: 1 }, { time: 'after_end' });
  assert.is(await commit(early), 'approval');
});

moving('takes a word on the epochs that it was said under, and each signature once', async () => {
  const approval = await asked();
  const epochs = await epochsOf(test.store);
  const moved = { ...epochs, tenant: epochs.tenant - 1 };
  const oneUse = { client: 'console:a', jti: 'nonce', until: soon(60_000) };
  assert.is(
    await commit(changeOf(approval, approving(approval), { when: { epochs: moved, oneUse, counts: null } })),
    'moved',
  );
  assert.is(await commit(changeOf(approval, approving(approval), { when: { epochs, oneUse, counts: null } })), 'done');
  const other = await asked();
  assert.is(await commit(changeOf(other, approving(other), { when: { epochs, oneUse, counts: null } })), 'replayed');
});

moving('takes no signature whose form is over: whether it was used is forgotten by then', async () => {
  const approval = await asked();
  const epochs = await epochsOf(test.store);
  const oneUse = { client: 'console:a', jti: 'late', until: soon(-1_000) };
  const late = changeOf(approval, approving(approval), { when: { epochs, oneUse, counts: null } });
  assert.is(await commit(late), 'replayed');
});

moving('gives way to a narrower one, which is the one of its request from then on', async () => {
  const approval = await asked();
  const next = {
    ...approvalOf({ ...requestAt(), id: approval.request }),
    narrows: { approval: approval.id, by: PAULA },
  };
  const narrow = { from: 'pending', to: 'superseded', version: 1, votes: [{ ...VOTE, verdict: 'narrow' }] } as const;
  assert.is(await commit(changeOf(approval, narrow, { next })), 'done');
  assert.is((await test.store.request(ACME, approval.request))?.approval?.id, next.id);
  assert.equal(
    (await askedOf(PAULA)).filter((id) => id === approval.id || id === next.id),
    [next.id],
  );
});

moving('of another tenant is not there', async () => {
  const approval = await asked();
  assert.is(await test.store.approval(BIRCH, approval.id), null);
  const done = await test.store.commit(changeOf(approval, approving(approval), { tenant: BIRCH }), [
    entryOf('approval.answered', BIRCH),
  ]);
  assert.is(done.ok ? 'done' : done.error.unmet, 'approval');
});

moving('is moved by the table alone, whoever writes', async () => {
  const approval = await asked();
  await withAdmin(test.database.admin, async (sql) => {
    const row = () => sql`select state from approvals where id = ${approval.id}`;
    for (const from of APPROVAL_STATES) {
      for (const to of APPROVAL_STATES) {
        if (from === to) continue;
        const allowed = APPROVAL_MOVES[from].includes(to);
        await sql`set session_replication_role = replica`;
        await sql`update approvals set state = ${from}, votes = '[{}]', version = version + 1 where id = ${approval.id}`;
        await sql`set session_replication_role = origin`;
        const tried =
          await sql`update approvals set state = ${to}, version = version + 1 where id = ${approval.id}`.then(
            () => 'moved',
            () => 'refused',
          );
        assert.is(tried, allowed ? 'moved' : 'refused', `${from} to ${to}`);
      }
    }
    assert.ok((await row()).length === 1);
  });
});

moving('is approved by no write that has no word of a person', async () => {
  const approval = await asked();
  const { votes: _, ...wordless } = approving(approval);
  const failed = await commit(changeOf(approval, wordless)).then(
    () => 'committed',
    () => 'refused',
  );
  assert.is(failed, 'refused');
});

moving.run();

const redeeming = suite('a redemption');
redeeming.before(before);
redeeming.after(after);

async function redeem(approval: Approval, state: 'opening' | 'active' = 'active') {
  const life = opening({
    epochs: await epochsOf(test.store),
    state,
    redeems: { approval: approval.id, version: approval.version },
    lease: { request: approval.request, approval: approval.id },
  });
  const request = { ...life.change.request, id: approval.request };
  return { life, outcome: await send(test.store, { ...life, change: { ...life.change, request } }) };
}

const outcomeOf = ({ outcome }: Awaited<ReturnType<typeof redeem>>) => (outcome.ok ? 'done' : outcome.error.unmet);

redeeming('gives one lease, however many come for it', async () => {
  const approval = await approved();
  const all = await Promise.all(Array.from({ length: 12 }, () => redeem(approval)));
  const outcomes = all.map(outcomeOf);
  assert.equal(outcomes.toSorted(), [...Array<string>(11).fill('approval'), 'done']);
  const { state, lease } = await kept(approval.id);
  const winner = all.find(({ outcome }) => outcome.ok)?.life.change.lease.id;
  assert.equal([state, lease], ['redeemed', winner]);
  assert.is((await test.store.request(ACME, approval.request))?.lease, winner);
  const leases = await withAdmin(test.database.admin, (sql) => sql`select from leases where approval = ${approval.id}`);
  assert.is(leases.length, 1);
});

redeeming('of what is pending, or was approved too long ago, gives none', async () => {
  assert.is(outcomeOf(await redeem(await asked())), 'approval');
  assert.is(outcomeOf(await redeem(await approved(-1))), 'approval');
});

redeeming('of what was taken back since gives none, by the version that it has', async () => {
  const approval = await approved();
  const { version } = approval;
  const takingBack = changeOf(approval, { from: 'approved', to: 'revoked', version, decidedAt: instant(Date.now()) });
  assert.is(await commit(takingBack), 'done');
  assert.is(outcomeOf(await redeem(await kept(approval.id))), 'approval');
});

redeeming('of what has been spent and given back since it was read gives none', async () => {
  const before = await approved();
  const { life } = await redeem(before, 'opening');
  const failed = move('fail', life.change.lease.id, await epochsOf(test.store), { reopens: before.id });
  assert.ok((await send(test.store, failed)).ok);
  assert.is(outcomeOf(await redeem(before)), 'approval');
  assert.is(outcomeOf(await redeem(await kept(before.id))), 'done');
});

redeeming('of another tenant’s gives none, though its tenant is in the same batch', async () => {
  const approval = await approved();
  const [here, there] = [await epochsOf(test.store), await epochsOf(test.store, BIRCH)];
  const foreign = opening({
    tenant: BIRCH,
    epochs: there,
    redeems: { approval: approval.id, version: approval.version },
  });
  const [own, stolen] = await Promise.all([send(test.store, opening({ epochs: here })), send(test.store, foreign)]);
  assert.equal([own.ok, stolen.ok ? 'done' : stolen.error.unmet], [true, 'approval']);
  assert.is((await kept(approval.id)).state, 'approved');
});

redeeming('that was seen never to have been minted gives the approval back, while there is time', async () => {
  for (const [ms, state] of [
    [60_000, 'approved'],
    [400, 'redeemed'],
  ] as const) {
    const approval = await approved(ms);
    const { life, outcome } = await redeem(approval, 'opening');
    assert.ok(outcome.ok);
    if (ms < 1_000) await new Promise((resolve) => setTimeout(resolve, ms));
    const epochs = await epochsOf(test.store);
    const failed = move('fail', life.change.lease.id, epochs, { reopens: approval.id });
    assert.ok((await send(test.store, failed)).ok);
    assert.is((await kept(approval.id)).state, state);
  }
});

redeeming('is given back by its own lease alone', async () => {
  const approval = await approved();
  const { outcome } = await redeem(approval, 'opening');
  assert.ok(outcome.ok);
  const epochs = await epochsOf(test.store);
  const other = opening({ epochs, state: 'opening' });
  assert.ok((await send(test.store, other)).ok);
  assert.ok((await send(test.store, move('fail', other.change.lease.id, epochs, { reopens: approval.id }))).ok);
  assert.is((await kept(approval.id)).state, 'redeemed');
});

redeeming('that is ending spends it', async () => {
  const approval = await approved();
  const { life } = await redeem(approval, 'opening');
  const epochs = await epochsOf(test.store);
  assert.ok((await send(test.store, move('revoke', life.change.lease.id, epochs))).ok);
  const failed = await send(test.store, move('fail', life.change.lease.id, epochs, { reopens: approval.id }));
  assert.is(failed.ok, false);
  assert.is((await kept(approval.id)).state, 'redeemed');
});

redeeming('goes beside others in one batch', async () => {
  const [first, second] = [await approved(), await approved(60_000)];
  const plain = opening({
    epochs: await epochsOf(test.store),
    within: { budgets: { live_leases: 1_000 }, spread: null },
  });
  const [one, two, three] = await Promise.all([redeem(first), send(test.store, plain), redeem(second)]);
  assert.equal([outcomeOf(one), two.ok, outcomeOf(three)], ['done', true, 'done']);
  assert.is(first.redeemWithin, seconds(60));
  assert.match(newId('apr', instant(Date.now()), random), /^apr_/);
});

redeeming.run();
