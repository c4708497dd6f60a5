/** Signing in at a real identity provider: the code flow, and every way to bend it. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Secret } from '../../src/core/secret.ts';
import { ahead, must, PUBLIC_URL, testApp } from '../support/app.ts';
import { CLIENT, CLIENT_SECRET, startSignInIssuer } from '../support/browser/issuer.ts';
import { Surfer } from '../support/console.ts';
import { addPeople, entriesOf } from './world.ts';

const issuer = await startSignInIssuer(PUBLIC_URL);
const operators = { issuer: issuer.url, clientId: CLIENT, clientSecret: new Secret(CLIENT_SECRET) };
const app = await testApp({ operators });
await addPeople(app);
for (const name of ['ada', 'alan', 'paula']) {
  const body = { person: name, issuer: issuer.url, subject: issuer.subjectOf(name) };
  must(await app.operator('ada', 'PUT', `/api/operators/${name}`, body));
}

/** The identity provider's side of a browser. @returns where it sends the browser back to. */
async function atProvider(url: string, account: string, jar = new Map<string, string>()): Promise<URL> {
  let response = await visit(url, jar);
  for (let hops = 0; hops < 8; hops++) {
    const to = response.headers.get('location');
    if (to === null) {
      response = await visit(response.url, jar, { method: 'POST', body: new URLSearchParams({ account }) });
      continue;
    }
    const next = new URL(to, issuer.url);
    if (next.origin !== issuer.url) return next;
    response = await visit(next.href, jar);
  }
  throw new Error('the identity provider leads nowhere');
}

async function visit(url: string, jar: Map<string, string>, init: RequestInit = {}): Promise<Response> {
  const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
  const response = await fetch(url, { ...init, redirect: 'manual', headers: { cookie } });
  for (const line of response.headers.getSetCookie()) {
    const [name = '', value = ''] = (line.split(';')[0] ?? '').split('=');
    jar.set(name, value);
  }
  return response;
}

const begin = async (surfer: Surfer, query = ''): Promise<string> =>
  (await surfer.get(`/sign-in/issuer${query}`)).to ?? '';
const local = ({ pathname, search }: URL): string => `${pathname}${search}`;
const isIn = async (surfer: Surfer): Promise<boolean> => (await surfer.get('/account')).status === 200;

const signing = suite('signing in at the issuer');

signing('asks for a code, with PKCE, state and nonce, and says nothing of the secret', async () => {
  const url = new URL(await begin(new Surfer(app)));
  const query = Object.fromEntries(url.searchParams);
  assert.is(query['response_type'], 'code');
  assert.is(query['code_challenge_method'], 'S256');
  assert.is(query['redirect_uri'], `${PUBLIC_URL}/sign-in/callback`);
  assert.is(query['state']?.length, 64);
  assert.is(query['nonce']?.length, 64);
  assert.not.ok(url.href.includes(encodeURIComponent(CLIENT_SECRET)));
});

signing('makes an operator of whom an administrator created one', async () => {
  const surfer = new Surfer(app);
  const back = await atProvider(await begin(surfer, '?return_to=/changes'), 'ada');
  const got = await surfer.get(local(back));
  assert.is(got.to, '/changes');
  assert.ok(await isIn(surfer));
  const entry = (await entriesOf(app, 'console.signed_in')).at(-1);
  assert.equal(entry?.['actor'], { kind: 'operator', name: 'ada', person: 'ada', by: 'oidc' });
});

signing('counts an administrator towards the end of set-up', async () => {
  assert.ok((await app.deps.store.deployment()).inSetup);
  const surfer = new Surfer(app);
  await surfer.get(local(await atProvider(await begin(surfer), 'alan')));
  app.deps.store.forget(null);
  assert.is((await app.deps.store.deployment()).inSetup, false);
});

signing('refuses somebody whom it does not know here, and writes that down', async () => {
  const surfer = new Surfer(app);
  const got = await surfer.get(local(await atProvider(await begin(surfer), 'mallory')));
  assert.is(got.status, 401);
  assert.match(got.text, /Ask an administrator/);
  assert.not.ok(await isIn(surfer));
  const [entry] = await entriesOf(app, 'console.refused');
  assert.ok(entry);
  assert.is((entry?.['facts'] as Record<string, unknown> | undefined)?.['issuer'], issuer.url);
  assert.not.ok(JSON.stringify(entry).includes('mallory'), 'who that was stands beside the leaf');
});

signing('refuses an answer in another browser than the one that asked', async () => {
  const [mallory, victim] = [new Surfer(app), new Surfer(app)];
  const back = await atProvider(await begin(mallory), 'paula');
  assert.is((await victim.get(local(back))).status, 401);
  // Also where that one has begun a sign-in of its own.
  await begin(victim);
  assert.is((await victim.get(local(back))).status, 401);
  assert.not.ok(await isIn(victim));
});

signing('takes an answer once', async () => {
  const surfer = new Surfer(app);
  const url = await begin(surfer);
  const pending = surfer.cookies.get('__Host-brevet-issuer') ?? '';
  const back = local(await atProvider(url, 'paula'));
  assert.is((await surfer.get(back)).status, 303);
  const again = new Surfer(app);
  again.cookies.set('__Host-brevet-issuer', pending);
  assert.ok((await again.get(back)).status >= 400);
  assert.not.ok(await isIn(again));
});

const BENT: Readonly<Record<string, (back: URL) => void>> = {
  'another state': (back) => back.searchParams.set('state', 'ab'.repeat(32)),
  'no state': (back) => back.searchParams.delete('state'),
  'another code': (back) => back.searchParams.set('code', 'x'),
  'no code': (back) => back.searchParams.delete('code'),
  'another issuer': (back) => back.searchParams.set('iss', 'https://evil.example'),
  'an error': (back) => {
    back.searchParams.delete('code');
    back.searchParams.set('error', 'access_denied');
  },
  'state twice': (back) => back.searchParams.append('state', 'x'),
};
for (const [what, bend] of Object.entries(BENT)) {
  signing(`refuses ${what}`, async () => {
    const surfer = new Surfer(app);
    const back = await atProvider(await begin(surfer), 'paula');
    bend(back);
    assert.is((await surfer.get(local(back))).status, 401);
    assert.not.ok(await isIn(surfer));
  });
}

signing('refuses a sign-in that another was made of: a nonce that is not ours', async () => {
  const [one, two] = [new Surfer(app), new Surfer(app)];
  const [first, second] = [new URL(await begin(one)), new URL(await begin(two))];
  // The code of the second's request, with the state and the challenge of the first's.
  for (const name of ['state', 'code_challenge']) first.searchParams.set(name, first.searchParams.get(name) ?? '');
  first.searchParams.set('nonce', second.searchParams.get('nonce') ?? '');
  const back = await atProvider(first.href, 'paula');
  assert.is((await one.get(local(back))).status, 401);
});

signing('refuses a code that was asked for with another verifier', async () => {
  const surfer = new Surfer(app);
  const url = new URL(await begin(surfer));
  url.searchParams.set('code_challenge', 'x'.repeat(43));
  assert.is((await surfer.get(local(await atProvider(url.href, 'paula')))).status, 401);
});

signing('refuses a sign-in that took too long', async () => {
  const late = await app.node({ operators, deps: ahead(() => 11 * 60_000) });
  const surfer = new Surfer(app);
  const back = local(await atProvider(await begin(surfer), 'paula'));
  const there = new Surfer(late);
  there.cookies.set('__Host-brevet-issuer', surfer.cookies.get('__Host-brevet-issuer') ?? '');
  assert.is((await there.get(back)).status, 401);
});

signing('refuses a sealed cookie that was changed', async () => {
  const surfer = new Surfer(app);
  const back = local(await atProvider(await begin(surfer), 'paula'));
  const sealed = surfer.cookies.get('__Host-brevet-issuer') ?? '';
  for (const wrong of ['', 'x', `${sealed}00`, sealed.replace(/.$/, (last) => (last === '0' ? '1' : '0'))]) {
    const other = new Surfer(app);
    if (wrong !== '') other.cookies.set('__Host-brevet-issuer', wrong);
    assert.is((await other.get(back)).status, 401, wrong.slice(0, 8));
  }
});

signing('is not fresh unless the issuer was told to ask anew, and says when it did', async () => {
  const surfer = new Surfer(app);
  await surfer.get(local(await atProvider(await begin(surfer), 'paula')));
  const [row] = await app.sql<{ proven_at: string | null }>(
    'select proven_at from console_sessions order by signed_in_at desc limit 1',
  );
  assert.is(row?.proven_at, null);
  assert.match((await surfer.get('/account/passkeys/new')).to ?? '', /fresh=yes/);
  const url = new URL(await begin(surfer, '?fresh=yes&return_to=/account/passkeys/new'));
  assert.is(url.searchParams.get('prompt'), 'login');
  assert.is(url.searchParams.get('max_age'), '300');
  await surfer.get(local(await atProvider(url.href, 'paula')));
  assert.is((await surfer.get('/account/passkeys/new')).status, 200);
});

signing('is not made fresh by taking the demand out of the address', async () => {
  const surfer = new Surfer(app);
  const url = new URL(await begin(surfer, '?fresh=yes'));
  url.searchParams.delete('prompt');
  url.searchParams.delete('max_age');
  // The issuer then does not say when they proved who they are.
  const got = await surfer.get(local(await atProvider(url.href, 'paula')));
  assert.is(got.status, 401);
});

signing('asks the issuer where it is found once in ten minutes, however many begin', async () => {
  const asked: string[] = [];
  let shift = 0;
  const node = await app.node({
    operators: { ...operators },
    deps: (deps) => ({
      ...ahead(() => shift)(deps),
      gateway: {
        ...deps.gateway,
        forward: (call) => {
          asked.push(new URL(call.url.reveal()).pathname);
          return deps.gateway.forward(call);
        },
      },
    }),
  });
  for (let visit = 0; visit < 5; visit++) await begin(new Surfer(node));
  assert.equal(asked, ['/.well-known/openid-configuration']);
  shift = 601_000;
  await begin(new Surfer(node));
  assert.is(asked.length, 2);
});

signing('refuses an ID token that the issuer did not sign, whatever it came over', async () => {
  const node = await app.node({
    operators: { ...operators },
    deps: (deps) => ({
      ...deps,
      gateway: {
        ...deps.gateway,
        forward: async (call) => {
          const answer = await deps.gateway.forward(call);
          return call.url.reveal().endsWith('/token') ? { ...answer, body: withOtherSignature(answer.body) } : answer;
        },
      },
    }),
  });
  const surfer = new Surfer(node);
  const got = await surfer.get(local(await atProvider(await begin(surfer), 'paula')));
  assert.is(got.status, 401);
  assert.not.ok(await isIn(surfer));
});

async function* withOtherSignature(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const text = Buffer.concat(await Array.fromAsync(body)).toString();
  const { id_token: token, ...rest } = JSON.parse(text) as { id_token: string };
  const [head, claims, signature = ''] = token.split('.');
  const other = signature.replace(/^./, (first) => (first === 'A' ? 'B' : 'A'));
  yield Buffer.from(JSON.stringify({ ...rest, id_token: `${head}.${claims}.${other}` }));
}

signing('says so when the issuer does not answer', async () => {
  const gone = await app.node({ operators: { ...operators, issuer: 'http://127.0.0.1:9' } });
  assert.is((await new Surfer(gone).get('/sign-in/issuer')).status, 503);
});

signing('never leads to another issuer than the one that is configured', async () => {
  const other = await app.node({ operators: { ...operators, issuer: `${issuer.url}/other` } });
  const got = await new Surfer(other).get('/sign-in/issuer');
  assert.ok(got.status >= 400);
  assert.is(got.to, null);
});

signing.after(async () => {
  await app.close();
  await issuer.stop();
});
signing.run();
