/** Breakers that have tripped, in the hands of oversight. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { administered } from '../support/administrators.ts';
import { agentBody, must, PERMITTED } from '../support/app.ts';
import { tripAt } from '../support/trips.ts';

const { app, node, as, close } = await administered();
const other = await node();

const trips = suite('trips');
trips.after(close);

const tripped = () => tripAt(other.deps, 'acme');

async function ask() {
  // As if a sweeper were at work, however long the tests before this one took.
  await app.deps.store.beat('test');
  return app.call('POST', '/t/acme/requests', { token: await app.session(), body: PERMITTED });
}
const REASON = { reason: 'The vendor has mended its API' };
const reset = (id: string, who = 'otto', body: object = REASON) => as(who, 'POST', `/api/trips/${id}/reset`, body);

trips('are reset by a person who oversees, with a reason, in one commit with its entry', async () => {
  const id = await tripped();
  assert.is((await ask()).status, 202);
  const { receipt } = must(await reset(id)).body as { receipt: { entry: string } };
  assert.is((await ask()).status, 201);
  const [entry] = await app.sql<{ tenant: string; kind: string; text: string }>(
    `select tenant, kind, text from entries where id = '${receipt.entry}'`,
  );
  const { facts, accountable } = JSON.parse(entry?.text ?? '{}') as Record<string, unknown>;
  assert.equal([entry?.tenant, entry?.kind, accountable], ['acme', 'breaker.reset', 'otto']);
  const of = { trip: id, agent: 'triage-bot', task: 'ticket.route', breaker: 'failing' };
  assert.equal(facts, { change: 'breaker.reset', ...of });
  assert.is((await reset(id)).body['code'], 'trip_over');
  const { body } = must(await as('otto', 'GET', `/api/trips/${id}`));
  assert.equal([body['standing'], body['ended_by']], [false, 'otto']);
});

for (const [what, code, by] of [
  ['who administers', 'not_found', (id: string) => reset(id, 'ada')],
  ['who administers the tenant', 'not_found', (id: string) => reset(id, 'tess')],
  [
    'a local token',
    'local_token_refused',
    (id: string) => app.operator('otto', 'POST', `/api/trips/${id}/reset`, REASON),
  ],
  ['who gives no reason', 'invalid_field', (id: string) => reset(id, 'otto', {})],
  ['who says more', 'unknown_field', (id: string) => reset(id, 'otto', { ...REASON, force: true })],
  ['who names another', 'not_found', () => reset('trp_01m8efqjt23qczyfvtdzg8x3bw')],
] as const) {
  trips(`are not reset by ${what}: ${code}`, async () => {
    const id = await tripped();
    assert.is((await by(id)).body['code'], code);
    assert.is((await ask()).status, 202);
    must(await reset(id));
  });
}

for (const part of ['owner', 'deputy'] as const) {
  trips(`are not reset by the ${part} of the agent`, async () => {
    const id = await tripped();
    must(await app.operator('ada', 'PUT', '/api/agents/triage-bot', agentBody({ [part]: 'otto' })));
    assert.is((await reset(id)).body['code'], 'in_conflict');
    must(await app.operator('ada', 'PUT', '/api/agents/triage-bot', agentBody()));
    await app.sql(`update agents set former_owners = '[]'`);
    must(await app.operator('ada', 'PUT', '/api/agents/triage-bot', agentBody({ purpose: `tests of ${part}` })));
    must(await reset(id));
  });
}

trips('are listed to who oversees, those that stand alone where asked', async () => {
  const id = await tripped();
  const ids = async (who: string, query = ''): Promise<readonly unknown[]> =>
    (must(await as(who, 'GET', `/api/trips${query}`)).body['items'] as { id: string }[]).map((one) => one.id);
  assert.equal(await ids('otto', '?standing=true'), [id]);
  assert.ok((await ids('otto')).length > 1);
  assert.equal(await ids('ada'), []);
  assert.is((await as('ada', 'GET', `/api/trips/${id}`)).status, 404);
  assert.is((await as('otto', 'GET', '/api/trips?open=true')).body['code'], 'unknown_field');
  must(await reset(id));
});

trips('are told as why it asks, with what would change that', async () => {
  const id = await tripped();
  const { request } = must(await ask()).body;
  const { lead } = must(await as('otto', 'GET', `/api/policy/explain?request=${String(request)}`)).body as {
    lead: { roles: { raised: { because: string }[] }[]; changes: { if: string; freer: boolean }[] };
  };
  assert.equal(
    lead.roles.map(({ raised }) => raised.map(({ because }) => because)),
    [[`breaker:${id}`]],
  );
  assert.ok(lead.changes.some((one) => one.if === `the breaker ${id} were reset` && one.freer));
  must(await reset(id));
});

trips.run();
