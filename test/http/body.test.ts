import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { answerOf, clientForm, PERMITTED, testApp, must } from '../support/app.ts';

const app = await testApp();
const token = await app.session();
const administrator = await app.localToken('ada');

async function send(path: string, type: string | null, body: string | Uint8Array, by = token, method = 'POST') {
  const headers = { authorization: `Bearer ${by}`, ...(type === null ? {} : { 'content-type': type }) };
  const env = { incoming: { socket: { remoteAddress: '127.0.0.1' } } };
  return answerOf(await app.app.request(path, { method, headers, body }, env));
}

const JSON_TYPE = 'application/json';
const FORM_TYPE = 'application/x-www-form-urlencoded';
const good = JSON.stringify(PERMITTED);
const broken = Uint8Array.of(0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d);

const REFUSED: readonly (readonly [
  what: string,
  type: string | null,
  body: string | Uint8Array,
  status: number,
  code: string,
])[] = [
  ['no type', null, good, 415, 'unsupported_media_type'],
  ['text', 'text/plain', good, 415, 'unsupported_media_type'],
  ['a form', FORM_TYPE, 'a=b', 415, 'unsupported_media_type'],
  ['a type that only begins so', 'application/jsonp', good, 415, 'unsupported_media_type'],
  ['half a document', JSON_TYPE, good.slice(0, -1), 400, 'invalid_json'],
  ['nothing', JSON_TYPE, '', 400, 'invalid_json'],
  ['two documents', JSON_TYPE, good + good, 400, 'invalid_json'],
  ['bytes that are no UTF-8', JSON_TYPE, broken, 400, 'invalid_request'],
  ['a list', JSON_TYPE, `[${good}]`, 400, 'invalid_field'],
  ['null', JSON_TYPE, 'null', 400, 'invalid_field'],
  ['a number', JSON_TYPE, '7', 400, 'invalid_field'],
  ['a number past all numbers', JSON_TYPE, '1e999', 400, 'invalid_json'],
  ['too much', JSON_TYPE, JSON.stringify({ ...PERMITTED, reason: 'x'.repeat(65_536) }), 413, 'body_too_large'],
  ['too deep', JSON_TYPE, JSON.stringify({ ...PERMITTED, parameters: deep(20) }), 400, 'invalid_field'],
  ['nested without end', JSON_TYPE, `{"x":${'['.repeat(30_000)}${']'.repeat(30_000)}}`, 400, 'invalid_json'],
  ['far too deep', JSON_TYPE, '['.repeat(30_000), 400, 'invalid_json'],
  ['a prototype', JSON_TYPE, good.replace('{', '{"__proto__":{"x":1},'), 400, 'unknown_field'],
  ['a name that comes twice', JSON_TYPE, good.replace('{', '{"task":"patch.routine",'), 400, 'invalid_json'],
];

function deep(levels: number): unknown {
  return levels === 0 ? 1 : { a: deep(levels - 1) };
}

const bodies = suite('a body');

for (const [what, type, body, status, code] of REFUSED) {
  bodies(`that is ${what} is refused with ${code}`, async () => {
    const before = await app.sql('select count(*) as n from requests');
    const answer = await send('/t/acme/requests', type, body);
    assert.is(answer.status, status, answer.text);
    assert.is(answer.body['code'], code);
    assert.is(answer.headers.get('content-type'), 'application/problem+json');
    assert.match(String(answer.body['request_id']), /^cal_/);
    assert.equal(await app.sql('select count(*) as n from requests'), before);
  });
}

bodies('with broken characters is refused, idempotency key or not', async () => {
  const body = { ...PERMITTED, reason: '\ud800' };
  for (const headers of [{}, { 'idempotency-key': 'k' }]) {
    assert.is((await app.call('POST', '/t/acme/requests', { token, body, headers })).status, 400);
  }
});

bodies('is taken with a charset and in any case', async () => {
  for (const type of ['application/json; charset=utf-8', 'Application/JSON']) {
    assert.is((await send('/t/acme/requests', type, good)).status, 201);
  }
});

bodies('that does not say how long it is, is bounded all the same', async () => {
  const chunk = new TextEncoder().encode('x'.repeat(10_000));
  let sent = 0;
  const body = new ReadableStream({
    pull(controller) {
      sent += 1;
      controller.enqueue(chunk);
      if (sent > 1000) controller.close();
    },
  });
  const init = { method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-type': JSON_TYPE }, body };
  const answer = await answerOf(await app.app.request('/t/acme/requests', { ...init, duplex: 'half' }));
  assert.is(answer.status, 413);
  assert.ok(sent < 20, `${sent} chunks were read`);
});

const FORMS: readonly (readonly [what: string, body: string, type: string, error: string, status: number])[] = [
  ['a parameter that comes twice', 'grant_type=client_credentials&grant_type=x', FORM_TYPE, 'invalid_request', 400],
  ['JSON', '{}', JSON_TYPE, 'invalid_request', 415],
  ['nothing', '', FORM_TYPE, 'invalid_request', 400],
  ['a parameter without a value', 'grant_type=', FORM_TYPE, 'invalid_request', 400],
  ['too much', `grant_type=${'x'.repeat(70_000)}`, FORM_TYPE, 'invalid_request', 413],
  ['no assertion', 'grant_type=client_credentials', FORM_TYPE, 'invalid_client', 401],
];
for (const [what, body, type, error, status] of FORMS) {
  bodies(`of the token endpoint that is ${what} is refused with ${error}`, async () => {
    const answer = await send('/t/acme/token', type, body);
    assert.is(answer.status, status, answer.text);
    assert.is(answer.body['error'], error);
    assert.is(answer.headers.get('cache-control'), 'no-store');
  });
}

bodies('of the token endpoint may hold parameters without a value, which say nothing', async () => {
  const empty = { client_id: '', authorization_details: '', scope: '' };
  const answer = must(
    await app.call('POST', '/t/acme/token', { form: clientForm(await app.assertion('triage-bot'), empty) }),
  );
  assert.is(answer.body['expires_in'], 300);
  const { grant_type: _, ...form } = clientForm(await app.assertion('triage-bot'), { token: '' });
  const asked = await app.call('POST', '/t/acme/introspect', { form });
  assert.equal([asked.status, asked.body['error']], [400, 'invalid_request']);
});

const DETAILS: readonly (readonly [what: string, more: object])[] = [
  ['a field that is not defined', { zzz: 1 }],
  ['a field of a wrong form', { ttl: 'long' }],
  ['a field left out', { reason: undefined }],
];
for (const [what, more] of DETAILS) {
  bodies(`of a task at the token endpoint with ${what} is refused with invalid_authorization_details`, async () => {
    const details = JSON.stringify([{ type: 'brevet_task', ...PERMITTED, ...more }]);
    const form = clientForm(await app.assertion('triage-bot'), { authorization_details: details });
    const answer = await app.call('POST', '/t/acme/token', { form });
    assert.is(answer.status, 400, answer.text);
    assert.is(answer.body['error'], 'invalid_authorization_details');
  });
}

bodies('that breaks off is no fault of Brevet’s', async () => {
  const body = new ReadableStream({
    pull(controller) {
      controller.error(new Error('aborted'));
    },
  });
  const before = app.logged.length;
  const init = { method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-type': JSON_TYPE }, body };
  const answer = await answerOf(await app.app.request('/t/acme/requests', { ...init, duplex: 'half' }));
  assert.is(answer.status, 400, answer.text);
  assert.not.match(app.logged.slice(before).join('\n'), '"level":"error"');
});

const CHANGES: readonly (readonly [method: string, path: string, body: unknown, code: string])[] = [
  ['PUT', '/api/people/zoe', {}, 'invalid_field'],
  ['PUT', '/api/people/zoe', { display_name: 'Zoe', admin: true }, 'unknown_field'],
  ['PUT', '/api/people/Zo%20e', { display_name: 'Zoe' }, 'invalid_name'],
  ['PUT', '/api/people/zo%2Fe', { display_name: 'Zoe' }, 'invalid_name'],
  ['PUT', "/api/people/zo'e", { display_name: 'Zoe' }, 'invalid_name'],
  ['PUT', '/api/people/зоя', { display_name: 'Zoe' }, 'invalid_name'],
  ['PUT', '/api/people/zoe%25', { display_name: 'Zoe' }, 'invalid_name'],
  ['PUT', '/api/people/zoe', { display_name: 'Zoe\u0000' }, 'invalid_field'],
  ['PUT', '/api/tenants/Upper', { display_name: 'x' }, 'invalid_name'],
  ['PUT', '/api/tenants/acme', { display_name: 'x', autonomy: 'total' }, 'invalid_field'],
  ['PUT', '/api/tenants/acme', { display_name: 'x', time_zone: 'Mars/Olympus' }, 'invalid_field'],
  ['PUT', '/api/tenants/acme/targets/x%20y', { provider: 'jwt', config: {}, environment: 'x' }, 'invalid_name'],
  ['PUT', '/api/tenants/acme/targets/x', { provider: 'ssh', config: {}, environment: 'x' }, 'invalid_field'],
  ['PUT', '/api/agents/x', { owner: 'olga' }, 'invalid_field'],
  ['POST', '/api/assignments', { tenant: 'acme', holder: { group: 'all' }, role: 'triage' }, 'invalid_field'],
  ['POST', '/api/policy/activate', { files: {} }, 'invalid_policy'],
  ['POST', '/api/policy/activate', { files: { 'roles.yaml': 7 } }, 'invalid_field'],
];
for (const [method, path, body, code] of CHANGES) {
  bodies(`${method} ${path} with ${JSON.stringify(body).slice(0, 50)} is ${code}, and changes nothing`, async () => {
    const epochs = 'select (select epoch from deployment) as d, (select sum(epoch) from tenants) as t';
    const before = await app.sql(epochs);
    const answer = await send(path, JSON_TYPE, JSON.stringify(body), administrator, method);
    assert.is(answer.status, 400, answer.text);
    assert.is(answer.body['code'], code);
    assert.equal(await app.sql(epochs), before);
  });
}

bodies('is not looked at before its sender is', async () => {
  const answer = await send('/api/people/zoe', 'text/plain', '?', 'nobody', 'PUT');
  assert.is(answer.status, 401);
});

bodies('of an assertion may be any text, and is refused', async () => {
  for (const assertion of ['', '.', '..', 'a.b.c', '\u0000', 'é', 'x'.repeat(20_000)]) {
    const answer = await app.call('POST', '/t/acme/token', { form: clientForm(assertion) });
    assert.is(answer.status, 401);
    assert.is(answer.body['error'], 'invalid_client');
  }
});

bodies.after(() => app.close());
bodies.run();
