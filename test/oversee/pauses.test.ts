/** A pause: nothing without a person's word, at once and on every node, until a person ends it. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { watch } from '../../src/broker.ts';
import { administered } from '../support/administrators.ts';
import { agentBody, must, PERMITTED } from '../support/app.ts';
import type { Answer, TestNode } from '../support/app.ts';

const { app, node, as, close } = await administered();
const other = await node();

const pauses = suite('pauses');
pauses.after(close);

const ask = async (agent = 'triage-bot', tenant = 'acme', at: TestNode = app): Promise<Answer> =>
  at.call('POST', `/t/${tenant}/requests`, { token: await app.session(agent, tenant), body: PERMITTED });
const REASON = { reason: 'It does odd things' };
const start = (body: object = {}, who = 'otto') => app.operator(who, 'POST', '/api/pauses', { ...REASON, ...body });
const end = (id: unknown, who = 'otto', body: object = REASON) =>
  as(who, 'POST', `/api/pauses/${String(id)}/end`, body);

const raisedOf = ({ body }: Answer): readonly string[] => {
  const { execution } = body['decision'] as { execution: { raised: { because: string }[] } };
  return execution.raised.map(({ because }) => because);
};

for (const [what, body, atBirch] of [
  ['one tenant', { tenants: ['acme'] }, 201],
  ['wherever its author oversees', {}, 202],
  ['everywhere', { everywhere: true }, 202],
] as const) {
  pauses(`at ${what} let nothing pass without a person, on any node, and end what is live`, async () => {
    const { id: live } = must(await ask()).body['lease'] as { id: string };
    const { id } = must(await start(body)).body;
    for (const at of [app, other]) {
      const asked = await ask('triage-bot', 'acme', at);
      assert.is(asked.status, 202, asked.text);
      assert.ok(raisedOf(asked).includes('pause'));
      assert.is((await ask('birch-bot', 'birch', at)).status, atBirch);
    }
    await watch(app.deps);
    const [row] = await app.sql<{ state: string; cause: string }>(
      `select state, cause from leases where id = '${live}'`,
    );
    assert.equal(row, { state: 'revoked', cause: 'entitlement_ended' });
    must(await end(id));
    assert.is((await ask('triage-bot', 'acme', other)).status, 201);
    assert.is((await ask('birch-bot', 'birch', other)).status, 201);
    assert.equal(must(await end(id)).body['receipts'], [], 'it ends once, and who sends it again is told that it has');
  });
}

pauses('that stand everywhere stand at a tenant that comes later', async () => {
  const { id } = must(await start({ everywhere: true })).body;
  must(await app.operator('ada', 'PUT', '/api/tenants/cedar', { display_name: 'Cedar' }));
  assert.equal((await app.deps.store.snapshot('cedar' as never))?.pauses.length, 1);
  const refused = await end(id);
  assert.is(refused.body['code'], 'function_needed', 'who does not oversee all does not end it for all');
  const anew = await start({ everywhere: true });
  assert.is(anew.body['code'], 'function_needed');
  must(await app.operator('ada', 'DELETE', '/api/tenants/cedar'));
  must(await end(id));
});

pauses('are begun by oversight, and ended by it with a token of the issuer', async () => {
  assert.is((await start({}, 'ada')).body['code'], 'function_needed', 'administration does not');
  assert.is((await start({ tenants: ['elsewhere'] })).body['code'], 'not_found');
  assert.is((await start({ tenants: ['acme'], everywhere: true })).body['code'], 'invalid_field');
  const { id } = must(await start({ tenants: ['acme'] })).body;
  assert.is(
    (await app.operator('otto', 'POST', `/api/pauses/${String(id)}/end`, REASON)).body['code'],
    'local_token_refused',
  );
  assert.is((await end(id, 'ada')).status, 404);
  assert.is((await ask()).status, 202);
  must(await end(id));
});

pauses('are not ended by who answers for an agent that they hold back', async () => {
  const { id } = must(await start({ everywhere: true })).body;
  const { id: here } = must(await start({ tenants: ['acme'] })).body;
  must(await app.operator('ada', 'PUT', '/api/agents/triage-bot', agentBody({ deputy: 'otto' })));
  for (const pause of [id, here]) assert.is((await end(pause)).body['code'], 'in_conflict');
  must(await app.operator('ada', 'PUT', '/api/agents/triage-bot', agentBody()));
  for (const pause of [id, here]) must(await end(pause));
});

pauses('are listed to who oversees, and are in the ledger of their place', async () => {
  const { id } = must(await start({ tenants: ['acme', 'birch'] })).body;
  must(await end(id, 'otto', { ...REASON, tenants: ['acme'] }));
  const seen = must(await as('otto', 'GET', '/api/pauses?standing=true')).body['items'] as Record<string, unknown>[];
  const places = seen.find((one) => one['id'] === id)?.['places'] as { tenant: string; ended_by: string | null }[];
  assert.equal(
    places.map(({ tenant, ended_by: by }) => [tenant, by]),
    [
      ['acme', 'otto'],
      ['birch', null],
    ],
  );
  assert.equal(must(await as('ada', 'GET', '/api/pauses')).body['items'], []);
  const kinds = await app.sql<{ tenant: string; kind: string }>(
    `select tenant, kind from entries where kind like 'pause.%' and text like '%${String(id)}%' order by kind, tenant`,
  );
  assert.equal(
    kinds.map(({ tenant, kind }) => `${tenant} ${kind}`),
    ['acme pause.ended', 'acme pause.started', 'birch pause.started'],
  );
  must(await end(id));
});

pauses.run();
