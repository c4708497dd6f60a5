/** Leases of the gateway keep the contract of every provider, and what they let through is what was approved. */
import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { decodeJwt, decodeProtectedHeader, exportJWK, SignJWT } from 'jose';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FetchFailed, FetchRefused } from '../../src/core/fetch.ts';
import type { Forward } from '../../src/core/forward.ts';
import { gatewaySpecification } from '../../src/core/gateway/specification.ts';
import type { GatewaySpecification } from '../../src/core/gateway/specification.ts';
import type { JsonObject } from '../../src/core/canonical.ts';
import type { LeaseId } from '../../src/core/ids.ts';
import type { Minted, MintTerms } from '../../src/core/provider.ts';
import { Secret } from '../../src/core/secret.ts';
import type { Signer } from '../../src/core/signer.ts';
import type { Snapshot } from '../../src/core/snapshot.ts';
import { verifyLeaseToken } from '../../src/use/gateway/token.ts';
import { matchCall } from '../../src/use/gateway/match.ts';
import { httpProvider } from '../../src/providers/http/provider.ts';
import { EXTERNAL_ID, openTargetOf, orderFor, processClock, subjectOf, termsOf } from '../support/target.ts';
import { CHARACTER } from '../support/text.ts';
import { TOOL_KEY } from '../support/tool.ts';
import { providerContract } from './contract.ts';
import type { Harness } from './contract.ts';

const PUBLIC_URL = 'https://brevet.example';

const pair = generateKeyPairSync('ed25519');
const publicJwk = { ...(await exportJWK(pair.publicKey)), alg: 'EdDSA', kid: 'own' };
const signer: Signer = {
  sign: (_tenant, type, claims) =>
    new SignJWT(claims).setProtectedHeader({ alg: 'EdDSA', typ: type, kid: 'own' }).sign(pair.privateKey),
  keys: () => Promise.resolve([publicJwk]),
};
const snapshot = { tenant: { name: 'acme' }, keys: [{ kid: 'own', publicJwk }] } as unknown as Snapshot;

const silent: Forward = () => Promise.reject(new FetchFailed('no answer: ECONNREFUSED'));
const provider = httpProvider({ signer, publicUrl: PUBLIC_URL, forward: silent });

const CONFIG = {
  origin: 'https://psa.example',
  base_path: '/v1',
  inject: { by: 'header', name: 'x-api-key' },
  key_reaches: 'this-tenant',
};
const READ = { calls: [{ method: 'GET', path: '/tickets/{{ticket}}' }] };
const TICKET = { ticket: 'ACME-1' };
const secret = new Secret(TOOL_KEY);
const target = (config: object = {}) => {
  const open = openTargetOf(provider, { ...CONFIG, ...config }, { secret });
  return { ...open, version: { ...open.version, secret: 'sealed' as never } };
};
const terms = (template: MintTerms['template'] = READ, parameters: JsonObject = TICKET) =>
  termsOf(template, { parameters });

const tokenOf = ({ token }: Minted['credential']): string => {
  if (!(token instanceof Secret)) throw new Error('a credential without a token');
  return token.reveal();
};

const plain = (credential: Minted['credential'], name: string): string => {
  const value = credential[name];
  if (typeof value !== 'string') throw new Error(`a credential without ${name}`);
  return value;
};

const contract = suite('the provider contract, by leases of the gateway');

providerContract(contract, (): Promise<Harness> => {
  const revoked = new Set<string>();
  const specified = new Map<string, GatewaySpecification>();
  /** As the gateway does it: the token, the lease, the call. */
  const call = async (credential: Minted['credential'], method: string, path: string): Promise<boolean> => {
    const lease = plain(credential, 'base_url').split('/').at(-1) as LeaseId;
    const whose = await verifyLeaseToken(
      { publicUrl: PUBLIC_URL, clock: processClock },
      snapshot,
      lease,
      tokenOf(credential),
    );
    const order = orderFor(provider, target(), terms());
    const { calls } = specified.get(lease) ?? gatewaySpecification.parse(order.specification);
    const isOver = processClock() >= Date.parse(plain(credential, 'expires_at'));
    return (
      whose.ok && !isOver && !revoked.has(lease) && matchCall(calls, { method, target: path, headers: new Map() }).ok
    );
  };
  const none = () => Promise.resolve();
  return Promise.resolve({
    provider,
    target: target(),
    terms: terms(),
    diesByCommit: true,
    use: (credential) => call(credential, 'GET', '/tickets/ACME-1'),
    overstep: async (credential) =>
      (await call(credential, 'DELETE', '/tickets/ACME-1')) || call(credential, 'GET', '/tickets/ACME-2'),
    hold: (credential) => Promise.resolve(() => call(credential, 'GET', '/tickets/ACME-1')),
    commitRevocation: ({ lease }) => {
      revoked.add(lease);
    },
    network: { stall: none, cut: none, repoint: none, restore: none },
    close: none,
  });
});

const tokens = suite('the token of a lease');

tokens('is good for that lease at the gateway, and is of its own kind', async () => {
  const order = orderFor(provider, target(), terms());
  const { credential, reference, keep } = await provider.mint(order, target());
  const url = `${PUBLIC_URL}/t/acme/gateway/${order.lease}`;
  assert.equal(
    [credential['type'], credential['base_url'], reference, keep],
    ['http', url, { jti: order.lease }, null],
  );
  assert.is(decodeProtectedHeader(tokenOf(credential)).typ, 'brevet-gateway+jwt');
  assert.equal(decodeJwt(tokenOf(credential)), {
    iss: `${PUBLIC_URL}/t/acme`,
    sub: 'report-bot',
    aud: url,
    jti: order.lease,
    iat: Math.floor(order.issuedAt / 1000),
    exp: Math.floor(order.expiresAt / 1000),
  });
});

for (const [what, type, claims] of [
  ['an access token', 'at+jwt', {}],
  ['a session', 'brevet-session+jwt', {}],
  ['another lease’s', 'brevet-gateway+jwt', { jti: 'lse_00000000000000000000000000' }],
  ['another audience’s', 'brevet-gateway+jwt', { aud: `${PUBLIC_URL}/t/acme` }],
  ['another tenant’s', 'brevet-gateway+jwt', { iss: `${PUBLIC_URL}/t/birch` }],
  ['one that is over', 'brevet-gateway+jwt', { exp: 1 }],
] as const) {
  tokens(`is not ${what}`, async () => {
    const order = orderFor(provider, target(), terms());
    const { credential } = await provider.mint(order, target());
    const made = { ...decodeJwt(tokenOf(credential)), ...claims };
    const forged = await signer.sign('acme' as never, type, made);
    const deps = { publicUrl: PUBLIC_URL, clock: processClock };
    assert.is((await verifyLeaseToken(deps, snapshot, order.lease, tokenOf(credential))).ok, true);
    assert.is((await verifyLeaseToken(deps, snapshot, order.lease, forged)).ok, false);
  });
}

tokens('dies with the commit, unless its calls leave effects', () => {
  const { version } = target();
  const plain = provider.declare(version, READ);
  assert.equal([plain.revokes, plain.evidence], ['commit', 'the gateway refuses, in the same commit']);
  assert.equal([plain.countsUses, plain.seesUse, plain.keepsSecret, plain.expiryEndsUse], [true, true, false, true]);
  assert.equal(plain.enforces, ['ticket']);
  const leaving = provider.declare(version, { ...READ, leaves_effects: true });
  assert.is(leaving.evidence, null);
  assert.is(provider.declare(version, { odd: 1 }).evidence, null);
});

tokens('whose calls leave effects is never seen dead', async () => {
  const order = orderFor(provider, target(), terms({ ...READ, leaves_effects: true }));
  const sighting = await provider.look(subjectOf(order), target());
  assert.is(sighting.seen === 'unseen' && sighting.forGood, true);
});

const targets = suite('a target of the gateway');

const parsed = (config: object) => {
  const context = { tenant: terms().tenant, publicUrl: PUBLIC_URL, externalId: EXTERNAL_ID };
  const read = provider.parse({ ...CONFIG, ...config }, context);
  return read.ok ? 'taken' : `${read.error.code} ${read.error.path ?? ''}`.trim();
};

const FORCED = { in: 'query', name: 'companyId' };
const LOOKUPS = { ticket: { path: '/tickets/{object}', pointer: '/company/id' } };
const TIE = { value: '4711', forced: FORCED, lookups: LOOKUPS };

for (const [what, config] of [
  ['as it is', {}],
  ['with a key in the query', { inject: { by: 'query', name: 'api_key' } }],
  ['with a user', { inject: { by: 'basic', user: 'brevet' } }],
  ['with a token for its key', { inject: { by: 'oauth', token_url: 'https://id.example/token', client_id: 'c' } }],
  ['whose key reaches several, tied', { key_reaches: 'several', tenant_tie: TIE }],
  ['whose log has a field', { lease_field: { in: 'header', name: 'x-correlation-id' } }],
  ['with headers of its own', { request_headers: ['x-tenant-view'], response_headers: ['link'] }],
  ['at a port', { origin: 'https://psa.example:8443' }],
] as const) {
  targets(`is taken ${what}`, () => assert.is(parsed(config), 'taken'));
}

for (const [what, config, refused] of [
  ['an origin with a path', { origin: 'https://psa.example/' }, 'invalid_field origin'],
  ['an origin in capitals', { origin: 'https://PSA.example' }, 'invalid_field origin'],
  ['an origin with its scheme’s port', { origin: 'https://psa.example:443' }, 'invalid_field origin'],
  ['an origin with a user', { origin: 'https://a@psa.example' }, 'invalid_field origin'],
  ['another scheme', { origin: 'ftp://psa.example' }, 'invalid_field origin'],
  ['Brevet itself', { origin: PUBLIC_URL }, 'invalid_target origin'],
  [
    'a token of Brevet’s',
    { inject: { by: 'oauth', token_url: `${PUBLIC_URL}/t/acme/token`, client_id: 'c' } },
    'invalid_target inject.token_url',
  ],
  ['dots in its base path', { base_path: '/v1/..' }, 'invalid_field base_path'],
  ['a slash at the end of its base path', { base_path: '/v1/' }, 'invalid_field base_path'],
  ['a key for several, tied to none', { key_reaches: 'several' }, 'invalid_target tenant_tie'],
  ['a tie without a look-up', { tenant_tie: { ...TIE, lookups: {} } }, 'invalid_field tenant_tie.lookups'],
  ['a tie without a forced value', { tenant_tie: { value: '1', lookups: LOOKUPS } }, 'invalid_field tenant_tie.forced'],
  ['nothing said of whom its key reaches', { key_reaches: undefined }, 'invalid_field key_reaches'],
  [
    'a look-up of nothing',
    { tenant_tie: { ...TIE, lookups: { a: { path: '/a', pointer: '/b' } } } },
    'invalid_field tenant_tie.lookups.a.path',
  ],
  ['two values in one place', { lease_field: FORCED, tenant_tie: TIE }, 'invalid_target inject'],
  [
    'a key where the forced value is',
    { inject: { by: 'query', name: 'CompanyID' }, tenant_tie: TIE },
    'invalid_target inject',
  ],
  [
    'a header of the connection for its key',
    { inject: { by: 'header', name: 'connection' } },
    'invalid_field inject.name',
  ],
  ['cookies shown', { response_headers: ['set-cookie'] }, 'invalid_field response_headers.0'],
  ['where it leads shown', { response_headers: ['location'] }, 'invalid_field response_headers.0'],
  ['a method header sent', { request_headers: ['x-http-method-override'] }, 'invalid_field request_headers.0'],
  ['pieces asked for', { request_headers: ['range'] }, 'invalid_field request_headers.0'],
  ['its key’s header sent by agents', { request_headers: ['x-api-key'] }, 'invalid_target request_headers'],
  ['an agent’s authorization', { request_headers: ['authorization'] }, 'invalid_field request_headers.0'],
] as const) {
  targets(`is refused with ${what}`, () => assert.is(parsed(config), refused));
}

targets('is looked at before its first use', async () => {
  const found = async (forward: Forward, key: string | null) => {
    const checked = httpProvider({ signer, publicUrl: PUBLIC_URL, forward });
    const findings = await checked.check({ ...target(), secret: key === null ? null : new Secret(key) });
    return findings.map(({ level, what }) => `${level}: ${what}`);
  };
  const answering: Forward = () => Promise.resolve({ status: 401, headers: [], body: (async function* () {})() });
  const refusing: Forward = () => Promise.reject(new FetchRefused('refused: a private address'));
  assert.equal(await found(answering, TOOL_KEY), []);
  assert.equal(await found(answering, null), ['refuse: the target has no key']);
  assert.equal(await found(answering, 'short'), [
    'refuse: a key of fewer than 8 characters could not be told from chance',
  ]);
  assert.equal(await found(answering, 'with a line\nbreak'), ['refuse: the key holds more than visible ASCII']);
  assert.equal(await found(refusing, TOOL_KEY), ['refuse: refused: a private address']);
  assert.equal(await found(silent, TOOL_KEY), ['warn: the origin gave no answer: ECONNREFUSED']);
});

const specifications = suite('what a lease lets through');

const specified = (template: JsonObject, parameters: JsonObject, config: object = {}) => {
  const made = provider.specify(terms(template, parameters), target(config).version);
  return made.ok ? (made.value as unknown as GatewaySpecification) : made.error.code;
};
const callsOf = (template: JsonObject, parameters: JsonObject, config: object = {}) => {
  const made = specified(template, parameters, config);
  if (typeof made === 'string') throw new Error(made);
  return made.calls;
};

specifications('is the task class with the request’s parameters in their places', () => {
  const template = {
    calls: [
      {
        method: 'POST',
        path: '/tickets/{{ticket}}/notes',
        query: { a: { equals: 'x {{ticket}}' }, b: { matches: '[0-9]' } },
        body: {
          members: { n: { equals: '{{minutes}}' }, t: { equals: '{{ticket}}: {{minutes}}' }, f: { type: 'string' } },
        },
        objects: { ticket: '{{ticket}}' },
      },
    ],
  };
  const [call] = callsOf(template, { ticket: 'A&B 1', minutes: 5 });
  assert.equal(call, {
    method: 'POST',
    template: '/tickets/{{ticket}}/notes',
    path: '/tickets/A%26B%201/notes',
    query: { a: { equals: 'x A&B 1' }, b: { matches: '[0-9]', required: false } },
    body: { members: { n: { equals: 5 }, t: { equals: 'A&B 1: 5' }, f: { type: 'string' } } },
    objects: [{ lookup: 'ticket', object: 'A&B 1' }],
  });
});

for (const ticket of ['..', '.', '', 'a/b', 'a\\b', '%2e%2e', '\u0000', '．．', ['a'], { a: 1 }, null]) {
  specifications(`is nothing for the ticket ${JSON.stringify(ticket)}`, () => {
    assert.is(specified(READ, { ticket }), 'invalid_parameters');
  });
}

const several = { key_reaches: 'several', tenant_tie: TIE };
for (const [what, call, ticket] of [
  ['a control character in its query', { query: { a: { equals: '{{ticket}}' } } }, 'a\u0000b'],
  ['half a character in its query', { query: { a: { equals: '{{ticket}}' } } }, 'a\ud800'],
  ['an object that is more than a segment', { objects: { ticket: '{{ticket}}' } }, 'a/../b'],
  ['an object of dots', { objects: { ticket: '{{ticket}}' } }, '..'],
] as const) {
  specifications(`is nothing with ${what}`, () => {
    const template = { calls: [{ method: 'GET', path: '/tickets', ...call }] };
    assert.is(typeof specified(template, { ticket: 'a' }, { tenant_tie: TIE }), 'object', 'another value fits');
    assert.is(specified(template, { ticket }, { tenant_tie: TIE }), 'invalid_parameters');
  });
}

specifications('is nothing without a parameter that it names', () =>
  assert.is(specified(READ, {}), 'invalid_parameters'),
);

specifications('is nothing at a target without a key', () => {
  const { version } = target();
  const made = provider.specify(terms(), { ...version, secret: null });
  assert.is(made.ok ? 'made' : made.error.code, 'invalid_target');
});

const inBody = { key_reaches: 'several', tenant_tie: { ...TIE, forced: { in: 'body', name: 'companyId' } } };
for (const [what, call, config, made] of [
  ['a list, by the forced value', { method: 'GET', path: '/tickets' }, several, true],
  ['an object that is looked up', { ...READ.calls[0], objects: { ticket: '{{ticket}}' } }, several, true],
  ['an object that nobody looks up', READ.calls[0], several, false],
  [
    'an object of the query that nobody looks up',
    { method: 'GET', path: '/notes', query: { ticket: { equals: '{{ticket}}' } } },
    several,
    false,
  ],
  [
    'an object deep in a body that nobody looks up',
    { method: 'POST', path: '/notes', body: { members: { of: { members: { ids: { equals: ['{{ticket}}'] } } } } } },
    several,
    false,
  ],
  [
    'an object of the body that is looked up',
    {
      method: 'POST',
      path: '/notes',
      body: { members: { ticket: { equals: '{{ticket}}' } } },
      objects: { ticket: '{{ticket}}' },
    },
    several,
    true,
  ],
  [
    'what is said to be no object',
    { method: 'GET', path: '/t', query: { q: { equals: '{{ticket}}' } }, names_no_object: ['ticket'] },
    several,
    true,
  ],
  ['an object of a path that is said to be none', { ...READ.calls[0], names_no_object: ['ticket'] }, several, false],
  ['an object of an unknown kind', { ...READ.calls[0], objects: { device: '{{ticket}}' } }, several, false],
  ['the forced field', { method: 'GET', path: '/tickets', query: { companyid: { matches: '.*' } } }, several, false],
  ['a list, where the forced value is in the body', { method: 'GET', path: '/tickets' }, inBody, false],
  ['a body that the forced value stands in', { method: 'POST', path: '/tickets', body: { members: {} } }, inBody, true],
  [
    'a body that sets the forced member',
    { method: 'POST', path: '/t', body: { members: { CompanyId: { type: 'string' } } } },
    inBody,
    false,
  ],
  [
    'the key’s own field',
    { method: 'GET', path: '/t', query: { key: { equals: '1' } } },
    { inject: { by: 'query', name: 'key' } },
    false,
  ],
] as const) {
  specifications(`${made ? 'may name' : 'may not name'} ${what}`, () => {
    const result = specified({ calls: [call] } as unknown as JsonObject, TICKET, config);
    assert.is(typeof result === 'string' ? result : 'made', made ? 'made' : 'invalid_target');
  });
}

specifications('never lets a name out of its segment, whatever it is', () => {
  const names = fc.oneof(
    fc.string({ unit: CHARACTER }),
    fc.string({
      unit: fc.constantFrom('"', "'", '/', '%', '*', '$', '{', '}', '.', '\\', ';', '?', '#', '&', 'é', '東', '2', 'f'),
    }),
  );
  fc.assert(
    fc.property(names, (ticket) => {
      const made = specified({ calls: [{ method: 'GET', path: '/tickets/{{ticket}}/notes' }] }, { ticket });
      if (typeof made === 'string') return;
      const { path = '' } = made.calls[0] ?? {};
      assert.match(path, /^\/tickets\/(?:[A-Za-z0-9._~-]|%[0-9A-F]{2})+\/notes$/);
      assert.is(new URL(`https://psa.example${path}`).pathname, path);
      const [, , segment = ''] = path.split('/');
      assert.is(decodeURIComponent(segment), ticket);
    }),
  );
});

contract.run();
tokens.run();
targets.run();
specifications.run();
