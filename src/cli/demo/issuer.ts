/**
 * The identity provider of the demo's sandbox, so that a person can sign in before they have told Brevet of their own.
 * It believes whoever says that they are one of its people, and is for nothing but that. On loopback alone.
 *
 * @see OpenID Connect Core 1.0 section 3.1, RFC 7636 section 4.6
 */
import { createHash, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { CALLBACK } from '../../authenticate/oidc.ts';

export const CLIENT_ID = 'brevet-demo';
const ALGORITHM = 'ES256';
const TOKEN_LASTS = '5m';

export interface DemoIssuer {
  readonly url: string;
  readonly subjectOf: (person: string) => string;
  stop(): Promise<void>;
}

/** What a code stands for, until it is spent. */
interface Granted {
  readonly person: string;
  readonly nonce: string;
  readonly challenge: string;
  readonly at: number;
}

type Sign = (claims: Readonly<Record<string, string | number>>) => Promise<string>;

/** @param people who may sign in, and what each is here. */
export async function startIssuer(broker: string, people: Readonly<Record<string, string>>): Promise<DemoIssuer> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { privateKey, publicKey } = await generateKeyPair(ALGORITHM);
  const jwk = { ...(await exportJWK(publicKey)), use: 'sig', alg: ALGORITHM, kid: 'demo' };
  const sign: Sign = (claims) =>
    new SignJWT(claims)
      .setProtectedHeader({ alg: ALGORITHM, kid: jwk.kid })
      .setIssuer(url)
      .setAudience(CLIENT_ID)
      .setIssuedAt()
      .setExpirationTime(TOKEN_LASTS)
      .sign(privateKey);
  const codes = new Map<string, Granted>();
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    answer({ url, redirect: broker + CALLBACK, people, codes, sign, jwk }, request, response).catch(
      (fault: unknown) => {
        response.destroy(fault instanceof Error ? fault : undefined);
      },
    );
  });
  return {
    url,
    subjectOf,
    stop: () =>
      new Promise((stopped) => {
        server.close(() => stopped());
        server.closeAllConnections();
      }),
  };
}

const subjectOf = (person: string): string => `${person}-at-demo`;

interface Issuing {
  readonly url: string;
  readonly redirect: string;
  readonly people: Readonly<Record<string, string>>;
  readonly codes: Map<string, Granted>;
  readonly sign: Sign;
  readonly jwk: object;
}

async function answer(issuing: Issuing, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const asked = new URL(request.url ?? '/', issuing.url);
  const json = (status: number, body: object): void =>
    void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  switch (`${request.method ?? ''} ${asked.pathname}`) {
    case 'GET /.well-known/openid-configuration':
      return json(200, metadata(issuing.url));
    case 'GET /jwks':
      return json(200, { keys: [issuing.jwk] });
    case 'GET /authorize':
      return page(issuing, asked, response);
    case 'POST /authorize':
      return grant(issuing, asked, await formIn(request), response);
    case 'POST /token': {
      const token = await redeem(issuing, await formIn(request));
      return token === null ? json(400, { error: 'invalid_grant' }) : json(200, token);
    }
    default:
      return json(404, { error: 'not_found' });
  }
}

const metadata = (url: string) => ({
  issuer: url,
  authorization_endpoint: `${url}/authorize`,
  token_endpoint: `${url}/token`,
  jwks_uri: `${url}/jwks`,
  response_types_supported: ['code'],
  subject_types_supported: ['public'],
  id_token_signing_alg_values_supported: [ALGORITHM],
  token_endpoint_auth_methods_supported: ['none'],
  code_challenge_methods_supported: ['S256'],
});

/** What is asked goes along in the form's own address, percent-encoded as URLs are: no markup can stand in it. */
function page({ people, redirect }: Issuing, asked: URL, response: ServerResponse): void {
  if (!isOurs(asked, redirect)) return void response.writeHead(400).end('Not for this sandbox.');
  const buttons = Object.entries(people).map(
    ([person, what]) => `<p><button name="person" value="${person}">${person}</button> ${what}</p>`,
  );
  response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(`<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>The sandbox’s identity provider</title>
<body style="font: 1rem/1.5 system-ui, sans-serif; max-width: 30rem; margin: 4rem auto; padding: 0 1rem">
<h1 style="font-size: 1.25rem">Who are you?</h1>
<p>This identity provider is the demo’s, and believes you.</p>
<form method="post" action="/authorize${asked.search}">${buttons.join('')}</form></body></html>`);
}

const isOurs = ({ searchParams: asked }: URL, redirect: string): boolean =>
  asked.get('client_id') === CLIENT_ID &&
  asked.get('redirect_uri') === redirect &&
  asked.get('response_type') === 'code' &&
  asked.get('code_challenge_method') === 'S256';

function grant(
  { people, redirect, codes }: Issuing,
  asked: URL,
  form: URLSearchParams,
  response: ServerResponse,
): void {
  const person = form.get('person') ?? '';
  if (!isOurs(asked, redirect) || !Object.hasOwn(people, person)) return void response.writeHead(400).end('No.');
  const code = randomBytes(16).toString('base64url');
  const { searchParams: given } = asked;
  codes.set(code, {
    person,
    nonce: given.get('nonce') ?? '',
    challenge: given.get('code_challenge') ?? '',
    at: Math.floor(Date.now() / 1000),
  });
  const back = new URL(redirect);
  back.searchParams.set('code', code);
  back.searchParams.set('state', given.get('state') ?? '');
  response.writeHead(303, { location: back.href }).end();
}

async function redeem({ codes, redirect, sign }: Issuing, form: URLSearchParams): Promise<object | null> {
  const code = form.get('code') ?? '';
  const granted = codes.get(code);
  codes.delete(code);
  const verified = createHash('sha256')
    .update(form.get('code_verifier') ?? '')
    .digest('base64url');
  if (granted === undefined || granted.challenge !== verified || form.get('redirect_uri') !== redirect) return null;
  const { person, nonce, at } = granted;
  return {
    access_token: randomBytes(16).toString('base64url'),
    token_type: 'Bearer',
    id_token: await sign({ sub: subjectOf(person), nonce, auth_time: at }),
  };
}

async function formIn(request: IncomingMessage): Promise<URLSearchParams> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return new URLSearchParams(Buffer.concat(chunks).toString());
}
