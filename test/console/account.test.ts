/** A person's own: enrolling and removing passkeys, and ending sessions. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FRESH } from '../../src/authenticate/console.ts';
import { ASKED, must, PUBLIC_URL } from '../support/app.ts';
import { Authenticator } from '../support/authenticator.ts';
import type { Lies } from '../support/authenticator.ts';
import { answer, formOn, signedIn, signInWith, statementOn, Surfer } from '../support/console.ts';
import type { Got } from '../support/console.ts';
import { consoleApp, entriesOf } from './world.ts';

const { app, keys } = await consoleApp();
const NEW = '/account/passkeys/new';
const ENROL = '/account/passkeys';

async function enrol(surfer: Surfer, key: Authenticator, label = 'work laptop', lies: Lies = {}): Promise<Got> {
  const page = await surfer.get(NEW);
  const attestation = key.enrol(statementOn(page, ENROL), lies);
  return surfer.post(ENROL, { ...formOn(page, ENROL), label, answer: answer(attestation) });
}
const proposals = async () => (await app.deps.store.proposals({ tenant: null, before: null, limit: 50 })).length;

const enrolling = suite('enrolling a passkey');

enrolling('of an approver waits for an administrator, and is good for nothing until then', async () => {
  const surfer = await signedIn(app, keys.paula);
  const key = new Authenticator(PUBLIC_URL);
  const got = await enrol(surfer, key);
  assert.is(got.to, '/account?done=passkey-waits');
  assert.match((await surfer.get('/account')).text, /waits for another person/);
  assert.is((await signInWith(new Surfer(app), key)).status, 403);
  const [entry] = await entriesOf(app, 'change.proposed');
  const facts = entry?.['facts'] as Record<string, unknown>;
  assert.is(facts['passkey'], key.id);
  assert.is(facts['public_key'], key.passkey('paula').publicKey);
});

enrolling('needs a sign-in of the last five minutes', async () => {
  const surfer = await signedIn(app, keys.paula);
  const page = await surfer.get(NEW);
  const form = {
    ...formOn(page, ENROL),
    label: 'late',
    answer: answer(new Authenticator(PUBLIC_URL).enrol(statementOn(page, ENROL))),
  };
  await app.sql(`update console_sessions set proven_at = proven_at - ${(FRESH + 1) * 1000}`);
  assert.is((await surfer.get(NEW)).to, `/sign-in?${new URLSearchParams({ return_to: NEW, fresh: 'yes' }).toString()}`);
  const before = await proposals();
  assert.is((await surfer.post(ENROL, form)).status, 303);
  assert.is(await proposals(), before);
});

enrolling('is refused where the issuer did not say when they proved who they are', async () => {
  const surfer = await signedIn(app, keys.paula);
  await app.sql('update console_sessions set proven_at = null');
  assert.match((await surfer.get(NEW)).to ?? '', /fresh=yes/);
});

const LIES: Readonly<Record<string, Lies>> = {
  'another origin': { origin: 'https://evil.example' },
  'no user verified': { userVerified: false },
  'a page around it': { crossOrigin: true },
  'another challenge': { challenge: 'bm90aGluZw' },
};
for (const [what, lies] of Object.entries(LIES)) {
  enrolling(`is refused with ${what}`, async () => {
    const before = await proposals();
    const got = await enrol(await signedIn(app, keys.paula), new Authenticator(PUBLIC_URL), 'x', lies);
    assert.is(got.status, 403);
    assert.is(await proposals(), before);
  });
}

enrolling('is done once with one form', async () => {
  const surfer = await signedIn(app, keys.otto);
  const page = await surfer.get(NEW);
  const statement = statementOn(page, ENROL);
  const send = (key: Authenticator) =>
    surfer.post(ENROL, { ...formOn(page, ENROL), label: 'x', answer: answer(key.enrol(statement)) });
  assert.is((await send(new Authenticator(PUBLIC_URL))).status, 303);
  assert.is((await send(new Authenticator(PUBLIC_URL))).status, 409);
});

enrolling('is refused with a ticket that another session was given', async () => {
  const [paula, otto] = [await signedIn(app, keys.paula), await signedIn(app, keys.otto)];
  const page = await otto.get(NEW);
  const stolen = answer(new Authenticator(PUBLIC_URL).enrol(statementOn(page, ENROL)));
  const form = { ...formOn(await paula.get(NEW), ENROL), ticket: formOn(page, ENROL)['ticket'] ?? '', label: 'x' };
  assert.is((await paula.post(ENROL, { ...form, answer: stolen })).status, 409);
});

enrolling('is refused under a label that would fool somebody', async () => {
  const surfer = await signedIn(app, keys.otto);
  for (const label of ['', 'x'.repeat(61), 'a\u0000b', 'a\u001bb']) {
    assert.is((await enrol(surfer, new Authenticator(PUBLIC_URL), label)).status, 400, JSON.stringify(label));
  }
});

enrolling('of an administrator takes nobody else while set-up lasts', async () => {
  const surfer = await signedIn(app, keys.ada);
  assert.ok((await app.deps.store.deployment()).inSetup);
  const key = new Authenticator(PUBLIC_URL);
  assert.is((await enrol(surfer, key)).to, '/account?done=passkey-enrolled');
  assert.is((await signInWith(new Surfer(app), key)).status, 303);
});

enrolling('is withdrawn by whoever did it, and by no other person', async () => {
  const [paula, otto] = [await signedIn(app, keys.paula), await signedIn(app, keys.otto)];
  const form = formOn(await paula.get('/account'), '/account/passkeys/withdraw');
  const others = { ...formOn(await otto.get('/account'), '/sign-out'), change: form['change'] ?? '' };
  assert.is((await otto.post('/account/passkeys/withdraw', others)).status, 404);
  assert.is((await paula.post('/account/passkeys/withdraw', form)).to, '/account?done=passkey-withdrawn');
});

enrolling.run();

const removing = suite('removing a passkey');

removing('takes its owner, and ends the sessions that it opened', async () => {
  const key = new Authenticator(PUBLIC_URL);
  const ada = await signedIn(app, keys.ada);
  await enrol(ada, key, 'old phone');
  const elsewhere = await signedIn(app, key);
  const page = (await ada.get('/account')).text;
  assert.ok(page.includes(`value="${key.id}"`));
  const form = { ...formOn(await ada.get('/account'), '/sign-out'), passkey: key.id };
  assert.is((await ada.post('/account/passkeys/remove', form)).to, '/account?done=passkey-removed');
  assert.is((await elsewhere.get('/account')).status, 303);
  assert.is((await ada.get('/account')).status, 200);
  assert.is((await signInWith(new Surfer(app), key)).status, 403);
});

removing('of another person takes an administrator', async () => {
  const paula = await signedIn(app, keys.paula);
  const form = { ...formOn(await paula.get('/account'), '/sign-out'), passkey: keys.otto.id };
  assert.is((await paula.post('/account/passkeys/remove', form)).status, 403);
  const gone = await app.operator('ada', 'DELETE', `/api/passkeys/${keys.otto.id}`);
  must(gone);
  assert.is((await signInWith(new Surfer(app), keys.otto)).status, 403);
  assert.is((await app.operator('ada', 'DELETE', `/api/passkeys/${keys.otto.id}`)).status, 404);
});

removing.run();

const ending = suite('ending sessions');

ending('is done one by one, of one’s own alone', async () => {
  const [here, there] = [await signedIn(app, keys.paula), await signedIn(app, keys.paula)];
  const alan = await signedIn(app, keys.alan);
  const [mine, theirs] = await Promise.all(
    ['paula', 'alan'].map((one) => app.deps.store.consoleSessionsOf(one as never)),
  );
  const form = formOn(await here.get('/account'), '/sign-out');
  await here.post('/account/sessions/end', { ...form, session: theirs?.[0]?.id ?? '' });
  assert.is((await alan.get('/account')).status, 200, 'another person’s stays');
  // The newest first: that is the other browser's.
  assert.is((await here.post('/account/sessions/end', { ...form, session: mine?.[0]?.id ?? '' })).status, 303);
  assert.is((await there.get('/account')).status, 303);
  assert.is((await here.get('/account')).status, 200);
});

ending('is done everywhere by one call', async () => {
  const all = [new Surfer(app), new Surfer(app), new Surfer(app)];
  for (const one of all) await signInWith(one, keys.paula);
  const [first] = all;
  if (first === undefined) throw new Error('nobody');
  assert.is((await first.post('/sign-out-everywhere', formOn(await first.get('/account'), '/sign-out'))).status, 303);
  for (const one of all) assert.is((await one.get('/account')).status, 303);
  const entry = (await entriesOf(app, 'console.signed_out')).at(-1);
  assert.equal(entry?.['facts'], { change: 'console.sign_out', person: 'paula', sessions: 'all' });
});

ending('of another person takes an administrator', async () => {
  const paula = await signedIn(app, keys.paula);
  assert.is((await app.operator('otto', 'DELETE', '/api/operators/paula/sessions')).status, 403);
  assert.is((await app.call('DELETE', '/api/operators/paula/sessions')).status, 401);
  assert.is((await paula.get('/account')).status, 200);
  must(await app.operator('ada', 'DELETE', '/api/operators/paula/sessions'));
  assert.is((await paula.get('/account')).status, 303);
  assert.is((await app.operator('ada', 'DELETE', '/api/operators/nobody/sessions')).status, 404);
});

const away = suite('being away');

away('is said on one’s own page, with an end, and taken back there', async () => {
  const surfer = await signedIn(app, keys.paula);
  const away = async (until: string): Promise<Got> =>
    surfer.post('/account/away', { ...formOn(await surfer.get('/account'), '/account/away'), until });
  const tomorrow = new Date(app.deps.clock() + 86_400_000).toISOString().slice(0, 16);
  for (const wrong of ['', 'tomorrow', '2020-01-01T00:00', '2999-01-01T00:00']) {
    assert.is((await away(wrong)).status, 400, wrong);
  }
  assert.is((await away(tomorrow)).to, '/account?done=away');
  const page = await surfer.get('/account');
  assert.match(page.text, 'Nothing is asked of you from');
  const asked = await app.call('POST', '/t/acme/requests', { token: await app.session(), body: ASKED });
  assert.is(asked.body['code'], 'nobody_can_approve', asked.text);
  const got = await surfer.post('/account/back', formOn(page, '/account/back'));
  assert.is(got.to, '/account?done=back');
  assert.is((await app.call('POST', '/t/acme/requests', { token: await app.session(), body: ASKED })).status, 202);
});

away.run();

ending.after(() => app.close());
ending.run();
