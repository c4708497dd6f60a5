/** The first administrator's passkey, by a link that works once and only while there is none. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ahead, must, PUBLIC_URL, testApp } from '../support/app.ts';
import { Authenticator } from '../support/authenticator.ts';
import { answer, formOn, signInWith, statementOn, Surfer } from '../support/console.ts';
import type { Got } from '../support/console.ts';
import { entriesOf } from './world.ts';

const app = await testApp();
const ENROL = '/invitation/passkey';

async function invited(): Promise<string> {
  const { body } = must(await app.operator('ada', 'POST', '/api/invitations'));
  const url = new URL(String(body['url']));
  assert.is(`${url.origin}${url.pathname}${url.search}`, `${PUBLIC_URL}/invitation`);
  return url.hash.slice(1);
}

async function open(surfer: Surfer, code: string): Promise<Got> {
  const form = formOn(await surfer.get('/invitation'), '/invitation');
  return surfer.post('/invitation', { ...form, code });
}

const enrol = (surfer: Surfer, page: Got, key: Authenticator) =>
  surfer.post(ENROL, {
    ...formOn(page, ENROL),
    label: 'first',
    answer: answer(key.enrol(statementOn(page, ENROL))),
  });

const inviting = suite('an invitation');

inviting('is made by an administrator alone', async () => {
  assert.is((await app.operator('otto', 'POST', '/api/invitations')).status, 403);
  assert.is((await app.call('POST', '/api/invitations')).status, 401);
});

inviting('has its code behind the #, and is an entry without it', async () => {
  const code = await invited();
  const [entry] = await entriesOf(app, 'passkey.invited');
  assert.ok(entry !== undefined);
  assert.not.ok(JSON.stringify(entry).includes(code.slice(0, 20)));
  assert.not.ok(app.logged.join('\n').includes(code.slice(-20)));
});

inviting('is what the sign-in page tells of while nobody could sign in', async () => {
  assert.match((await new Surfer(app).get('/sign-in')).text, 'brevet operator invite');
});

inviting('opens nothing by itself, changed, or late', async () => {
  const code = await invited();
  const surfer = new Surfer(app);
  assert.is((await surfer.get('/account')).status, 303);
  for (const given of ['', 'x', `${code}x`, `x${code}`, code.split('.')[0] ?? '']) {
    assert.is((await open(surfer, given)).status, 409, given);
  }
  const late = await app.node({ deps: ahead(() => 31 * 60_000) });
  assert.is((await open(new Surfer(late), code)).status, 409);
});

inviting('is no ticket of another form, and another ticket is no invitation', async () => {
  const surfer = new Surfer(app);
  const signIn = formOn(await surfer.get('/sign-in'), '/sign-in/passkey');
  assert.is((await open(surfer, signIn['ticket'] ?? '')).status, 409);
  const form = formOn(await surfer.get('/sign-in'), '/sign-in/passkey');
  const key = new Authenticator(PUBLIC_URL);
  const got = await surfer.post(ENROL, {
    ...form,
    label: 'x',
    answer: answer(key.enrol({ purpose: 'enrol', person: 'ada' as never, nonce: 'n' })),
  });
  assert.is(got.status, 409);
});

inviting('is bound to the browser that opened it', async () => {
  const [here, there] = [new Surfer(app), new Surfer(app)];
  const page = await open(here, await invited());
  const key = new Authenticator(PUBLIC_URL);
  const own = formOn(await there.get('/sign-in'), '/sign-in/passkey');
  const stolen = { ...formOn(page, ENROL), form_token: own['form_token'] ?? '', label: 'x' };
  const got = await there.post(ENROL, { ...stolen, answer: answer(key.enrol(statementOn(page, ENROL))) });
  assert.is(got.status, 409);
});

inviting('enrols one passkey, which signs in; and then it, and every other, is over', async () => {
  const [code, another] = [await invited(), await invited()];
  const [first, second] = [new Surfer(app), new Surfer(app)];
  const [page, other] = [await open(first, code), await open(second, another)];
  const key = new Authenticator(PUBLIC_URL);
  assert.is((await enrol(first, page, key)).to, '/sign-in?enrolled=yes');
  assert.is((await enrol(second, other, new Authenticator(PUBLIC_URL))).status, 409);
  assert.is((await open(new Surfer(app), code)).status, 409);
  assert.is((await app.operator('ada', 'POST', '/api/invitations')).status, 409);
  assert.is((await signInWith(new Surfer(app), key)).status, 303);
  assert.not.match((await new Surfer(app).get('/sign-in')).text, 'operator invite');
  const put = (await entriesOf(app, 'register.put')).find(
    (one) => (one['facts'] as Record<string, unknown>)['change'] === 'passkey.put',
  );
  assert.equal(put?.['actor'], { kind: 'operator', name: 'ada', person: 'ada', by: 'invitation' });
});

inviting('was spent: not even with the first passkey gone again', async () => {
  const { passkeys } = await app.deps.store.deployment();
  for (const id of passkeys.keys()) must(await app.operator('ada', 'DELETE', `/api/passkeys/${id}`));
  const code = await invited();
  const [first, again] = [new Surfer(app), new Surfer(app)];
  const key = new Authenticator(PUBLIC_URL);
  assert.is((await enrol(first, await open(first, code), key)).status, 303);
  must(await app.operator('ada', 'DELETE', `/api/passkeys/${key.id}`));
  assert.is((await enrol(again, await open(again, code), new Authenticator(PUBLIC_URL))).status, 409);
});

inviting('is not made once set-up is over', async () => {
  await app.sql(`update deployment set set_up = 'ended', epoch = epoch + 1`);
  await app.sql('delete from passkeys');
  app.deps.store.forget(null);
  const got = await app.operator('ada', 'POST', '/api/invitations');
  assert.is(got.body['code'], 'takes_two_persons');
});

inviting.after(() => app.close());
inviting.run();
