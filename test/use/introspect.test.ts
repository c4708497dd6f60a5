import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { decodeJwt } from 'jose';
import { clientForm, issuerOf, must, PERMITTED, PUBLIC_URL, testApp } from '../support/app.ts';
import type { Answer, TestNode } from '../support/app.ts';

const app = await testApp();
const other = await app.node();

interface Token {
  readonly token: string;
  readonly lease: string;
}

/** A token of the token endpoint, in one call. */
async function issued(body: object = PERMITTED, tenant = 'acme', agent = 'triage-bot'): Promise<Token> {
  const details = JSON.stringify([{ type: 'brevet_task', ...body }]);
  const form = clientForm(await app.assertion(agent, tenant), { authorization_details: details });
  const answer = must(await app.call('POST', `/t/${tenant}/token`, { form }));
  return { token: String(answer.body['access_token']), lease: String(answer.body['lease']) };
}

async function about(
  what: 'introspect' | 'revoke',
  token: string,
  client = 'target:tickets',
  tenant = 'acme',
  node: TestNode = app,
): Promise<Answer> {
  const form = clientForm(await app.assertion(client, tenant), { token });
  return node.call('POST', `/t/${tenant}/${what}`, { form });
}
const activeFor = async (token: string, client?: string, tenant?: string): Promise<unknown> => {
  const answer = await about('introspect', token, client, tenant);
  assert.is(answer.status, 200, answer.text);
  if (answer.body['active'] !== true) assert.equal(answer.body, { active: false });
  return answer.body['active'];
};

const introspection = suite('introspection');

introspection('tells a target what a token made for it is', async () => {
  const { token, lease } = await issued();
  const { body, headers } = await about('introspect', token);
  assert.is(body['active'], true);
  assert.is(body['jti'], lease);
  assert.is(body['iss'], issuerOf('acme'));
  assert.is(body['aud'], 'https://tickets.acme.example');
  assert.is(body['client_id'], 'triage-bot');
  assert.is(body['scope'], 'tickets:route');
  assert.type(body['exp'], 'number');
  assert.is(headers.get('cache-control'), 'no-store');
});

const ASKERS: readonly (readonly [client: string, active: boolean])[] = [
  ['target:tickets', true],
  ['triage-bot', true],
  ['target:other', false],
  ['report-bot', false],
];
for (const [client, active] of ASKERS) {
  introspection(`tells ${client} of triage-bot’s token for tickets ${active ? 'what it is' : 'nothing'}`, async () => {
    assert.is(await activeFor((await issued()).token, client), active);
  });
}

introspection('tells another tenant nothing', async () => {
  const { token } = await issued();
  assert.is(await activeFor(token, 'target:tickets', 'birch'), false);
  const birch = await issued(PERMITTED, 'birch', 'birch-bot');
  assert.is(await activeFor(birch.token), false);
  assert.is(await activeFor(birch.token, 'target:tickets', 'birch'), true);
});

introspection('knows no session, no other text and no broken token', async () => {
  const session = await app.session();
  const { token } = await issued();
  const [head, , tail] = token.split('.');
  const admin = Buffer.from('{"jti":"lse_00000000000000000000000000"}').toString('base64url');
  for (const text of [session, 'x', '..', `${head}.${admin}.${tail}`, `${token}x`, token.slice(0, -4), '\u0000']) {
    assert.is(await activeFor(text), false, text.slice(0, 20));
  }
});

introspection('without a token is malformed, and without a proof nothing', async () => {
  const form = clientForm(await app.assertion('target:tickets'));
  const missing = await app.call('POST', '/t/acme/introspect', { form });
  assert.is(missing.status, 400);
  assert.is(missing.body['error'], 'invalid_request');
  const { token } = await issued();
  const nobody = await app.call('POST', '/t/acme/introspect', { form: { token } });
  assert.is(nobody.status, 401);
  assert.is(nobody.body['error'], 'invalid_client');
  const bearer = await app.call('POST', '/t/acme/introspect', { form: { token }, token: await app.session() });
  assert.is(bearer.status, 401);
});

introspection('takes an assertion once', async () => {
  const { token } = await issued();
  const form = clientForm(await app.assertion('target:tickets'), { token });
  const answers = await Promise.all([app, other].map((node) => node.call('POST', '/t/acme/introspect', { form })));
  assert.equal(
    answers.map(({ status }) => status).toSorted((a, b) => a - b),
    [200, 401],
  );
});

introspection('says dead in the very moment of the revocation, on every node', async () => {
  for (const client of ['target:tickets', 'triage-bot']) {
    const { token, lease } = await issued();
    assert.is(await activeFor(token), true);
    const revoked = await about('revoke', token, client);
    assert.is(revoked.status, 200);
    assert.is(revoked.text, '');
    assert.is((await about('introspect', token, 'target:tickets', 'acme', other)).body['active'], false);
    const [row] = await app.sql<{ state: string; cause: string; death: { how: string }; exposure: string }>(
      `select state, cause, death, exposure from leases where id = '${lease}'`,
    );
    assert.is(row?.state, 'revoked');
    assert.is(row?.cause, 'token_revoked');
    assert.is(row?.death.how, 'verified');
    assert.is(Number(row?.exposure), 0);
  }
});

const GOES: readonly (readonly [kind: string, name: string])[] = [
  ['agent', 'triage-bot'],
  ['vendor', 'in-house'],
  ['person', 'olga'],
];
for (const [kind, name] of GOES) {
  introspection(
    `says dead from the moment on that the ${kind} ${name} has gone, whenever the queue comes to it`,
    async () => {
      const gone = await testApp();
      const details = JSON.stringify([{ type: 'brevet_task', ...PERMITTED }]);
      const form = clientForm(await gone.assertion('triage-bot'), { authorization_details: details });
      const token = String(must(await gone.call('POST', '/t/acme/token', { form })).body['access_token']);
      const isActive = async () => {
        const asking = clientForm(await gone.assertion('target:tickets'), { token });
        return must(await gone.call('POST', '/t/acme/introspect', { form: asking })).body['active'];
      };
      assert.is(await isActive(), true);
      must(await gone.operator('ada', 'POST', '/api/offboard', { kind, name, reason: 'It is over' }));
      assert.equal([...(await gone.sql(`select state from leases`))], [{ state: 'active' }], 'nothing has swept');
      assert.is(await isActive(), false);
      await gone.close();
    },
  );
}

introspection('revocation of what is not the caller’s is answered alike, and does nothing', async () => {
  const { token } = await issued();
  for (const [client, tenant] of [
    ['target:other', 'acme'],
    ['report-bot', 'acme'],
    ['target:tickets', 'birch'],
    ['birch-bot', 'birch'],
  ] as const) {
    const answer = await about('revoke', token, client, tenant);
    assert.is(answer.status, 200);
    assert.is(answer.text, '');
  }
  assert.is((await about('revoke', 'nonsense')).status, 200);
  assert.is(await activeFor(token), true);
  assert.is((await about('revoke', token)).status, 200);
  assert.is((await about('revoke', token)).status, 200);
});

introspection('revocation of a session is not said to be done: it ends by itself', async () => {
  const session = await app.session();
  const answer = await about('revoke', session, 'triage-bot');
  assert.equal([answer.status, answer.body['error']], [400, 'unsupported_token_type']);
  const still = await app.call('POST', '/t/acme/requests', { token: session, body: { ...PERMITTED, ttl: 0 } });
  assert.is(still.status, 400, 'it lives');
  for (const [client, tenant] of [
    ['report-bot', 'acme'],
    ['target:tickets', 'acme'],
    ['birch-bot', 'birch'],
  ] as const) {
    assert.is((await about('revoke', session, client, tenant)).status, 200, client);
  }
});

introspection.run();

const endpoint = suite('the token endpoint');

const details = async (detail: unknown, agent = 'triage-bot'): Promise<Answer> => {
  const form = clientForm(await app.assertion(agent), { authorization_details: JSON.stringify(detail) });
  return app.call('POST', '/t/acme/token', { form });
};

endpoint('answers a task with the credential itself', async () => {
  const { status, body } = await details([{ type: 'brevet_task', ...PERMITTED }]);
  assert.is(status, 200);
  assert.is(body['token_type'], 'Bearer');
  assert.is(body['expires_in'], 300);
  assert.is(body['scope'], 'tickets:route', 'which nobody asked for by that name');
  assert.match(String(body['lease']), /^lse_/);
  assert.ok(body['receipt']);
});

endpoint(
  'answers with the details that were granted, as the token has them, and not with those that were asked',
  async () => {
    const { body } = await details([{ type: 'brevet_task', ...PERMITTED, ttl: 3600 }]);
    const { task, resource, parameters } = PERMITTED;
    const granted = [{ type: 'brevet_task', task, resource, parameters }];
    assert.equal(body['authorization_details'], granted);
    assert.equal(decodeJwt(String(body['access_token']))['authorization_details'], granted);
  },
);

const { type: _none, ...untyped } = { type: 'brevet_task', ...PERMITTED };
const BAD_DETAILS: readonly (readonly [what: string, detail: unknown, error: string])[] = [
  ['none', [], 'invalid_authorization_details'],
  [
    'two',
    [
      { type: 'brevet_task', ...PERMITTED },
      { type: 'brevet_task', ...PERMITTED },
    ],
    'invalid_authorization_details',
  ],
  ['an object', { type: 'brevet_task', ...PERMITTED }, 'invalid_authorization_details'],
  ['another type', [{ ...PERMITTED, type: 'payment' }], 'invalid_authorization_details'],
  ['no type', [untyped], 'invalid_authorization_details'],
  ['null', null, 'invalid_authorization_details'],
  ['a field too many', [{ type: 'brevet_task', ...PERMITTED, x: 1 }], 'invalid_authorization_details'],
  [
    'parameters that do not fit',
    [{ type: 'brevet_task', ...PERMITTED, parameters: {} }],
    'invalid_authorization_details',
  ],
  ['a forbidden one', [{ type: 'brevet_task', ...PERMITTED, resource: 'passwords' }], 'access_denied'],
];
for (const [what, detail, error] of BAD_DETAILS) {
  endpoint(`refuses details that are ${what} with ${error}`, async () => {
    const answer = await details(detail);
    assert.is(answer.status, 400, answer.text);
    assert.is(answer.body['error'], error);
    assert.match(String(answer.body['error_description']), /^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/);
  });
}

endpoint('refuses details that are no JSON', async () => {
  const form = clientForm(await app.assertion('triage-bot'), { authorization_details: '[{' });
  assert.is((await app.call('POST', '/t/acme/token', { form })).body['error'], 'invalid_authorization_details');
});

endpoint('answers an ask with authorization_pending, and mints nothing', async () => {
  const firewall = {
    task: 'firewall.change',
    resource: 'tickets',
    parameters: { rule: 'telnet', action: 'close' },
    reason: 'Open',
    change: 'CHG-1',
    rollback: 'Open it',
  };
  const answer = await details([{ type: 'brevet_task', ...firewall }]);
  assert.is(answer.status, 400);
  assert.is(answer.body['error'], 'authorization_pending');
  assert.match(String(answer.body['request']), /^req_/);
  assert.match(String(answer.body['approval']), /^apr_/);
});

for (const [grant, error] of [
  ['password', 'unsupported_grant_type'],
  ['urn:ietf:params:oauth:grant-type:token-exchange', 'unsupported_grant_type'],
] as const) {
  endpoint(`refuses the grant ${grant}`, async () => {
    const form = clientForm(await app.assertion('triage-bot'), { grant_type: grant });
    const answer = await app.call('POST', '/t/acme/token', { form });
    assert.is(answer.status, 400);
    assert.is(answer.body['error'], error);
  });
}

endpoint('gives no session to a target', async () => {
  const answer = await app.call('POST', '/t/acme/token', { form: clientForm(await app.assertion('target:tickets')) });
  assert.is(answer.status, 401);
  assert.is(answer.body['error'], 'invalid_client');
});

endpoint('tells a client in its metadata where everything is', async () => {
  const paths = ['/.well-known/oauth-authorization-server/t/acme', '/t/acme/.well-known/openid-configuration'];
  for (const path of paths) {
    const { status, body } = await app.call('GET', path);
    assert.is(status, 200);
    assert.is(body['issuer'], issuerOf('acme'));
    for (const [name, value] of Object.entries(body)) {
      if (name.endsWith('_endpoint') || name === 'jwks_uri') assert.match(String(value), `${PUBLIC_URL}/t/acme/`);
    }
  }
  const { body } = await app.call('GET', '/t/acme/jwks');
  const keys = body['keys'] as Record<string, unknown>[];
  assert.equal(keys.map(({ alg }) => String(alg)).toSorted(), ['ES256', 'EdDSA']);
  assert.not.ok(keys.some((key) => 'd' in key));
});

endpoint.after(() => app.close());
endpoint.run();
