/** Lists are narrowed by the broker, by what their query says, and by nothing that it does not take. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ASKED, FORBIDDEN, PERMITTED, testApp } from '../support/app.ts';

const app = await testApp();
const agent = await app.session();
for (const body of [PERMITTED, ASKED, FORBIDDEN]) await app.call('POST', '/t/acme/requests', { token: agent, body });
await app.call('POST', '/t/birch/requests', { token: await app.session('birch-bot', 'birch'), body: PERMITTED });

const list = async (path: string) => app.call('GET', path, { token: await app.localToken('otto') });

const page = suite('a list');

page.after(() => app.close());

/** What is asked for, and how many of what was made above come. */
const NARROWED: readonly (readonly [path: string, found: number])[] = [
  ['/api/requests', 4],
  ['/api/requests?tenant=acme', 3],
  ['/api/requests?effect=permit', 2],
  ['/api/requests?effect=ask', 1],
  ['/api/requests?effect=forbid', 1],
  ['/api/requests?tenant=acme&agent=triage-bot&effect=ask', 1],
  ['/api/requests?agent=report-bot&effect=permit', 0],
  ['/api/leases?state=active', 2],
  ['/api/leases?state=failed', 0],
  ['/api/leases?agent=report-bot', 0],
];
for (const [path, found] of NARROWED) {
  page(`is narrowed by ${path}`, async () => {
    const { body, text } = await list(path);
    assert.is((body['items'] as unknown[] | undefined)?.length, found, text);
  });
}

/** What a query may not hold, and where that is. */
const REFUSED: readonly (readonly [path: string, code: string, at: string])[] = [
  ['/api/requests?effect=allow', 'invalid_field', 'effect'],
  ['/api/requests?state=active', 'unknown_field', 'state'],
  ['/api/leases?state=live', 'invalid_field', 'state'],
  ['/api/leases?effect=permit', 'unknown_field', 'effect'],
  ['/api/leases?tennant=acme', 'unknown_field', 'tennant'],
  ['/api/leases?limit=0', 'invalid_field', 'limit'],
];
for (const [path, code, at] of REFUSED) {
  page(`refuses ${path}`, async () => {
    const { status, body } = await list(path);
    assert.equal([status, body['code'], body['path']], [400, code, at]);
  });
}

page.run();
