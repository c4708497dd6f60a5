/** Blocks at the console: looked at, raised, and lifted under one's own key. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { watch } from '../../src/broker.ts';
import { canonicalDigest } from '../../src/core/canonical.ts';
import type { OpenTarget, Provider } from '../../src/core/provider.ts';
import type { Statement } from '../../src/core/statement.ts';
import type { Instant } from '../../src/core/time.ts';
import type { Authenticator } from '../support/authenticator.ts';
import { answer, formOn, signedIn, statementOn } from '../support/console.ts';
import type { Got, Surfer } from '../support/console.ts';
import { clientDatabase } from '../support/target.ts';
import { addNina, leaseAt } from './overseen.ts';
import { consoleApp } from './world.ts';

/** When targets were asked to end whatever they had given, which of the providers here only one at AWS does. */
const ended: Instant[] = [];
const endAll = async (_: OpenTarget, before: Instant): Promise<void> => void ended.push(before);
const around = (provider: Provider): Provider => (provider.where === 'remote' ? { ...provider, endAll } : provider);
const database = await clientDatabase();

const { app, keys } = await consoleApp({ database, around });
const nina = await addNina(app);
const [otto, paula] = [await signedIn(app, keys.otto), await signedIn(app, keys.paula)];
const elsewhere = await signedIn(app, nina);

const AIM = { scope: 'agent', name: 'triage-bot', tenant: 'acme', lasts: '', reason: 'It acts <b>oddly</b>' };

async function raise(surfer: Surfer, more: Record<string, string> = {}): Promise<Got> {
  const page = await surfer.get('/blocks/new');
  return surfer.post('/blocks', { form_token: formOn(page, '/blocks')['form_token'] ?? '', ...AIM, ...more });
}

async function raised(more: Record<string, string> = {}): Promise<string> {
  const id = /^\/blocks\/(blk_\w+)\?done=block-raised$/.exec((await raise(otto, more)).to ?? '')?.[1];
  assert.ok(id);
  return id;
}

const isIssued = async (): Promise<boolean> =>
  (
    await app.call('POST', '/t/acme/requests', {
      token: await app.session(),
      body: {
        task: 'ticket.route',
        resource: 'tickets',
        parameters: { ticket: 'ACME-1', queue: 'network' },
        reason: 'x',
      },
    })
  ).status === 201;

const blocks = suite('blocks at the console');

blocks('show what they would reach before anything is done', async () => {
  await leaseAt(app, 'acme');
  const page = await otto.get('/blocks/new?scope=agent&name=triage-bot&tenant=acme');
  const { text } = await otto.post('/blocks/preview', { ...formOn(page, '/blocks'), ...AIM });
  assert.match(text, /<span class="figure">1<\/span> credential that lives, at\s+acme/);
  assert.ok(await isIssued());
});

const ROLE = { scope: 'target', name: 'shop-db', deny_role: 'yes' };

async function preview(more: Record<string, string>): Promise<string> {
  const page = await otto.get('/blocks/new');
  const { text } = await otto.post('/blocks/preview', { ...formOn(page, '/blocks'), ...AIM, ...more });
  return text.replace(/\s+/g, ' ');
}

blocks('say whom it would harm beside, where the roles are denied too', async () => {
  const harm = 'every session given before ends, also those that Brevet did not give';
  const { deny_role: _, ...plain } = ROLE;
  assert.not((await preview(plain)).includes(harm));
  const text = await preview(ROLE);
  assert.match(text, harm);
  assert.match(text, 'It denies the role of <strong>shop-db at acme</strong>');
  assert.match(text, /<input[^>]+name="deny_role"[^>]+checked/, 'it is asked still when the block is raised');
  const wide = await preview({ ...ROLE, scope: 'everything', name: '' });
  assert.match(wide, 'It denies the role of <strong>shop-db at acme</strong>');
});

blocks('deny the roles too where that is asked for, and say so wherever they are shown', async () => {
  const told = /every session that they gave before is denied too/;
  const kept = async (id: string) => {
    await watch(app.deps);
    const [row] = await app.sql<{ denies: boolean; from: string }>(
      `select denies_roles as denies, "from" from blocks where id = '${id}'`,
    );
    await app.sql(`update blocks set lifted_at = "from" where id = '${id}'`);
    return row;
  };
  const plain = await raised();
  assert.not.match((await otto.get(`/blocks/${plain}`)).text, told);
  assert.is((await kept(plain))?.denies, false);
  assert.equal(ended, []);
  const whole = await raised(ROLE);
  assert.match((await otto.get(`/blocks/${whole}`)).text, told);
  const row = await kept(whole);
  assert.is(row?.denies, true);
  assert.equal(ended, [Number(row?.from)]);
  await app.sql('update tenants set epoch = epoch + 1');
});

for (const [what, more] of [
  ['an agent', { deny_role: 'yes' }],
  ['a target without a role', { ...ROLE, name: 'tickets' }],
] as const) {
  blocks(`of ${what} say that there is no role to deny, and are not raised so`, async () => {
    const told = 'no target wholly inside it has a role that can be denied';
    assert.match(await preview(more), told);
    const got = await raise(otto, more);
    assert.is(got.to, null);
    assert.match(got.text, told);
    assert.ok(await isIssued());
  });
}

for (const [what, more] of [
  ['a name that is not there', { name: 'triage-bto' }],
  ['a tenant that one does not oversee', { tenant: 'nowhere' }],
  ['no reason', { reason: '' }],
  ['a scope that is none', { scope: 'planet' }],
] as const) {
  blocks(`are not raised with ${what}`, async () => {
    const got = await raise(otto, more);
    assert.is(got.to, null);
    assert.match(got.text, /role="alert"/);
    assert.ok(await isIssued());
  });
}

blocks('are raised once, however often the same form is sent, and again with another', async () => {
  const fields = { ...formOn(await otto.get('/blocks/new'), '/blocks'), ...AIM };
  const [first, second] = await Promise.all([otto.post('/blocks', fields), otto.post('/blocks', fields)]);
  assert.match(first.to ?? '', /done=block-raised$/);
  assert.is(second.to, first.to);
  const changed = await otto.post('/blocks', { ...fields, reason: 'Another' });
  assert.match(changed.to ?? '', /done=block-raised$/);
  assert.is.not(changed.to, first.to);
  for (const { to } of [first, changed]) {
    const id = /blk_\w+/.exec(to ?? '')?.[0];
    await app.sql(`update blocks set lifted_at = 1, lifted_by = 'ada' where id = '${id}'`);
  }
});

blocks('are not raised by who oversees nothing there', async () => {
  assert.is((await raise(paula)).to, null);
  assert.is((await raise(elsewhere)).to, null);
  assert.ok(await isIssued());
});

/** Up to the page that asks for the signature. */
async function lifting(id: string, surfer = otto): Promise<Got> {
  const page = await surfer.get(`/blocks/${id}`);
  const action = `/blocks/${id}/lift`;
  return surfer.post(action, { ...formOn(page, action), reason: 'It is mended' });
}

const signed = (page: Got, id: string, key: Authenticator): Record<string, string> => {
  const action = `/blocks/${id}/lift/signed`;
  return { ...formOn(page, action), answer: answer(key.sign(statementOn(page, action))) };
};

blocks('stand until they are lifted, by a signature that the entry keeps', async () => {
  const id = await raised();
  assert.not.ok(await isIssued());
  assert.is((await elsewhere.get(`/blocks/${id}`)).status, 404);
  assert.is((await paula.get(`/blocks/${id}`)).status, 404);
  assert.match((await otto.get(`/blocks/${id}`)).text, /It acts &lt;b&gt;oddly/);
  const page = await lifting(id);
  const action = `/blocks/${id}/lift/signed`;
  const statement = statementOn(page, action) as Extract<Statement, { readonly purpose: 'lift' }>;
  assert.equal(
    [statement.purpose, statement.block, statement.tenants, statement.reason, statement.approver],
    ['lift', id, ['acme'], 'It is mended', 'otto'],
  );
  assert.is((await otto.post(action, { ...formOn(page, action), answer: '' })).status, 403);
  assert.is((await otto.post(action, signed(page, id, keys.paula))).status, 403);
  assert.not.ok(await isIssued());
  const form = signed(page, id, keys.otto);
  assert.is((await otto.post(action, form)).to, `/blocks/${id}?done=block-lifted`);
  assert.ok(await isIssued());
  const [entry] = await app.sql<{ values: string }>(
    `select v.values::text as values from entries e join entry_values v on v.tenant = e.tenant and v.entry = e.id
     where e.kind = 'block.lifted' and e.tenant = 'acme'`,
  );
  const kept = JSON.parse(entry?.values ?? '[]') as readonly { name: string; value: never }[];
  const part = (name: string) => kept.find((one) => one.name === name)?.value;
  assert.is(canonicalDigest(part('statement') as never), canonicalDigest({ ...statement }));
  assert.is((part('assertion') as never as { credential: string }).credential, keys.otto.id);
});

blocks('are lifted once with one signature, however often it is sent, and none with another’s', async () => {
  const [first, second] = [await raised(), await raised()];
  const form = signed(await lifting(first), first, keys.otto);
  assert.is((await otto.post(`/blocks/${second}/lift/signed`, form)).status, 409);
  for (const _ of ['sent', 'sent again']) {
    assert.is((await otto.post(`/blocks/${first}/lift/signed`, form)).to, `/blocks/${first}?done=block-lifted`);
  }
  const [written] = await app.sql<{ n: string }>(
    `select count(*) as n from entries where kind = 'block.lifted' and text like '%${first}%'`,
  );
  assert.is(written?.n, '1');
  const other = await lifting(second);
  assert.is((await otto.post(`/blocks/${second}/lift/signed`, signed(other, second, keys.otto))).status, 303);
});

blocks.after(async () => {
  await app.close();
  await database.remove();
});
blocks.run();
