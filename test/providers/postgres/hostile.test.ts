/**
 * The holder of a login tries to keep it. Each try is one of pitfall 41's; each login must be seen dead all the same.
 *
 * Every try runs over a real session of the login and is left in place while the login is revoked.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { Sql } from 'postgres';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ProviderUnavailable } from '../../../src/core/provider.ts';
import type { Minted, MintOrder, OpenTarget, Sighting, Subject } from '../../../src/core/provider.ts';
import { postgresProvider } from '../../../src/providers/postgres/provider.ts';
import type { PostgresProvider } from '../../../src/providers/postgres/provider.ts';
import { withAdmin } from '../../support/postgres.ts';
import {
  clientDatabase,
  GROUP,
  openTargetOf,
  orderFor,
  processClock,
  random,
  subjectOf,
  termsOf,
} from '../../support/target.ts';
import type { ClientDatabase } from '../../support/target.ts';
import { connectAs, works } from './holder.ts';

let database: ClientDatabase;
let provider: PostgresProvider;
let target: OpenTarget;
const connections: Sql[] = [];

const hostile = suite('a hostile holder of a login');

hostile.before(async () => {
  database = await clientDatabase({ max_prepared_transactions: '10', max_connections: '40' });
  // A client may let its reports use temporary tables.
  await rows('grant temporary on database tickets to public');
  provider = postgresProvider({ random, clock: processClock });
  target = openTargetOf(provider, database.config, { secret: database.secret });
});
hostile.after.each(async () => {
  await Promise.all(connections.splice(0).map((sql) => sql.end({ timeout: 0 })));
});
hostile.after(async () => {
  await provider.close();
  await database.remove();
});

interface Held {
  readonly order: MintOrder;
  readonly minted: Minted;
  readonly subject: Subject;
}

async function held(): Promise<Held> {
  const order = orderFor(provider, target, termsOf({ group: GROUP }));
  const minted = await provider.mint(order, target);
  return { order, minted, subject: subjectOf(order, { reference: minted.reference }) };
}

/** A session of the login; errors of its last statement are the holder's own business. */
function session({ minted }: Held, more: Parameters<typeof connectAs>[1] = {}): Sql {
  const sql = connectAs(minted.credential, more);
  connections.push(sql);
  return sql;
}

async function end(subject: Subject): Promise<Sighting> {
  await provider.revoke(subject, target);
  return provider.look(subject, target);
}

const rows = (statement: string, of = database.superuser) => withAdmin(of, (sql) => sql.unsafe(statement));

async function assertDead({ minted, order, subject }: Held): Promise<void> {
  const sighting = await end(subject);
  assert.is(sighting.seen, 'gone', JSON.stringify(sighting));
  assert.is(await works(minted.credential, 'select 1'), false);
  const sessions = await rows(`select count(*)::int as n from pg_stat_activity where usename = '${order.mark}'`);
  assert.is(sessions[0]?.['n'], 0);
  assert.is((await rows('select gid from pg_prepared_xacts')).length, 0);
}

/** Statements of a session that is then left as it is, open transaction and all. */
const TRIES: readonly (readonly [what: string, statements: readonly string[]])[] = [
  ['reads on in an open session', ['select * from tickets']],
  ['sits in an open transaction', ['begin', 'select * from tickets']],
  ['keeps a lock on its own role', ['set role none', 'begin', `alter role $me password 'x'`]],
  ['keeps a lock on its own settings', ['set role none', 'begin', 'alter role $me set work_mem = 64']],
  ['has changed its password', ['set role none', `alter role $me password 'mine now'`]],
  ['has unset its group', ['set role none', `alter role $me set role = none`]],
  ['has prepared a transaction', ['begin', 'select * from tickets', `prepare transaction 'mine'`]],
  ['has prepared one with a name of its own choice', ['begin', `prepare transaction 'a''b"; drop role x; --\\'`]],
  [
    'has prepared a lock on its own role',
    ['set role none', 'begin', `alter role $me password 'x'`, `prepare transaction 'lock'`],
  ],
  ['has prepared a lock on the table', ['begin', 'lock tickets in access share mode', `prepare transaction 'table'`]],
  ['has a temporary table', ['set role none', 'create temporary table mine (id int)']],
  ['listens', ['listen everything']],
  ['holds every advisory lock that comes to its mind', ['select pg_advisory_lock(n) from generate_series(1, 500) n']],
];

for (const [what, statements] of TRIES) {
  hostile(`is dead though it ${what}`, async () => {
    const login = await held();
    const sql = session(login);
    for (const statement of statements) await sql.unsafe(statement.replace('$me', login.order.mark));
    await assertDead(login);
  });
}

hostile('is dead though its outcome was never recorded and it keeps a lock', async () => {
  const login = await held();
  const sql = session(login);
  await sql.unsafe('set role none');
  await sql.unsafe('begin');
  await sql.unsafe(`alter role ${login.order.mark} password 'x'`);
  await assertDead({ ...login, subject: subjectOf(login.order) });
});

hostile('is dead though it comes back at once, from every slot that it has, and locks its role each time', async () => {
  const login = await held();
  const over = new AbortController();
  const fights = Array.from({ length: 5 }, async () => {
    while (!over.signal.aborted) {
      const sql = connectAs(login.minted.credential);
      const locks = (async () => {
        await sql.unsafe('set role none');
        await sql.unsafe('begin');
        await sql.unsafe(`alter role ${login.order.mark} password 'x'`);
      })();
      // postgres.js may forget a query whose connection is being ended.
      await Promise.race([locks.catch(() => null), wait(500)]);
      await wait(1);
      await sql.end({ timeout: 0 });
    }
  });
  await wait(100);
  await untilRevoked(login.subject);
  assert.is((await provider.look(login.subject, target)).seen, 'gone');
  over.abort();
  await Promise.all(fights);
});

/** As the caller does: what time may heal is tried again. */
async function untilRevoked(subject: Subject): Promise<void> {
  for (let tries = 1; tries <= 10; tries++) {
    const fault = await provider.revoke(subject, target).then(
      () => null,
      (caught: unknown) => caught,
    );
    if (fault === null) return;
  }
  throw new Error('ten revocations failed');
}

hostile('holds up nobody who is ended in the same batch', async () => {
  const logins = await Promise.all(Array.from({ length: 5 }, held));
  const [holder, ...others] = logins;
  if (holder === undefined) throw new Error('no holder');
  const sql = session(holder);
  await sql.unsafe('set role none');
  await sql.unsafe('begin');
  await sql.unsafe(`alter role ${holder.order.mark} password 'x'`);
  await Promise.all([holder, ...others].map(assertDead));
});

hostile('holds up nobody by a computation that nothing interrupts', async () => {
  const [holder, other] = [await held(), await held()];
  const stuck = session(holder);
  const computing = stuck.unsafe(UNINTERRUPTED).catch(() => 'ended');
  await untilComputing(holder);
  const ending = provider.revoke(holder.subject, target).catch((fault: unknown) => fault);
  await wait(200);
  await assertDead(other);
  assert.is((await provider.look(holder.subject, target)).seen, 'present', 'its session computes on, and is told of');
  await Promise.all([computing, ending]);
  await assertDead(holder);
});

/** The server's XML library asks nobody whether to go on: some seconds, by the number of elements to the third power. */
const UNINTERRUPTED = `select xpath('count(//b[count(//b[count(//b) > 0]) > 0])',
  ('<a>' || repeat('<b/>', 700) || '</a>')::xml)`;

async function untilComputing({ order }: Held): Promise<void> {
  const query = `select from pg_stat_activity where usename = '${order.mark}' and query like '%xpath%' and state = 'active'`;
  while ((await rows(query)).length === 0) await wait(20);
}

hostile('cannot lock Brevet out by filling every slot that logins may fill', async () => {
  const logins: Held[] = [];
  const full = async () => {
    for (;;) logins.push(await held());
  };
  const refused: unknown = await full().catch((fault: unknown) => fault);
  assert.match(String(refused), /fill its connection slots/);
  assert.is(refused instanceof ProviderUnavailable && refused.answered, true, 'it is there, and has no room');
  const open = logins.flatMap((login) => Array.from({ length: 5 }, () => session(login)));
  const connected = await Promise.allSettled(open.map((sql) => sql.unsafe('select 1')));
  assert.is(connected.filter(({ status }) => status === 'fulfilled').length, logins.length * 5);
  await Promise.all(logins.map(assertDead));
});

hostile('is ended over the kept connection when the client itself has filled the slots', async () => {
  const login = await held();
  const sql = session(login);
  // Its first end misses, so that it goes alone, for which there is no other connection.
  await sql.unsafe('set role none; begin');
  await sql.unsafe(`alter role ${login.order.mark} password 'x'`);
  await sql.unsafe(`prepare transaction 'locked'`);
  await wait(ASIDE_CLOSED_MS);
  const filling = Array.from({ length: 60 }, () => connectAs(login.minted.credential, clientLogin()));
  connections.push(...filling);
  await Promise.allSettled(filling.map((one) => one.unsafe('select 1')));
  await provider.revoke(login.subject, target);
  assert.is((await provider.look(login.subject, target)).seen, 'gone');
});

/** The connection for those that go alone is closed after five seconds without one. */
const ASIDE_CLOSED_MS = 6_500;

for (const [what, known] of [
  ['is present while a session of it lives, though its role is gone', true],
  ['whose outcome was lost is out of sight while a session of some dropped role lives', false],
] as const) {
  hostile(what, async () => {
    const login = await held();
    const sql = session(login);
    await sql.unsafe('select 1');
    await rows(`drop role ${login.order.mark}`);
    const subject = known ? login.subject : subjectOf(login.order);
    assert.is((await provider.look(subject, target)).seen, known ? 'present' : 'unseen');
    await assertDead(login);
    assert.is((await provider.look(subject, target)).seen, 'gone');
  });
}

const clientLogin = () => {
  const { user, password } = database.superuser;
  return { user, password: { reveal: password } as never };
};

/** What is left behind after `SET ROLE NONE`, owned by the login itself. */
const LEFTOVERS: readonly (readonly [what: string, statements: readonly string[]])[] = [
  ['a large object', ['set role none', `select lo_from_bytea(0, 'mine')`]],
  ['default privileges', ['set role none', 'alter default privileges grant all on tables to public']],
  [
    'both',
    ['set role none', `select lo_from_bytea(0, 'x')`, 'alter default privileges revoke all on tables from public'],
  ],
];

for (const [what, statements] of LEFTOVERS) {
  hostile(`is dead though it left ${what}, which is told, and cleaned up later`, async () => {
    const login = await held();
    const sql = session(login);
    for (const statement of statements) await sql.unsafe(statement);
    const first = await end(login.subject);
    assert.is(first.seen, 'gone');
    assert.ok(first.seen === 'gone' && 'left' in first.evidence, JSON.stringify(first));
    assert.is(await works(login.minted.credential, 'select 1'), false);
    assert.ok((await provider.list(target)).includes(login.order.mark));
    const [role] = await rows(`select count(*)::int as n from pg_auth_members m join pg_roles r on r.oid = m.member
      where r.rolname = '${login.order.mark}'`);
    assert.is(role?.['n'], 0, 'what it left has no rights any more');
    const second = await end(login.subject);
    assert.ok(second.seen === 'gone' && !('left' in second.evidence), JSON.stringify(second));
    assert.not((await provider.list(target)).includes(login.order.mark));
  });
}

hostile('has nothing of the group once it unsets it', async () => {
  const login = await held();
  const sql = session(login);
  await sql.unsafe('set role none');
  assert.match(String(await sql.unsafe('select * from tickets').catch((fault: unknown) => fault)), /permission denied/);
  await assertDead(login);
});

for (const [what, statement] of [
  ['give itself more connections', 'alter role $me connection limit 100'],
  ['live longer', `alter role $me valid until 'infinity'`],
  ['log in again', 'alter role $me login'],
  ['make a login', 'create role friend login'],
  ['pass its group on', `grant ${GROUP} to public`],
  ['rename itself', 'alter role $me rename to me'],
  ['make a table', 'create table mine ()'],
  ['make a function', 'create function f() returns int language sql as $$select 1$$'],
  ['get into another database', ''],
] as const) {
  hostile(`cannot ${what}`, async () => {
    const login = await held();
    const { credential } = login.minted;
    if (statement === '') assert.is(await works(credential, 'select 1', { database: 'postgres' }), false);
    for (const role of statement === '' ? [] : [GROUP, 'none']) {
      assert.is(
        await works(credential, `set role ${role}; ${statement.replace('$me', login.order.mark)}`),
        false,
        role,
      );
    }
    await assertDead(login);
  });
}

hostile('of a class that makes objects is not called verified while code of it remains', async () => {
  await rows(`grant create on schema public to ${GROUP}`);
  const login = await held();
  const sql = session(login);
  await sql.unsafe(`create function back_door() returns setof tickets language sql security definer
    as 'select * from public.tickets'`);
  const sighting = await end(login.subject);
  assert.is(sighting.seen === 'unseen' && sighting.forGood, true, JSON.stringify(sighting));
  const [found] = await rows('select count(*)::int as n from back_door()');
  assert.is(found?.['n'], 3, 'the code is still there, and works');
  await rows('drop function back_door()');
  assert.is((await provider.look(login.subject, target)).seen, 'gone');
  await rows(`revoke create on schema public from ${GROUP}`);
});

hostile('of a class that owns a table cannot hide code in a rule of it', async () => {
  await rows(`create table notes (body text); alter table notes owner to ${GROUP}; create table kept (subject text);
    grant insert on kept to ${GROUP}`);
  const login = await held();
  await assertDead(await held());
  const sql = session(login);
  await sql.unsafe(
    'create rule leak as on insert to notes do also insert into kept select subject from public.tickets',
  );
  const sighting = await end(login.subject);
  assert.is(sighting.seen === 'unseen' && sighting.forGood, true, JSON.stringify(sighting));
  await rows('drop rule leak on notes');
  assert.is((await provider.look(login.subject, target)).seen, 'gone');
  await rows('drop table notes, kept');
});

hostile('of a class that makes objects cannot hide code in what stood before', async () => {
  await rows(`grant create on schema public to ${GROUP}`);
  await rows(`set role ${GROUP}; create function good() returns int language sql as 'select 1'; reset role`);
  const login = await held();
  await assertDead(await held());
  const sql = session(login);
  await sql.unsafe(`create or replace function good() returns int language sql security definer as 'select 2'`);
  const sighting = await end(login.subject);
  assert.is(sighting.seen, 'unseen', JSON.stringify(sighting));
  await rows(`drop function good(); revoke create on schema public from ${GROUP}`);
});

hostile('is dead though somebody else keeps its role from being dropped, and is cleaned up later', async () => {
  const login = await held();
  const sql = session(login);
  await sql.unsafe('select 1');
  const friend = connectAs(login.minted.credential, clientLogin());
  connections.push(friend);
  await friend.unsafe('create temporary table mine ()');
  await friend.unsafe('begin');
  await friend.unsafe(`grant select on mine to ${login.order.mark}`);
  const first = await end(login.subject);
  assert.ok(first.seen === 'gone' && 'left' in first.evidence, JSON.stringify(first));
  assert.is(await works(login.minted.credential, 'select 1'), false);
  await friend.unsafe('rollback');
  const second = await end(login.subject);
  assert.ok(second.seen === 'gone' && !('left' in second.evidence), JSON.stringify(second));
});

hostile('leaves the other logins of its group as they are', async () => {
  const [mine, other] = [await held(), await held()];
  const sql = session(other);
  await sql.unsafe('select 1');
  await assertDead(mine);
  assert.is((await sql.unsafe('select * from tickets')).length, 3);
  assert.is((await provider.look(other.subject, target)).seen, 'present');
  await assertDead(other);
});

hostile.run();
