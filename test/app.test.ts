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

mounted.after(() => app.close());
mounted.run();
