/** Logins asked for at once go together, each under its own deadline; none lands late. */
import { array, constantFrom, sample } from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ProviderUnavailable } from '../../../src/core/provider.ts';
import type { MintOrder, OpenTarget } from '../../../src/core/provider.ts';
import { after, instant, milliseconds, seconds } from '../../../src/core/time.ts';
import { PATIENCE } from '../../../src/providers/postgres/lane.ts';
import { mintTogether, prepare } from '../../../src/providers/postgres/mint.ts';
import { openSite } from '../../../src/providers/postgres/site.ts';
import { postgresProvider } from '../../../src/providers/postgres/provider.ts';
import type { PostgresProvider } from '../../../src/providers/postgres/provider.ts';
import { targetGrants } from '../../../src/providers/postgres/grants.ts';
import { withAdmin } from '../../support/postgres.ts';
import {
  ADMIN,
  clientDatabase,
  CONNECT_ROLE,
  DATABASE,
  GROUP,
  openTargetOf,
  orderFor,
  processClock,
  random,
  subjectOf,
  termsOf,
} from '../../support/target.ts';
import type { ClientDatabase } from '../../support/target.ts';
import { startProxy } from '../proxy.ts';
import { connectAs, works } from './holder.ts';

let database: ClientDatabase;
let provider: PostgresProvider;
let target: OpenTarget;

const mints = suite('a login');

mints.before(async () => {
  database = await clientDatabase({ max_connections: '300', track_commit_timestamp: 'on' });
  provider = postgresProvider({ random, clock: processClock });
  target = openTargetOf(provider, database.config, { secret: database.secret });
});
mints.after(async () => {
  await provider.close();
  await database.remove();
});

const rows = (statement: string) => withAdmin(database.superuser, (sql) => sql.unsafe(statement));
const order = (more: Partial<MintOrder> = {}, terms = termsOf({ group: GROUP })) =>
  orderFor(provider, target, terms, more);

async function end(mine: MintOrder): Promise<void> {
  await provider.revoke(subjectOf(mine), target);
  assert.is((await provider.look(subjectOf(mine), target)).seen, 'gone');
}

async function fault(call: Promise<unknown>): Promise<string> {
  const caught = await call.then(
    () => null,
    (error: unknown) => error,
  );
  assert.instance(caught, ProviderUnavailable);
  return String(caught);
}

mints('is what was specified, and no more', async () => {
  const mine = order();
  await provider.mint(mine, target);
  const [role] = await rows(`select concat_ws(' ', rolcanlogin, rolinherit, rolsuper, rolcreaterole, rolcreatedb,
      rolreplication, rolbypassrls, rolconnlimit, rolconfig) as line,
    extract(epoch from rolvaliduntil)::int as until from pg_roles where rolname = '${mine.mark}'`);
  assert.is(role?.['line'], `t f f f f f f 5 {role=${GROUP}}`);
  assert.ok(Math.abs(Number(role?.['until']) - mine.expiresAt / 1000) < 2, 'on the clock of this very machine');
  const memberships = await rows(`select concat_ws(' ', g.rolname, inherit_option, set_option, admin_option) as line
    from pg_auth_members m join pg_roles g on g.oid = m.roleid join pg_roles r on r.oid = m.member
    where r.rolname = '${mine.mark}' order by 1`);
  assert.equal(
    memberships.map(({ line }) => String(line)),
    [`${CONNECT_ROLE} t f f`, `${GROUP} f t f`],
  );
  await end(mine);
});

mints('has a verifier of 4,096 rounds in the catalog, and never its password', async () => {
  const mine = order();
  const { credential } = await provider.mint(mine, target);
  const [kept] = await rows(`select rolpassword from pg_authid where rolname = '${mine.mark}'`);
  assert.match(String(kept?.['rolpassword']), /^SCRAM-SHA-256\$4096:/);
  assert.is(await works(credential, 'select 1'), true);
  await end(mine);
});

mints('goes with others that are asked for at once, in one statement', async () => {
  const orders = Array.from({ length: 30 }, () => order());
  const minted = await Promise.all(orders.map((one) => provider.mint(one, target)));
  const [seen] = await rows(`select count(distinct pg_xact_commit_timestamp(xmin))::int as n from pg_authid
    where rolname in (${orders.map(({ mark }) => `'${mark}'`).join(',')})`);
  assert.ok(Number(seen?.['n']) <= 6, `${seen?.['n']} transactions`);
  const users = new Set(minted.map(({ credential }) => credential['user']));
  assert.is(users.size, 30);
  await Promise.all(orders.map(end));
  assert.equal(await provider.list(target), []);
});

mints('that fails harms none of those that go with it', async () => {
  const taken = order();
  await provider.fence(subjectOf(taken), target);
  const nobody = { ...order(), specification: { ...order().specification, group: 'nobody' } };
  const late = order({ deadline: after(processClock(), seconds(-1)) });
  const good = Array.from({ length: 6 }, () => order());
  const [a, b, c, ...others] = await Promise.allSettled(
    [taken, nobody, late, ...good].map((one) => provider.mint(one, target)),
  );
  assert.match(String(a?.status === 'rejected' && a.reason), /42710/);
  assert.match(String(b?.status === 'rejected' && b.reason), /42704/);
  assert.match(String(c?.status === 'rejected' && c.reason), /deadline/);
  assert.is(others.filter(({ status }) => status === 'fulfilled').length, good.length);
  assert.is((await provider.look(subjectOf(nobody), target)).seen, 'gone');
  await provider.unfence(subjectOf(taken), target);
  await Promise.all(good.map(end));
});

mints('does not get the slots that those beside it have taken', async () => {
  const config = { ...database.config, connection_limit: 100 };
  const wide = openTargetOf(provider, config, { secret: database.secret, version: 4 });
  const site = openSite(wide, PATIENCE);
  const orders = [1, 2, 3].map(() => orderFor(provider, wide, termsOf({ group: GROUP })));
  const batch = await Promise.all(orders.map((one) => prepare(one, random)));
  const [a, b, c] = await mintTogether(site, batch, processClock);
  await site.close();
  assert.equal([a?.status, b?.status], ['fulfilled', 'fulfilled']);
  assert.match(String(c?.status === 'rejected' && c.reason), /fill its connection slots/);
  await Promise.all(orders.map(end));
});

mints('does not land when the network brings it after its deadline', async () => {
  const proxy = await startProxy(database.port);
  const slow = postgresProvider({ random, clock: processClock, patience: milliseconds(800) });
  const config = { ...database.config, nodes: [{ host: '127.0.0.1', port: proxy.port }] };
  const through = openTargetOf(slow, config, { secret: database.secret });
  const first = order();
  await slow.mint(first, through);
  // The clock is read, and then the mint itself is held in the network, past its deadline, and let go.
  const late = order({ deadline: instant(processClock() + 300) });
  const minting = fault(slow.mint(late, through));
  proxy.stall();
  await minting;
  proxy.resume();
  await untilQuiet();
  assert.is((await provider.look(subjectOf(late), target)).seen, 'gone');
  await end(first);
  await slow.close();
  await proxy.close();
});

/** Its deadline has not passed when it is sent, and has when it is through: the target's clock is read once more at its end. */
mints('does not land when the server itself holds it up past its deadline', async () => {
  const late = order({ deadline: instant(processClock() + 1_000) });
  await withAdmin(database.superuser, async (sql) => {
    await sql`begin`;
    await sql`lock table pg_auth_members in share row exclusive mode`;
    const minting = fault(provider.mint(late, target));
    for (let waiting = false; !waiting;) {
      waiting =
        (await sql`select from pg_locks where relation = 'pg_auth_members'::regclass and not granted`).length > 0;
    }
    await sql`select pg_sleep(${Math.max(0, late.deadline + 50 - processClock()) / 1_000})`;
    await sql`rollback`;
    assert.match(await minting, /BV002/);
  });
  assert.is((await provider.look(subjectOf(late), target)).seen, 'gone');
});

/** Until the server has answered whatever the admin sent. */
async function untilQuiet(): Promise<void> {
  for (;;) {
    const [busy] = await rows(`select count(*)::int as n from pg_stat_activity
      where usename = '${ADMIN}' and state <> 'idle'`);
    if (busy?.['n'] === 0) return;
  }
}

for (const off of [-60, 60, 3_600]) {
  mints(`is measured on the target, whose clock is ${off} s from Brevet’s`, async () => {
    // What Brevet says must be turned into the target's time.
    const skewed = postgresProvider({ random, clock: () => instant(processClock() + off * 1000) });
    const now = processClock() + off * 1000;
    const mine = order({ expiresAt: instant(now + 300_000), deadline: instant(now + 10_000) });
    const { credential, reference } = await skewed.mint(mine, target);
    const [role] = await rows(`select extract(epoch from rolvaliduntil - now())::int as left from pg_roles
      where rolname = '${mine.mark}'`);
    assert.ok(Math.abs(Number(role?.['left']) - 300) <= 2);
    assert.is(await works(credential, 'select 1'), true);
    const late = order({ deadline: instant(now - 1) });
    assert.match(await fault(skewed.mint(late, target)), /deadline/);
    await skewed.revoke(subjectOf(mine, { reference }), target);
    assert.is((await skewed.look(subjectOf(mine, { reference }), target)).seen, 'gone');
    await skewed.close();
  });
}

mints('is listed to the admin that made it alone: brokers may share a server', async () => {
  const mine = order();
  await provider.mint(mine, target);
  const stranger = order().mark;
  await rows(`create role other_admin createrole; set role other_admin; create role ${stranger} login; reset role`);
  assert.equal(await provider.list(target), [mine.mark]);
  await rows(`drop role ${stranger}, other_admin`);
  await end(mine);
});

mints('is left alone, with its session, where another server was meant', async () => {
  const mine = order();
  const { credential } = await provider.mint(mine, target);
  const sql = connectAs(credential);
  await sql`select 1`;
  const config = { ...database.config, system_identifier: '1' };
  const other = openTargetOf(provider, config, { secret: database.secret, version: 3 });
  for (const act of ['revoke', 'fence', 'unfence'] as const) {
    assert.match(await fault(provider[act](subjectOf(mine), other)), /BV001/, act);
    assert.equal([...(await sql`select 1 as n`)], [{ n: 1 }], act);
  }
  assert.match(await fault(provider.mint(order(), other)), /BV001/);
  await sql.end();
  await end(mine);
});

mints('is no fence, and stays when one is taken away', async () => {
  const mine = order();
  const { credential } = await provider.mint(mine, target);
  await provider.fence(subjectOf(mine), target);
  await provider.unfence(subjectOf(mine), target);
  assert.is(await works(credential, 'select 1'), true);
  await end(mine);
});

mints('does not take a fence away when it is ended before it was made', async () => {
  const mine = order();
  await provider.fence(subjectOf(mine), target);
  await end(mine);
  assert.match(await fault(provider.mint(mine, target)), /42710/);
  await provider.unfence(subjectOf(mine), target);
});

mints('is refused where the group is not one that the target offers', () => {
  for (const group of ['postgres', 'pg_write_all_data', 'none', 'PUBLIC', 'brevet_admin', '', 'x'.repeat(64), 'a\0b']) {
    const specified = provider.specify(termsOf({ group }), target.version);
    assert.is(specified.ok, false, group);
  }
});

mints('takes as many connections as its task class says, and no more than the target gives', () => {
  for (const [asked, given] of [
    [undefined, 5],
    [3, 3],
    [9, 5],
  ] as const) {
    const template = { group: GROUP, ...(asked === undefined ? {} : { connection_limit: asked }) };
    const specified = provider.specify(termsOf(template), target.version);
    assert.is(specified.ok && specified.value['connection_limit'], given);
  }
});

mints('works whatever the names of the group and of the target are, and reaches nothing by them', async () => {
  const names = sample(groupNames, { numRuns: 12, seed: 7 });
  const groups = [
    ...new Set([`a"b'c`, `"; DROP ROLE ${ADMIN}; --`, `$brevet$`, `%I %s`, `\\'`, 'Grüße 世界', ...names]),
  ];
  await rows(groups.map((name) => `create role ${quoted(name)}`).join(';'));
  const grants = targetGrants({ admin: ADMIN, database: DATABASE, groups, connectRole: CONNECT_ROLE });
  await rows(grants.filter((grant) => grant.includes('ADMIN OPTION') && !grant.includes(CONNECT_ROLE)).join(';'));
  const odd = openTargetOf(provider, { ...database.config, groups }, { secret: database.secret, version: 2 });
  const before = await rows('select rolname from pg_roles order by 1');
  for (const group of groups) {
    const mine = orderFor(provider, odd, termsOf({ group }));
    const { credential } = await provider.mint(mine, odd);
    const sql = connectAs(credential);
    const [who] = await sql.unsafe('select current_user as name');
    assert.is(who?.['name'], group);
    await sql.end();
    await provider.revoke(subjectOf(mine), odd);
    assert.is((await provider.look(subjectOf(mine), odd)).seen, 'gone');
  }
  assert.equal([...(await rows('select rolname from pg_roles order by 1'))], [...before]);
});

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** Names made of what quoting gets wrong. */
const groupNames = array(
  constantFrom('"', "'", '\\', '%', ';', '--', '$', ' ', '.', '/', 'é', 'A', 'a', '{mark}', ')'),
  {
    minLength: 1,
    maxLength: 10,
  },
).map((parts) => `g${parts.join('')}`);

mints.run();
