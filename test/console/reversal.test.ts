/** One page and one click that take back what was done at tier 2; and verdicts on what is over. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { agentBody, must, PUBLISHED } from '../support/app.ts';
import { formOn, givePasskey, signedIn } from '../support/console.ts';
import type { Surfer } from '../support/console.ts';
import { addNina, leaseAt } from './overseen.ts';
import { consoleApp } from './world.ts';

/** Somebody can be told, so that tier 2 is tier 2. */
const channel = { name: 'webhook', reaches: () => true, tell: () => Promise.resolve() } as const;
const { app, keys } = await consoleApp({ channels: [channel] });
const nina = await signedIn(app, await addNina(app));
for (const [path, body] of [
  ['/api/people/remy', { display_name: 'Remy' }],
  ['/api/operators/remy', { person: 'remy' }],
] as const) {
  must(await app.operator('ada', 'PUT', path, body));
}
const reading = { tenant: 'acme', holder: { person: 'remy' }, role: 'auditor' };
must(await app.operator('ada', 'POST', '/api/assignments', reading));
const remy = await signedIn(app, await givePasskey(app, 'remy'));
const [otto, paula] = [await signedIn(app, keys.otto), await signedIn(app, keys.paula)];

const published = async (more: object = {}): Promise<string> => {
  const asked = { token: await app.session(), body: { ...PUBLISHED, confidence: 0.82, ...more } };
  return (must(await app.call('POST', '/t/acme/requests', asked)).body['lease'] as { id: string }).id;
};
const pathOf = (lease: string): string => `/leases/acme/${lease}/reverse`;
const part = async (surfer: Surfer, path: string): Promise<string> => {
  const { text } = await surfer.get(path);
  return text.slice(text.indexOf('<main'));
};
const click = async (surfer: Surfer, lease: string, reason = '') => {
  const token = formOn(await surfer.get('/account'), '/sign-out')['form_token'] ?? '';
  return surfer.post(pathOf(lease), { form_token: token, reason });
};
const ordersOf = async (lease: string) => [
  ...(await app.sql<{ id: string; reason: string }>(`select id, reason from orders where lease = '${lease}'`)),
];

const reversal = suite('a reversal at the console');
reversal.after(() => app.close());

reversal('is one click, without a word that has to be found, and is followed to the agent’s own act', async () => {
  const lease = await published({ reason: 'It <i>answers</i> all' });
  const before = await part(otto, pathOf(lease));
  for (const told of [/kb\.publish/, /82 %/, /It &lt;i&gt;answers/, /kb\.unpublish/, /Take it back/, /lives for/]) {
    assert.match(before, told);
  }
  const page = await otto.get(pathOf(lease));
  assert.equal(await ordersOf(lease), [], 'looking orders nothing');
  const done = await otto.post(pathOf(lease), formOn(page, pathOf(lease)));
  assert.is(done.to, `${pathOf(lease)}?done=reversed`);
  const [order] = await ordersOf(lease);
  assert.is(order?.reason, 'No reason was given');
  assert.match(await part(otto, pathOf(lease)), /waits for the agent[^]*has yet to come for it/);
  assert.match(await part(otto, `/leases/acme/${lease}`), /had it taken back/);
  assert.is((await click(otto, lease)).status, 303);
  assert.is((await ordersOf(lease)).length, 1, 'a second click orders nothing more');
  const back = { ...PUBLISHED, task: 'kb.unpublish', reason: 'Ordered', order: order?.id };
  const taken = must(await app.call('POST', '/t/acme/requests', { token: await app.session(), body: back })).body;
  const { id } = taken['lease'] as { readonly id: string };
  const after = await part(otto, pathOf(lease));
  assert.match(after, /taken<\/span>/);
  assert.ok(after.includes(`/leases/acme/${id}`));
});

reversal('that nobody came for in time is told to be a person’s', async () => {
  const lease = await published();
  await click(otto, lease, 'It is <u>wrong</u>');
  await app.sql(`update orders set until = 1 where lease = '${lease}'`);
  const seen = await part(otto, pathOf(lease));
  assert.match(seen, /not taken in time[^]*have a person take it back/);
  assert.match(seen, /It is &lt;u&gt;wrong/);
});

for (const [who, surfer] of [
  ['an approver', paula],
  ['an overseer of another tenant', nina],
] as const) {
  reversal(`is not there for ${who}`, async () => {
    const lease = await published();
    assert.is((await surfer.get(pathOf(lease))).status, 404);
    assert.is((await click(surfer, lease)).status, 404);
    assert.equal(await ordersOf(lease), []);
  });
}

reversal('comes of no form but one of this session', async () => {
  const lease = await published();
  const foreign = formOn(await paula.get('/account'), '/sign-out');
  assert.is((await otto.post(pathOf(lease), foreign)).status, 409);
  const token = formOn(await otto.get('/account'), '/sign-out');
  const elsewhere = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' };
  assert.is((await otto.post(pathOf(lease), token, elsewhere)).status, 409);
  assert.equal(await ordersOf(lease), []);
});

reversal('is not for what was done at tier 1, nor for who answers for the agent', async () => {
  const routed = await leaseAt(app, 'acme');
  assert.match(await part(otto, pathOf(routed)), /only what was done at tier 2/);
  assert.not.match(await part(otto, `/leases/acme/${routed}`), /reverse/);
  assert.is((await click(otto, routed)).status, 409);
  const lease = await published();
  must(await app.operator('ada', 'PUT', '/api/agents/triage-bot', agentBody({ deputy: 'otto' })));
  assert.match(await part(otto, pathOf(lease)), /you answer for triage-bot/);
  assert.match(await part(otto, `/leases/acme/${lease}`), /You judge nothing of this/);
  assert.is((await click(otto, lease)).status, 403);
  must(await app.operator('ada', 'PUT', '/api/agents/triage-bot', agentBody()));
});

reversal('and all else that changes anything is not for who reads alone', async () => {
  const lease = await published();
  assert.match(await part(remy, pathOf(lease)), /your role here reads/);
  assert.is((await click(remy, lease)).status, 403);
  const page = await part(remy, `/leases/acme/${lease}`);
  assert.match(page, /Your role here reads/);
  assert.not.match(page, /Revoke|Judge it|Take it back|Have it looked at/);
  const token = formOn(await remy.get('/account'), '/sign-out')['form_token'] ?? '';
  const asked = { form_token: token, reason: 'x' };
  assert.is((await remy.post(`/leases/acme/${lease}/review`, asked)).status, 403);
  await click(otto, lease);
  const [review] = await app.sql<{ id: string }>(`select r.id from reviews r join orders o on o.id = r.about
    where o.lease = '${lease}'`);
  assert.match(await part(remy, `/reviews/${review?.id}`), /for another person[^]*your role here reads/);
  assert.is((await remy.post(`/reviews/${review?.id}`, { form_token: token, words: 'Fine' })).status, 403);
  assert.not.match(await part(remy, '/'), /What has to be looked at/);
  assert.not.match(await part(remy, '/reviews'), /waits for you/);
});

reversal('aside, a verdict is given of what is over, and the last one counts', async () => {
  const lease = await published();
  const path = `/leases/acme/${lease}`;
  assert.not.match(await part(otto, path), /Judge it/);
  const body = { outcome: 'succeeded' };
  must(await app.call('POST', `/t/acme/leases/${lease}/complete`, { token: await app.session(), body }));
  const judge = async (form: Record<string, string>, surfer = otto) => {
    const token = formOn(await surfer.get('/account'), '/sign-out')['form_token'] ?? '';
    return surfer.post(`${path}/verdict`, { form_token: token, ...form });
  };
  assert.is((await judge({ reference: 'INC-7' })).status, 400);
  assert.is((await judge({ verdict: 'correct', reference: '' })).status, 400);
  assert.is((await judge({ verdict: 'correct', reference: 'x' }, nina)).status, 404);
  assert.is((await judge({ verdict: 'correct', reference: 'INC-7' })).to, `${path}?done=judged`);
  await judge({ verdict: 'false_positive', reference: 'INC-<8>' });
  const seen = await part(otto, path);
  assert.match(seen, /<dt>Judged<\/dt>\s*<dd>\s*<strong>false positive<\/strong> by otto: <bdi>INC-&lt;8&gt;/);
  assert.match(seen, /judged it: <strong>correct/);
});

reversal.run();
