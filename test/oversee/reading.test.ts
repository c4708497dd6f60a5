/** Who oversees by a role that reads alone sees what the others see, and does none of it. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { revokeApproval } from '../../src/broker/decisions.ts';
import { makeEntry } from '../../src/core/entry.ts';
import { newId, parseId } from '../../src/core/ids.ts';
import type { AgentName, OperatorName, PersonName, TaskName, TenantName } from '../../src/core/ids.ts';
import { administered } from '../support/administrators.ts';
import { ASKED, must, PERMITTED, PUBLISHED } from '../support/app.ts';
import type { Answer } from '../support/app.ts';
import { byTwo, oversees } from '../support/oversight.ts';
import { random } from '../support/store.ts';

const world = await administered();
const { app, node, as, close } = world;
const channel = { name: 'webhook', reaches: () => true, tell: () => Promise.resolve() } as const;
/** Somebody can be told, so that tier 2 is tier 2. */
const here = await node({ channels: [channel] });

const reading = suite('a role that reads alone');
reading.after(close);

const REASON = { reason: 'For a test' };
const ACME = 'acme' as TenantName;

const assigned = async (person: string, tenant = 'acme'): Promise<readonly { id: string; role: string }[]> => {
  const { items } = must(await as('ada', 'GET', `/api/assignments?tenant=${tenant}`)).body;
  const all = items as { id: string; role: string; holder: { person?: string } }[];
  return all.filter(({ holder }) => holder.person === person);
};
const unassign = async (person: string, tenant = 'acme'): Promise<void> => {
  for (const { id } of await assigned(person, tenant)) must(await as('ada', 'DELETE', `/api/assignments/${id}`));
};
reading.before(async () => {
  await unassign('tess');
  await oversees(world, 'tess', 'auditor');
});

const ask = async (body: object = PERMITTED): Promise<Answer> =>
  here.call('POST', '/t/acme/requests', { token: await app.session(), body });
async function leased(body: object = PERMITTED): Promise<string> {
  const asked = must(await ask(body));
  assert.ok('lease' in asked.body, asked.text);
  return (asked.body['lease'] as { id: string }).id;
}
async function finished(): Promise<string> {
  const id = await leased();
  const body = { outcome: 'succeeded', summary: 'done' };
  must(await app.call('POST', `/t/acme/leases/${id}/complete`, { token: await app.session(), body }));
  return id;
}
const byOtto = async (path: string, body: object): Promise<string> => {
  const { id } = must(await as('otto', 'POST', path, { ...body, ...REASON }, here)).body;
  return String(id);
};

async function tripped(): Promise<string> {
  const at = here.deps.clock();
  const of = { tenant: ACME, agent: 'triage-bot' as AgentName, task: 'ticket.note' as TaskName };
  const trip = { id: newId('trp', at, random), ...of, breaker: 'b', signal: 'failed', to: 'ask', counts: {} } as const;
  const change = { kind: 'breaker.trip', trip: { ...trip, from: at, block: null }, block: null, reason: 'r' } as const;
  const actor = { kind: 'broker', name: 'n' } as const;
  const draft = { tenant: ACME, kind: 'breaker.tripped', at, actor, facts: {}, accountable: null } as const;
  const entry = makeEntry({ ...draft, inSetup: false }, random);
  assert.ok((await here.deps.store.commit({ kind: 'register', change, work: [], deploymentEpoch: null }, [entry])).ok);
  return trip.id;
}

const incident = { kind: 'incident', until: new Date(Date.now() + 3_600_000).toISOString() };

/** What an overseer can do, once it is there to be done. */
const ACTS: readonly (readonly [what: string, act: () => Promise<readonly [path: string, body: object]>])[] = [
  ['revoke a lease', async () => [`/t/acme/leases/${await leased()}/revoke`, REASON]],
  ['judge a lease', async () => [`/t/acme/leases/${await finished()}/verdict`, { verdict: 'correct', reference: 'x' }]],
  ['take back what was done', async () => [`/t/acme/leases/${await leased(PUBLISHED)}/reverse`, REASON]],
  [
    'raise a block',
    () => Promise.resolve(['/api/blocks', { scope: 'task', name: 'kb.draft', tenants: ['acme'], ...REASON }]),
  ],
  [
    'lift a block',
    async () => {
      const id = await byOtto('/api/blocks', { scope: 'task', name: 'kb.draft', tenants: ['acme'] });
      return [`/api/blocks/${id}/lift`, REASON];
    },
  ],
  ['pause a tenant', () => Promise.resolve(['/api/pauses', { tenants: ['acme'], ...REASON }])],
  ['pause wherever they look', () => Promise.resolve(['/api/pauses', REASON])],
  ['end a pause', async () => [`/api/pauses/${await byOtto('/api/pauses', { tenants: ['acme'] })}/end`, REASON]],
  ['open a review', async () => ['/api/reviews', { tenant: 'acme', lease: await leased(), ...REASON }]],
  [
    'do a review',
    async () => {
      const id = await byOtto('/api/reviews', { tenant: 'acme', lease: await leased() });
      await app.sql(`update reviews set not_by = '{}' where id = '${id}'`);
      return [`/api/reviews/${id}/done`, { words: 'Rightly' }];
    },
  ],
  ['reset a breaker', async () => [`/api/trips/${await tripped()}/reset`, REASON]],
  ['look for orphans', () => Promise.resolve(['/api/reconcile', { tenants: ['acme'] }])],
  [
    'say that there is an incident',
    () => Promise.resolve(['/api/tenants/acme/situations', { ...incident, ...REASON }]),
  ],
  [
    'end an incident',
    async () => {
      const id = await byOtto('/api/tenants/acme/situations', incident);
      return [`/api/tenants/acme/situations/${id}/end`, REASON];
    },
  ],
];

for (const [what, act] of ACTS) {
  reading(`does not let anybody ${what}`, async () => {
    const [path, body] = await act();
    const count = async () => (await app.sql<{ n: string }>('select count(*) as n from entries'))[0]?.n;
    await here.deps.store.snapshot(ACME);
    const before = await count();
    const refused = await as('tess', 'POST', path, body, here);
    assert.equal([refused.status, refused.body['code']], [403, 'reads_only'], refused.text);
    assert.is(await count(), before, 'nothing was written');
    const done = must(await as('otto', 'POST', path, body, here));
    if (path === '/api/pauses')
      must(await as('otto', 'POST', `/api/pauses/${String(done.body['id'])}/end`, REASON, here));
    if (path === '/api/blocks')
      must(await as('otto', 'POST', `/api/blocks/${String(done.body['id'])}/lift`, REASON, here));
    if (path.endsWith('/situations'))
      must(await as('otto', 'POST', `${path}/${String(done.body['id'])}/end`, REASON, here));
  });
}

reading('does not let anybody take an approval back', async () => {
  const { id } = must(await ask(ASKED)).body['approval'] as { id: string };
  const approval = parseId('apr', id);
  assert.ok(approval.ok);
  const of = { tenant: ACME, approval: approval.value };
  const who = (name: string) => ({
    kind: 'operator' as const,
    operator: name as OperatorName,
    person: name as PersonName,
    by: 'passkey' as const,
    session: 'x',
  });
  const refused = async (name: string) => {
    const done = await revokeApproval(here.deps, who(name) as never, of);
    return done.ok ? 'ok' : done.error.code;
  };
  assert.equal([await refused('tess'), await refused('otto')], ['reads_only', 'approval_over']);
});

for (const path of [
  '/t/acme/leases',
  '/api/leases',
  '/api/requests',
  '/api/blocks',
  '/api/pauses',
  '/api/reviews',
  '/api/trips',
  '/api/orders',
  '/api/approvals',
  '/api/oversight/approvers',
  '/api/inventory',
  '/api/tenants/acme/context',
  '/api/policy/summary?tenant=acme',
]) {
  reading(`shows ${path} as an overseer sees it`, async () => {
    await finished();
    const [auditor, overseer] = [
      await as('tess', 'GET', path, undefined, here),
      await as('otto', 'GET', path, undefined, here),
    ];
    assert.is(auditor.status, 200, auditor.text);
    const { items = [] } = overseer.body as { items?: { tenant?: string; id?: string }[] };
    const mine = items.filter(({ tenant = 'acme' }) => tenant === 'acme').map(({ id }) => id);
    const { items: seen = [] } = auditor.body as { items?: { id?: string }[] };
    if (!path.includes('inventory')) {
      assert.equal(
        seen.map(({ id }) => id),
        mine,
      );
    }
  });
}

reading('shows a lease, its story, why it was asked, and what a block would reach', async () => {
  const lease = await finished();
  for (const path of [`/t/acme/leases/${lease}`, `/t/acme/leases/${lease}/timeline`]) {
    must(await as('tess', 'GET', path, undefined, here));
  }
  const { request } = must(await ask()).body;
  must(await as('tess', 'GET', `/api/policy/explain?request=${String(request)}`, undefined, here));
  const preview = await as('tess', 'POST', '/api/blocks/preview', { scope: 'agent', name: 'triage-bot' }, here);
  assert.equal(must(preview).body['tenants'], ['acme']);
});

reading('hinders nobody at another tenant, nor beside a role that acts', async () => {
  await byTwo(world, {
    act: 'assignment.put',
    body: { tenant: 'birch', holder: { person: 'tess' }, role: 'overseer' },
  });
  const raise = (more: object = {}) =>
    as('tess', 'POST', '/api/blocks', { scope: 'task', name: 'kb.draft', ...REASON, ...more }, here);
  const raised = must(await raise()).body;
  assert.equal(raised['tenants'], ['birch']);
  must(await as('tess', 'POST', `/api/blocks/${String(raised['id'])}/lift`, REASON, here));
  assert.is((await raise({ tenants: ['acme', 'birch'] })).body['code'], 'reads_only');
  assert.is(
    (await as('tess', 'POST', '/api/pauses', { everywhere: true, ...REASON }, here)).body['code'],
    'function_needed',
  );
  assert.is((await as('tess', 'POST', '/api/reconcile', { tenants: ['acme'] }, here)).body['code'], 'reads_only');
  await oversees(world, 'tess', 'overseer');
  const all = must(await raise()).body;
  assert.equal(all['tenants'], ['acme', 'birch']);
  must(await as('tess', 'POST', `/api/blocks/${String(all['id'])}/lift`, REASON, here));
  await unassign('tess', 'birch');
  await unassign('tess');
  await oversees(world, 'tess', 'auditor');
});

reading('is no oversight on which anything is issued', async () => {
  const lease = await leased();
  await unassign('otto');
  assert.is((await ask()).body['code'], 'nobody_oversees');
  const { state } = must(await as('tess', 'GET', `/t/acme/leases/${lease}`, undefined, here)).body as { state: string };
  assert.is(state, 'active', 'until it is reassessed');
  await oversees(world, 'otto', 'overseer');
  assert.is((await ask()).status, 201);
});

reading.run();
