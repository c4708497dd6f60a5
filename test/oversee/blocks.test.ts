/** The kill switch: one commit, after which nothing inside is issued or taken, and what lives there dies and is counted. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { watch } from '../../src/broker.ts';
import { ProviderUnavailable } from '../../src/core/provider.ts';
import type { TenantName } from '../../src/core/ids.ts';
import type { OpenTarget, Provider } from '../../src/core/provider.ts';
import { instant, toRfc3339 } from '../../src/core/time.ts';
import type { Instant } from '../../src/core/time.ts';
import type { Deps } from '../../src/deps.ts';
import { administered } from '../support/administrators.ts';
import { agentBody, clientForm, must, PERMITTED, REPORT, testApp } from '../support/app.ts';
import type { Answer, TestApp, TestNode } from '../support/app.ts';
import { clientDatabase } from '../support/target.ts';

interface Held {
  readonly lease: string;
  readonly token: string;
}

const ask = async (app: TestApp, agent: string, tenant: string, node: TestNode = app): Promise<Answer> =>
  node.call('POST', `/t/${tenant}/requests`, { token: await app.session(agent, tenant), body: PERMITTED });

async function held(app: TestApp, agent: string, tenant: string): Promise<Held> {
  const { lease, credential } = must(await ask(app, agent, tenant)).body as {
    lease: { id: string };
    credential: { access_token: string };
  };
  return { lease: lease.id, token: credential.access_token };
}

const isTaken = async (app: TestApp, token: string, tenant: string, node: TestNode = app): Promise<unknown> => {
  const form = clientForm(await app.assertion('target:tickets', tenant), { token });
  return must(await node.call('POST', `/t/${tenant}/introspect`, { form })).body['active'];
};

const rowOf = async (app: TestApp, lease: string) => {
  const [row] = await app.sql<{ state: string; cause: string | null; block: string | null }>(
    `select state, cause, block from leases where id = '${lease}'`,
  );
  return row;
};

/** The sweeper, as on a node, until nothing is left to do. */
async function workOff(app: TestApp): Promise<void> {
  for (;;) {
    await app.sql('update work set due = 0');
    await watch(app.deps);
    const [row] = await app.sql<{ n: string }>('select count(*) as n from work');
    if (row?.n === '0') return;
  }
}

const factsOf = (entry: { readonly text: string } | undefined) =>
  (JSON.parse(entry?.text ?? '') as { readonly facts: Readonly<Record<string, unknown>> }).facts;

const REASON = { reason: 'It mails strangers' };

const { app, node, as, close } = await administered();
const other = await node();

const blocks = suite('blocks');

const raise = async (body: object): Promise<string> =>
  String(must(await app.operator('otto', 'POST', '/api/blocks', { ...body, ...REASON })).body['id']);
const lift = (block: string, who = 'otto', body: object = REASON): Promise<Answer> =>
  as(who, 'POST', `/api/blocks/${block}/lift`, body);

for (const [scope, name, reachesBirch] of [
  ['agent', 'triage-bot', false],
  ['owner', 'olga', true],
  ['vendor', 'in-house', true],
  ['model', 'planner', true],
  ['role', 'triage', true],
  ['task', 'ticket.route', true],
  ['agent_task', 'triage-bot/ticket.route', false],
  ['tenant', 'acme', false],
  ['provider', 'jwt', true],
  ['everything', '', true],
] as const) {
  blocks(`of ${scope} ${name} stop what is inside at once, on every node, and nothing else`, async () => {
    const [acme, birch] = await Promise.all([held(app, 'triage-bot', 'acme'), held(app, 'birch-bot', 'birch')]);
    await Promise.all([isTaken(app, acme.token, 'acme', other), isTaken(app, birch.token, 'birch', other)]);
    const block = await raise({ scope, ...(name === '' ? {} : { name }) });
    for (const at of [app, other]) {
      const refused = await ask(app, 'triage-bot', 'acme', at);
      assert.equal([refused.status, refused.body['code']], [403, 'blocked']);
      assert.is(await isTaken(app, acme.token, 'acme', at), false, 'before anybody has ended it');
      assert.is((await ask(app, 'birch-bot', 'birch', at)).status, reachesBirch ? 403 : 201);
      assert.is(await isTaken(app, birch.token, 'birch', at), !reachesBirch);
    }
    await workOff(app);
    assert.equal(await rowOf(app, acme.lease), { state: 'revoked', cause: 'blocked', block });
    assert.is((await rowOf(app, birch.lease))?.state, reachesBirch ? 'revoked' : 'active');
    must(await lift(block));
    assert.is((await ask(app, 'triage-bot', 'acme', other)).status, 201);
    assert.is(await isTaken(app, acme.token, 'acme'), false, 'what was ended stays dead');
    must(await app.operator('otto', 'POST', `/t/birch/leases/${birch.lease}/revoke`, REASON));
  });
}

blocks('name in their preview the agents of the tenants that they would reach, and no others', async () => {
  const shown = async (tenants: string[]) =>
    must(await app.operator('otto', 'POST', '/api/blocks/preview', { scope: 'vendor', name: 'in-house', tenants }))
      .body;
  assert.equal((await shown(['birch']))['agents'], ['birch-bot']);
  assert.equal((await shown(['acme']))['agents'], ['report-bot', 'triage-bot']);
});

blocks('of a target or a lease name their tenant', async () => {
  const { lease, token } = await held(app, 'triage-bot', 'acme');
  for (const [scope, name] of [
    ['target', 'tickets'],
    ['lease', lease],
  ] as const) {
    const refused = await app.operator('otto', 'POST', '/api/blocks', { scope, name, ...REASON });
    assert.equal([refused.status, refused.body['code'], refused.body['path']], [400, 'invalid_field', 'tenants']);
  }
  const block = await raise({ scope: 'lease', name: lease, tenants: ['acme'] });
  assert.is(await isTaken(app, token, 'acme'), false);
  assert.is((await ask(app, 'triage-bot', 'acme')).status, 201, 'another of the same agent is none of its business');
  must(await lift(block));
  const target = await raise({ scope: 'target', name: 'tickets', tenants: ['acme'] });
  assert.is((await ask(app, 'triage-bot', 'acme')).status, 403);
  assert.is((await ask(app, 'birch-bot', 'birch')).status, 201, 'birch has a target of that name of its own');
  must(await lift(target));
});

for (const [what, body, status, code] of [
  ['an agent that is not there', { scope: 'agent', name: 'triage-bto' }, 404, 'not_found'],
  ['an agent that works for others', { scope: 'agent', name: 'birch-bot', tenants: ['acme'] }, 404, 'not_found'],
  ['a person that is not there', { scope: 'owner', name: 'nobody' }, 404, 'not_found'],
  ['a task class of no policy', { scope: 'task', name: 'ticket.reroute' }, 404, 'not_found'],
  [
    'a task class of an agent that is not there',
    { scope: 'agent_task', name: 'nobody/ticket.route' },
    404,
    'not_found',
  ],
  ['no task class of an agent', { scope: 'agent_task', name: 'triage-bot' }, 404, 'not_found'],
  ['a provider that is none', { scope: 'provider', name: 'ldap' }, 404, 'not_found'],
  ['no name', { scope: 'agent' }, 400, 'invalid_field'],
  ['a name of everything', { scope: 'everything', name: 'x' }, 400, 'invalid_field'],
  ['a scope that is none', { scope: 'planet', name: 'x' }, 400, 'invalid_field'],
  ['a field that is none', { scope: 'agent', name: 'triage-bot', force: true }, 400, 'unknown_field'],
  ['an end that is past', { scope: 'agent', name: 'triage-bot', until: '2026-01-01T00:00:00Z' }, 400, 'invalid_field'],
  ['a tenant that its author does not oversee', { scope: 'tenant', name: 'elsewhere' }, 404, 'not_found'],
  ['a rehearsal where it is real', { scope: 'tenant', name: 'acme', drill: true }, 400, 'invalid_field'],
] as const) {
  blocks(`are refused with ${what}, and stop nothing`, async () => {
    const refused = await app.operator('otto', 'POST', '/api/blocks', { ...body, ...REASON });
    assert.equal([refused.status, refused.body['code']], [status, code], refused.text);
    assert.is((await ask(app, 'triage-bot', 'acme')).status, 201);
  });
}

blocks('are raised by oversight alone, and lifted by it with a token of the issuer', async () => {
  const body = { scope: 'agent', name: 'triage-bot', ...REASON };
  assert.is((await app.operator('ada', 'POST', '/api/blocks', body)).body['code'], 'function_needed');
  const block = await raise({ scope: 'agent', name: 'triage-bot' });
  const local = await app.operator('otto', 'POST', `/api/blocks/${block}/lift`, REASON);
  assert.is(local.body['code'], 'local_token_refused');
  assert.is((await lift(block, 'ada')).status, 404, 'who oversees nothing is not told that it is there');
  assert.is((await ask(app, 'triage-bot', 'acme')).status, 403);
  must(await lift(block));
});

const lifts = async (block: string): Promise<readonly string[]> =>
  (
    await app.sql<{ tenant: string }>(
      `select tenant from entries where kind = 'block.lifted' and text like '%${block}%' order by tenant`,
    )
  ).map(({ tenant }) => tenant);

blocks('that were lifted say so to who did it and asks again, at any node, and nothing is written twice', async () => {
  const block = await raise({ scope: 'agent', name: 'triage-bot' });
  const { receipts, ...first } = must(await lift(block)).body as { receipts: readonly { entry: string }[] };
  const written = await app.sql<{ tenant: string; at: string; by: string }>(
    `select tenant, lifted_at as at, lifted_by as by from blocks where id = '${block}' order by tenant`,
  );
  const lifted = written.map(({ tenant, at, by }) => ({
    tenant,
    lifted_at: toRfc3339(instant(Number(at))),
    lifted_by: by,
  }));
  const tenants = ['acme', 'birch'];
  assert.equal(first, { id: block, tenants, lifted, left: [] });
  assert.equal(receipts.length, tenants.length);
  for (const at of [app, other]) {
    const again = must(await as('otto', 'POST', `/api/blocks/${block}/lift`, REASON, at));
    assert.equal([again.status, again.body], [200, { ...first, receipts: [] }]);
  }
  const atBirch = must(await lift(block, 'otto', { ...REASON, tenants: ['birch'] })).body;
  assert.equal(atBirch, { id: block, tenants: ['birch'], lifted: lifted.slice(1), left: [], receipts: [] });
  assert.equal(await lifts(block), tenants);
});

blocks('that were lifted at one tenant are lifted at the rest, however that is asked again', async () => {
  const block = await raise({ scope: 'agent', name: 'triage-bot' });
  const at = (...tenants: string[]) => lift(block, 'otto', { ...REASON, tenants });
  assert.equal(must(await at('acme')).body['left'], ['birch']);
  const again = must(await at('acme')).body;
  assert.equal([again['tenants'], again['left'], again['receipts']], [['acme'], ['birch'], []]);
  assert.is((await at('acme', 'cedar')).status, 404);
  const both = must(await at('birch', 'acme')).body as { left: readonly string[]; receipts: readonly unknown[] };
  assert.equal([both.left, both.receipts.length], [[], 1]);
  assert.equal(await lifts(block), ['acme', 'birch']);
});

blocks('that are lifted by one person at two nodes at once are lifted once', async () => {
  const block = await raise({ scope: 'agent', name: 'triage-bot' });
  const nodes = [app, other, app, other];
  const answers = await Promise.all(nodes.map((at) => as('otto', 'POST', `/api/blocks/${block}/lift`, REASON, at)));
  const said = answers.map(
    (one) => must(one).body as { lifted: { tenant: string }[]; left: unknown; receipts: readonly unknown[] },
  );
  // One that comes when the first place is lifted already tells of the second alone.
  const places = new Map(said.flatMap(({ lifted }) => lifted).map((one) => [one.tenant, one]));
  for (const { lifted, left } of said) {
    for (const one of lifted) assert.equal(one, places.get(one.tenant));
    assert.equal(left, []);
  }
  assert.is(said.flatMap(({ receipts }) => receipts).length, 2);
  assert.equal(await lifts(block), ['acme', 'birch']);
});

for (const [what, changed] of [
  ['somebody else lifted', `lifted_by = 'tess'`],
  ['nobody lifted, and are over', `until = 1, lifted_at = null, lifted_by = null`],
] as const) {
  blocks(`that ${what} do not stand, whoever asks`, async () => {
    const block = await raise({ scope: 'agent', name: 'triage-bot' });
    must(await lift(block));
    await app.sql(`update blocks set ${changed} where id = '${block}'`);
    const refused = await lift(block);
    assert.equal([refused.status, refused.body['detail']], [404, 'it does not stand there']);
  });
}

blocks('that were lifted tell nobody so who may not lift them', async () => {
  const block = await raise({ scope: 'agent', name: 'triage-bot' });
  must(await lift(block));
  assert.is((await lift(block, 'ada')).body['detail'], 'there is nothing here');
  const local = await app.operator('otto', 'POST', `/api/blocks/${block}/lift`, REASON);
  assert.is(local.body['code'], 'local_token_refused');
  must(await as('ada', 'PUT', '/api/agents/triage-bot', agentBody({ deputy: 'otto' })));
  assert.is((await lift(block)).body['code'], 'in_conflict');
  must(await as('ada', 'PUT', '/api/agents/triage-bot', agentBody()));
  must(await lift(block));
});

blocks('end by themselves where they say so', async () => {
  const until = new Date(Date.now() + 1_500).toISOString();
  const block = await raise({ scope: 'agent', name: 'triage-bot', until });
  assert.is((await ask(app, 'triage-bot', 'acme')).status, 403);
  await app.sql(`update blocks set until = 1 where id = '${block}'`);
  app.deps.store.forget('acme' as never);
  assert.is((await ask(app, 'triage-bot', 'acme')).status, 201);
});

blocks('hold an agent that is said to be another’s since', async () => {
  const { token } = await held(app, 'triage-bot', 'acme');
  const block = await raise({ scope: 'vendor', name: 'in-house' });
  const put = (vendor: string, deputy: string | null = null) =>
    as('ada', 'PUT', '/api/agents/triage-bot', agentBody({ vendor, deputy }));
  must(await put('elsewhere'));
  assert.is((await ask(app, 'triage-bot', 'acme', other)).body['code'], 'blocked');
  assert.is(await isTaken(app, token, 'acme', other), false);
  await workOff(app);
  must(await put('elsewhere', 'otto'));
  assert.is((await lift(block)).body['code'], 'in_conflict', 'who answers for it does not lift it either');
  must(await put('in-house'));
  must(await lift(block));
});

/** In rounds, so that it is tried from both nodes at every moment of an issue. */
const ROUNDS = 8;

blocks(
  'let nothing be issued after their commit, by the rows of both, while eight ask as fast as they can',
  async () => {
    const session = await app.session();
    // No agent is let ask so often.
    const unlimited = { deps: (deps: Deps): Deps => ({ ...deps, rates: { take: () => null } }) };
    const one = await node(unlimited);
    const two = await node(unlimited);
    // Those of the tests before stood for other things.
    const since = app.deps.clock();
    const fire = { over: false, given: 0, resting: Promise.resolve() };
    const callers = Array.from({ length: 8 }, async (_, n) => {
      while (!fire.over) {
        await fire.resting;
        const { status, text } = await (n % 2 === 0 ? one : two).call('POST', '/t/acme/requests', {
          token: session,
          body: PERMITTED,
        });
        if (status === 201) fire.given++;
        // Blocked, or for the moment with no room for more that live at once.
        else assert.ok(status === 403 || status === 429, text);
      }
    });
    for (let round = 1; round <= ROUNDS; round++) {
      const before = fire.given;
      while (fire.given < before + 20) await new Promise((turn) => setTimeout(turn, 2));
      must(await lift(await raise({ scope: 'agent', name: 'triage-bot' })));
      // No agent is let hold so many, either.
      fire.resting = workOff(app);
      await fire.resting;
    }
    fire.over = true;
    await Promise.all(callers);
    // Each takes its number under the lock, shared or alone, so that the numbers stand in the order of the commits.
    const [row] = await app.sql<{ late: number; issued: number }>(`
    with turns as materialized (
      select xmin::text::bigint as at, kind from entries
      where tenant = 'acme' and at >= ${since} and kind in ('block.raised', 'block.lifted')),
    issued as (
      select (select t.kind from turns t where t.at < e.xmin::text::bigint order by t.at desc limit 1) as last
      from entries e where e.tenant = 'acme' and e.at >= ${since} and e.kind = 'lease.active')
    select count(*) filter (where last = 'block.raised')::int as late, count(*)::int as issued from issued`);
    console.log(`${row?.issued} leases around ${ROUNDS} blocks`);
    assert.is(row?.late, 0);
  },
);

blocks('rehearse at a sandbox, and end by themselves', async () => {
  const { targets } = {
    targets: { provider: 'jwt', config: { audience: 'https://s.example', checks: 'introspection' } },
  };
  must(await as('ada', 'PUT', '/api/tenants/sandbox', { display_name: 'Sandbox' }));
  must(await as('ada', 'PUT', '/api/tenants/sandbox/targets/tickets', { ...targets, environment: 'sandbox' }));
  await app.sql(`insert into memberships (tenant, holder_kind, holder, function)
    values ('sandbox', 'person', 'otto', 'oversight')`);
  await app.sql(`insert into assignments (id, tenant, holder_kind, holder, role, function)
    values ('asg_00000000000000000000000001', 'sandbox', 'person', 'otto', 'overseer', 'oversight')`);
  const drill = must(
    await app.operator('otto', 'POST', '/api/blocks', { scope: 'tenant', name: 'sandbox', drill: true, ...REASON }),
  ).body;
  assert.equal(drill['tenants'], ['sandbox']);
  assert.ok(Date.parse(String(drill['until'])) <= Date.now() + 300_000);
  await workOff(app);
  const seen = must(await app.operator('otto', 'GET', `/api/blocks/${String(drill['id'])}`)).body;
  assert.is((seen['progress'] as { over: boolean }).over, true);
  assert.ok(seen['reported_at'] !== null);
});

blocks('rehearse nowhere that has become real on another node', async () => {
  const other = await app.node();
  const token = await app.localToken('ada');
  const target = (environment: string) => ({
    provider: 'jwt',
    config: { audience: 'https://studio.example', checks: 'introspection' },
    environment,
  });
  must(await app.call('PUT', '/api/tenants/studio', { token, body: { display_name: 'Studio' } }));
  must(await app.call('PUT', '/api/tenants/studio/targets/tickets', { token, body: target('sandbox') }));
  await app.sql(`insert into memberships (tenant, holder_kind, holder, function)
    values ('studio', 'person', 'otto', 'oversight')`);
  await app.sql(`insert into assignments (id, tenant, holder_kind, holder, role, function)
    values ('asg_00000000000000000000000002', 'studio', 'person', 'otto', 'overseer', 'oversight')`);
  await app.deps.store.snapshot('studio' as TenantName);
  must(await other.call('PUT', '/api/tenants/studio/targets/tickets', { token, body: target('production') }));
  const body = { scope: 'everything', tenants: ['sandbox', 'studio'], drill: true, ...REASON };
  const refused = await app.operator('otto', 'POST', '/api/blocks', body);
  assert.equal([refused.status, refused.body['code']], [400, 'invalid_field'], refused.text);
});

blocks('reach and show only where their author oversees', async () => {
  must(await app.operator('ada', 'GET', '/api/people'));
  const { id } = must(
    await app.operator('otto', 'POST', '/api/blocks', { scope: 'everything', tenants: ['birch'], ...REASON }),
  ).body as { id: string };
  assert.is((await ask(app, 'triage-bot', 'acme')).status, 201);
  assert.is((await ask(app, 'birch-bot', 'birch')).status, 403);
  await app.sql(`delete from assignments where tenant = 'birch' and holder = 'otto'`);
  await app.sql(`update deployment set epoch = epoch + 1`);
  assert.is((await app.operator('otto', 'GET', `/api/blocks/${id}`)).status, 404);
  const listed = must(await app.operator('otto', 'GET', '/api/blocks?standing=true')).body['items'] as { id: string }[];
  assert.not(listed.some((one) => one.id === id));
  for (const path of ['/api/blocks', '/api/blocks/preview']) {
    const both = { scope: 'everything', tenants: ['acme', 'birch'], ...(path === '/api/blocks' ? REASON : {}) };
    const beyond = await app.operator('otto', 'POST', path, both);
    assert.equal([beyond.status, beyond.body['code']], [404, 'not_found'], 'beside one that they oversee, too');
  }
  const preview = must(await app.operator('otto', 'POST', '/api/blocks/preview', { scope: 'everything' })).body;
  assert.not((preview['tenants'] as string[]).includes('birch'));
});

blocks.after(close);

const client = await clientDatabase();
/** Mints that wait here until they are let go. */
const mints: { gate: Promise<void> | null; waiting: number } = { gate: null, waiting: 0 };
const around = (provider: Provider): Provider =>
  provider.where === 'local'
    ? provider
    : {
        ...provider,
        async mint(order, target) {
          mints.waiting++;
          await mints.gate;
          return provider.mint(order, target);
        },
      };

const kill = suite('what a block ends');
kill.after(() => client.remove());

kill('is counted, also what was being minted, and told at each tenant', async () => {
  const shop = await testApp({ database: client, around });
  try {
    const tokens = await Promise.all(Array.from({ length: 6 }, () => held(shop, 'triage-bot', 'acme')));
    const login = must(
      await shop.call('POST', '/t/acme/requests', { token: await shop.session('report-bot'), body: REPORT }),
    ).body['lease'] as { id: string };
    const open = Promise.withResolvers<void>();
    mints.gate = open.promise;
    mints.waiting = 0;
    const late = shop.call('POST', '/t/acme/requests', { token: await shop.session('report-bot'), body: REPORT });
    while (mints.waiting === 0) await new Promise((turn) => setTimeout(turn, 5));
    const preview = must(await shop.operator('otto', 'POST', '/api/blocks/preview', { scope: 'everything' })).body;
    assert.is(preview['live'], 8);
    const raised = must(await shop.operator('otto', 'POST', '/api/blocks', { scope: 'everything', ...REASON })).body;
    assert.equal(raised['tenants'], ['acme', 'birch']);
    open.resolve();
    mints.gate = null;
    const refused = await late;
    assert.is(refused.status, 403, 'its credential never leaves');
    assert.is(refused.body['code'], 'blocked');
    await workOff(shop);
    const { body } = must(await shop.operator('otto', 'GET', `/api/blocks/${String(raised['id'])}?wait=10`));
    const progress = body['progress'] as Record<string, unknown>;
    assert.equal(
      [progress['over'], progress['alive'], progress['not_ended_yet'], progress['survivors']],
      [true, 0, 0, []],
    );
    const marks = await shop.sql<{ id: string; state: string; how: string; block: string | null }>(
      `select id, state, death ->> 'how' as how, block from leases where tenant = 'acme'`,
    );
    assert.ok(
      marks.every(({ state, how }) => state === 'revoked' && how === 'verified'),
      JSON.stringify(marks),
    );
    for (const { lease } of [...tokens, { lease: login.id }]) {
      assert.is(marks.find(({ id }) => id === lease)?.block, raised['id']);
    }
    const { items } = must(await shop.operator('otto', 'GET', `/api/blocks/${String(raised['id'])}/leases`)).body;
    assert.ok((items as { death: { how: string } }[]).every(({ death }) => death.how === 'verified'));
    const told = await shop.sql<{ tenant: string; text: string }>(
      `select tenant, text from entries where kind = 'block.reported' order by tenant`,
    );
    assert.equal(
      told.map(({ tenant }) => tenant),
      ['acme', 'birch'],
    );
    const facts = factsOf(told[0]);
    assert.is(facts['ended'], (items as unknown[]).length);
    assert.is(facts['verified'], facts['ended']);
  } finally {
    await shop.close();
  }
});

kill('is not kept alive by one that cannot be ended', async () => {
  const shop = await testApp();
  try {
    const tokens = await Promise.all(Array.from({ length: 4 }, () => held(shop, 'triage-bot', 'acme')));
    const [broken, ...others] = tokens;
    await shop.sql(`update leases set provider = 'ldap', declared = null where id = '${broken?.lease}'`);
    must(await shop.operator('otto', 'POST', '/api/blocks', { scope: 'everything', ...REASON }));
    await watch(shop.deps);
    for (const { lease } of others) assert.is((await rowOf(shop, lease))?.state, 'revoked');
    assert.is((await rowOf(shop, broken?.lease ?? ''))?.state, 'active');
    const [row] = await shop.sql<{ why: string }>(`select why from work where what ->> 'task' = 'enforce'`);
    assert.match(row?.why ?? '', 'ldap');
  } finally {
    await shop.close();
  }
});

kill('of whole targets that asks for it ends what they gave before, once, and is over only then', async () => {
  const asked: { readonly target: string; readonly before: number }[] = [];
  let fails = 1;
  const endAll = async ({ version }: OpenTarget, before: Instant): Promise<void> => {
    asked.push({ target: version.name, before });
    if (fails-- > 0) throw new ProviderUnavailable('it does not answer');
  };
  const around = (provider: Provider): Provider => (provider.where === 'remote' ? { ...provider, endAll } : provider);
  const client = await clientDatabase();
  const shop = await testApp({ database: client, around });
  try {
    const aim = { scope: 'target', name: 'shop-db', tenants: ['acme'], deny_role: true };
    const preview = must(await shop.operator('otto', 'POST', '/api/blocks/preview', aim)).body;
    assert.equal([preview['roles'], asked], [[{ tenant: 'acme', target: 'shop-db' }], []]);
    const whole = { ...aim, ...REASON };
    const raised = must(await shop.operator('otto', 'POST', '/api/blocks', whole)).body;
    const reported = () => shop.sql<{ text: string }>(`select text from entries where kind = 'block.reported'`);
    await watch(shop.deps);
    assert.is((await reported()).length, 0);
    const [row] = await shop.sql<{ why: string }>(`select why from work where what ->> 'task' = 'enforce'`);
    assert.match(row?.why ?? '', 'it does not answer');
    await workOff(shop);
    const before = Date.parse(String(raised['from']));
    assert.equal(asked, [
      { target: 'shop-db', before },
      { target: 'shop-db', before },
    ]);
    const [told, ...more] = await reported();
    assert.equal(more, []);
    assert.is(factsOf(told)['all_ended_before'], raised['from']);
    const [entry] = await shop.sql<{ text: string }>(`select text from entries where kind = 'block.raised'`);
    assert.is(factsOf(entry)['deny_role'], true);
    const shown = async ({ id }: typeof raised) =>
      must(await shop.operator('otto', 'GET', `/api/blocks/${String(id)}`)).body['deny_role'];
    assert.is(await shown(raised), true);
    const plain = { scope: 'tenant', name: 'acme', ...REASON };
    assert.is(await shown(must(await shop.operator('otto', 'POST', '/api/blocks', plain)).body), false);
    await workOff(shop);
    assert.is(asked.length, 2, 'only where it is asked for');
  } finally {
    await shop.close();
    await client.remove();
  }
});

for (const [what, aim] of [
  ['an agent', { scope: 'agent', name: 'report-bot' }],
  ['a role of the policy', { scope: 'role', name: 'reporting' }],
  ['a target without a role', { scope: 'target', name: 'tickets', tenants: ['acme'] }],
  ['tenants without one', { scope: 'everything' }],
] as const) {
  blocks(`of ${what} deny no whole role`, async () => {
    const whole = { ...aim, deny_role: true };
    for (const [path, body] of [
      ['/api/blocks/preview', whole],
      ['/api/blocks', { ...whole, ...REASON }],
    ] as const) {
      const refused = await app.operator('otto', 'POST', path, body);
      assert.equal([refused.status, refused.body['code'], refused.body['path']], [400, 'invalid_field', 'deny_role']);
    }
  });
}

blocks.run();
kill.run();
