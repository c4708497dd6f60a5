/** Token requests with `private_key_jwt`, signed with ES256 before the clock starts. */
import { createPrivateKey, randomUUID, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { requestBytes } from '../connection.ts';
import type { TokenLoad, Step } from '../load.ts';

const LIFETIME_S = 120;
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

export function tokenRequests(load: TokenLoad): Step {
  const key = createPrivateKey({ key: { ...load.key }, format: 'jwk' });
  const requests = Array.from({ length: load.requests }, (_, number) => tokenRequest(load, key, number));
  return async (connection, number) => {
    const request = requests[number];
    if (request === undefined) throw new Error('more requests than were made');
    const { status, body } = await connection.send(request);
    if (status !== 200 || !body.includes('"access_token"')) throw new Error(`${status} ${body.slice(0, 500)}`);
  };
}

function tokenRequest(load: TokenLoad, key: KeyObject, number: number): Buffer {
  const resource = String(number % load.resources);
  const { tenants = [] } = load;
  const at = (text: string): string => text.replace('{tenant}', tenants[number % tenants.length] ?? '');
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: load.client,
    client_assertion_type: ASSERTION_TYPE,
    client_assertion: assertion({ ...load, audience: at(load.audience) }, key),
  });
  for (const [name, value] of Object.entries(load.form)) body.set(name, value.replaceAll('{n}', resource));
  return requestBytes('POST', at(load.path), { type: 'application/x-www-form-urlencoded', body: body.toString() });
}

/** @see RFC 7523 section 3 */
function assertion({ client, audience }: TokenLoad, key: KeyObject): string {
  const iat = Math.floor(Date.now() / 1000);
  const claims = { iss: client, sub: client, aud: audience, jti: randomUUID(), iat, exp: iat + LIFETIME_S };
  const text = `${part({ alg: 'ES256' })}.${part(claims)}`;
  const signature = sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' });
  return `${text}.${signature.toString('base64url')}`;
}

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
