/** Lists are narrowed by the broker, by what their query says, and by nothing that it does not take. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { newId } from '../../src/core/ids.ts';
import { ASKED, FORBIDDEN, must, PERMITTED, testApp } from '../support/app.ts';
import { random } from '../support/target.ts';

const app = await testApp();
const agent = await app.session();
const [permitted, , forbidden] = [
  must(await app.call('POST', '/t/acme/requests', { token: agent, body: PERMITTED })),
  must(await app.call('POST', '/t/acme/requests', { token: agent, body: ASKED })),
  await app.call('POST', '/t/acme/requests', { token: agent, body: FORBIDDEN }),
];
const [held, asked] = [(permitted.body['lease'] as { id: string }).id, String(forbidden.body['request'])];
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
  ['/api/oversight/approvers?day=7', 'unknown_field', 'day'],
  ['/api/offboard?kind=agent&name=triage-bot&since=2026-01-01T00:00:00Z&wiat=1', 'unknown_field', 'wiat'],
  ['/api/assignments?tennant=acme', 'unknown_field', 'tennant'],
  ['/api/people?limit=1', 'unknown_field', 'limit'],
  ['/api/inventory?tenant=acme', 'unknown_field', 'tenant'],
  ['/api/passkeys?person=ada', 'unknown_field', 'person'],
  ['/api/tenants/acme/acceptances?agent=triage-bot', 'unknown_field', 'agent'],
  ['/api/policy/versions?active=true', 'unknown_field', 'active'],
  ['/api/policy/sod?tenant=acme', 'unknown_field', 'tenant'],
  ['/api/policy/summary?tenant=acme&agent=triage-bot', 'unknown_field', 'agent'],
  ['/api/policy/explain?request=req_1&tenant=acme', 'unknown_field', 'tenant'],
  ['/api/tenants?x=1', 'unknown_field', 'x'],
  ['/api/tenants/acme/targets?x=1', 'unknown_field', 'x'],
  ['/api/tenants/acme/enrolments?x=1', 'unknown_field', 'x'],
];
const OVERSEEN = /leases|requests|oversight/;
for (const [path, code, at] of REFUSED) {
  page(`refuses ${path}`, async () => {
    const { status, body } = OVERSEEN.test(path) ? await list(path) : await app.operator('ada', 'GET', path);
    assert.equal([status, body['code'], body['path']], [400, code, at]);
  });
}

page('has its requests, each to be read alone, by those who oversee its tenant', async () => {
  const path = `/api/requests/${asked}`;
  const { body } = must(await list(path));
  assert.equal([body['id'], body['effect']], [asked, 'forbid']);
  assert.equal((await list(`/api/requests?effect=forbid`)).body['items'], [body]);
  const elsewhere = await app.operator('ada', 'GET', path);
  assert.is(elsewhere.status, 404);
  assert.equal(
    [
      (await list('/api/requests/req_01jq')).status,
      (await list(`/api/requests/${newId('req', app.deps.clock(), random)}`)).status,
    ],
    [404, 404],
  );
});

for (const [method, path, body] of [
  ['GET', `/t/acme/requests/${asked}`, undefined],
  ['POST', `/t/acme/leases/${held}/complete`, { outcome: 'succeeded' }],
  ['POST', `/t/acme/leases/${held}/revoke`, { reason: 'x' }],
] as const) {
  page(`of what ${method} ${path.split('/')[3]} may say ends with ?wait=`, async () => {
    const refused = await app.call(method, `${path}?wiat=0`, { token: agent, body });
    assert.equal([refused.status, refused.body['path']], [400, 'wiat'], refused.text);
  });
}

page.run();
