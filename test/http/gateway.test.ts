/** What comes in over the wire and what goes out again: PITFALLS 52. */
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { PERMITTED } from '../support/app.ts';
import { answerPlainly, listening, startTool, toolApp, TOOL_KEY } from '../support/tool.ts';
import type { ToolLease } from '../support/tool.ts';

const tool = await startTool();
const app = await toolApp(tool);
await app.target({
  lease_field: { in: 'header', name: 'x-correlation-id' },
  limits: { request_bytes: 1000, response_bytes: 200_000 },
});
const here = await listening(app);

/** Sends bytes as they are. @returns all that came back until the connection was closed. */
function raw(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(here.port, '127.0.0.1', () => socket.write(text));
    let answer = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => (answer += chunk));
    socket.on('error', reject);
    socket.on('close', () => resolve(answer));
    socket.setTimeout(5_000, () => socket.end());
  });
}

const head = (first: string, lease: ToolLease, more: readonly string[] = []): string =>
  [first, 'Host: brevet.example', 'Connection: close', `Authorization: Bearer ${lease.token}`, ...more, '', ''].join(
    '\r\n',
  );

const codeOf = (answer: string): string => /"code":"(\w+)"/.exec(answer)?.[1] ?? answer.slice(0, 200);

const lines = suite('the first line of a call');
lines.before.each(() => {
  tool.seen.length = 0;
  tool.answer = answerPlainly;
});

const reading = await app.lease('tool.read', { uses: 1000 });
const noting = await app.lease('tool.note', { uses: 1000 });

lines('that is plain is let through, and written anew', async () => {
  const answer = await raw(head(`GET ${reading.path}/tickets/%41CME-1?page=3 HTTP/1.1`, reading));
  assert.match(answer, /^HTTP\/1\.1 200 OK\r\n/);
  assert.equal(
    tool.seen.map(({ url }) => url),
    ['/tickets/ACME-1?fields=id%2Csubject&page=3'],
  );
});

for (const rest of [
  '/tickets/../tickets/ACME-1',
  '/tickets/./ACME-1',
  '/x/%2e%2e/tickets/ACME-1',
  '/tickets/%2E%2E/tickets/ACME-1',
  '//tickets/ACME-1',
  '/tickets//ACME-1',
  '/tickets/ACME-1;a=b',
  '/tickets%2fACME-1',
  '/tickets%252fACME-1',
  '/tickets/ACME-1?page=1&page=2',
  '/tickets/ACME-1?page=1;x=2',
  '/tickets/ACME-1%00',
]) {
  lines(`that ends with ${rest} goes nowhere`, async () => {
    const answer = await raw(head(`GET ${reading.path}${rest} HTTP/1.1`, reading));
    assert.is(codeOf(answer), 'gateway_request_refused');
    assert.equal(tool.seen, []);
  });
}

lines('with a backslash goes nowhere', async () => {
  const answer = await raw(head(`GET ${reading.path}/tickets\\ACME-1 HTTP/1.1`, reading));
  assert.match(answer, /^HTTP\/1\.1 400 /);
  assert.equal(tool.seen, []);
});

lines('that names a whole URL goes nowhere', async () => {
  for (const origin of [tool.origin, 'http://brevet.example']) {
    const answer = await raw(head(`GET ${origin}${reading.path}/tickets/ACME-1 HTTP/1.1`, reading));
    assert.is(codeOf(answer), 'gateway_request_refused');
  }
  assert.equal(tool.seen, []);
});

lines('that walks out of its lease goes nowhere, and is no other route’s', async () => {
  const answer = await raw(head(`GET ${reading.path}/../../leases HTTP/1.1`, reading));
  assert.not.match(answer, /^HTTP\/1\.1 200/);
  assert.equal(tool.seen, []);
});

for (const [what, more] of [
  ['two lengths', ['Content-Length: 5', 'Transfer-Encoding: chunked']],
  ['its length twice', ['Content-Length: 5', 'Content-Length: 6']],
  ['chunks by another name', ['Transfer-Encoding: xchunked']],
  ['a space before the colon', ['Content-Length : 5']],
] as const) {
  lines(`with ${what} goes nowhere`, async () => {
    const answer = await raw(
      `${head(`POST ${noting.path}/tickets/ACME-1/notes HTTP/1.1`, noting, more)}0\r\n\r\nGET /x HTTP/1.1\r\n\r\n`,
    );
    assert.match(answer, /^HTTP\/1\.1 4\d\d /);
    assert.equal(tool.seen, []);
  });
}

lines('with chunks that are none goes nowhere', async () => {
  const more = ['Content-Type: application/json', 'Transfer-Encoding: chunked'];
  const answer = await raw(
    `${head(`POST ${noting.path}/tickets/ACME-1/notes HTTP/1.1`, noting, more)}zz\r\n{}\r\n0\r\n\r\n`,
  );
  assert.match(answer, /^(?:HTTP\/1\.1 4\d\d |$)/);
  assert.equal(tool.seen, []);
});

for (const more of [
  'X-HTTP-Method-Override: DELETE',
  'X-Method-Override: DELETE',
  'X-HTTP-Method: DELETE',
  'Upgrade: websocket',
  'Content-Encoding: gzip',
]) {
  lines(`with ${more} goes nowhere`, async () => {
    const answer = await raw(head(`GET ${reading.path}/tickets/ACME-1 HTTP/1.1`, reading, [more]));
    assert.is(codeOf(answer), 'gateway_request_refused');
    assert.equal(tool.seen, []);
  });
}

lines('whose body breaks off goes nowhere, and is no fault', async () => {
  for (const length of ['Content-Length: 100', 'Transfer-Encoding: chunked']) {
    const more = ['Content-Type: application/json', length];
    const text = head(`POST ${noting.path}/tickets/ACME-1/notes HTTP/1.1`, noting, more);
    await new Promise<void>((resolve) => {
      const socket = connect(here.port, '127.0.0.1', () => socket.write(`${text}5\r\n{"tex`));
      socket.on('close', () => setTimeout(resolve, 200));
      setTimeout(() => socket.destroy(), 100);
    });
  }
  assert.equal(tool.seen, []);
  assert.not.match(app.logged.join('\n'), '"event":"fault"');
});

lines('of a GET with a body goes nowhere', async () => {
  for (const more of [['Content-Length: 2'], ['Transfer-Encoding: chunked']] as const) {
    const body = more[0].startsWith('Content') ? '{}' : '2\r\n{}\r\n0\r\n\r\n';
    const answer = await raw(`${head(`GET ${reading.path}/tickets/ACME-1 HTTP/1.1`, reading, more)}${body}`);
    assert.is(codeOf(answer), 'gateway_call_refused');
  }
  assert.equal(tool.seen, []);
});

const passing = suite('what passes');
passing.before.each(() => {
  tool.seen.length = 0;
  tool.answer = answerPlainly;
});

const send = (lease: ToolLease, path: string, init: RequestInit = {}): Promise<Response> =>
  fetch(`http://127.0.0.1:${here.port}${lease.path}${path}`, {
    ...init,
    headers: { authorization: `Bearer ${lease.token}`, ...(init.headers as Record<string, string>) },
  });

passing('of the agent’s headers is what is allowed, beside the key and the lease’s id', async () => {
  await send(reading, '/tickets/ACME-1', {
    headers: {
      accept: 'application/json',
      cookie: 'a=1',
      'x-forwarded-for': '10.0.0.1',
      'x-api-key': 'mine',
      'x-correlation-id': 'mine',
      'accept-encoding': 'gzip',
      range: 'bytes=0-1',
      'x-odd': '1',
    },
  });
  const USUAL = ['host', 'connection', 'user-agent', 'accept-language'];
  const { headers = {} } = tool.seen[0] ?? {};
  const sent = Object.fromEntries(Object.entries(headers).filter(([name]) => !USUAL.includes(name)));
  assert.equal(sent, {
    accept: 'application/json',
    'accept-encoding': 'identity',
    'x-api-key': TOOL_KEY,
    'x-correlation-id': reading.id,
  });
});

passing('of the tool’s headers is what is allowed', async () => {
  const answer = await send(reading, '/tickets/ACME-1');
  const shown = Object.fromEntries(answer.headers);
  assert.is(shown['set-cookie'], undefined);
  assert.is(shown['x-internal'], undefined);
  assert.equal([shown['etag'], shown['content-type'], shown['cache-control']], ['"1"', 'application/json', 'no-store']);
  assert.match(shown['brevet-receipt'] ?? '', /^ent_[0-9a-z]{26} [0-9a-f]{64}$/);
});

passing('of a body by rules is Brevet’s own writing', async () => {
  const body = '{ "text" : "h\\u0065llo" }';
  const headers = { 'content-type': 'application/json; charset=utf-8' };
  assert.is((await send(noting, '/tickets/ACME-1/notes', { method: 'POST', body, headers })).status, 200);
  const [seen] = tool.seen;
  assert.is(seen?.body, '{"text":"hello","ticket":"ACME-1","visibility":"internal"}');
  assert.is(seen?.headers['content-type'], 'application/json');
  const twice = '{"text":"a","te\\u0078t":"b"}';
  const refused = await send(noting, '/tickets/ACME-1/notes', { method: 'POST', body: twice, headers });
  assert.is(refused.status, 400);
  assert.is(tool.seen.length, 1);
});

passing('is an answer without a body', async () => {
  tool.answer = (_request, response) => response.writeHead(204).end();
  const none = await send(noting, '/tickets/ACME-1/notes', { method: 'DELETE' });
  assert.equal([none.status, await none.text()], [204, '']);
  tool.answer = (_request, response) => response.writeHead(304, { etag: '"1"' }).end();
  assert.is((await send(reading, '/tickets/ACME-1')).status, 304);
  tool.answer = answerPlainly;
  const heads = await send(reading, '/tickets/ACME-1', { method: 'HEAD' });
  assert.equal([heads.status, await heads.text(), tool.seen.at(-1)?.method], [200, '', 'HEAD']);
});

passing('is what the tool refuses, as it refuses it', async () => {
  tool.answer = (_request, response) => response.writeHead(422, { 'content-type': 'text/plain' }).end('no such field');
  const answer = await send(reading, '/tickets/ACME-1');
  assert.equal([answer.status, await answer.text()], [422, 'no such field']);
});

for (const [what, answer, status, code] of [
  ['a redirect', { status: 302, headers: { location: 'https://evil.example/' } }, 502, 'gateway_redirect'],
  ['a redirect of its own', { status: 307, headers: { location: '/other' } }, 502, 'gateway_redirect'],
  [
    'what is packed',
    { status: 200, headers: { 'content-encoding': 'gzip' }, body: gzipSync(TOOL_KEY) },
    502,
    'gateway_encoded',
  ],
  [
    'what is said to be packed',
    { status: 200, headers: { 'content-encoding': 'br' }, body: 'x' },
    502,
    'gateway_encoded',
  ],
  ['more than is taken', { status: 200, headers: {}, body: 'x'.repeat(200_001) }, 502, 'gateway_answer_too_large'],
  ['the key in a header', { status: 200, headers: { etag: `"${TOOL_KEY}"` }, body: 'x' }, 502, 'gateway_key_echoed'],
  ['the key', { status: 200, headers: {}, body: `{"key":${JSON.stringify(TOOL_KEY)}}` }, 502, 'gateway_key_echoed'],
] as const) {
  passing(`is not ${what}`, async () => {
    tool.answer = (_request, response) => {
      const { headers, ...rest } = answer;
      response.writeHead(rest.status, { 'content-length': 'body' in rest ? rest.body.length : 0, ...headers });
      response.end('body' in rest ? rest.body : undefined);
    };
    const got = await send(reading, '/tickets/ACME-1', { redirect: 'manual' });
    const text = await got.text();
    assert.equal([got.status, codeOf(text)], [status, code]);
    assert.not(`${text}${JSON.stringify([...got.headers])}`.includes(TOOL_KEY));
    assert.is(got.headers.get('location'), null);
  });
}

passing('is a stream, as it comes', async () => {
  const uploading = await app.lease('tool.upload', { uses: 10 });
  let finish = (): void => undefined;
  tool.answer = (_request, response) => {
    response.write('first ');
    finish = () => response.end('second');
  };
  const answer = await send(uploading, '/files/ACME-1');
  const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
  const { value } = await reader.read();
  assert.is(new TextDecoder().decode(value), 'first ');
  finish();
  assert.is(new TextDecoder().decode((await reader.read()).value), 'second');
  assert.is((await reader.read()).done, true);
});

passing('is a stream of the agent’s, up to what is taken', async () => {
  const uploading = await app.lease('tool.upload', { uses: 10 });
  const upload = (size: number) => {
    const pieces = Array.from({ length: size / 100 }, () => new Uint8Array(100));
    const init = { method: 'PUT', body: ReadableStream.from(pieces), duplex: 'half' };
    return send(uploading, '/files/ACME-1', {
      ...init,
      headers: { 'content-type': 'application/octet-stream' },
    } as RequestInit);
  };
  assert.is((await upload(1000)).status, 200);
  assert.is(tool.seen.at(-1)?.body.length, 1000);
  const refused = await upload(2000);
  assert.equal([refused.status, codeOf(await refused.text())], [413, 'body_too_large']);
});

const callers = suite('who may call');

const plainly = (token: string | null, path = `${reading.path}/tickets/ACME-1`) =>
  app.call('GET', path, token === null ? {} : { token });

callers('is who holds the lease’s own token, and nobody else', async () => {
  const other = await app.lease('tool.read');
  const session = await app.session();
  assert.is((await plainly(reading.token)).status, 200);
  for (const token of [null, session, other.token, await accessToken(), 'x', `${reading.token.slice(0, -4)}AAAA`]) {
    assert.is((await plainly(token)).status, 401, String(token).slice(0, 20));
  }
});

callers('does not open anything else with the lease’s token', async () => {
  for (const [method, path, body] of [
    ['GET', '/t/acme/leases', undefined],
    ['POST', '/t/acme/requests', PERMITTED],
    ['POST', `/t/acme/leases/${reading.id}/complete`, { outcome: 'succeeded' }],
  ] as const) {
    const { status } = await app.call(method, path, { token: reading.token, body });
    assert.is(status, 401, path);
  }
  const form = { client_assertion: await app.assertion('target:tickets'), token: reading.token };
  const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
  const introspected = await app.call('POST', '/t/acme/introspect', { form: { ...form, client_assertion_type: type } });
  assert.equal(introspected.body, { active: false });
});

callers('is told the same of a lease of another tenant’s, and of none', async () => {
  const strange = [
    reading.path.replace('acme', 'birch'),
    reading.path.replace('acme', 'nobody'),
    '/t/acme/gateway/lse_00000000000000000000000000',
    '/t/acme/gateway/x',
  ];
  const answers = await Promise.all(strange.map((path) => plainly(reading.token, `${path}/tickets/ACME-1`)));
  for (const { status, body } of answers) {
    const { request_id: _, ...said } = body;
    const { request_id: __, ...first } = answers[0]?.body ?? {};
    assert.equal([status, said], [401, first]);
  }
});

async function accessToken(): Promise<string> {
  const form = {
    grant_type: 'client_credentials',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: await app.assertion('triage-bot'),
    authorization_details: JSON.stringify([{ type: 'brevet_task', ...PERMITTED }]),
  };
  return String((await app.call('POST', '/t/acme/token', { form })).body['access_token']);
}

callers.after(async () => {
  await here.close();
  await app.close();
  await tool.close();
});

lines.run();
passing.run();
callers.run();
