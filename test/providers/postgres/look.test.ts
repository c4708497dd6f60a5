/** Death takes two looks, both since the end; the first of them may have gone out with it. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { OpenTarget, Sighting, Subject } from '../../../src/core/provider.ts';
import { milliseconds } from '../../../src/core/time.ts';
import { endTogether } from '../../../src/providers/postgres/end.ts';
import { PATIENCE } from '../../../src/providers/postgres/lane.ts';
import { lookTwice } from '../../../src/providers/postgres/look.ts';
import { postgresProvider } from '../../../src/providers/postgres/provider.ts';
import type { PostgresProvider } from '../../../src/providers/postgres/provider.ts';
import { openSite } from '../../../src/providers/postgres/site.ts';
import type { Site } from '../../../src/providers/postgres/site.ts';
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
import { startProxy } from '../proxy.ts';
import type { Proxy } from '../proxy.ts';
import { connectAs } from './holder.ts';

const GONE: Sighting = { seen: 'gone', evidence: { by: 'the first look' } };
const THERE: Sighting = { seen: 'present', evidence: { nodes: [] } };

let database: ClientDatabase;
let proxy: Proxy;
let provider: PostgresProvider;
let target: OpenTarget;
let site: Site;

const looks = suite('looks');

looks.before(async () => {
  database = await clientDatabase({ max_prepared_transactions: '0' });
  proxy = await startProxy(database.port);
  provider = postgresProvider({ random, clock: processClock, patience: milliseconds(500) });
  const nodes = [{ host: '127.0.0.1', port: proxy.port }];
  target = openTargetOf(provider, { ...database.config, nodes }, { secret: database.secret });
  site = openSite(target, PATIENCE);
});
looks.after(async () => {
  await site.close();
  await provider.close();
  await proxy.close();
  await database.remove();
});

async function mint() {
  const order = orderFor(provider, target, termsOf({ group: GROUP }));
  const { credential, reference } = await provider.mint(order, target);
  return {
    mark: order.mark,
    subject: subjectOf(order, { reference }),
    credential: { ...credential, port: database.port },
  };
}

/** What an end tells of each that it ended. */
async function seenAtTheEnd(...subjects: readonly Subject[]): Promise<readonly (string | null)[]> {
  const outcomes = await endTogether(site, subjects);
  return outcomes.map((outcome) => (outcome.status === 'fulfilled' ? (outcome.value.seen?.seen ?? null) : 'failed'));
}

/** Looks with the answers given, in order. @returns what comes of them, and how many were asked for. */
async function lookWith(before: Sighting | null, ...answers: readonly Sighting[]): Promise<readonly [string, number]> {
  let asked = 0;
  const look = () => Promise.resolve(answers[asked++] ?? THERE);
  const { seen } = await lookTwice(look, { mark: 'brevet_x' } as Subject, before);
  return [seen, asked];
}

looks('are two where nobody has looked since the end', async () => {
  assert.equal(await lookWith(null, GONE, GONE), ['gone', 2]);
  assert.equal(await lookWith(null, GONE, THERE), ['present', 2]);
});

looks('are one more where it was seen gone with its end, and that one counts', async () => {
  assert.equal(await lookWith(GONE, GONE), ['gone', 1]);
  assert.equal(await lookWith(GONE, THERE), ['present', 1]);
});

looks('come with the end of a login that nobody uses', async () => {
  const [one, other] = [await mint(), await mint()];
  assert.equal(await seenAtTheEnd(one.subject, other.subject), ['gone', 'gone']);
});

looks('do not come with the end of one that had a session: more was done to it since', async () => {
  const [used, quiet] = [await mint(), await mint()];
  const session = connectAs(used.credential);
  await session`select 1`;
  const [ofUsed, ofQuiet] = await seenAtTheEnd(used.subject, quiet.subject);
  assert.is(ofUsed, null);
  assert.is(ofQuiet, 'gone');
  assert.is((await provider.look(used.subject, target)).seen, 'gone');
  await session.end({ timeout: 0 });
});

looks('go to the server once more, whatever was seen with the end', async () => {
  const { mark, subject } = await mint();
  await provider.revoke(subject, target);
  // Somebody makes a login of that very name.
  await withAdmin(database.superuser, (sql) => sql.unsafe(`create role ${mark} login`));
  assert.is((await provider.look(subject, target)).seen, 'present');
  await withAdmin(database.superuser, (sql) => sql.unsafe(`drop role ${mark}`));
  await provider.revoke(subject, target);
  proxy.stall();
  assert.is((await provider.look(subject, target)).seen, 'unseen');
  proxy.resume();
});

looks.run();
