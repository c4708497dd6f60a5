/** One decision as a page: what stands on it, for one who is asked and for one who only looks. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { must } from '../support/app.ts';
import { signedIn } from '../support/console.ts';
import { deciding } from '../support/deciding.ts';
import { consoleApp } from './world.ts';

const { app, keys } = await consoleApp();
const { body } = await app.operator('ada', 'GET', '/api/tenants/acme/context');
const { situations: _, ...context } = body;
const clinic = { ...context, regulations: ['hipaa'], data_classes: ['phi'], time_zone: 'Asia/Tokyo' };
must(await app.operator('ada', 'PUT', '/api/tenants/acme/context', clinic));
const { ask } = await deciding(app, []);
const [paula, otto] = [await signedIn(app, keys.paula), await signedIn(app, keys.otto)];

const page = suite('the page of a decision');

/** The words of a page, as one reads them. */
const read = (text: string): string => text.replaceAll(/<[^>]*>/g, ' ').replaceAll(/\s+/g, ' ');

page('says what would be done, what it puts at stake, and what is left to the agent', async () => {
  const { approval } = await ask();
  const { text } = await paula.get(`/approvals/acme/${approval}`);
  // Nine hours ahead, all year.
  const there = new Date(app.deps.clock() + 9 * 3_600_000).toISOString();
  for (const said of [
    'triage-bot asks for firewall.change at acme',
    'olga answers for triage-bot',
    new RegExp(`At the client it is [A-Z][a-z]+day ${there.slice(11, 13)}:`),
    'does not hold the agent to rule, action, or port',
    'Could reach Everything behind the firewall.',
    'none is declared here, though the client has phi',
    'Client under HIPAA',
    'Because of not said',
    'Approve exactly this',
  ]) {
    assert.match(read(text), said);
  }
});

page('names the client by the name that no other has, beside what it is called', async () => {
  const rename = (called: string) => app.operator('ada', 'PUT', '/api/tenants/acme', { display_name: called });
  must(await rename('Bir\u200Bch'));
  const { approval } = await ask();
  const { text } = await paula.get(`/approvals/acme/${approval}`);
  must(await rename('acme'));
  assert.match(read(text), /asks for firewall\.change at Bir U\+200B ch \( ?acme ?\)/);
});

page('tells one who only looks whose it is', async () => {
  const { approval } = await ask();
  const { text } = await otto.get(`/approvals/acme/${approval}`);
  assert.match(read(text), /You cannot answer: you do not hold approval at this tenant/);
  assert.not.match(text, 'Approve exactly this');
});

page('offers no yes to what would be another by now, and says so', async () => {
  const { approval } = await ask();
  const target = { provider: 'jwt', environment: 'production' };
  const config = { audience: 'https://moved.example', checks: 'introspection' };
  must(await app.operator('ada', 'PUT', '/api/tenants/acme/targets/tickets', { ...target, config }));
  const { text } = await paula.get(`/approvals/acme/${approval}`);
  assert.match(read(text), /cannot be approved any more: it would be another in: target_version/);
  assert.match(text, 'Say no');
  for (const offered of ['Approve exactly this', 'Approve less']) assert.not.match(text, offered);
});

page('of what is asked lists nothing of a client where its reader approves no more', async () => {
  const { approval } = await ask();
  for (const path of ['/approvals', '/']) assert.match((await paula.get(path)).text, approval);
  const held = must(await app.operator('ada', 'GET', '/api/assignments?tenant=acme')).body['items'];
  const hers = (held as { id: string; holder: { person?: string } }[]).find(({ holder }) => holder.person === 'paula');
  must(await app.operator('ada', 'DELETE', `/api/assignments/${hers?.id}`));
  const [list, start] = [await paula.get('/approvals'), await paula.get('/')];
  const approver = { tenant: 'acme', holder: { person: 'paula' }, role: 'approver' };
  must(await app.operator('ada', 'POST', '/api/assignments', approver));
  for (const { text } of [list, start]) assert.not.match(text, approval);
});

page.after(() => app.close());
page.run();
