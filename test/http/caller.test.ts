/** What a caller without a good token is told of what to bring: RFC 6750, section 3. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { PERMITTED, testApp } from '../support/app.ts';

const app = await testApp();
const callers = suite('a caller');
callers.after(() => app.close());

const ASKED_FOR_ONE = 'Bearer realm="brevet"';
const IT_IS_NONE = 'Bearer realm="brevet", error="invalid_token"';
const LEASES = '/t/acme/leases/lse_00000000000000000000000000';
const CHALLENGED: readonly (readonly [
  what: string,
  method: string,
  path: string,
  authorization: string | null,
  challenge: string,
])[] = [
  ['no token', 'POST', '/t/acme/requests', null, ASKED_FOR_ONE],
  ['no token', 'GET', '/api/people', null, ASKED_FOR_ONE],
  ['no token, at the gateway', 'GET', '/t/acme/gateway/lse_00000000000000000000000000/x', null, ASKED_FOR_ONE],
  ['a password', 'GET', '/api/people', 'Basic YWRhOmFkYQ==', ASKED_FOR_ONE],
  ['two tokens', 'GET', '/api/people', 'Bearer x, Bearer y', ASKED_FOR_ONE],
  ['what is no token of ours', 'POST', '/t/acme/requests', 'Bearer x', IT_IS_NONE],
  ['what is no token of ours', 'GET', LEASES, 'Bearer x', IT_IS_NONE],
  ['what is no token of the issuer', 'GET', '/api/people', 'Bearer x.y.z', IT_IS_NONE],
  ['no lease’s token', 'GET', '/t/acme/gateway/lse_00000000000000000000000000/x', 'Bearer x', IT_IS_NONE],
];
for (const [what, method, path, authorization, challenge] of CHALLENGED) {
  callers(`with ${what} at ${method} ${path} is told ${challenge}`, async () => {
    const body = method === 'POST' ? { body: PERMITTED } : {};
    const answer = await app.call(method, path, { ...body, headers: authorization === null ? {} : { authorization } });
    assert.equal([answer.status, answer.headers.get('www-authenticate')], [401, challenge], answer.text);
  });
}

callers('who is known, and may not, is challenged for nothing', async () => {
  const answer = await app.operator('otto', 'GET', '/api/people');
  assert.equal([answer.status, answer.headers.get('www-authenticate')], [403, null]);
});

callers.run();
