/** A target says that a token was used: each use is counted once, and the last one ends it, on whichever node. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { clientForm, must, PERMITTED, testApp } from '../support/app.ts';
import type { Answer, TestNode } from '../support/app.ts';

const app = await testApp();
const other = await app.node();
const exercise = suite('use/exercise');

exercise.before(async () => {
  const config = { audience: 'https://tickets.acme.example', checks: 'introspection', counts_uses: true };
  const { jwk } = must(await app.operator('ada', 'GET', '/api/tenants/acme/targets/tickets')).body;
  const target = { provider: 'jwt', config, environment: 'production', ...(jwk ? { jwk } : {}) };
  must(await app.operator('ada', 'PUT', '/api/tenants/acme/targets/tickets', target));
});

interface Token {
  readonly token: string;
  readonly lease: string;
}

async function issued(uses = 1): Promise<Token> {
  const body = { ...PERMITTED, ...(uses === 1 ? {} : { uses }) };
  const { credential, lease } = must(await app.call('POST', '/t/acme/requests', { token: await app.session(), body }))
    .body as { credential: { access_token: string }; lease: { id: string } };
  // The task class gives one; what is tried here is how they are counted.
  await app.sql(`update leases set uses = ${uses} where id = '${lease.id}'`);
  return { token: credential.access_token, lease: lease.id };
}

async function asks(
  token: string,
  more: Record<string, string>,
  { node = app, client = 'target:tickets' }: { readonly node?: TestNode; readonly client?: string } = {},
): Promise<Answer> {
  return node.call('POST', '/t/acme/introspect', { form: clientForm(await app.assertion(client), { token, ...more }) });
}
const uses = async (token: string, node: TestNode = app): Promise<unknown> =>
  must(await asks(token, { consume: 'true' }, { node })).body['active'];
const looks = async (token: string): Promise<unknown> => must(await asks(token, {})).body['active'];

const rowOf = async (lease: string) => {
  const [row] = await app.sql<{ state: string; cause: string | null; used: number; used_at: string | null }>(
    `select state, cause, used, used_at from leases where id = '${lease}'`,
  );
  return row;
};

exercise('ends a token with its last use, whose answer still says yes', async () => {
  const { token, lease } = await issued();
  assert.is(await looks(token), true);
  assert.is(await looks(token), true, 'to look is no use');
  assert.is(await uses(token), true);
  assert.is(await uses(token), false);
  assert.is(await looks(token), false);
  const row = await rowOf(lease);
  assert.equal([row?.state, row?.cause, row?.used], ['revoked', 'spent', 1]);
});

exercise('lets each of several uses happen, and no more', async () => {
  const { token, lease } = await issued(3);
  const answers = [];
  for (let n = 0; n < 5; n++) answers.push(await uses(token));
  assert.equal(answers, [true, true, true, false, false]);
  assert.is((await rowOf(lease))?.used, 3);
  // The last use and the end that it brings may be of one millisecond.
  const kinds = await app.sql<{ kind: string }>(`select kind from entries where lease = '${lease}' order by kind`);
  assert.equal(
    kinds.map(({ kind }) => kind),
    ['lease.active', 'lease.revoked', 'lease.used', 'lease.used', 'lease.used'],
  );
});

exercise('works once when two servers race for it, again and again', async () => {
  for (let round = 0; round < 20; round++) {
    const { token, lease } = await issued();
    const asked = Array.from({ length: 8 }, (_, n) => uses(token, n % 2 === 0 ? app : other));
    const answers = await Promise.all(asked);
    assert.is(answers.filter((active) => active === true).length, 1, `round ${round}`);
    assert.is((await rowOf(lease))?.used, 1);
  }
});

exercise('goes to the last of several that race', async () => {
  const { token, lease } = await issued(5);
  const answers = await Promise.all(Array.from({ length: 16 }, (_, n) => uses(token, n % 2 === 0 ? app : other)));
  assert.is(answers.filter((active) => active === true).length, 5);
  const row = await rowOf(lease);
  assert.equal([row?.state, row?.cause, row?.used], ['revoked', 'spent', 5]);
});

exercise('is the target’s to say, and its alone', async () => {
  const { token, lease } = await issued();
  const agent = await asks(token, { consume: 'true' }, { client: 'triage-bot' });
  assert.equal([agent.status, agent.body['error']], [400, 'invalid_request']);
  const odd = await asks(token, { consume: 'yes' });
  assert.equal([odd.status, odd.body['error']], [400, 'invalid_request']);
  assert.is((await asks(token, { consume: 'true' }, { client: 'target:other' })).body['active'], false);
  assert.is((await rowOf(lease))?.used, 0);
});

exercise('leaves nothing that could be taken where a node dies between the last use and the end', async () => {
  const { token, lease } = await issued();
  await app.sql(`update leases set used = 1, used_at = 1 where id = '${lease}'`);
  assert.is((await rowOf(lease))?.state, 'active');
  assert.is(await looks(token), false);
});

exercise('counts no use after the end', async () => {
  const { token, lease } = await issued();
  await app.sql(`update leases set expires_at = 1 where id = '${lease}'`);
  assert.is(await uses(token), false);
  assert.is((await rowOf(lease))?.used, 0);
});

exercise.after(() => app.close());
exercise.run();
