/** Who a session is, how long, and what is refused of a form that did not come from it. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ABSOLUTE, IDLE } from '../../src/authenticate/console.ts';
import { must, PUBLIC_URL } from '../support/app.ts';
import { formOn, signedIn, Surfer } from '../support/console.ts';
import { consoleApp } from './world.ts';

const { app, keys } = await consoleApp();
const SESSION = '__Host-brevet';
const isIn = async (surfer: Surfer): Promise<boolean> => (await surfer.get('/account')).status === 200;

const sessions = suite('a session');

sessions('leads whoever has none to signing in, and back', async () => {
  const got = await new Surfer(app).get('/account?x=1');
  assert.is(got.status, 303);
  assert.is(got.to, '/sign-in?return_to=%2Faccount%3Fx%3D1');
});

const STRANGE = ['', 'x', 'ab'.repeat(32), 'AB'.repeat(32), `${'ab'.repeat(32)}'--`, 'ab'.repeat(64), '%00'];
for (const cookie of STRANGE) {
  sessions(`is not opened by ${JSON.stringify(cookie).slice(0, 24)}`, async () => {
    const surfer = new Surfer(app);
    surfer.cookies.set(SESSION, cookie);
    assert.not.ok(await isIn(surfer));
  });
}

sessions('is not opened by its id', async () => {
  await signedIn(app, keys.paula);
  const [row] = await app.sql<{ id: string }>('select id from console_sessions limit 1');
  const surfer = new Surfer(app);
  surfer.cookies.set(SESSION, row?.id ?? '');
  assert.not.ok(await isIn(surfer));
});

sessions('ends for idleness, and not while it is used', async () => {
  const surfer = await signedIn(app, keys.paula);
  const move = (seconds: number) => app.sql(`update console_sessions set idle_until = idle_until - ${seconds * 1000}`);
  await move(IDLE - 5);
  assert.ok(await isIn(surfer));
  const [row] = await app.sql<{ left: string }>('select max(idle_until - brevet_now()) as left from console_sessions');
  assert.ok(Number(row?.left) > (IDLE - 60) * 1000, 'being used was noted');
  await move(IDLE + 5);
  assert.not.ok(await isIn(surfer));
});

sessions('ends for good after a working day, however it is used', async () => {
  const surfer = await signedIn(app, keys.paula);
  await app.sql(`update console_sessions set until = until - ${(ABSOLUTE + 1) * 1000}`);
  assert.not.ok(await isIn(surfer));
});

sessions('is never kept open beyond its end by use', async () => {
  const surfer = await signedIn(app, keys.paula);
  await app.sql(`update console_sessions set until = brevet_now() + 90000, idle_until = brevet_now() + 20000`);
  assert.ok(await isIn(surfer));
  const [row] = await app.sql<{ over: boolean }>('select bool_or(idle_until > until) as over from console_sessions');
  assert.is(row?.over, false);
});

sessions('is dead at once for a person who is disabled, on every node', async () => {
  const other = await app.node();
  const surfer = await signedIn(app, keys.paula);
  const there = new Surfer(other);
  there.cookies.set(SESSION, surfer.cookies.get(SESSION) ?? '');
  assert.ok(await isIn(there));
  must(await app.operator('ada', 'PUT', '/api/people/paula', { display_name: 'Paula', active: false }));
  assert.not.ok(await isIn(there));
  assert.not.ok(await isIn(surfer));
  must(await app.operator('ada', 'PUT', '/api/people/paula', { display_name: 'Paula' }));
  assert.not.ok(await isIn(there), 'who comes back signs in anew');
});

sessions('is dead at once when its operator leads elsewhere', async () => {
  const surfer = await signedIn(app, keys.paula);
  must(await app.operator('ada', 'PUT', '/api/operators/paula', { person: 'dana' }));
  assert.not.ok(await isIn(surfer));
  must(await app.operator('ada', 'PUT', '/api/operators/paula', { person: 'paula' }));
  assert.not.ok(await isIn(surfer));
});

const WAY_IN = { person: 'paula', issuer: 'https://idp.example', subject: 'paula-at-idp' };
const CHANGED: readonly (readonly [what: string, by: Record<string, unknown>])[] = [
  ['the account of another', { subject: 'another-at-idp' }],
  ['an account at another issuer', { issuer: 'https://other.example' }],
  ['disabled, and active again since', { active: false }],
];
for (const [what, by] of CHANGED) {
  sessions(`is over once its operator is ${what}`, async () => {
    const put = async (body: object) => must(await app.operator('ada', 'PUT', '/api/operators/paula', body));
    await put(WAY_IN);
    const surfer = await signedIn(app, keys.paula);
    await put(WAY_IN);
    assert.ok(await isIn(surfer), 'put as it was, it is the same');
    await put({ ...WAY_IN, ...by });
    await put(WAY_IN);
    assert.not.ok(await isIn(surfer));
  });
}

sessions.run();

const forms = suite('a form');

const signOut = async (surfer: Surfer) => formOn(await surfer.get('/account'), '/sign-out');

const FOREIGN: Readonly<Record<string, Record<string, string>>> = {
  'another origin': { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
  'another origin, by an old browser': { origin: 'https://evil.example', 'sec-fetch-site': 'same-origin' },
  'a site of the same domain': { origin: PUBLIC_URL, 'sec-fetch-site': 'same-site' },
  'an opaque origin': { origin: 'null', 'sec-fetch-site': 'same-origin' },
};
for (const [what, headers] of Object.entries(FOREIGN)) {
  forms(`is refused from ${what}, even with the right token`, async () => {
    const surfer = await signedIn(app, keys.paula);
    const got = await surfer.post('/sign-out', await signOut(surfer), headers);
    assert.is(got.status, 409);
    assert.ok(await isIn(surfer));
  });
}

forms('is refused without any word of where it comes from', async () => {
  const surfer = await signedIn(app, keys.paula);
  const cookie = `${SESSION}=${surfer.cookies.get(SESSION) ?? ''}`;
  const body = new URLSearchParams(await signOut(surfer));
  const got = await app.app.request(`${PUBLIC_URL}/sign-out`, { method: 'POST', headers: { cookie }, body }, {});
  assert.is(got.status, 409);
  assert.ok(await isIn(surfer));
});

forms('is refused without a token, with another’s, and with that of before signing in', async () => {
  const surfer = await signedIn(app, keys.paula);
  const other = await signedIn(app, keys.otto);
  const before = formOn(await new Surfer(app).get('/sign-in'), '/sign-in/passkey');
  for (const form of [{}, await signOut(other), { form_token: before['form_token'] ?? '' }]) {
    assert.is((await surfer.post('/sign-out', form)).status, 409);
  }
  assert.ok(await isIn(surfer));
  assert.is((await surfer.post('/sign-out', await signOut(surfer))).status, 303);
  assert.not.ok(await isIn(surfer));
});

forms('is refused as anything but a form', async () => {
  const surfer = await signedIn(app, keys.paula);
  for (const type of ['application/json', 'text/plain', 'multipart/form-data; boundary=x']) {
    const got = await surfer.post('/sign-out', await signOut(surfer), { 'content-type': type });
    assert.is(got.status, 415, type);
  }
  assert.ok(await isIn(surfer));
});

/** Every address that a form is sent to, and the first of each. */
const POSTED = [...new Set(app.app.routes.filter(({ method }) => method === 'POST').map(({ path }) => path))].filter(
  (path) => !path.startsWith('/api') && !path.startsWith('/t/'),
);
for (const path of POSTED) {
  forms(`at ${path} is refused from elsewhere`, async () => {
    const surfer = await signedIn(app, keys.ada);
    const form = await signOut(surfer);
    const at = path.replace(':id', 'chg_01jqqqqqqqqqqqqqqqqqqqqqqq');
    for (const headers of Object.values(FOREIGN)) assert.is((await surfer.post(at, form, headers)).status, 409, path);
    assert.is((await surfer.post(at, {})).status, 409, path);
  });
}

forms.run();

const pages = suite('a page');

pages('refuses frames, inline scripts, other origins, and being kept', async () => {
  const surfer = await signedIn(app, keys.ada);
  for (const path of ['/', '/account', '/changes', '/changes/nothing', '/sign-in', '/invitation']) {
    const { headers } = await (path === '/sign-in' ? new Surfer(app) : surfer).get(path);
    const policy = headers.get('content-security-policy') ?? '';
    for (const part of ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "script-src 'self'"]) {
      assert.ok(policy.split('; ').includes(part), `${path}: ${part}`);
    }
    assert.not.match(policy, /unsafe|\*|http/);
    assert.is(headers.get('x-frame-options'), 'DENY');
    assert.is(headers.get('x-content-type-options'), 'nosniff');
    assert.is(headers.get('referrer-policy'), 'same-origin');
    assert.is(headers.get('cross-origin-opener-policy'), 'same-origin');
    assert.is(headers.get('cache-control'), 'no-store');
    assert.match(headers.get('strict-transport-security') ?? '', /max-age=\d{8}/);
  }
});

pages('holds no script and no style of its own', async () => {
  const surfer = await signedIn(app, keys.ada);
  for (const path of ['/', '/account', '/changes']) {
    const { text } = await surfer.get(path);
    assert.not.match(text, /<style|style=|<script(?! src="\/console\/)| on[a-z]+=/);
  }
});

pages('shows what people wrote as text', async () => {
  must(await app.operator('ada', 'PUT', '/api/people/paula', { display_name: '<img src=x onerror=alert(1)>"\'' }));
  const surfer = await signedIn(app, keys.paula);
  const { text } = await surfer.get('/account');
  assert.not.match(text, /<img/);
  assert.match(text, /&lt;img src=x/);
});

pages('keeps its two files for good, under a name that changes with them', async () => {
  const { text } = await new Surfer(app).get('/sign-in');
  const files = [...text.matchAll(/(?:href|src)="(\/console\/[^"]+)"/g)].map(([, path]) => path ?? '');
  assert.is(files.length, 2);
  for (const path of files) {
    const got = await new Surfer(app).get(path);
    assert.is(got.status, 200);
    assert.match(path, /\.[0-9a-f]{16}\.(?:css|js)$/);
    assert.match(got.headers.get('cache-control') ?? '', /immutable/);
    assert.is(got.headers.getSetCookie().length, 0);
  }
});

pages('is small: its script and style are under 15 KB together, gzipped', async () => {
  const { gzipSync } = await import('node:zlib');
  const { SCRIPT } = await import('../../src/console/script.ts');
  const { STYLE } = await import('../../src/console/style.ts');
  assert.ok(gzipSync(SCRIPT).length + gzipSync(STYLE).length < 15_000);
});

pages('is drawn in the colours that were chosen', async () => {
  const surfer = await signedIn(app, keys.ada);
  const form = { ...formOn(await surfer.get('/account'), '/theme'), theme: 'dark' };
  assert.is((await surfer.post('/theme', form)).to, '/account');
  assert.match((await surfer.get('/account')).text, /data-theme="dark"/);
  assert.is((await surfer.post('/theme', { ...form, theme: 'x"><script>' })).status, 400);
});

pages.after(() => app.close());
pages.run();
