/** The kill switch from the command line, against a real broker: what is mistyped stops nothing, and says so. */
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createBrevet } from '../../src/client/brevet.ts';
import { administrator, newKey, newPlace, populate, startBroker, stopBroker } from '../acceptance/broker.ts';
import type { Place, Process } from '../acceptance/broker.ts';
import { administered } from '../support/administrators.ts';
import { must } from '../support/app.ts';
import type { Ended } from './cli.ts';
import { residentBrevet } from './resident.ts';

const ROUTE = {
  task: 'ticket.route',
  resource: 'tickets',
  parameters: { ticket: 'ACME-1', queue: 'network' },
  reason: 'A ticket came in',
};
const WHY = ['--reason', 'It mails strangers'] as const;
const UNKNOWN = 'blk_01jq0000000000000000000000';

let place: Place;
let broker: Process;
let ask: () => Promise<unknown>;

const blocks = suite('brevet block');

blocks.before(async () => {
  place = await newPlace();
  broker = await startBroker(place);
  const by = await administrator(place);
  const keys = await populate(by, { 'triage-bot': ['triage'] });
  await by.put('/api/tenants/birch', { display_name: 'Birch' });
  await by.assign({ tenant: 'birch', holder: { person: 'otto' }, role: 'overseer' });
  await by.put('/api/people/stray', { display_name: 'Stray' });
  await by.put('/api/operators/stray', { person: 'stray' });
  await by.put('/api/tenants/acme/targets/tickets', {
    provider: 'jwt',
    config: { audience: 'https://tickets.acme.example', checks: 'introspection' },
    environment: 'production',
    jwk: (await newKey()).publicJwk,
  });
  await by.put('/api/tenants/acme/targets/cloud', {
    provider: 'aws',
    config: { role_arn: 'arn:aws:iam::111122223333:role/agents', regions: ['eu-west-1'] },
    environment: 'sandbox',
  });
  const agent = createBrevet({ url: place.url, tenant: 'acme', agent: 'triage-bot', key: keys['triage-bot'] ?? {} });
  ask = () => agent.ask(ROUTE);
});
blocks.after(async () => {
  await stopBroker(broker);
});

const as = (operator: string, ...args: readonly string[]): Promise<Ended> =>
  residentBrevet(['block', ...args, '--as', operator], { env: place.env });

async function done(...args: readonly string[]): Promise<Ended> {
  const ended = await as('otto', ...args);
  assert.is(ended.status, 0, ended.err);
  return ended;
}

/** Who types what, how it ends, and what they are told. */
const REFUSED: readonly (readonly [who: string, words: string, status: number, told: RegExp])[] = [
  [
    'otto',
    'raise agent triage-bto',
    1,
    /no agent triage-bto here \(not_found, at name\)\n {2}Did you mean triage-bot\?/,
  ],
  ['otto', 'raise agent zzz', 1, /no agent zzz here.*\n {2}See `brevet inventory`/],
  ['otto', 'raise agnet triage-bot', 2, /no scope agnet; did you mean agent\?/],
  ['otto', 'raise zzz triage-bot', 2, /no scope zzz; it is one of lease, agent/],
  ['otto', 'raise owner olgs', 1, /Did you mean olga\?/],
  ['otto', 'raise model planer', 1, /Did you mean planner\?/],
  ['otto', 'raise task ticket.rout', 1, /Did you mean ticket\.route\?/],
  ['otto', 'raise role triag', 1, /Did you mean triage\?/],
  ['otto', 'raise tenant acmee', 1, /oversee no tenant acmee.*\n {2}Did you mean acme\?/],
  ['otto', 'raise target tickts --tenant acme', 1, /Did you mean tickets\?/],
  ['otto', 'raise target tickets', 2, /a target is at one tenant: say which/],
  ['otto', 'raise provider postgre', 1, /Did you mean postgres\?/],
  ['otto', 'raise lease lse_1 --tenant acme', 1, /Copy the whole id/],
  ['otto', 'raise agent', 2, /name the agent/],
  ['otto', 'raise everything acme', 2, /everything has no name/],
  ['otto', 'raise', 2, /SCOPE is missing/],
  ['otto', 'raise everything --wait soon', 2, /--wait takes a whole number/],
  ['otto', 'raise everything --until tomorrow', 2, /RFC 3339/],
  ['otto', 'raise everything --until 2020-01-01T00:00:00Z', 2, /would have ended already/],
  ['otto', 'raise tenant acme --drill', 2, /acme is no sandbox: its target tickets is production/],
  ['ada', 'raise agent triage-bot', 3, /This takes oversight \(function_needed\)/],
  ['stray', 'raise everything', 3, /This takes oversight \(function_needed\)/],
  ['nobody', 'raise everything', 1, /there is no operator nobody/],
  ['otto', `lift ${UNKNOWN}`, 1, /nothing here \(not_found\)/],
];

for (const [who, words, status, told] of REFUSED) {
  blocks(`${words}, by ${who}, stops nothing`, async () => {
    const ended = await as(who, ...words.split(' '), ...WHY);
    assert.match(ended.err, told);
    assert.is(ended.status, status, ended.err);
    assert.is(ended.out, '');
    assert.is((await done('list', '--standing')).out, 'none\n');
  });
}

blocks('raise takes a reason', async () => {
  const { status, err } = await as('otto', 'raise', 'everything');
  assert.is(status, 2);
  assert.match(err, '--reason is missing');
});

const idIn = (text: string): string => /blk_\w+/.exec(text)?.[0] ?? '';

blocks('preview counts, and raise ends and tells that it is over', async () => {
  await ask();
  assert.match(
    (await done('preview', 'agent', 'triage-bot')).out,
    /^it would stand at acme, birch; 1 credential not over$/m,
  );
  const raised = await done('raise', 'agent', 'triage-bot', ...WHY);
  assert.match(raised.err, /^block blk_\w+ stands at acme, birch \(\d+ ms\)$/m);
  assert.match(raised.out, /^lse_\w+ +acme +triage-bot +tickets +verified +\S+Z +0 +seen introspection refuses/m);
  assert.match(raised.out, /\nit is over\n$/);
  const again = await done('watch', idIn(raised.err));
  assert.match(again.out, /\nit is over\n$/);
  assert.match(await ask().then(() => 'issued', String), 'blocked');
});

blocks('preview tells whose role would be denied, and where there is none to deny', async () => {
  const { out } = await done('preview', 'target', 'cloud', '--tenant', 'acme', '--deny-role');
  assert.match(out, /^all that the role of cloud at acme gave before ends, whoever has it$/m);
  assert.not.match((await done('preview', 'target', 'cloud', '--tenant', 'acme')).out, 'the role of');
  const none = await as('otto', 'preview', 'agent', 'triage-bot', '--deny-role');
  assert.equal([none.status, none.out], [2, '']);
  assert.match(none.err, 'no target wholly inside it has a role that can be denied');
});

blocks('a local token does not lift, nor does who sees nothing of it', async () => {
  const id = idIn((await done('list', '--standing')).out);
  const local = await as('otto', 'lift', id, ...WHY);
  assert.equal([local.status, local.out], [3, '']);
  assert.match(local.err, /local_token_refused\)\n {2}Sign in at the operators’ issuer, and call with its token\./);
  const stranger = await as('stray', 'lift', id, ...WHY);
  assert.equal([stranger.status, stranger.out], [1, '']);
  assert.match(stranger.err, 'there is nothing here');
  assert.is(idIn((await done('list', '--standing')).out), id);
});

blocks('raise with --wait 0 stands, and leaves it to watch to see the end', async () => {
  const { err, out } = await done('raise', 'role', 'triage', '--tenant', 'birch', '--wait', '0', ...WHY);
  assert.match(err, /^block blk_\w+ stands at birch \(\d+ ms\)\n$/);
  assert.is(out, `see how it ends what lives there: brevet block watch ${idIn(err)}\n`);
});

blocks('raise tells programs what it tells people', async () => {
  const { out } = await done('raise', 'task', 'ticket.route', '--json', ...WHY);
  const told = JSON.parse(out) as { scope: string; progress: { over: boolean }; leases: unknown[] };
  assert.equal([told.scope, told.progress.over, told.leases], ['task', true, []]);
});

blocks('a person lifts, and is told by whom and when it was lifted once they ask again', async () => {
  const { app, as: signedIn, token, close } = await administered();
  const listening = Promise.withResolvers<AddressInfo>();
  const server = serve({ fetch: app.app.fetch, port: 0, hostname: '127.0.0.1' }, listening.resolve);
  const { port } = await listening.promise;
  try {
    const of = { scope: 'agent', name: 'triage-bot', reason: 'It mails strangers' };
    const id = String(must(await signedIn('otto', 'POST', '/api/blocks', of)).body['id']);
    const env = { BREVET_URL: `http://127.0.0.1:${port}`, BREVET_OPERATOR_TOKEN: await token('otto') };
    const lift = async (...args: readonly string[]) =>
      (await residentBrevet(['block', 'lift', id, ...WHY, ...args], { env })).out;
    const [at, entry] = [String.raw`\d{4}-[\d:T.-]+Z`, String.raw`ent_\w{26}`];
    const told = (...words: readonly string[]) => new RegExp(`^block ${id} is lifted at ${words.join('')}\n$`);
    assert.match(await lift('--tenant', 'acme'), told(`acme \\(${entry}\\); it still stands at birch`));
    assert.match(await lift('--tenant', 'acme'), told(`acme already, by otto \\(${at}\\); it still stands at birch`));
    assert.match(await lift(), told(`birch \\(${entry}\\)`));
    assert.match(await lift(), told(`acme, birch already, by otto \\(${at}\\)`));
  } finally {
    server.close();
    await close();
  }
});

blocks.run();
