/** The second person's word on a change, signed with their passkey. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { verifyAssertion } from '../../src/authenticate/passkey.ts';
import type { StoredAssertion } from '../../src/core/passkey.ts';
import type { Statement } from '../../src/core/statement.ts';
import { must, PUBLIC_URL } from '../support/app.ts';
import { Authenticator } from '../support/authenticator.ts';
import { answer, formOn, givePasskey, signedIn, signInWith, statementOn, Surfer } from '../support/console.ts';
import type { Got } from '../support/console.ts';
import { consoleApp } from './world.ts';

const { app, keys } = await consoleApp();
// A third administrator, and set-up ends: two have signed in.
must(await app.operator('ada', 'PUT', '/api/people/anna', { display_name: 'Anna' }));
must(await app.operator('ada', 'PUT', '/api/operators/anna', { person: 'anna' }));
must(
  await app.operator('ada', 'POST', '/api/assignments', {
    tenant: null,
    holder: { person: 'anna' },
    role: 'administrator',
  }),
);
const annas = await givePasskey(app, 'anna');
const [ada, alan, anna, paula] = [
  await signedIn(app, keys.ada),
  await signedIn(app, keys.alan),
  await signedIn(app, annas),
  await signedIn(app, keys.paula),
];

/** Paula enrols another passkey, which waits. @returns the change's id. */
async function waiting(label = 'phone'): Promise<{ readonly id: string; readonly key: Authenticator }> {
  const key = new Authenticator(PUBLIC_URL);
  const page = await paula.get('/account/passkeys/new');
  const given = answer(key.enrol(statementOn(page, '/account/passkeys')));
  const got = await paula.post('/account/passkeys', {
    ...formOn(page, '/account/passkeys'),
    label,
    answer: given,
  });
  assert.is(got.status, 303);
  const [newest] = await app.deps.store.proposals({ tenant: null, before: null, limit: 1 });
  return { id: newest?.id ?? '', key };
}

const at = (id: string): string => `/changes/${id}/confirm`;

/** @param sign what is signed, where that is not what the page asks for. */
async function confirm(
  surfer: Surfer,
  key: Authenticator,
  id: string,
  sign: (asked: Statement) => Statement = (asked) => asked,
): Promise<Got> {
  const page = await surfer.get(`/changes/${id}`);
  const assertion = key.sign(sign(statementOn(page, at(id))));
  return surfer.post(at(id), { ...formOn(page, at(id)), answer: answer(assertion) });
}

const state = async (id: string) => (await app.deps.store.proposal(id as never))?.state;

const confirming = suite('confirming a change');

confirming('finds set-up over, since two administrators have signed in', async () => {
  assert.is((await app.deps.store.deployment()).inSetup, false);
});

confirming('makes a passkey of what another person enrolled', async () => {
  const { id, key } = await waiting();
  assert.is((await signInWith(new Surfer(app), key)).status, 403);
  assert.is((await confirm(ada, keys.ada, id)).to, `/changes/${id}?done=confirmed`);
  assert.is((await signInWith(new Surfer(app), key)).status, 303);
  const passkey = (await app.deps.store.deployment()).passkeys.get(key.id);
  assert.is(passkey?.confirmedBy, 'ada');
});

confirming('keeps the signature, which anyone verifies with the public key alone', async () => {
  const { id } = await waiting();
  await confirm(alan, keys.alan, id);
  const [row] = await app.sql<{ values: { name: string; value: unknown }[] }>(
    `select v.values from entry_values v join entries e on e.id = v.entry where e.text like '%${id}%' and e.kind = 'register.put'`,
  );
  const value = (name: string) => row?.values.find((one) => one.name === name)?.value;
  const verified = await verifyAssertion(
    { publicUrl: PUBLIC_URL },
    {
      statement: value('statement') as Statement,
      assertion: value('assertion') as StoredAssertion,
      passkey: keys.alan.passkey('alan'),
    },
  );
  assert.ok(verified.ok);
  assert.is((value('statement') as { change: string }).change, id);
});

confirming('is not possible for whoever enrolled, nor for one who administers nothing', async () => {
  const { id } = await waiting();
  assert.is((await paula.get(`/changes/${id}`)).status, 404);
  assert.is((await paula.post(at(id), formOn(await paula.get('/account'), '/sign-out'))).status, 404);
  // An administrator's own, too, is for another.
  const key = new Authenticator(PUBLIC_URL);
  const page = await anna.get('/account/passkeys/new');
  const given = answer(key.enrol(statementOn(page, '/account/passkeys')));
  await anna.post('/account/passkeys', { ...formOn(page, '/account/passkeys'), label: 'own', answer: given });
  const [own] = await app.deps.store.proposals({ tenant: null, before: null, limit: 1 });
  assert.match((await anna.get(`/changes/${own?.id}`)).text, /Another administrator confirms it/);
  const statement = {
    purpose: 'confirm',
    change: own?.id,
    change_hash: own?.hash,
    approver: 'anna',
    nonce: 'n',
  } as Statement;
  const form = { ...formOn(await anna.get('/account'), '/sign-out'), hash: own?.hash ?? '' };
  const got = await anna.post(at(own?.id ?? ''), { ...form, ticket: 'x.y', answer: answer(annas.sign(statement)) });
  assert.is(got.status, 409);
  assert.is(await state(own?.id ?? ''), 'open');
});

confirming('shows what was written of it with what would hide or turn it written out', async () => {
  const { id } = await waiting('ph\u202Eone');
  await app.sql(`update changes set reason = 'for p\u0430ula' where id = '${id}'`);
  const { text } = await ada.get(`/changes/${id}`);
  assert.match(text, /ph<b class="hidden-mark"[^>]*>U\+202E<\/b>one/);
  assert.match(text, /for <b class="alike-mark"[^>]*>p\u0430ula<\/b>/);
});

const OTHERS: Readonly<Record<string, (asked: Statement) => Statement>> = {
  'another purpose': (asked) => ({ ...asked, purpose: 'activate', policy: 'p' }) as Statement,
  'a sign-in': () => ({ purpose: 'sign_in', origin: PUBLIC_URL, nonce: 'n' }),
  'another change': (asked) => ({ ...asked, change: 'chg_other' }) as Statement,
  'another hash': (asked) => ({ ...asked, change_hash: 'ab'.repeat(32) }) as Statement,
  'another person': (asked) => ({ ...asked, approver: 'alan' }) as Statement,
};
for (const [what, sign] of Object.entries(OTHERS)) {
  confirming(`is refused with a signature on ${what}`, async () => {
    const { id } = await waiting();
    assert.is((await confirm(ada, keys.ada, id, sign)).status, 403);
    assert.is(await state(id), 'open');
  });
}

confirming('is refused with another person’s passkey, in one’s own session', async () => {
  const { id } = await waiting();
  assert.is((await confirm(ada, keys.alan, id)).status, 403);
  assert.is(await state(id), 'open');
});

confirming('is refused without a signature, to whoever has a passkey', async () => {
  const { id } = await waiting();
  const page = await ada.get(`/changes/${id}`);
  for (const given of ['', '{}', '[]', 'null', 'x']) {
    const got = await ada.post(at(id), { ...formOn(page, at(id)), answer: given });
    assert.ok(got.status >= 400, given);
  }
  assert.is(await state(id), 'open');
});

confirming('is refused with a ticket stolen from another session', async () => {
  const { id } = await waiting();
  const page = await alan.get(`/changes/${id}`);
  const stolen = formOn(page, at(id));
  const assertion = answer(keys.alan.sign(statementOn(page, at(id))));
  const form = { ...formOn(await ada.get(`/changes/${id}`), at(id)), ticket: stolen['ticket'] ?? '' };
  assert.is((await ada.post(at(id), { ...form, answer: assertion })).status, 409);
  assert.is(await state(id), 'open');
});

confirming('is refused with the ticket and signature of another change', async () => {
  const [first, second] = [await waiting(), await waiting()];
  const page = await ada.get(`/changes/${first.id}`);
  const assertion = answer(keys.ada.sign(statementOn(page, at(first.id))));
  const own = formOn(await ada.get(`/changes/${second.id}`), at(second.id));
  const form = { ...own, ticket: formOn(page, at(first.id))['ticket'] ?? '', answer: assertion };
  assert.is((await ada.post(at(second.id), form)).status, 409);
  assert.is(await state(second.id), 'open');
});

confirming('is done once, also by three at the same moment', async () => {
  const { id } = await waiting();
  const people = [
    [ada, keys.ada],
    [alan, keys.alan],
    [anna, annas],
  ] as const;
  const forms = await Promise.all(
    people.map(async ([surfer, key]) => {
      const page = await surfer.get(`/changes/${id}`);
      return { ...formOn(page, at(id)), answer: answer(key.sign(statementOn(page, at(id)))) };
    }),
  );
  const outcomes = await Promise.all(people.map(([surfer], n) => surfer.post(at(id), forms[n] ?? {})));
  assert.is(outcomes.filter(({ status }) => status === 303).length, 1);
});

confirming('is refused of a change that was withdrawn', async () => {
  const { id } = await waiting();
  const form = formOn(await alan.get(`/changes/${id}`), `/changes/${id}/withdraw`);
  const page = await ada.get(`/changes/${id}`);
  assert.is((await alan.post(`/changes/${id}/withdraw`, form)).to, `/changes/${id}?done=withdrawn`);
  const assertion = answer(keys.ada.sign(statementOn(page, at(id))));
  assert.is((await ada.post(at(id), { ...formOn(page, at(id)), answer: assertion })).status, 409);
});

confirming('of another’s words shows them as words', async () => {
  const body = { display_name: '<b>Eve</b>' };
  const form = { act: 'person.put', name: 'eve', body, reason: '<script>alert(1)</script> \u202e please' };
  const local = await app.call('POST', '/api/changes', { token: await app.localToken('ada'), body: form });
  assert.is(local.status, 403, 'a local token is no first person');
  const page = await ada.get('/changes');
  assert.not.match(page.text, /<script>alert/);
});

confirming.after(() => app.close());
confirming.run();
