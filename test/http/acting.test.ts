/** What operators create past set-up is done once under one key, at whichever node it is sent again. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { administered } from '../support/administrators.ts';
import { bundleOnDisk, must, PERMITTED } from '../support/app.ts';
import type { Answer, TestNode } from '../support/app.ts';

const { app, node, token, as, close } = await administered();
const other = await node();

const creating = suite('what signed-in operators create');
creating.after(close);

interface Sending {
  readonly who: string;
  readonly path: string;
  readonly body: object;
}

const send = async ({ who, path, body }: Sending, key: string, at: TestNode = app): Promise<Answer> =>
  at.call('POST', path, { token: await token(who), body, headers: { 'idempotency-key': key } });

const entries = async (): Promise<number> => {
  const [row] = await app.sql<{ n: string }>('select count(*) as n from entries');
  return Number(row?.n);
};

async function finished(): Promise<string> {
  const session = await app.session('triage-bot');
  const asked = must(await app.call('POST', '/t/acme/requests', { token: session, body: PERMITTED }));
  const { id } = asked.body['lease'] as { id: string };
  const done = { outcome: 'succeeded', summary: 'done' };
  must(await app.call('POST', `/t/acme/leases/${id}/complete`, { token: session, body: done }));
  return id;
}

const lease = await finished();
const files = await bundleOnDisk();
const bundle = Object.fromEntries(Object.entries(files).filter(([path]) => !path.startsWith('cases/')));
const FORBIDS = `@id("no-routing") @reason("Routed by people.") @hint("Leave it.")
forbid (principal, action == Action::"perform", resource == Task::"ticket.route");`;
const tightened = { ...bundle, 'rules/freeze.cedar': FORBIDS };

const BLOCK = { scope: 'agent', name: 'birch-bot', reason: 'It mails strangers' };
const REVIEW = { tenant: 'acme', lease, reason: 'An odd hour' };
const FREEZE = { kind: 'freeze', until: new Date(Date.now() + 3_600_000).toISOString(), reason: 'Year end' };
const PERSON = { act: 'person.put', name: 'zoe', body: { display_name: 'Zoe' }, reason: 'She joins' };

/** `writes`: how many ledgers tell of it. */
const CREATED: readonly (Sending & { readonly another: object; readonly writes: number })[] = [
  { who: 'otto', path: '/api/blocks', body: BLOCK, another: { ...BLOCK, reason: 'Another' }, writes: 2 },
  { who: 'otto', path: '/api/pauses', body: { reason: 'It is odd' }, another: { reason: 'Another' }, writes: 2 },
  { who: 'otto', path: '/api/reviews', body: REVIEW, another: { ...REVIEW, reason: 'Another' }, writes: 1 },
  {
    who: 'otto',
    path: `/t/acme/leases/${lease}/verdict`,
    body: { verdict: 'correct', reference: 'INC-7' },
    another: { verdict: 'correct', reference: 'INC-8' },
    writes: 1,
  },
  {
    who: 'otto',
    path: '/api/tenants/acme/situations',
    body: FREEZE,
    another: { ...FREEZE, reason: 'Another' },
    writes: 1,
  },
  { who: 'ada', path: '/api/changes', body: PERSON, another: { ...PERSON, reason: 'Another' }, writes: 1 },
  {
    who: 'ada',
    path: '/api/policy/propose',
    body: { files: tightened, reason: 'For now' },
    another: { files: tightened, reason: 'Another' },
    writes: 1,
  },
];

for (const { another, writes, ...sending } of CREATED) {
  creating(`by POST ${sending.path.replace(lease, '{id}')} is done once under one key`, async () => {
    const before = await entries();
    const first = must(await send(sending, 'once'));
    assert.is(first.status, 201);
    assert.is(await entries(), before + writes);
    for (const at of [app, other]) {
      const again = must(await send(sending, 'once', at));
      assert.equal([again.status, again.body], [first.status, first.body]);
    }
    const refused = await send({ ...sending, body: another }, 'once', other);
    assert.equal([refused.status, refused.body['code']], [409, 'idempotency_mismatch']);
    assert.is(await entries(), before + writes);
    const anew = must(await send(sending, 'another'));
    assert.not.equal(anew.body, first.body);
    assert.is(await entries(), before + 2 * writes);
  });

  creating(`by POST ${sending.path.replace(lease, '{id}')} at two nodes at once is done once`, async () => {
    const before = await entries();
    const answers = await Promise.all([app, other, app, other].map((at) => send(sending, 'raced', at)));
    for (const answer of answers) assert.is(answer.status, 201, answer.text);
    assert.is(new Set(answers.map(({ text }) => text)).size, 1);
    assert.is(await entries(), before + writes);
  });
}

creating('is theirs wherever a block reaches by then', async () => {
  const first = must(await send({ who: 'otto', path: '/api/blocks', body: BLOCK }, 'reaching'));
  must(await app.operator('ada', 'PUT', '/api/tenants/aaron', { display_name: 'Aaron' }));
  const given = { tenant: 'aaron', holder: { person: 'otto' }, role: 'overseer' };
  const reason = 'He oversees it';
  const { id, hash } = must(await as('ada', 'POST', '/api/changes', { act: 'assignment.put', body: given, reason }))
    .body['change'] as Readonly<Record<string, string>>;
  must(await as('alan', 'POST', `/api/changes/${String(id)}/confirm`, { hash }));
  const preview = must(await as('otto', 'POST', '/api/blocks/preview', { scope: 'agent', name: 'birch-bot' }));
  assert.ok((preview.body['tenants'] as string[]).includes('aaron'));
  const again = must(await send({ who: 'otto', path: '/api/blocks', body: BLOCK }, 'reaching', other));
  assert.equal(again.body, first.body);
});

creating('is answered again after it was ended', async () => {
  const first = must(await send({ who: 'otto', path: '/api/blocks', body: BLOCK }, 'lifted'));
  must(await as('otto', 'POST', `/api/blocks/${String(first.body['id'])}/lift`, { reason: 'It was nothing' }));
  const again = must(await send({ who: 'otto', path: '/api/blocks', body: BLOCK }, 'lifted'));
  assert.equal(again.body, first.body);
});

creating('is another person’s own under the same key', async () => {
  const sending = { path: '/api/changes', body: PERSON };
  const first = must(await send({ ...sending, who: 'ada' }, 'mine'));
  const theirs = must(await send({ ...sending, who: 'alan' }, 'mine'));
  assert.not.equal(theirs.body, first.body);
});

creating('by going back to a policy is done once, and answered again when it is gone back to', async () => {
  const { change, version } = must(
    await as('ada', 'POST', '/api/policy/propose', { files: tightened, reason: 'For now' }),
  ).body as { readonly change: Readonly<Record<string, string>>; readonly version: string };
  const confirmed = { change: change['id'], hash: change['hash'] };
  must(await as('alan', 'POST', '/api/policy/activate', confirmed));
  const { items } = must(await as('ada', 'GET', '/api/policy/versions')).body as {
    items: readonly { version: string; active: boolean; active_before: boolean }[];
  };
  const back = items.find(({ active_before: before }) => before)?.version;
  assert.not.equal(back, version);
  const body = { version: back, reason: 'It was better' };
  const first = must(await send({ who: 'ada', path: '/api/policy/rollback', body }, 'back'));
  const before = await entries();
  const again = must(await send({ who: 'ada', path: '/api/policy/rollback', body }, 'back', other));
  assert.equal(again.body, first.body);
  assert.is((await send({ who: 'ada', path: '/api/policy/rollback', body }, 'anew')).status, 404);
  assert.is(await entries(), before);
});

creating.run();
