/** What a tenant is, and what changes there by the hour: who may say so, and who may end it. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { toRfc3339, after, seconds } from '../../src/core/time.ts';
import { must, PERMITTED, TERMS, testApp } from '../support/app.ts';
import type { Answer } from '../support/app.ts';
import { startOidc } from '../support/oidc.ts';

const CLIENT = 'brevet';
const PEOPLE = ['ada', 'otto', 'olga', 'pia', 'uwe'];
const oidc = await startOidc(Object.fromEntries(PEOPLE.map((name) => [name, {}])));
const app = await testApp({ operators: { issuer: oidc.url, clientId: CLIENT, clientSecret: null } });
for (const name of ['pia', 'uwe'])
  must(await app.operator('ada', 'PUT', `/api/people/${name}`, { display_name: name }));
for (const name of PEOPLE) {
  must(await app.operator('ada', 'PUT', `/api/operators/${name}`, { person: name, issuer: oidc.url, subject: name }));
}
// olga owns the agents and administers acme all the same; pia oversees it, and owns one of them.
for (const [person, role] of [
  ['olga', 'administrator'],
  ['pia', 'overseer'],
]) {
  must(await app.operator('ada', 'POST', '/api/assignments', { tenant: 'acme', holder: { person }, role }));
}
const { owner: _, ...card } = {
  owner: 'olga',
  deputy: 'dana',
  kind: 'autonomous-agent',
  purpose: 'tests',
  vendor: 'in-house',
  model: 'planner',
  model_version: '3.1',
  autonomy: 'autonomous',
};
must(await app.operator('ada', 'PUT', '/api/agents/report-bot', { ...card, owner: 'pia' }));

const signedIn = async (name: string, method: string, path: string, body?: unknown): Promise<Answer> =>
  app.call(method, path, { token: await oidc.token(name, CLIENT), ...(body === undefined ? {} : { body }) });
const in60s = (): string => toRfc3339(after(app.deps.clock(), seconds(60)));
const SITUATIONS = '/api/tenants/acme/situations';
const situation = (kind: string, more: object = {}) => ({ kind, until: in60s(), reason: 'A drill', ...more });
const ask = async (): Promise<Answer> =>
  app.call('POST', '/t/acme/requests', { token: await app.session(), body: PERMITTED });
const newest = async () => {
  const [row] = await app.sql<{ kind: string; text: string }>(
    `select kind, text from entries where tenant = 'acme' order by at desc, id desc limit 1`,
  );
  return { kind: row?.kind, ...(JSON.parse(row?.text ?? '{}') as { actor: { person: string }; said: object }) };
};

const context = suite('administer/context');

context('is written in whole, shown as it was put, and moves the epoch', async () => {
  const before = (await app.deps.store.epochs('acme' as never))?.tenant ?? 0;
  const body = {
    regulations: ['gdpr'],
    data_classes: ['pii'],
    residency: ['eu'],
    autonomy: 'notify',
    terms: TERMS,
    environments: ['production'],
    resources: [{ resource: 'tickets/hr', data_classes: ['pii'], environment: null, change_managed: true }],
    time_zone: 'Europe/Zurich',
    windows: [{ days: ['sat'], from: '22:00', to: '04:00' }],
    contacts: [{ for: 'privacy', name: 'Dora', email: 'dora@acme.example' }],
    legal_bases: [{ purpose: 'support', basis: 'contract' }],
    told: { tiers: [2, 3], how: 'daily', address: 'it@acme.example' },
  };
  const put = must(await app.operator('ada', 'PUT', '/api/tenants/acme/context', body));
  assert.match(JSON.stringify(put.body['receipt']), 'leaf_hash');
  assert.equal((await app.operator('ada', 'GET', '/api/tenants/acme/context')).body, { ...body, situations: [] });
  assert.is((await app.deps.store.epochs('acme' as never))?.tenant, before + 1);
  const back = { autonomy: 'autonomous', terms: TERMS };
  must(await app.operator('ada', 'PUT', '/api/tenants/acme/context', back));
  const { regulations, windows } = (await app.operator('otto', 'GET', '/api/tenants/acme/context')).body;
  assert.equal([regulations, windows], [[], []]);
});

const BAD: readonly (readonly [what: string, body: object, path: string])[] = [
  ['a regulation that there is not', { regulations: ['hippa'] }, 'regulations.0'],
  ['a resource of no target', { resources: [{ resource: 'nowhere/x' }] }, 'resources.0.resource'],
  [
    'a pattern of resources, which would cover none',
    { resources: [{ resource: 'tickets/hr-*' }] },
    'resources.0.resource',
  ],
  ['a resource that climbs', { resources: [{ resource: 'tickets/a/../hr' }] }, 'resources.0.resource'],
  ['a window without length', { windows: [{ days: ['sat'], from: '22:00', to: '22:00' }] }, 'windows.0'],
  ['a time that there is not', { windows: [{ days: ['sat'], from: '24:00', to: '04:00' }] }, 'windows.0.from'],
  ['a legal basis that there is not', { legal_bases: [{ purpose: 'x', basis: 'because' }] }, 'legal_bases.0.basis'],
  ['terms in part', { terms: { vendors: [] } }, 'terms.models'],
  ['a zone on Mars', { time_zone: 'Mars/Olympus' }, 'time_zone'],
];
for (const [what, body, path] of BAD) {
  context(`${what} is refused at its path`, async () => {
    const answer = await app.operator('ada', 'PUT', '/api/tenants/acme/context', body);
    assert.equal([answer.status, answer.body['path']], [400, path], answer.text);
  });
}

context('is written by administration alone, and is not there for who has nothing to do with the tenant', async () => {
  assert.is((await signedIn('otto', 'PUT', '/api/tenants/acme/context', {})).body['code'], 'function_needed');
  for (const method of ['GET', 'PUT']) {
    const body = method === 'PUT' ? {} : undefined;
    const theirs = await signedIn('pia', method, '/api/tenants/birch/context', body);
    const nobodys = await signedIn('pia', method, '/api/tenants/nowhere/context', body);
    assert.equal([theirs.status, theirs.body['detail']], [404, nobodys.body['detail']]);
  }
});

context('an incident holds an agent back from its commit to its end, and both are in the ledger', async () => {
  assert.is((await ask()).status, 201);
  const set = must(await signedIn('otto', 'POST', SITUATIONS, situation('incident')));
  assert.is((await newest()).kind, 'situation.set');
  assert.is((await newest()).actor.person, 'otto');
  assert.equal(Object.keys((await newest()).said), ['reason', 'resource']);
  assert.is((await ask()).body['code'], 'forbidden_by_rule');
  const { situations } = (await signedIn('otto', 'GET', '/api/tenants/acme/context')).body;
  assert.is((situations as { ask_within: number }[])[0]?.ask_within, 900);
  must(await signedIn('otto', 'POST', `${SITUATIONS}/${String(set.body['id'])}/end`, { reason: 'It was a drill' }));
  assert.is((await newest()).kind, 'situation.ended');
  assert.is((await ask()).status, 201);
});

context('it ends by itself', async () => {
  const until = toRfc3339(after(app.deps.clock(), seconds(2)));
  must(await signedIn('otto', 'POST', SITUATIONS, { ...situation('incident'), until }));
  while ((await ask()).status !== 201) await new Promise((resolve) => setTimeout(resolve, 100));
  assert.ok(app.deps.clock() >= Date.parse(until));
});

const NOT_SO: readonly (readonly [what: string, body: object, path: string])[] = [
  ['no end', { kind: 'freeze', reason: 'x' }, 'until'],
  ['an end that has been', { ...situation('freeze'), until: '2020-01-01T00:00:00Z' }, 'until'],
  ['an end that is no state any more', { ...situation('freeze'), until: '2100-01-01T00:00:00Z' }, 'until'],
  ['an end before its beginning', { ...situation('freeze'), from: '2099-01-01T00:00:00Z' }, 'until'],
  ['no reason', { kind: 'freeze', until: in60s() }, 'reason'],
  ['a data subject request about nothing', situation('data-subject-request'), 'resource'],
  ['one about what is not here', situation('data-subject-request', { resource: 'nowhere/x' }), 'resource'],
  ['one about a pattern', situation('data-subject-request', { resource: 'tickets/jane*' }), 'resource'],
  ['a freeze of one resource', situation('freeze', { resource: 'tickets' }), 'resource'],
  ['a freeze that shortens what asks', situation('freeze', { ask_within: 60 }), 'ask_within'],
];
for (const [what, body, path] of NOT_SO) {
  context(`a situation with ${what} is refused`, async () => {
    const answer = await app.operator('ada', 'POST', SITUATIONS, body);
    assert.equal([answer.status, answer.body['path']], [400, path], answer.text);
  });
}

const REQUEST = { resource: 'tickets/TCK-1' };
/** Who ends what: oversight an incident, administration the others, and nobody whose agent it holds back. */
const ENDS: readonly (readonly [kind: string, more: object, who: string, code: string | null])[] = [
  ['incident', {}, 'ada', 'function_needed'],
  ['incident', {}, 'pia', 'in_conflict'],
  ['incident', {}, 'uwe', 'not_found'],
  ['incident', {}, 'otto', null],
  ['freeze', {}, 'otto', 'function_needed'],
  ['freeze', {}, 'olga', 'in_conflict'],
  ['freeze', {}, 'ada', null],
  ['data-subject-request', REQUEST, 'otto', 'function_needed'],
  ['data-subject-request', REQUEST, 'olga', 'in_conflict'],
  ['data-subject-request', REQUEST, 'ada', null],
];
for (const [kind, more, who, code] of ENDS) {
  context(
    `${who} ${code === null ? 'ends' : `does not end`} a ${kind}${code === null ? '' : `: ${code}`}`,
    async () => {
      const { body } = must(await app.operator('ada', 'POST', SITUATIONS, situation(kind, more)));
      const answer = await signedIn(who, 'POST', `${SITUATIONS}/${String(body['id'])}/end`, { reason: 'It is over' });
      assert.is(answer.body['code'] ?? null, code, answer.text);
      assert.is(answer.status, code === null ? 200 : code === 'not_found' ? 404 : 403);
    },
  );
}

context('a local token of oversight sets nothing and ends nothing', async () => {
  const set = await app.operator('otto', 'POST', SITUATIONS, situation('incident'));
  assert.is(set.body['code'], 'local_token_refused');
});

context('one of another tenant is not there', async () => {
  const { body } = must(await app.operator('ada', 'POST', SITUATIONS, situation('freeze')));
  const answer = await app.operator('ada', 'POST', `/api/tenants/birch/situations/${String(body['id'])}/end`, {
    reason: 'x',
  });
  assert.is(answer.status, 404);
});

context('a vendor that keeps data longer than agreed gets nothing, at once', async () => {
  const { body } = await app.operator('ada', 'GET', '/api/tenants/acme/context');
  for (const { id, kind } of body['situations'] as { id: string; kind: string }[]) {
    const who = kind === 'incident' ? 'otto' : 'ada';
    must(await signedIn(who, 'POST', `${SITUATIONS}/${id}/end`, { reason: 'Over' }));
  }
  assert.is((await ask()).status, 201);
  const record = { trains_on_client_data: false, retention_days: 365 };
  must(await app.operator('ada', 'PUT', '/api/vendors/in-house', record));
  assert.is((await ask()).body['code'], 'forbidden_by_rule');
  const shown = (await app.operator('ada', 'GET', '/api/vendors/in-house')).body;
  assert.equal(shown, { name: 'in-house', ...record, residency: [] });
});

context.after(async () => {
  await app.close();
  await oidc.stop();
});
context.run();
