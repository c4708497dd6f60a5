/** Signing in with a passkey, and every way in which it must not work. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { PUBLIC_URL, must } from '../support/app.ts';
import { Authenticator } from '../support/authenticator.ts';
import type { Lies } from '../support/authenticator.ts';
import { answer, formOn, givePasskey, signedIn, signInWith, statementOn, Surfer } from '../support/console.ts';
import { consoleApp, entriesOf } from './world.ts';

const { app, keys } = await consoleApp();
const SESSION = '__Host-brevet';
const FORM = '/sign-in/passkey';

const signing = suite('signing in with a passkey');

signing('opens a session, writes it down, and leads back', async () => {
  const surfer = new Surfer(app);
  const page = await surfer.get('/sign-in?return_to=/account');
  const assertion = keys.paula.sign(statementOn(page, FORM));
  const got = await surfer.post(FORM, { ...formOn(page, FORM), answer: answer(assertion) });
  assert.is(got.status, 303);
  assert.is(got.to, '/account');
  assert.is((await surfer.get('/account')).status, 200);
  const [entry] = await entriesOf(app, 'console.signed_in');
  assert.equal(entry?.['actor'], { kind: 'operator', name: 'paula', person: 'paula', by: 'passkey' });
});

signing('gives a cookie that this host alone gets, and no script', async () => {
  const surfer = new Surfer(app);
  const got = await signInWith(surfer, keys.paula);
  const [line = ''] = got.headers.getSetCookie().filter((one) => one.startsWith(`${SESSION}=`));
  assert.match(line, /; Path=\/;/);
  for (const flag of ['Secure', 'HttpOnly', 'SameSite=Lax']) assert.ok(line.includes(flag), flag);
  assert.not.match(line, /domain/i);
});

signing('keeps a hash of the cookie, and not the cookie', async () => {
  const surfer = await signedIn(app, keys.paula);
  const secret = surfer.cookies.get(SESSION) ?? '';
  const rows = await app.sql('select * from console_sessions');
  assert.not.ok(JSON.stringify(rows).includes(secret));
  assert.is(
    (await entriesOf(app, 'console.signed_in')).some((one) => JSON.stringify(one).includes(secret)),
    false,
  );
});

signing('makes a new session each time, whatever cookie the browser came with', async () => {
  const surfer = new Surfer(app);
  // As if somebody had planted it: it is no session, and does not become one.
  const planted = 'ab'.repeat(32);
  surfer.cookies.set(SESSION, planted);
  assert.is((await signInWith(surfer, keys.otto)).status, 303);
  assert.is.not(surfer.cookies.get(SESSION), planted);
  const other = new Surfer(app);
  other.cookies.set(SESSION, planted);
  assert.is((await other.get('/account')).status, 303);
});

signing('ends the session that the browser had', async () => {
  const surfer = await signedIn(app, keys.otto);
  const before = surfer.cookies.get(SESSION) ?? '';
  const page = await surfer.get('/sign-in?fresh=yes');
  const assertion = keys.otto.sign(statementOn(page, FORM));
  await surfer.post(FORM, { ...formOn(page, FORM), answer: answer(assertion) });
  assert.is.not(surfer.cookies.get(SESSION), before);
  const old = new Surfer(app);
  old.cookies.set(SESSION, before);
  assert.is((await old.get('/account')).status, 303);
});

signing('takes an answer once', async () => {
  const surfer = new Surfer(app);
  const page = await surfer.get('/sign-in');
  const form = { ...formOn(page, FORM), answer: answer(keys.otto.sign(statementOn(page, FORM))) };
  const visitor = surfer.cookies.get('__Host-brevet-visitor') ?? '';
  assert.is((await surfer.post(FORM, form)).status, 303);
  const again = new Surfer(app);
  again.cookies.set('__Host-brevet-visitor', visitor);
  const got = await again.post(FORM, form);
  assert.is(got.status, 409);
  assert.not.ok(again.cookies.has(SESSION));
});

signing('takes a synced passkey’s answer once, though that counts nothing', async () => {
  const synced = await givePasskey(app, 'otto', new Authenticator(PUBLIC_URL, { synced: true }));
  const surfer = new Surfer(app);
  const page = await surfer.get('/sign-in');
  const form = { ...formOn(page, FORM), answer: answer(synced.sign(statementOn(page, FORM))) };
  const visitor = surfer.cookies.get('__Host-brevet-visitor') ?? '';
  assert.is((await surfer.post(FORM, form)).status, 303);
  const again = new Surfer(app);
  again.cookies.set('__Host-brevet-visitor', visitor);
  const got = await again.post(FORM, form);
  assert.is(got.status, 409);
  assert.match(got.text, /used before/);
});

signing('is not possible with the answer that another browser was asked for', async () => {
  const [mallory, victim] = [new Surfer(app), new Surfer(app)];
  const page = await mallory.get('/sign-in');
  await victim.get('/sign-in');
  // Login CSRF: the victim's browser is to send what was signed in the attacker's.
  const stolen = { ...formOn(page, FORM), answer: answer(keys.otto.sign(statementOn(page, FORM))) };
  const own = formOn(await victim.get('/sign-in'), FORM);
  const got = await victim.post(FORM, { ...stolen, form_token: own['form_token'] ?? '' });
  assert.is(got.status, 409);
  assert.not.ok(victim.cookies.has(SESSION));
});

const LIES: Readonly<Record<string, Lies>> = {
  'another origin': { origin: 'https://evil.example' },
  'another relying party': { rpId: 'evil.example' },
  'a page around it': { crossOrigin: true },
  'no user verified': { userVerified: false },
  'a challenge of another form': { challenge: 'bm90aGluZw' },
};
for (const [what, lies] of Object.entries(LIES)) {
  signing(`is refused with ${what}`, async () => {
    const surfer = new Surfer(app);
    const got = await signInWith(surfer, keys.otto, lies);
    assert.is(got.status, 403);
    assert.not.ok(surfer.cookies.has(SESSION));
  });
}

signing('is refused with a passkey that nobody knows', async () => {
  const surfer = new Surfer(app);
  assert.is((await signInWith(surfer, new Authenticator(PUBLIC_URL))).status, 403);
});

signing('is refused with a key under another’s credential', async () => {
  const surfer = new Surfer(app);
  const page = await surfer.get('/sign-in');
  const forged = { ...new Authenticator(PUBLIC_URL).sign(statementOn(page, FORM)), credential: keys.ada.id };
  const got = await surfer.post(FORM, { ...formOn(page, FORM), answer: answer(forged) });
  assert.is(got.status, 403);
});

signing('is refused with a copy of an authenticator, whose count stands still', async () => {
  const surfer = new Surfer(app);
  assert.is((await signInWith(surfer, keys.alan)).status, 303);
  assert.is((await signInWith(new Surfer(app), keys.alan, { signCount: 1 })).status, 403);
});

signing('is refused to whoever is disabled', async () => {
  must(await app.operator('ada', 'PUT', '/api/operators/paula', { person: 'paula', active: false }));
  assert.is((await signInWith(new Surfer(app), keys.paula)).status, 401);
  must(await app.operator('ada', 'PUT', '/api/operators/paula', { person: 'paula' }));
});

signing('leads nowhere else', async () => {
  for (const to of ['https://evil.example/', '//evil.example', '/\\evil.example', '/x\r\nset-cookie:a=b']) {
    const surfer = new Surfer(app);
    const shown = await surfer.get(`/sign-in?return_to=${encodeURIComponent(to)}`);
    assert.is(shown.status, 400, to);
    const page = await surfer.get('/sign-in');
    const assertion = keys.otto.sign(statementOn(page, FORM));
    const got = await surfer.post(FORM, { ...formOn(page, FORM), return_to: to, answer: answer(assertion) });
    assert.is(got.status, 400, to);
    assert.is(got.to, null);
  }
});

signing.after(() => app.close());
signing.run();
