import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { agentBody, must, PERMITTED, testApp } from '../support/app.ts';
import type { TestApp } from '../support/app.ts';

const asked = async (app: TestApp, session: string): Promise<unknown> => {
  const { status, body } = await app.call('POST', '/t/acme/requests', { token: session, body: PERMITTED });
  return status < 300 ? 'issued' : body['code'];
};
const accept = (app: TestApp, by: string, agent = 'triage-bot') =>
  app.operator(by, 'POST', `/api/agents/${agent}/accept`, { reason: 'I know it well' });
const put = async (app: TestApp, path: string, body: unknown) => must(await app.operator('ada', 'PUT', path, body));

/** olga, who owned triage-bot, has gone; dana is its deputy; erik is nobody's. */
async function orphaned(): Promise<{ readonly app: TestApp; readonly session: string }> {
  const app = await testApp();
  const session = await app.session('triage-bot');
  await put(app, '/api/people/erik', { display_name: 'erik' });
  for (const name of ['olga', 'dana', 'erik']) await put(app, `/api/operators/${name}`, { person: name });
  await put(app, '/api/people/olga', { display_name: 'olga', active: false });
  return { app, session };
}

const accepting = suite('accepting an agent');

accepting('its deputy does, and answers for it from then on', async () => {
  const { app, session } = await orphaned();
  assert.is(await asked(app, session), 'owner_gone');
  assert.is((await accept(app, 'erik')).body['code'], 'not_found', 'whom nobody named');
  must(await accept(app, 'dana'));
  assert.is(await asked(app, session), 'issued');
  const { body } = must(await app.operator('ada', 'GET', '/api/agents/triage-bot'));
  assert.equal([body['owner'], body['deputy']], ['dana', null]);
  const [kept] = await app.sql<{ former: { person: string }[] }>(
    `select former_owners as former, left_by from agents where name = 'triage-bot' and left_by is null`,
  );
  assert.equal(
    kept?.former.map(({ person }) => person),
    ['olga'],
    'who counts as its owner for a while yet',
  );
  const [entry] = await app.sql<{ text: string }>(`select text from entries where text like '%agent.accept%'`);
  const { actor, accountable, facts } = JSON.parse(entry?.text ?? '{}') as Record<string, Record<string, unknown>>;
  assert.is(actor?.['person'], 'dana');
  assert.is(accountable, 'dana');
  assert.equal(facts, { change: 'agent.accept', agent: 'triage-bot', owner: 'dana' });
  assert.is((await accept(app, 'dana')).body['code'], 'not_found', 'once');
  await app.close();
});

accepting('nobody does by being named alone, nor by coming back', async () => {
  const { app, session } = await orphaned();
  await put(app, '/api/people/olga', { display_name: 'olga' });
  assert.is(await asked(app, session), 'owner_gone', 'the one who went is back');
  assert.is((await accept(app, 'olga')).body['code'], 'not_found', 'another person has to');
  await put(app, '/api/agents/triage-bot', agentBody({ owner: 'erik' }));
  assert.is(await asked(app, session), 'owner_gone', 'erik is named');
  must(await accept(app, 'erik'));
  assert.is(await asked(app, session), 'issued');
  await app.close();
});

accepting('takes the person in person, once set-up is over', async () => {
  const { app } = await orphaned();
  await app.sql(`update deployment set set_up = 'ended', epoch = epoch + 1`);
  assert.is((await accept(app, 'dana')).body['code'], 'local_token_refused');
  await app.close();
});

accepting.run();
