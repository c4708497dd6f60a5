import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { agentBody, must, PERMITTED, testApp } from '../support/app.ts';
import type { TestApp } from '../support/app.ts';

type Item = Record<string, unknown> & { readonly roles: { readonly last_used: string | null }[] };

async function seenBy(app: TestApp, operator: string): Promise<ReadonlyMap<string, Item>> {
  const { body } = must(await app.operator(operator, 'GET', '/api/inventory'));
  return new Map((body['items'] as Item[]).map((item) => [String(item['name']), item]));
}

const listing = suite('the inventory');

listing('says what an agent is, where it works, and which of its roles were never used', async () => {
  const app = await testApp();
  const more = { decisions: ['which queue a ticket goes to'], data: ['pii'] };
  must(await app.operator('ada', 'PUT', '/api/agents/triage-bot', agentBody(more)));
  const body = PERMITTED;
  must(await app.call('POST', '/t/acme/requests', { token: await app.session(), body }));
  const item = (await seenBy(app, 'ada')).get('triage-bot');
  const { roles, last_use: lastUse, ...rest } = item ?? { roles: [] };
  assert.equal(rest, {
    name: 'triage-bot',
    ...agentBody(more),
    active: true,
    left_by: null,
    answered_for: true,
    can_authenticate: true,
    tenants: ['acme'],
    unused_roles: [
      { tenant: 'acme', role: 'documentation' },
      { tenant: 'acme', role: 'network' },
    ],
  });
  assert.equal(
    roles.map(({ last_used: used }) => used).filter((used) => used !== null),
    [lastUse],
  );
  assert.is((await seenBy(app, 'ada')).get('report-bot')?.['last_use'], null);
  await app.close();
});

listing('has those that are only listed, marked, and they cannot authenticate', async () => {
  const app = await testApp();
  const session = await app.session('report-bot');
  must(await app.operator('ada', 'PUT', '/api/agents/copilot', agentBody({ kind: 'embedded', vendor: 'Suite Inc' })));
  must(await app.operator('ada', 'PUT', '/api/agents/report-bot', agentBody({ kind: 'planned' })));
  const seen = await seenBy(app, 'ada');
  for (const name of ['copilot', 'report-bot']) assert.is(seen.get(name)?.['can_authenticate'], false, name);
  const again = await app.call('POST', '/t/acme/requests', { token: session, body: PERMITTED });
  assert.is(again.body['code'], 'unauthenticated', 'the session that it had');
  assert.ok(
    await app.session('report-bot').then(
      () => false,
      () => true,
    ),
  );
  await app.close();
});

listing('shows oversight its tenants’ part, and nobody else anything', async () => {
  const app = await testApp();
  must(await app.operator('ada', 'PUT', '/api/people/vera', { display_name: 'vera' }));
  must(await app.operator('ada', 'PUT', '/api/operators/vera', { person: 'vera' }));
  must(await app.operator('ada', 'PUT', '/api/operators/olga', { person: 'olga' }));
  const role = { tenant: 'birch', holder: { person: 'vera' }, role: 'overseer' };
  must(await app.operator('ada', 'POST', '/api/assignments', role));
  // At both tenants, and used at the one that vera does not see.
  const [enrolled] = await app.sql<{ proof: object }>(`select proof from enrolments where agent = 'triage-bot'`);
  const { jwk } = (enrolled?.proof ?? {}) as { jwk?: object };
  const exception = { reason: 'one fleet', until: '2099-01-01T00:00:00Z' };
  must(await app.operator('ada', 'PUT', '/api/tenants/birch/enrolments/triage-bot', { jwk, exception }));
  must(await app.call('POST', '/t/acme/requests', { token: await app.session(), body: PERMITTED }));
  const seen = await seenBy(app, 'vera');
  assert.equal([...seen.keys()], ['birch-bot', 'triage-bot']);
  const {
    tenants,
    roles,
    unused_roles: unused,
    last_use: lastUse,
  }: Record<string, unknown> = seen.get('triage-bot') ?? {};
  assert.equal({ tenants, roles, unused, lastUse }, { tenants: ['birch'], roles: [], unused: [], lastUse: null });
  assert.is((await app.operator('olga', 'GET', '/api/inventory')).body['code'], 'function_needed');
  await app.close();
});

listing.run();
