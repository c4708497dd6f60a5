/** Pages for what is no page. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { testApp } from '../support/app.ts';

const app = await testApp({ world: false });
const bare = suite('an address without a page');
bare.after(() => app.close());

/** As browsers say what they want of a page. */
const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';

for (const [who, accept, type] of [
  ['a browser', BROWSER, 'text/html; charset=UTF-8'],
  ['a program', 'application/json', 'application/problem+json'],
  ['a program that does not care', '*/*', 'application/problem+json'],
] as const) {
  for (const path of ['/nowhere', '/favicon.ico', '/leases/acme/../nowhere', '/api/nowhere']) {
    bare(`is told ${who} as ${type}: ${path}`, async () => {
      const { status, headers } = await app.call('GET', path, { headers: { accept } });
      assert.equal([status, headers.get('content-type')], [404, type]);
    });
  }
}

bare('leads a person on, and says nothing of what was asked', async () => {
  const { text, headers } = await app.call('GET', '/nowhere%3Cscript%3E', { headers: { accept: BROWSER } });
  assert.match(text, 'href="/"');
  assert.not.match(text, 'nowhere');
  assert.match(text, headers.get('x-request-id') ?? 'none');
  assert.match(headers.get('content-security-policy') ?? '', "default-src 'none'");
  assert.is(headers.get('cache-control'), 'no-store');
});

bare.run();
