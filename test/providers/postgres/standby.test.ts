/** A login lives on every node of its cluster, and is dead when it is dead on all of them. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { OpenTarget } from '../../../src/core/provider.ts';
import { postgresProvider } from '../../../src/providers/postgres/provider.ts';
import type { PostgresProvider } from '../../../src/providers/postgres/provider.ts';
import { milliseconds } from '../../../src/core/time.ts';
import { startStandby } from '../../support/standby.ts';
import type { Standby } from '../../support/standby.ts';
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
import { withAdmin } from '../../support/postgres.ts';
import { startProxy } from '../proxy.ts';
import type { Proxy } from '../proxy.ts';
import { connectAs, works } from './holder.ts';

let database: ClientDatabase;
let standby: Standby;
let proxy: Proxy;
let provider: PostgresProvider;

const standbys = suite('a login at a cluster with a hot standby');

standbys.before(async () => {
  database = await clientDatabase();
  standby = await startStandby(database);
  proxy = await startProxy(standby.port);
  provider = postgresProvider({ random, clock: processClock, patience: milliseconds(1_000) });
});
standbys.after(async () => {
  await provider.close();
  await proxy.close();
  await standby.remove();
  await database.remove();
});

const nodesOf = (...ports: readonly number[]) => ports.map((port) => ({ host: '127.0.0.1', port }));

let versions = 0;
const targetAt = (nodes: readonly object[]): OpenTarget =>
  openTargetOf(provider, { ...database.config, nodes }, { secret: database.secret, version: (versions += 1) });

async function issued(target: OpenTarget) {
  const order = orderFor(provider, target, termsOf({ group: GROUP }));
  const minted = await provider.mint(order, target);
  await standby.caughtUp();
  return { minted, order, subject: subjectOf(order, { reference: minted.reference }) };
}

standbys('loses its session on the standby too', async () => {
  const target = targetAt(nodesOf(database.port, standby.port));
  const { minted, subject } = await issued(target);
  const sql = connectAs(minted.credential, { port: standby.port });
  assert.is((await sql.unsafe('select * from tickets')).length, 3);
  assert.is((await provider.look(subject, target)).seen, 'present');
  await provider.revoke(subject, target);
  await standby.caughtUp();
  const sighting = await provider.look(subject, target);
  assert.is(sighting.seen, 'gone', JSON.stringify(sighting));
  assert.equal(sighting.seen === 'gone' && sighting.evidence['nodes'], [
    { node: `127.0.0.1:${database.port}`, standby: false, sessions: 0, role: 'none' },
    { node: `127.0.0.1:${standby.port}`, standby: true, sessions: 0, role: 'none' },
  ]);
  assert.is(await works(minted.credential, 'select 1', { port: standby.port }), false);
  await sql.end({ timeout: 0 });
});

standbys('is not called dead while the standby has not heard of it', async () => {
  const target = targetAt(nodesOf(database.port, standby.port));
  const { minted, subject } = await issued(target);
  await withAdmin(standby.admin, (sql) => sql`select pg_wal_replay_pause()`);
  await provider.revoke(subject, target);
  assert.is(await works(minted.credential, 'select 1', { port: standby.port }), true);
  assert.is((await provider.look(subject, target)).seen, 'present');
  await withAdmin(standby.admin, (sql) => sql`select pg_wal_replay_resume()`);
  await standby.caughtUp();
  await provider.revoke(subject, target);
  assert.is((await provider.look(subject, target)).seen, 'gone');
});

standbys('is ended on the primary though the standby is out of reach, and called dead only after', async () => {
  const target = targetAt(nodesOf(database.port, proxy.port));
  const { minted, subject } = await issued(target);
  const sql = connectAs(minted.credential, { port: standby.port });
  await sql.unsafe('select 1');
  proxy.stall();
  await provider.revoke(subject, target).then(
    () => assert.unreachable('a node was not reached'),
    (fault: unknown) => assert.match(String(fault), /did not answer/),
  );
  assert.is(await works(minted.credential, 'select 1'), false);
  const sighting = await provider.look(subject, target);
  assert.is(sighting.seen === 'unseen' && !sighting.forGood, true, JSON.stringify(sighting));
  proxy.resume();
  await standby.caughtUp();
  await provider.revoke(subject, target);
  assert.is((await provider.look(subject, target)).seen, 'gone');
  assert.is(await sql.unsafe('select 1').catch(() => 'ended'), 'ended');
  await sql.end({ timeout: 0 });
});

standbys('is never called dead while a node that follows is not named', async () => {
  const target = targetAt(nodesOf(database.port));
  const { subject } = await issued(target);
  await provider.revoke(subject, target);
  const sighting = await provider.look(subject, target);
  assert.is(sighting.seen === 'unseen' && sighting.forGood, true, JSON.stringify(sighting));
  assert.match(sighting.seen === 'unseen' ? sighting.why : '', /1 of the nodes that follow are not named/);
  const findings = await provider.check(target);
  assert.ok(findings.some(({ what }) => /1 of the nodes that follow are not named/.test(what)));
});

standbys('is not called dead either while such a node is away, and has a slot kept for it', async () => {
  const target = targetAt(nodesOf(database.port, standby.port));
  const { subject } = await issued(target);
  await withAdmin(database.admin, (sql) => sql`select pg_create_physical_replication_slot('away', true)`);
  await provider.revoke(subject, target);
  await standby.caughtUp();
  const sighting = await provider.look(subject, target);
  assert.is(sighting.seen === 'unseen' && sighting.forGood, true, JSON.stringify(sighting));
  const warned = (await provider.check(target)).map(({ what }) => what).join();
  assert.match(warned, /1 of the nodes that follow are not named/);
  await withAdmin(database.admin, (sql) => sql`select pg_drop_replication_slot('away')`);
  assert.is((await provider.look(subject, target)).seen, 'gone');
});

standbys('is made on the node that takes writes, whichever is named first', async () => {
  const target = targetAt(nodesOf(standby.port, database.port));
  const { subject } = await issued(target);
  assert.is((await provider.look(subject, target)).seen, 'present');
  await provider.revoke(subject, target);
  await standby.caughtUp();
  assert.is((await provider.look(subject, target)).seen, 'gone');
});

standbys('is out of sight where the nodes are not one cluster', async () => {
  const stranger = await clientDatabase({}, database.secret);
  const target = targetAt(nodesOf(database.port, stranger.port));
  const findings = await provider.check(target);
  assert.ok(findings.some(({ what }) => /is the server \d+, not \d+/.test(what)));
  assert.ok(findings.some(({ what, level }) => level === 'refuse' && /2 of the named nodes take writes/.test(what)));
  const order = orderFor(provider, target, termsOf({ group: GROUP }));
  assert.is((await provider.look(subjectOf(order), target)).seen, 'unseen');
  await stranger.remove();
});

standbys('is found where it was made after the standby was promoted', async () => {
  const target = targetAt(nodesOf(database.port, standby.port));
  const { minted, order, subject } = await issued(target);
  await database.stop();
  await withAdmin(standby.admin, (sql) => sql`select pg_promote(true, 30)`);
  const sql = connectAs(minted.credential, { port: standby.port });
  await sql.unsafe('select 1');
  // The old primary is down and could come back, so each try ends with a fault; one finds the new one.
  for (let tries = 0; tries < 2; tries++) await provider.revoke(subject, target).catch(() => null);
  assert.is((await provider.look(subject, target)).seen, 'unseen');
  assert.is(await sql.unsafe('select 1').catch(() => 'ended'), 'ended');
  const onlyNew = targetAt(nodesOf(standby.port));
  await provider.revoke(subject, onlyNew);
  assert.is((await provider.look(subject, onlyNew)).seen, 'gone');
  await sql.end({ timeout: 0 });
  // The old primary comes back, and takes writes too: which of the two is the truth nobody can say.
  await database.start();
  assert.is((await provider.look(subject, target)).seen, 'present');
  await withAdmin(database.superuser, (one) => one.unsafe(`drop role ${order.mark}`));
  const split = await provider.look(subject, target);
  assert.is(split.seen === 'unseen' && split.why, 'not exactly one node takes writes');
});

standbys.run();
