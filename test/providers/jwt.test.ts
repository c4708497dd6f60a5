/** Access tokens keep the contract of every provider, and say no more than they may. */
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { decodeJwt, decodeProtectedHeader, exportJWK, importJWK, jwtVerify, SignJWT } from 'jose';
import type { JWK } from 'jose';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FetchFailed, FetchRefused } from '../../src/core/fetch.ts';
import type { GuardedRequest } from '../../src/core/fetch.ts';
import type { Minted } from '../../src/core/provider.ts';
import { Secret } from '../../src/core/secret.ts';
import type { Signer } from '../../src/core/signer.ts';
import { milliseconds, seconds } from '../../src/core/time.ts';
import { jwtProvider } from '../../src/providers/jwt.ts';
import { freePort } from '../support/port.ts';
import { EXTERNAL_ID, openTargetOf, orderFor, processClock, subjectOf, termsOf } from '../support/target.ts';
import { providerContract } from './contract.ts';
import type { Harness } from './contract.ts';

const PUBLIC_URL = 'https://brevet.example';
const AUDIENCE = 'https://tickets.acme.example';

/** Signs as a tenant does, with a key of each algorithm. */
async function testSigner(): Promise<Signer> {
  const pairs = {
    EdDSA: generateKeyPairSync('ed25519'),
    ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  };
  const keys = await Promise.all(
    Object.entries(pairs).map(async ([alg, { publicKey }]) => ({ ...(await exportJWK(publicKey)), alg, kid: alg })),
  );
  return {
    sign: (_tenant, type, claims, algorithm = 'EdDSA') =>
      new SignJWT(claims)
        .setProtectedHeader({ alg: algorithm, typ: type, kid: algorithm })
        .sign(pairs[algorithm].privateKey),
    keys: () => Promise.resolve(keys),
  };
}

const tokenOf = ({ access_token }: Minted['credential']): string => {
  if (!(access_token instanceof Secret)) throw new Error('a credential without a token');
  return access_token.reveal();
};

const request: GuardedRequest = async (url, limits, headers) => {
  try {
    const answer = await fetch(url, { headers: { ...headers }, signal: AbortSignal.timeout(limits.milliseconds) });
    const challenge = answer.headers.get('www-authenticate');
    return { status: answer.status, body: await answer.text(), challenge };
  } catch (cause) {
    throw new FetchFailed('no answer', { cause });
  }
};

/** An API of the client's that verifies what it is shown and asks, for each token, whether it still stands. */
class TicketsApi {
  readonly revoked = new Set<string>();
  readonly #signer: Signer;
  readonly #audience: string;

  constructor(signer: Signer, audience: string) {
    this.#signer = signer;
    this.#audience = audience;
  }

  async takes(token: string, task: string): Promise<boolean> {
    try {
      const key = await this.#keyFor(token);
      const { payload } = await jwtVerify(token, key, { audience: this.#audience, typ: 'at+jwt' });
      const details = payload['authorization_details'] as { task: string }[];
      return !this.revoked.has(String(payload.jti)) && details.some((detail) => detail.task === task);
    } catch (fault) {
      if (fault instanceof Error && 'code' in fault) return false;
      throw fault;
    }
  }

  async #keyFor(token: string) {
    const { kid } = decodeProtectedHeader(token);
    const jwk = (await this.#signer.keys('acme' as never)).find((key) => key['kid'] === kid);
    return importJWK(jwk as JWK);
  }
}

/** @see RFC 6750 section 3.1 */
const REFUSED = 'Bearer realm="tickets", error="invalid_token", error_description="it was revoked"';

/** The API on a port, so that it can be probed; stalled, it never answers. */
async function serve(api: TicketsApi, port: number, state: { stalled: boolean }): Promise<Server> {
  const server = createServer((incoming, outgoing) => {
    if (state.stalled) return;
    const token = incoming.headers.authorization?.replace('Bearer ', '') ?? '';
    api.takes(token, 'database.report').then(
      (taken) => (taken ? outgoing : outgoing.writeHead(401, { 'www-authenticate': REFUSED })).end(),
      () => outgoing.writeHead(500).end(),
    );
  });
  await new Promise<void>((listening) => server.listen(port, '127.0.0.1', listening));
  return server;
}

const providerWith = (signer: Signer, asking = request) =>
  jwtProvider({ signer, publicUrl: PUBLIC_URL, request: asking, clock: processClock });

const contract = suite('the provider contract, by access tokens of an API that can be probed');

providerContract(contract, async (): Promise<Harness> => {
  const signer = await testSigner();
  const provider = providerWith(signer);
  const port = await freePort();
  const api = new TicketsApi(signer, AUDIENCE);
  const other = new TicketsApi(signer, 'https://other.acme.example');
  const state = { stalled: false };
  const stranger = new TicketsApi(signer, AUDIENCE);
  let server = await serve(api, port, state);
  const replace = async (by: TicketsApi | null) => {
    await close(server);
    if (by !== null) server = await serve(by, port, state);
  };
  const config = { audience: AUDIENCE, checks: 'introspection', probe_url: `http://127.0.0.1:${port}/tickets` };
  return {
    provider,
    target: openTargetOf(provider, config),
    terms: termsOf({ scope: 'tickets:read' }),
    use: (credential) => api.takes(tokenOf(credential), 'database.report'),
    overstep: async (credential) =>
      (await api.takes(tokenOf(credential), 'database.drop')) || other.takes(tokenOf(credential), 'database.report'),
    hold: (credential) => Promise.resolve(() => api.takes(tokenOf(credential), 'database.report')),
    commitRevocation: ({ lease }) => {
      api.revoked.add(lease);
    },
    network: {
      stall: () => {
        state.stalled = true;
        return Promise.resolve();
      },
      cut: () => replace(null),
      // One that shares nothing with the client's API, and takes what that one has refused.
      repoint: () => replace(stranger),
      restore: () => {
        state.stalled = false;
        return replace(api);
      },
    },
    close: () => close(server),
  };
});

async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((closed) => server.close(closed));
}

const tokens = suite('an access token');

tokens('says what RFC 9068 asks for, of one task at one target', async () => {
  const signer = await testSigner();
  const provider = providerWith(signer);
  const target = openTargetOf(provider, { audience: AUDIENCE, checks: 'introspection' });
  const order = orderFor(provider, target, termsOf({ scope: 'tickets:read' }));
  const { credential, keep, reference } = await provider.mint(order, target);
  assert.is(keep, null);
  assert.equal(reference, { jti: order.lease });
  assert.equal(decodeProtectedHeader(tokenOf(credential)), { alg: 'EdDSA', typ: 'at+jwt', kid: 'EdDSA' });
  assert.equal(decodeJwt(tokenOf(credential)), {
    iss: `${PUBLIC_URL}/t/acme`,
    sub: 'report-bot',
    client_id: 'report-bot',
    aud: AUDIENCE,
    jti: order.lease,
    iat: Math.floor(order.issuedAt / 1000),
    exp: Math.floor(order.expiresAt / 1000),
    scope: 'tickets:read',
    authorization_details: [
      { type: 'brevet_task', task: 'database.report', resource: 'db/tickets', parameters: { table: 'tickets' } },
    ],
  });
});

tokens('is signed with ES256 where the target asks for it', async () => {
  const provider = providerWith(await testSigner());
  const target = openTargetOf(provider, { audience: AUDIENCE, checks: 'introspection', algorithm: 'ES256' });
  const { credential } = await provider.mint(orderFor(provider, target, termsOf({})), target);
  assert.is(decodeProtectedHeader(tokenOf(credential)).alg, 'ES256');
  assert.is(decodeJwt(tokenOf(credential))['scope'], undefined);
});

tokens('dies as its target says', async () => {
  const provider = providerWith(await testSigner());
  const declared = (config: object) => {
    const { revokes, evidence, keepsSecret, longest, countsUses } = provider.declare(
      openTargetOf(provider, { audience: AUDIENCE, ...config }).version,
      {},
    );
    return { revokes, evidence, keepsSecret, longest, countsUses };
  };
  assert.equal(declared({ checks: 'introspection' }), {
    revokes: 'commit',
    evidence: 'introspection refuses, in the same commit',
    keepsSecret: false,
    longest: 3600,
    countsUses: false,
  });
  assert.equal(declared({ checks: 'introspection', probe_url: `${AUDIENCE}/me` }), {
    revokes: { within: 1 },
    evidence: 'the API itself answers 401 invalid_token',
    keepsSecret: true,
    longest: 3600,
    countsUses: false,
  });
  assert.equal(declared({ checks: 'offline' }), {
    revokes: 'never',
    evidence: null,
    keepsSecret: false,
    longest: 60,
    countsUses: false,
  });
});

tokens('of an API that checks offline lives a minute at most, and is never seen dead', async () => {
  const provider = providerWith(await testSigner());
  const target = openTargetOf(provider, { audience: AUDIENCE, checks: 'offline' });
  const long = provider.specify(termsOf({}, { ttl: seconds(61) }), target.version);
  assert.is(!long.ok && long.error.code, 'ttl_not_possible');
  const order = orderFor(provider, target, termsOf({}, { ttl: seconds(60) }));
  const sighting = await provider.look(subjectOf(order), target);
  assert.is(sighting.seen === 'unseen' && sighting.forGood, true);
});

for (const [challenge, seen] of [
  [REFUSED, 'gone'],
  ['Bearer error=invalid_token', 'gone'],
  ['Basic realm="proxy", Bearer error="invalid_token"', 'gone'],
  // Whoever is let in by nothing, or not asked about at all, is told no more than this.
  [null, 'unseen'],
  ['Bearer', 'unseen'],
  ['Basic realm="proxy"', 'unseen'],
  ['Bearer error="insufficient_scope"', 'unseen'],
  ['Bearer last_error="invalid_token"', 'unseen'],
  ['Bearer error="invalid_token_type"', 'unseen'],
] as const) {
  tokens(`is ${seen} where the API answers 401 with ${String(challenge)}`, async () => {
    const answering: GuardedRequest = () => Promise.resolve({ status: 401, body: '', challenge });
    const provider = providerWith(await testSigner(), answering);
    const config = { audience: AUDIENCE, checks: 'introspection', probe_url: `${AUDIENCE}/me` };
    const target = openTargetOf(provider, config);
    const order = orderFor(provider, target, termsOf({}));
    const { keep } = await provider.mint(order, target);
    const sighting = await provider.look({ ...subjectOf(order), secret: keep }, target);
    assert.is(sighting.seen, seen);
    // Its end comes all the same, and is then told as what it is.
    assert.is(sighting.seen !== 'unseen' || sighting.forGood, true);
  });
}

for (const [status, seen] of [
  [200, 'present'],
  [204, 'present'],
  [403, 'present'],
  // An API that was moved or is down has looked at no token.
  [302, 'unseen'],
  [404, 'unseen'],
  [429, 'unseen'],
  [500, 'unseen'],
  [503, 'unseen'],
] as const) {
  tokens(`is ${seen} where the API answers ${status}`, async () => {
    const answering: GuardedRequest = () => Promise.resolve({ status, body: '', challenge: null });
    const provider = providerWith(await testSigner(), answering);
    const config = { audience: AUDIENCE, checks: 'introspection', probe_url: `${AUDIENCE}/me` };
    const target = openTargetOf(provider, config);
    const order = orderFor(provider, target, termsOf({}));
    const { keep } = await provider.mint(order, target);
    const sighting = await provider.look({ ...subjectOf(order), secret: keep }, target);
    assert.is(sighting.seen, seen);
    assert.not.ok(sighting.seen === 'unseen' && sighting.forGood, 'it may answer tomorrow');
  });
}

tokens('is not dead for one refusal of several nodes: the next may take it', async () => {
  const answers = [
    { status: 401, body: '', challenge: REFUSED },
    { status: 200, body: '', challenge: null },
  ];
  const answering: GuardedRequest = () =>
    Promise.resolve(answers.shift() ?? { status: 500, body: '', challenge: null });
  const provider = providerWith(await testSigner(), answering);
  const target = openTargetOf(provider, { audience: AUDIENCE, checks: 'introspection', probe_url: `${AUDIENCE}/me` });
  const order = orderFor(provider, target, termsOf({}));
  const { keep } = await provider.mint(order, target);
  assert.is((await provider.look({ ...subjectOf(order), secret: keep }, target)).seen, 'present');
});

const targets = suite('a target whose credentials are tokens');

for (const [what, config, code] of [
  ['an audience at Brevet itself', { audience: PUBLIC_URL }, 'invalid_target'],
  ['a tenant of Brevet', { audience: `${PUBLIC_URL}/t/acme` }, 'invalid_target'],
  ['Brevet in capitals, with its port', { audience: 'HTTPS://Brevet.Example:443/x' }, 'invalid_target'],
  ['Brevet with a dot', { audience: 'https://brevet.example./x' }, 'invalid_target'],
  ['Brevet by another scheme', { audience: 'http://brevet.example/x' }, 'invalid_target'],
  ['Brevet behind a name', { audience: 'https://tickets@brevet.example/' }, 'invalid_target'],
  ['a probe at Brevet', { audience: AUDIENCE, probe_url: `${PUBLIC_URL}/x` }, 'invalid_target'],
  ['no URI', { audience: 'tickets' }, 'invalid_field'],
  ['a fragment', { audience: `${AUDIENCE}#a` }, 'invalid_field'],
  ['a probe that is no web address', { audience: AUDIENCE, probe_url: 'file:///etc/passwd' }, 'invalid_field'],
  [
    'a probe of an API that checks offline',
    { audience: AUDIENCE, checks: 'offline', probe_url: AUDIENCE },
    'invalid_field',
  ],
  [
    'uses counted by an API that checks offline',
    { audience: AUDIENCE, checks: 'offline', counts_uses: true },
    'invalid_field',
  ],
  ['an algorithm that is none', { audience: AUDIENCE, algorithm: 'none' }, 'invalid_field'],
] as const) {
  targets(`is refused with ${what}`, async () => {
    const context = { tenant: termsOf({}).tenant, publicUrl: PUBLIC_URL, externalId: EXTERNAL_ID };
    const parsed = providerWith(await testSigner()).parse({ checks: 'introspection', ...config }, context);
    assert.is(parsed.ok ? 'taken' : parsed.error.code, code);
  });
}

for (const scope of ['a"b', 'a  b', ' a', 'a\nb', 'ä', '']) {
  targets(`gives no token with the scope ${JSON.stringify(scope)}`, async () => {
    const provider = providerWith(await testSigner());
    const target = openTargetOf(provider, { audience: AUDIENCE, checks: 'introspection' });
    assert.is(provider.specify(termsOf({ scope }), target.version).ok, false);
  });
}

const PROBED = { audience: AUDIENCE, checks: 'introspection', probe_url: `${AUDIENCE}/me` };
const answers = (status: number, challenge: string | null = null): GuardedRequest => {
  return () => Promise.resolve({ status, body: '', challenge });
};

for (const [what, answering, levels, says] of [
  ['says of a dead token that it is invalid', answers(401, REFUSED), [], null],
  ['takes a dead token', answers(200), ['refuse'], /takes a token that Brevet says is dead/],
  ['lets nobody in', answers(401), ['refuse'], /without saying invalid_token/],
  ['is somewhere else', answers(404), ['refuse'], /answers 404/],
  ['is silent', () => Promise.reject(new FetchFailed('no answer')), ['warn'], /does not answer/],
  ['is where nothing may go', () => Promise.reject(new FetchRefused('refused')), ['refuse'], /not allowed to go/],
] as const satisfies readonly (readonly [string, GuardedRequest, readonly string[], RegExp | null])[]) {
  targets(`is checked at its API, which ${what}`, async () => {
    const provider = providerWith(await testSigner(), answering);
    const findings = await provider.check(openTargetOf(provider, PROBED));
    assert.equal(
      findings.map(({ level }) => level),
      levels,
    );
    if (says !== null) assert.match(findings[0]?.what ?? '', says);
  });
}

targets('is checked with a token in date, of its own audience and algorithm, for no task', async () => {
  const signer = await testSigner();
  const shown: string[] = [];
  const provider = providerWith(signer, (_url, _limits, headers) => {
    shown.push(headers?.['authorization'] ?? '');
    return answers(401, REFUSED)('', { bytes: 0, milliseconds: milliseconds(0) });
  });
  await provider.check(openTargetOf(provider, { ...PROBED, algorithm: 'ES256' }));
  const key = (await signer.keys('acme' as never)).find(({ alg }) => alg === 'ES256');
  const { payload } = await jwtVerify(shown[0]?.replace('Bearer ', '') ?? '', await importJWK(key as JWK, 'ES256'), {
    audience: AUDIENCE,
    issuer: `${PUBLIC_URL}/t/acme`,
    typ: 'at+jwt',
    maxTokenAge: 10,
  });
  assert.is((payload.exp ?? 0) - (payload.iat ?? 0), 10);
  assert.equal([payload['scope'], payload['authorization_details']], [undefined, undefined]);
});

targets('without a probe is asked nothing', async () => {
  const provider = providerWith(await testSigner(), () => Promise.reject(new Error('it was asked')));
  assert.equal(await provider.check(openTargetOf(provider, { audience: AUDIENCE, checks: 'introspection' })), []);
});

contract.run();
tokens.run();
targets.run();
