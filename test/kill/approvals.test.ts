/**
 * A node is killed with `kill -9` at every step of a person's answer and of the redemption of it, with at least eight
 * approvals at that step, and started again. Who answered tries again with the same signature, and the agent with a
 * fresh assertion. No yes that was acknowledged is lost, none is worth two credentials, and one whose lease never came
 * to be is worth one still.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseDocument } from 'yaml';
import { createProver } from '../../src/client/assertion.ts';
import { instant } from '../../src/core/time.ts';
import { Authenticator } from '../support/authenticator.ts';
import { answer, formOn, givePasskey, signInWith, statementOn, Surfer } from '../support/console.ts';
import type { Got } from '../support/console.ts';
import { ask, complete, leaseOf, newKey, QUERY, receiptOf, redeem } from '../support/kill-agent.ts';
import type { Receipt } from '../support/kill-agent.ts';
import { approvalRows, faultsOf } from '../support/kill-approvals.ts';
import { audit, cutHolds, hastenReconciling, lostReceipts } from '../support/kill-audit.ts';
import { endNodes, startNode } from '../support/kill-node.ts';
import type { NodeProcess } from '../support/kill-node.ts';
import type { Step, StepVerb } from '../support/kill-steps.ts';
import { actOnItsOwn, LEAST_IN_FLIGHT } from '../support/kill-bring.ts';
import { administer, killWorld, sessionAt } from '../support/kill-world.ts';
import type { KillWorld } from '../support/kill-world.ts';
import { random } from '../support/target.ts';

const AT_ONCE = LEAST_IN_FLIGHT + 2;
const STEP_LIMIT_MS = 60_000;

/** What has to be under way for the step to be reached. `lost`: the mint of what was redeemed is lost before it is sent. */
type Act = 'answer' | 'redeem' | 'lost';

const ACTS: Readonly<Record<Act, readonly StepVerb[]>> = {
  answer: ['approval.move'],
  redeem: ['lease.open', 'mint', 'lease.activate'],
  lost: ['fence', 'lease.fail'],
};

interface Moment {
  readonly act: Act;
  readonly step: Step;
}

const MOMENTS: readonly Moment[] = (Object.keys(ACTS) as Act[]).flatMap((act) =>
  ACTS[act].flatMap((verb) =>
    (['before', 'after'] as const).map((when) => ({
      act,
      step: { provider: 'postgres', phase: act === 'lost' ? 'reconcile' : 'ask', verb, when } as const,
    })),
  ),
);

/** One approval, and what was acknowledged of it. */
interface Asked {
  readonly request: string;
  readonly approval: string;
  /** What paula signed, to be sent again as it was. */
  signed: Readonly<Record<string, string>> | null;
  /** Her yes was taken, and she was told so. */
  answered: boolean;
  lease: string | null;
  acknowledged: boolean;
}

let world: KillWorld;
let paula: Surfer;
let key: Authenticator;
/** The node of the moment, and where one answers. */
let at: NodeProcess;
let url: string;
const all: Asked[] = [];
const receipts: Receipt[] = [];

const test = suite('a node is killed while people answer and agents redeem');

test.before(async () => {
  world = await killWorld({ edit: manyOpen });
  const serving = await world.serve();
  url = serving.url;
  key = await givePasskey(serving, 'paula', new Authenticator(world.publicUrl, { synced: true }));
  await administer(world, serving.url, 'PUT', '/api/operators/paula', { person: 'paula' });
  await actOnItsOwn(world, serving.url, 'ask-always');
  // She stays signed in through it all.
  paula = new Surfer({ app: { request: overHttp } }, world.publicUrl);
  const { status, text } = await signInWith(paula, key);
  assert.is(status, 303, text);
  await serving.stop();
});

test.after(async () => {
  endNodes();
  await world.close();
});

/** So that one person may be asked all of it. */
async function manyOpen(folder: string): Promise<void> {
  const file = join(folder, 'routes.yaml');
  const routes = parseDocument(await readFile(file, 'utf8'));
  routes.set('most_open', 1_000);
  await writeFile(file, routes.toString());
}

/** To the node of the moment, as a proxy before several would. What it never answers is of status 0. */
async function overHttp({ pathname, search }: URL, init: RequestInit): Promise<Response> {
  try {
    return await fetch(`${url}${pathname}${search}`, { ...init, redirect: 'manual' });
  } catch (fault) {
    if (fault instanceof TypeError) return Response.error();
    throw fault;
  }
}

async function start(entry: 'start' | 'armed'): Promise<void> {
  at = await startNode(world, entry);
  ({ url } = at);
}

async function begin(session: string): Promise<Asked> {
  const reply = await ask(url, session, QUERY, newKey());
  if (reply?.status !== 202) throw new Error(JSON.stringify(reply));
  const { id } = reply.body['approval'] as { readonly id: string };
  const asked = {
    request: String(reply.body['request']),
    approval: id,
    signed: null,
    answered: false,
    lease: null,
    acknowledged: false,
  };
  all.push(asked);
  return asked;
}

const pageOf = ({ approval }: Asked): string => `/approvals/acme/${approval}`;

/** Opens the page and signs what it shows; nothing is sent yet. */
async function sign(asked: Asked): Promise<void> {
  const path = pageOf(asked);
  const page = await paula.get(path);
  assert.is(page.status, 200, page.text);
  const assertion = key.sign(statementOn(page, path));
  asked.signed = { ...formOn(page, path), answer: answer(assertion) };
}

async function send(asked: Asked): Promise<Got> {
  const got = await paula.post(pageOf(asked), asked.signed ?? {});
  if (got.status === 303) asked.answered = true;
  return got;
}

async function comeFor(asked: Asked): Promise<number> {
  const prove = createProver(
    'report-bot',
    `${world.publicUrl}/t/acme`,
    { key: world.keys['report-bot'] },
    { clock: () => instant(Date.now()), random },
  );
  const reply = await redeem(url, asked.request, await prove());
  if (reply?.status !== 201) return reply?.status ?? 0;
  assert.not(asked.acknowledged, `${asked.approval}: two credentials of one yes`);
  asked.acknowledged = true;
  asked.lease = leaseOf(reply);
  const receipt = receiptOf(reply);
  if (receipt !== null) receipts.push(receipt);
  return reply.status;
}

async function bring({ act, step }: Moment, group: readonly Asked[]): Promise<readonly Promise<unknown>[]> {
  await Promise.all(group.map(sign));
  if (act === 'answer') {
    at.arm(step);
    return group.map(send);
  }
  for (const got of await Promise.all(group.map(send))) assert.is(got.status, 303, got.text);
  const since = Date.now();
  at.arm(step);
  const coming = group.map(comeFor);
  if (act === 'lost') {
    await Promise.all(coming);
    await hastenReconciling(world, since);
  }
  return coming;
}

const stateOf = async ({ request }: Asked) => (await approvalRows(world)).find((row) => row.request === request)?.state;

/** What people and agents do whose broker went away. */
async function goOn(group: readonly Asked[]): Promise<void> {
  for (const asked of group.filter(({ answered }) => !answered)) {
    const landed = (await stateOf(asked)) === 'approved';
    const { status, text } = await send(asked);
    assert.is(status, landed ? 409 : 303, text);
    asked.answered = true;
  }
  for (const asked of group.filter(({ acknowledged }) => !acknowledged)) {
    const before = await stateOf(asked);
    const status = await comeFor(asked);
    assert.is(status, before === 'approved' ? 201 : 409, `${asked.approval}, which was ${before}`);
  }
}

async function mustHold(place: string): Promise<void> {
  const rows = await approvalRows(world);
  assert.equal(rows.flatMap(faultsOf), [], place);
  const { orphans, undead } = await audit(world);
  assert.equal([...orphans, ...undead], [], `${place}: what lives and should not`);
  const known = new Map(rows.map((row) => [row.request, row]));
  const worth = ({ request }: Asked) => ['approved', 'redeemed'].includes(known.get(request)?.state ?? '');
  assert.equal(
    all.filter((asked) => asked.answered && !worth(asked)).map(({ approval }) => approval),
    [],
    `${place}: a yes that was acknowledged and lost`,
  );
  const lost = all.filter(({ acknowledged, lease, request }) => acknowledged && known.get(request)?.lease !== lease);
  assert.equal(
    lost.map(({ approval }) => approval),
    [],
    `${place}: credentials that were acknowledged and lost`,
  );
  assert.equal(await lostReceipts(world, receipts), [], `${place}: entries that were acknowledged and lost`);
}

for (const moment of MOMENTS) {
  const { act, step } = moment;
  const place = `${act}: ${step.when} ${step.verb}`;
  test(place, async () => {
    await start('armed');
    const session = await sessionAt(world, url, 'report-bot');
    const group = await Promise.all(Array.from({ length: AT_ONCE }, () => begin(session)));
    const waiting = await bring(moment, group);
    const reached = await at.reached(LEAST_IN_FLIGHT, STEP_LIMIT_MS);
    await at.kill();
    await Promise.allSettled(waiting);
    await mustHold(`${place}, at the kill`);
    await cutHolds(world);

    await start('start');
    // What was opened and never minted is found to be nothing, and its approval is worth a credential again.
    await hastenReconciling(world, 0);
    while (await anyOpening()) await new Promise((turn) => setTimeout(turn, 100));
    await goOn(group);
    await mustHold(`${place}, when all have tried again`);
    const again = await sessionAt(world, url, 'report-bot');
    const given = group.flatMap(({ lease }) => lease ?? []);
    await Promise.all(given.map((lease) => complete(url, again, lease, 30)));
    await at.kill();
    console.log(`${place}: ${reached.size} at it, ${given.length} of ${group.length} had their credential in the end`);
  });
}

const anyOpening = async (): Promise<boolean> =>
  (await approvalRows(world)).some(({ leases }) => leases.some(({ state }) => state === 'opening'));

test('in the end everything is told, and what was given is dead', async () => {
  await start('start');
  const living = async () =>
    (await approvalRows(world)).flatMap(({ leases }) =>
      leases.filter(({ state }) => state !== 'revoked' && state !== 'failed'),
    );
  while ((await living()).length > 0) await new Promise((turn) => setTimeout(turn, 200));
  await mustHold('in the end');
  assert.equal((await audit(world)).held, []);
  // Each step either came to its credential or is spent on a lease whose keys went with the node that had them.
  const states = new Set((await approvalRows(world)).map(({ state }) => state));
  assert.equal([...states], ['redeemed']);
  await at.kill();
});

test.run();
