/** Reviews at the console: what waits for whom, what was done under broken glass, and the word of another person. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { agentBody, must } from '../support/app.ts';
import { formOn, givePasskey, signedIn } from '../support/console.ts';
import type { Surfer } from '../support/console.ts';
import { withMoreRoles } from '../support/oversight.ts';
import { addNina, leaseAt } from './overseen.ts';
import { tripAt } from '../support/trips.ts';
import { consoleApp } from './world.ts';

const { app, keys } = await consoleApp();
const nina = await addNina(app);
for (const [path, body] of [
  ['/api/people/vera', { display_name: 'Vera' }],
  ['/api/operators/vera', { person: 'vera' }],
] as const) {
  must(await app.operator('ada', 'PUT', path, body));
}
const holding = { tenant: 'acme', holder: { person: 'vera' }, role: 'overseer' };
must(await app.operator('ada', 'POST', '/api/assignments', holding));
must(await app.operator('ada', 'POST', '/api/policy/activate', { files: await withMoreRoles() }));
const otto = await signedIn(app, keys.otto);
const vera = await signedIn(app, await givePasskey(app, 'vera'));
const elsewhere = await signedIn(app, nina);
const administrator = await signedIn(app, keys.ada);

const acme = await leaseAt(app, 'acme');

const post = async (surfer: Surfer, path: string, form: Record<string, string>) => {
  const token = formOn(await surfer.get('/account'), '/sign-out')['form_token'] ?? '';
  return surfer.post(path, { form_token: token, ...form });
};
const idOf = async (about: string): Promise<string> => {
  const [row] = await app.sql<{ id: string }>(
    `select id from reviews where about = '${about}' order by id desc limit 1`,
  );
  return row?.id ?? '';
};
const part = async (surfer: Surfer, path: string): Promise<string> => {
  const { text } = await surfer.get(path);
  return text.slice(text.indexOf('<main'));
};

const reviews = suite('reviews at the console');
reviews.after(() => app.close());

reviews('show breakers that have tripped, which oversight there resets with a reason', async () => {
  const id = await tripAt(app.deps, 'acme');
  assert.match(await part(otto, '/reviews'), /Breakers that have tripped[^]*triage-bot[^]*5 runs that it calls failed/);
  assert.not.match(await part(elsewhere, '/reviews'), 'have tripped');
  assert.is((await post(elsewhere, `/trips/${id}/reset`, { reason: 'r' })).status, 404);
  assert.is((await post(otto, `/trips/${id}/reset`, { reason: ' ' })).status, 400);
  assert.is((await post(otto, `/trips/${id}/reset`, { reason: 'Mended' })).to, '/reviews?done=reset');
  assert.not.match(await part(otto, '/reviews'), 'have tripped');
});

reviews('are asked for at a credential, wait for another, and are done in words of two lines', async () => {
  const asked = await post(otto, `/leases/acme/${acme}/review`, { reason: 'At <b>night</b>' });
  assert.is(asked.to, `/leases/acme/${acme}?done=review-opened`);
  const form = `/leases/acme/${acme}/review`;
  const fields = { ...formOn(await otto.get(`/leases/acme/${acme}`), form), reason: 'Twice' };
  for (const _ of ['sent', 'sent again']) await otto.post(form, fields);
  const [twice] = await app.sql<{ n: number }>(`select count(*)::int as n from reviews where reason = 'Twice'`);
  assert.is(twice?.n, 1);
  await app.sql(`delete from reviews where reason = 'Twice'`);
  const path = `/reviews/${await idOf(acme)}`;
  assert.match(await part(otto, '/reviews'), /for another person[^]*At &lt;b&gt;night/);
  assert.match(await part(vera, '/reviews'), /waits for you/);
  assert.match(await part(vera, '/'), /What has to be looked at/);
  assert.match(await part(otto, path), /for another person[^]*You cannot do this: you had a hand in what it is about/);
  assert.is((await post(otto, path, { words: 'Fine' })).status, 403);
  assert.ok((await part(vera, path)).includes(`/leases/acme/${acme}`), 'the story of the credential');
  assert.is((await post(vera, path, { words: ' ' })).status, 400);
  assert.is((await post(vera, path, { words: 'One line,\r\nand another' })).to, `${path}?done=reviewed`);
  assert.match(await part(otto, path), /One line,\nand another/);
  assert.is((await post(vera, path, { words: 'Again' })).status, 409);
  assert.match(
    await part(otto, `/leases/acme/${acme}`),
    /vera<\/strong> has\s+<a href="\/reviews\/rev_\w+">looked at it/,
  );
});

/** So many that wait, the newest of which otto had a hand in. */
async function many(count: number, tenant: string): Promise<void> {
  await app.sql(`
    insert into reviews (tenant, id, what, about, agent, opened_by, reason, at, "from", due, not_by)
    select '${tenant}', 'rev_' || lpad(n::text, 26, '0'), 'lease', '${acme}', 'triage-bot', 'ada', 'Look ' || n, 1, 1, 9e14,
      case when n = 1 then '{ada}' else '{ada,otto}' end::text[] from generate_series(1, ${count}) n`);
}

reviews('are told at the start also where more that wait for others were opened since', async () => {
  await many(120, 'acme');
  const start = await part(otto, '/');
  assert.match(start, /What has to be looked at[^]*Look 1</);
  assert.not.match(start, 'Nothing waits for your word');
});

reviews('are paged within the client that was chosen, and a page past the last says so alone', async () => {
  const page = await part(otto, '/reviews?tenant=acme');
  const [, next = ''] = /href="(\/reviews\?[^"]*before=[^"]*)"/.exec(page) ?? [];
  const older = next.replace('&amp;', '&');
  assert.match(older, /^\/reviews\?tenant=acme&before=rev_/);
  assert.match(await part(otto, older), /Look 70</);
  const past = await part(otto, `/reviews?tenant=acme&before=rev_${'0'.repeat(26)}`);
  assert.match(past, 'Nothing older waits for a look');
  await app.sql(`delete from reviews where reason like 'Look %'`);
});

reviews('are not there for who oversees elsewhere, or nothing', async () => {
  const path = `/reviews/${await idOf(acme)}`;
  for (const surfer of [elsewhere, administrator]) {
    assert.is((await surfer.get(path)).status, 404);
    assert.is((await post(surfer, path, { words: 'Fine' })).status, 404);
    assert.not.match(await part(surfer, '/reviews'), /acme/);
  }
  assert.match(await part(administrator, '/reviews'), /you oversee nothing/);
  assert.is((await post(elsewhere, `/leases/acme/${acme}/review`, { reason: 'x' })).status, 404);
  assert.is((await otto.get('/reviews/rev_no')).status, 404);
});

reviews('come of no form but one of this session', async () => {
  const form = formOn(await elsewhere.get('/account'), '/sign-out');
  assert.is((await vera.post(`/reviews/${await idOf(acme)}`, { ...form, words: 'Fine' })).status, 409);
});

reviews('of broken glass tell what was done under it, for good, and wait for its end', async () => {
  const until = new Date(app.deps.clock() + 600_000).toISOString();
  const body = { tenant: 'acme', holder: { agent: 'triage-bot' }, role: 'emergency', until };
  const headers = { 'brevet-reason': encodeURIComponent('Ransomware at the front desk') };
  must(await app.call('POST', '/api/assignments', { token: await app.localToken('ada'), body, headers }));
  const [row] = await app.sql<{ id: string; role: string }>(`select id, role from reviews where what = 'break_glass'`);
  assert.is(row?.role, 'emergency');
  // As if somebody had agreed: what it takes to get there is another test's.
  await app.sql(`insert into leases select (jsonb_populate_record(l, jsonb_build_object('id', 'lse_' || (
    select max(substr(id, 5)) from reviews where what = 'break_glass'), 'role', 'emergency', 'request', 'req_other',
    'mark', 'brevet_other', 'opened_at', brevet_now()))).* from leases l where id = '${acme}'`);
  const path = `/reviews/${row?.id}`;
  const seen = await part(vera, path);
  for (const told of [/Ransomware at the front desk/, /goes on, ends/, /lse_/, /it is about is not over before/]) {
    assert.match(seen, told);
  }
  assert.is((await post(vera, path, { words: 'Early' })).status, 409);
  await app.sql(`delete from assignments where role = 'emergency'`);
  await app.sql(`update reviews set "from" = brevet_now() where id = '${row?.id}'`);
  assert.match(await part(vera, path), /lse_/);
  must(await app.operator('ada', 'PUT', '/api/agents/triage-bot', agentBody({ deputy: 'vera' })));
  assert.match(await part(vera, path), /you answer for triage-bot/);
  assert.is((await post(vera, path, { words: 'I was there' })).status, 403);
  must(await app.operator('ada', 'PUT', '/api/agents/triage-bot', agentBody()));
  assert.is((await post(otto, path, { words: 'One endpoint, rightly' })).status, 303);
});

reviews.run();
