import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { testApp } from './support/app.ts';

const app = await testApp({ world: false });
const mounted = suite('app');

const METHODS: readonly (readonly [method: string, path: string, status: number, allow: string | null])[] = [
  ['PUT', '/healthz', 405, 'GET'],
  ['GET', '/t/acme/token', 405, 'POST'],
  ['GET', '/t/no-such-tenant/token', 405, 'POST'],
  ['DELETE', '/t/acme/requests', 405, 'POST'],
  ['PATCH', '/api/people/olga', 405, 'GET, PUT, DELETE'],
  ['OPTIONS', '/t/acme/requests', 405, 'POST'],
  ['GET', '/nowhere', 404, null],
  ['POST', '/t/acme', 404, null],
];
for (const [method, path, status, allow] of METHODS) {
  mounted(`answers ${method} ${path} with ${status}`, async () => {
    const answer = await app.call(method, path);
    assert.is(answer.status, status, answer.text);
    assert.is(answer.headers.get('allow'), allow);
    assert.is(answer.body['code'], status === 405 ? 'method_not_allowed' : 'not_found');
  });
}

/** Anybody's, or for whoever brings a proof in its body. */
const OPEN = [
  'POST /api/local-tokens',
  'POST /api/recoveries',
  'POST /t/:tenant/token',
  'POST /t/:tenant/introspect',
  'POST /t/:tenant/revoke',
  'POST /t/:tenant/requests/:id/credential',
  'GET /t/:tenant/jwks',
  'GET /t/:tenant/.well-known/openid-configuration',
];

mounted('asks who calls at every route of the deployment and of a tenant, but for those that are open', async () => {
  const routes = app.app.routes.filter(({ method, path }) => method !== 'ALL' && /^\/(?:api|t)\//.test(path));
  const unasked = new Set<string>();
  for (const { method, path } of routes) {
    const at = path.replaceAll(/:\w+/g, 'x');
    const answer = await app.call(method, at, method === 'GET' ? {} : { body: {} });
    if (answer.status !== 401) unasked.add(`${method} ${path}`);
  }
  assert.ok(routes.length > 100);
  assert.equal([...unasked], OPEN);
});

mounted.after(() => app.close());
mounted.run();
