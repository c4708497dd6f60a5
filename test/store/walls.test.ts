import postgres from 'postgres';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { tenantSetting } from '../../src/store/roles.ts';
import { approvalOf, entryOf, epochsOf, opening, send, whenOf, requestAt } from '../support/lives.ts';
import { newId } from '../../src/core/ids.ts';
import { hashed } from '../../src/core/proposal.ts';
import { placeOf } from '../../src/core/lease.ts';
import { instant, seconds } from '../../src/core/time.ts';
import type { Instant } from '../../src/core/time.ts';
import type { TaskName } from '../../src/core/ids.ts';
import { acceptanceOf, ACME, BIRCH, OLGA, random, situationOf, testStore, TRIAGE } from '../support/store.ts';
import type { TestStore } from '../support/store.ts';
import { withAdmin } from '../support/postgres.ts';

/** What stands above tenants; any other table is behind the wall, also one that does not exist yet. */
const ABOVE = [
  'absences',
  'agents',
  'channels',
  'console_sessions',
  'deployment',
  'heartbeats',
  'issuers',
  'operators',
  'passkeys',
  'persons',
  'policies',
  'spread',
  'turns',
  'vendors',
];

let test: TestStore;
let tables: readonly string[] = [];
let serve: postgres.Sql;
/** The superuser, who becomes the owner where a test says so. */
let admin: postgres.Sql;

const walls = suite('walls');
walls.before(async () => {
  test = await testStore();
  serve = postgres({ ...test.database.serve, max: 1 });
  admin = postgres({ ...test.database.admin, max: 1 });
  await fillEveryTable();
  const rows = await withAdmin(
    test.database.admin,
    (sql) => sql`select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')`,
  );
  tables = rows.map((row) => row['relname'] as string).filter((name) => !ABOVE.includes(name));
});
walls.after(async () => {
  await Promise.all([serve.end(), admin.end()]);
  await test.close();
});

async function fillEveryTable(): Promise<void> {
  const { store } = test;
  for (const tenant of [ACME, BIRCH]) {
    const epochs = await epochsOf(store, tenant);
    const idempotency = { principal: TRIAGE, route: 'POST requests', key: 'k', digest: 'd' };
    const at = instant(Date.now());
    const life = opening({ epochs, tenant, jti: 'j', idempotency });
    const work = [
      { id: newId('wrk', at, random), due: at, what: { task: 'kill', ...placeOf(life.change.lease) } as const },
    ];
    await store.commit({ ...life.change, work }, life.entries);
    const request = requestAt(at);
    const approval = approvalOf(request, { tenant });
    const ask = { kind: 'request.ask', tenant, when: whenOf({ epochs }), request, approval, work: [] } as const;
    await store.commit(ask, [entryOf('request.asked', tenant)]);
    const kind = { tenant, agent: TRIAGE, task: 't', resource: 'r', code: 'c' };
    await store.commit({ kind: 'refusal.count', ...kind, count: 2 }, [entryOf('request.forbidden_again', tenant)]);
    const key = { tenant, kid: tenant, algorithm: 'EdDSA', publicJwk: {}, privateJwk: 'a.b.c' as never } as const;
    const [found] = (await store.tenants()).filter(({ name }) => name === tenant);
    if (found === undefined) throw new Error('the world has no tenants');
    const change = { kind: 'tenant.put', tenant: found, keys: [key] } as const;
    await test.change(change);
    const act = {
      what: 'w',
      change,
      ledger: tenant,
      facts: {},
      said: {},
      ends: null,
      subjects: [],
      policy: null,
      shown: null,
    };
    const when = { proposedAt: at, expiresAt: at };
    const proposed = { id: newId('chg', at, random), act, reason: 'r', proposer: OLGA, operator: 'olga' as never };
    await test.change({ kind: 'change.propose', proposal: hashed({ ...proposed, ...when }), bundles: [] });
    await test.change({ kind: 'acceptance.put', acceptance: acceptanceOf(tenant, TRIAGE) });
    const block = {
      id: newId('blk', at, random),
      tenant,
      scope: 'everything',
      name: '',
      agents: [],
      author: OLGA,
    } as const;
    const blocks = [{ ...block, from: at, until: null }];
    await test.change({ kind: 'block.raise', blocks, reason: 'r', drill: false, deniesRoles: false });
    await test.change({ kind: 'notice.late', tenant, task: 't' as never, since: at });
    await fillOversight(tenant, at);
    await test.change({ kind: 'situation.set', situation: situationOf(tenant, instant(at + 3_600_000)) });
  }
}

async function fillOversight(tenant: typeof ACME, at: Instant): Promise<void> {
  const lease = newId('lse', at, random);
  const common = { tenant, agent: TRIAGE, task: 'ticket.route' as TaskName };
  const by = { by: OLGA, at, reason: 'r' };
  const verdict = {
    id: newId('vrd', at, random),
    tenant,
    lease,
    verdict: 'correct',
    reference: 'r',
    by: OLGA,
    at,
  } as const;
  await test.change({ kind: 'verdict.give', verdict });
  const pause = { id: newId('pse', at, random), author: OLGA, from: at };
  await test.change({ kind: 'pause.start', pause, tenants: [tenant], reason: 'r' });
  const order = {
    id: newId('ord', at, random),
    ...common,
    lease,
    resource: 'tickets',
    parameters: {},
    ...by,
    until: at,
  };
  const review = {
    id: newId('rev', at, random),
    tenant,
    what: 'reversal',
    about: order.id,
    agent: TRIAGE,
    openedBy: OLGA,
    reason: 'r',
    at,
    from: at,
    due: at,
    role: null,
    notBy: [OLGA],
  } as const;
  await test.change({ kind: 'order.give', order, review });
  const counts = { failed: 1 };
  const trip = {
    id: newId('trp', at, random),
    ...common,
    breaker: 'failing',
    signal: 'failed',
    to: 'ask',
    counts,
    from: at,
    block: null,
  } as const;
  await test.change({ kind: 'breaker.trip', trip, block: null, reason: 'r' });
}

interface As {
  readonly role?: string;
  readonly tenants?: string;
  readonly to?: postgres.Sql;
}

/** What a statement does: the number of its rows, or the code that refuses it. Nothing of it stays. */
async function tried(statement: string, { role = 'brevet_serve', tenants, to = serve }: As = {}) {
  const answers: (number | string)[] = [];
  await to
    .begin(async (tx) => {
      if (role !== '') await tx.unsafe(`set local role ${role}`);
      if (tenants !== undefined) await tx`select set_config('brevet.tenants', ${tenants}, true)`;
      answers.push((await tx.unsafe(statement)).count);
      throw new Error('roll back');
    })
    .catch((fault: unknown) => {
      if (fault instanceof postgres.PostgresError) answers.push(fault.code);
    });
  return answers[0];
}

const NO_PRIVILEGE = '42501';
const NO_REWRITING = 'BV003';

walls('stand before every table that is not above tenants, and are forced', async () => {
  const rows = await withAdmin(
    test.database.admin,
    (sql) => sql`select relname, relrowsecurity and relforcerowsecurity as walled from pg_class
      where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') order by 1`,
  );
  const open = rows.filter((row) => row['walled'] !== true).map((row) => row['relname'] as string);
  assert.equal(open, ABOVE);
});

/** Every way past the wall, by whom, for what and where; no other policy than these and that of the named tenants. */
const PASSING: Readonly<Record<string, string>> = {
  'brevet_list SELECT':
    'approvals asks assignments blocks changes enrolments leases memberships orders pauses requests reviews target_audiences targets tenants trips verdicts',
  // For the trigger that counts administration everywhere.
  'brevet_owner SELECT': 'memberships',
  'brevet_work ALL': 'work',
  'brevet_work DELETE': 'assertions idempotency',
  'brevet_work SELECT': 'assertions idempotency leases',
  'brevet_work UPDATE': 'leases',
};

walls('are passed by those who work and list alone, where they are meant to', async () => {
  const rows = await withAdmin(
    test.database.admin,
    (sql) => sql<{ who: string; table: string }[]>`
      select array_to_string(roles, ' ') || ' ' || cmd as who, tablename as table from pg_policies
      where schemaname = 'public' and policyname <> 'named_tenants' order by 1, 2`,
  );
  const passing = Object.entries(PASSING).flatMap(([who, names]) => names.split(' ').map((table) => ({ who, table })));
  assert.equal([...rows], passing);
});

walls('are one condition everywhere: the tenant is among those named', async () => {
  const rows = await withAdmin(
    test.database.admin,
    (sql) => sql<{ table: string; condition: string }[]>`
      select tablename as table, qual as condition from pg_policies
      where policyname = 'named_tenants' and cmd = 'ALL' and permissive = 'PERMISSIVE' and with_check is null order by 1`,
  );
  const named = `= ANY (( SELECT string_to_array(current_setting('brevet.tenants'::text, true), ','::text) AS string_to_array)::text[])`;
  const condition = (table: string) => `(${table === 'tenants' ? 'name' : 'tenant'} ${named})`;
  assert.equal(
    [...rows],
    tables.toSorted().map((table) => ({ table, condition: condition(table) })),
  );
});

walls('are not passed by a function of the owner’s, nor by what everybody may do', async () => {
  const found = await withAdmin(test.database.admin, async (sql) => ({
    definers: await sql`select proname, proconfig::text as config from pg_proc
      where pronamespace = 'public'::regnamespace and prosecdef`,
    views:
      await sql`select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('v', 'm', 'f')`,
    everybody: await sql`select table_name, privilege_type from information_schema.role_table_grants
      where table_schema in ('public', 'drizzle') and grantee = 'PUBLIC'`,
  }));
  assert.equal([...found.definers], [{ proname: 'refuse_second_function', config: '{"search_path=public, pg_temp"}' }]);
  assert.equal([...found.views], []);
  assert.equal([...found.everybody], []);
});

walls('hide every row from a query that names no tenant, and every other tenant’s from one that does', async () => {
  for (const table of tables) {
    const column = table === 'tenants' ? 'name' : 'tenant';
    const all = await tried(`select 1 from ${table}`, { role: '', to: admin });
    assert.ok(all !== 0, `${table} has rows to hide`);
    assert.is(await tried(`select 1 from ${table}`), 0, table);
    assert.is(await tried(`select 1 from ${table}`, { tenants: '' }), 0, table);
    // The trigger that counts administration everywhere runs as the owner, and sees memberships alone.
    const owner = await tried(`select 1 from ${table}`, { role: 'brevet_owner', tenants: '', to: admin });
    if (table !== 'memberships') assert.is(owner, 0, `${table}, of its owner`);
    const ours = await tried(`select 1 from ${table} where ${column} = 'acme'`, { role: '', to: admin });
    assert.is(await tried(`select 1 from ${table}`, { tenants: 'acme' }), ours, table);
    assert.is(await tried(`select 1 from ${table}`, { tenants: 'acm' }), 0, table);
  }
});

walls('hide everything from the login before it enters a role', async () => {
  for (const table of [...tables, ...ABOVE]) {
    assert.is(await tried(`select 1 from ${table}`, { role: '' }), NO_PRIVILEGE, table);
  }
});

walls('let nobody write into another tenant', async () => {
  const insert = `insert into assertions (tenant, client, jti, until) values ('birch', 'c', 'x', 1)`;
  assert.is(await tried(insert, { tenants: 'acme' }), NO_PRIVILEGE);
  assert.is(await tried(insert, { tenants: 'birch' }), 1);
  assert.is(await tried(`update leases set cause = 'x'`, { tenants: 'acme' }), 1, 'its own alone');
});

walls('take no name for a list of tenants', () => {
  for (const name of ['acme,birch', "acme'", 'a b', 'Acme', '{']) assert.throws(() => tenantSetting([name]), name);
  assert.is(tenantSetting(['']), ',');
  assert.is(tenantSetting(['', 'acme']), ',acme');
});

for (const table of ['entries', 'entry_values']) {
  walls(`let the serving role add to ${table} and read, and nothing else`, async () => {
    for (const statement of [`update ${table} set entry = entry`, `delete from ${table}`, `truncate ${table}`]) {
      const plain = statement.replace('set entry = entry', 'set tenant = tenant');
      for (const role of ['brevet_serve', 'brevet_work', 'brevet_list']) {
        assert.is(await tried(plain, { role, tenants: ',acme,birch' }), NO_PRIVILEGE, `${role}: ${plain}`);
      }
      const owner = { role: 'brevet_owner', tenants: ',acme', to: admin };
      assert.is(await tried(plain, owner), NO_REWRITING, `owner: ${plain}`);
      assert.is(await tried(plain, { ...owner, role: '' }), NO_REWRITING, `superuser: ${plain}`);
    }
  });
}

walls('keep policies and versions of targets as they were written', async () => {
  for (const table of ['policies', 'target_versions']) {
    const owner = { role: 'brevet_owner', tenants: 'acme', to: admin };
    assert.is(await tried(`delete from ${table}`, owner), NO_REWRITING);
    assert.is(await tried(`update ${table} set version = version`, owner), NO_REWRITING);
    assert.is(await tried(`delete from ${table}`, { tenants: 'acme' }), NO_PRIVILEGE);
  }
});

walls('keep what was asked, and how it was answered', async () => {
  for (const table of ['requests', 'approvals', 'leases']) {
    for (const role of ['brevet_serve', 'brevet_work', 'brevet_list']) {
      assert.is(await tried(`delete from ${table}`, { role, tenants: 'acme' }), NO_PRIVILEGE, `${role}: ${table}`);
    }
  }
  for (const term of ['terms', 'agent', 'request', 'expires_at']) {
    assert.is(await tried(`update approvals set ${term} = ${term}`, { tenants: 'acme' }), NO_PRIVILEGE, term);
  }
  assert.is(await tried(`update requests set decision = decision`, { tenants: 'acme' }), NO_PRIVILEGE);
});

walls('hold the terms of a lease, and its moves, against any code', async () => {
  assert.is(await tried(`update leases set expires_at = 9`, { tenants: 'acme' }), NO_PRIVILEGE);
  assert.is(await tried(`update leases set agent = 'x'`, { tenants: 'acme' }), NO_PRIVILEGE);
  assert.is(await tried(`update leases set state = 'revoked'`, { tenants: 'acme' }), 'BV002');
  assert.is(await tried(`update leases set state = 'opening'`, { tenants: 'acme' }), 'BV002');
  assert.is(await tried(`update leases set state = 'revoking'`, { tenants: 'acme' }), 1);
});

const member = (tenant: string, holder: string, kind: string, of: string) =>
  `insert into memberships (tenant, holder_kind, holder, function) values ('${tenant}', '${kind}', '${holder}', '${of}')`;

/** As the owner, who passes row security for the tenants named and is stopped by nothing else. */
const asOwner = (statement: string) =>
  tried(statement, { role: 'brevet_owner', tenants: ',*,acme,birch,cedar', to: admin });

walls('refuse a second function to raw SQL of the owner', async () => {
  assert.is(await asOwner(member('acme', OLGA, 'person', 'approval')), 'BV001');
  assert.is(await asOwner(`update memberships set function = 'approval' where holder = 'olga'`), 'BV001');
  const assign = `insert into assignments (id, tenant, holder_kind, holder, role, function)
    values ('asg_x', 'acme', 'person', 'olga', 'approver', 'approval')`;
  assert.is(await asOwner(assign), '23503', 'an assignment without its membership');
  assert.is(await asOwner(member('cedar', OLGA, 'person', 'approval')), 1, 'elsewhere is elsewhere');
});

walls('refuse an agent any function but execution', async () => {
  for (const given of ['approval', 'oversight', 'administration']) {
    assert.is(await asOwner(member('cedar', TRIAGE, 'agent', given)), '23514', given);
  }
  assert.is(await asOwner(member('cedar', TRIAGE, 'agent', 'execution')), 1);
});

walls('count administration of the deployment at every tenant, whichever came first', async () => {
  assert.is(await asOwner(member('*', OLGA, 'person', 'administration')), 'BV001');
  assert.is(await asOwner(member('acme', 'ada', 'person', 'oversight')), 'BV001');
  assert.is(await asOwner(member('acme', 'ada', 'person', 'administration')), 1);
  assert.is(await asOwner(member('*', 'newcomer', 'person', 'administration')), 1);
  assert.is(await asOwner(member('*', 'newcomer', 'person', 'oversight')), '23514');
});

walls('keep what oversight wrote as it was written, and let no review be done by who had a hand in it', async () => {
  const own = { tenants: 'acme' };
  assert.is(await tried(`update verdicts set verdict = 'correct'`, own), NO_PRIVILEGE);
  assert.is(await tried(`update pauses set reason = 'x'`, own), NO_PRIVILEGE);
  assert.is(await tried(`update orders set task = 'x'`, own), NO_PRIVILEGE);
  assert.is(await tried(`update reviews set not_by = '{}'`, own), NO_PRIVILEGE);
  for (const table of ['verdicts', 'pauses', 'orders', 'reviews', 'trips']) {
    assert.is(await tried(`delete from ${table}`, own), NO_PRIVILEGE, table);
  }
  const done = (by: string) => tried(`update reviews set done_by = '${by}', done_at = 1, words = 'w'`, own);
  assert.is(await done(OLGA), '23514');
  assert.is(await done('otto'), 1);
});

walls('take no acceptance of one person alone, but in set-up', async () => {
  const authored = (authors: string, inSetup: boolean) =>
    asOwner(`update acceptances set authors = '${authors}', in_setup = ${inSetup} where tenant = 'acme'`);
  for (const authors of ['{}', '{ada}', '{ada,ada}']) assert.is(await authored(authors, false), '23514', authors);
  assert.is(await authored('{ada,alan}', false), 1);
  assert.is(await authored('{ada}', true), 1);
});

walls('show the working and listing roles no secret, and no ledger', async () => {
  for (const role of ['brevet_work', 'brevet_list']) {
    for (const read of ['secret from leases', '1 from signing_keys', '1 from target_versions', '1 from entries']) {
      assert.is(await tried(`select ${read}`, { role }), NO_PRIVILEGE, `${role}: ${read}`);
    }
  }
  assert.is(await tried('select id from leases', { role: 'brevet_list' }), 2);
  assert.is(await tried(`update leases set cause = 'x'`, { role: 'brevet_list' }), NO_PRIVILEGE);
});

walls('let work forget what is over, and nothing before', async () => {
  assert.is(await tried('delete from assertions', { role: 'brevet_work' }), 0);
  assert.is(await tried('delete from assertions', { tenants: 'acme' }), NO_PRIVILEGE);
});

walls('answer across tenants only within those asked for', async () => {
  const query = {
    tenant: null,
    agent: null,
    owner: null,
    target: null,
    role: null,
    states: null,
    limit: 9,
    before: null,
  };
  assert.is((await test.store.leases(query, null)).length, 2);
  assert.equal(
    (await test.store.leases(query, [BIRCH])).map(({ tenant }) => tenant),
    [BIRCH],
  );
  assert.is((await test.store.leases(query, [])).length, 0);
  assert.is((await test.store.requests({ ...query, effect: null }, null)).length, 4);
  const [life] = await test.store.leases({ ...query, tenant: ACME }, null);
  assert.ok(life !== undefined);
  assert.is(await test.store.lease(BIRCH, life.id), null);
  assert.equal(await test.store.entries(BIRCH, { lease: life.id }), []);
  assert.equal(await test.store.overseenBy(OLGA), [ACME, BIRCH]);
  assert.is((await test.store.claim(9, 9, seconds(1))).length, 2);
  assert.ok((await send(test.store, opening({ epochs: await epochsOf(test.store) }))).ok);
});

walls.run();
