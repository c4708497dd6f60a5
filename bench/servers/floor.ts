/**
 * The floor: a bare `node:http` handler that verifies the assertion, decides and signs, and keeps nothing. It decides
 * with Brevet's own decision, on a snapshot that never changes.
 */
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as cedar from '@cedar-policy/cedar-wasm/nodejs';
import { generateKeyPair, importJWK, jwtVerify, SignJWT } from 'jose';
import type { JWK } from 'jose';
import { instant } from '../../src/core/time.ts';
import type { Asking } from '../../src/decide/admit.ts';
import { loadBundle } from '../../src/decide/bundle.ts';
import { createCedar } from '../../src/decide/cedar.ts';
import { decide } from '../../src/decide/decide.ts';
import type { Policy } from '../../src/decide/decide.ts';
import { exampleOf } from '../../src/decide/examples.ts';
import { parseAccessRequest } from '../../src/decide/request.ts';
import { createRulebook } from '../../src/decide/rulebook.ts';
import { readBundle } from '../../src/node/first-bundle.ts';
import { announce, argument, POLICY_DIR } from './process.ts';

const AUDIENCE = argument('audience');
const CLIENT = argument('client');
const JWT_DECLARED = { revokes: 'commit', evidence: '', expiryEndsUse: true, countsUses: false, keepsSecret: false };

const clientKey = await importJWK(JSON.parse(argument('key')) as JWK, 'ES256');
const { privateKey } = await generateKeyPair('EdDSA');
const { policy, example } = await makePolicy(argument('answers') === 'kept');

async function makePolicy(keepAnswers: boolean) {
  const engine = createCedar(cedar);
  const files = await readBundle(POLICY_DIR);
  const loaded = files === null ? null : loadBundle(files, engine);
  if (loaded?.ok !== true) throw new Error('the shipped bundle does not load');
  const bundle = loaded.value;
  const declared = { ...JWT_DECLARED, enforces: [], shortest: 10, longest: 3600 } as never;
  const made: Policy = {
    bundle,
    rulebook: createRulebook(engine, { keepAnswers }),
    providers: new Map([['jwt', { declare: () => declared }]]),
    channels: false,
  };
  const holds = bundle.cases.map(({ holds: given }) => given);
  const client = holds.map(({ tenants }) => tenants?.['acme']).find((found) => found !== undefined);
  const agent = holds.map(({ agents }) => agents?.['triage-bot']).find((found) => found !== undefined);
  if (client === undefined || agent === undefined) throw new Error('the shipped bundle has no such example');
  return { policy: made, example: exampleOf(bundle, 'acme', client, 'triage-bot', agent) };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = '';
  request.setEncoding('utf8');
  for await (const chunk of request) body += String(chunk);
  return body;
}

async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const form = new URLSearchParams(await bodyOf(request));
  const { payload } = await jwtVerify(form.get('client_assertion') ?? '', clientKey, {
    algorithms: ['ES256'],
    issuer: CLIENT,
    audience: AUDIENCE,
    requiredClaims: ['jti', 'exp'],
  });
  const [detail] = JSON.parse(form.get('authorization_details') ?? '[]') as { type: string }[];
  const { type: _, ...fields } = detail ?? { type: '' };
  const asked = parseAccessRequest(fields);
  if (!asked.ok) throw new Error(asked.error.detail);
  const now = instant(Date.now());
  const asking: Asking = { ...example, request: asked.value, now, manyTenants: false };
  const decision = decide(policy, asking);
  if (decision.effect !== 'permit') throw new Error(JSON.stringify(decision));
  const token = await new SignJWT({ client_id: CLIENT, authorization_details: [detail] })
    .setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt' })
    .setIssuer(AUDIENCE)
    .setAudience('https://tickets.example')
    .setSubject(String(payload.sub))
    .setJti(crypto.randomUUID())
    .setIssuedAt()
    .setExpirationTime('300s')
    .sign(privateKey);
  const body = JSON.stringify({ access_token: token, token_type: 'Bearer', expires_in: 300 });
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }).end(body);
}

const server = createServer((request, response) => {
  handle(request, response).catch((fault: unknown) => response.writeHead(500).end(String(fault)));
});
server.listen(0, '127.0.0.1', () => announce((server.address() as AddressInfo).port));
