/** One act takes back what was done at tier 2: the lease ends, and the agent is let do what is ordered, once, and no more. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { watch } from '../../src/broker.ts';
import type { ApprovalId } from '../../src/core/ids.ts';
import { administered } from '../support/administrators.ts';
import { agentBody, must, PERMITTED, PUBLISHED } from '../support/app.ts';
import type { Answer } from '../support/app.ts';
import { deciding } from '../support/deciding.ts';

const { app, node, as, close } = await administered();
const channel = { name: 'webhook', reaches: () => true, tell: () => Promise.resolve() } as const;
/** Somebody can be told, so that tier 2 is tier 2. */
const [here, other] = [await node({ channels: [channel] }), await node({ channels: [channel] })];

const reversals = suite('reversals');
reversals.after(close);

const REASON = { reason: 'It is wrong' };
const BACK = { ...PUBLISHED, task: 'kb.unpublish', reason: 'Oversight has ordered it' };

const ask = async (body: object, at = here, headers = {}): Promise<Answer> =>
  at.call('POST', '/t/acme/requests', { token: await app.session('triage-bot'), body, headers });
const leaseIn = ({ body }: Answer): string => (body['lease'] as { id: string }).id;
const published = async (): Promise<string> => leaseIn(must(await ask(PUBLISHED)));
const click = (lease: string, who = 'otto', tenant = 'acme') =>
  as(who, 'POST', `/t/${tenant}/leases/${lease}/reverse`, REASON, here);

interface Ordered {
  readonly id: string;
  readonly [name: string]: unknown;
}
const ordered = async (lease: string): Promise<Ordered> => must(await click(lease)).body['order'] as Ordered;
const waiting = async (agent = 'triage-bot') =>
  must(await here.call('GET', '/t/acme/orders', { token: await app.session(agent) })).body['items'] as Ordered[];

reversals('end the lease, order its rollback, and leave a look to somebody else', async () => {
  const lease = await published();
  const done = must(await click(lease)).body;
  assert.is((done['lease'] as { state: string }).state, 'revoked');
  const order = done['order'] as Ordered;
  assert.equal(
    [order['task'], order['takes_back'], order['resource'], order['parameters']],
    ['kb.unpublish', lease, 'tickets', PUBLISHED.parameters],
  );
  assert.equal(await waiting(), [order]);
  assert.equal(await waiting('report-bot'), [], 'it is one agent’s');
  const [review] = await app.sql(`select what, not_by, done_by from reviews where about = '${order.id}'`);
  assert.equal(review, { what: 'reversal', not_by: ['otto'], done_by: null });
  assert.is((await ask(BACK)).status, 202, 'without the order it is new here, and asks');
  const back = must(await ask({ ...BACK, order: order.id }));
  assert.is(back.status, 201);
  assert.equal(await waiting(), []);
  const listed = must(await as('otto', 'GET', '/api/orders', undefined, here)).body['items'] as Ordered[];
  assert.is(listed.find(({ id }) => id === order.id)?.['request'], back.body['request']);
  const { steps } = must(await as('otto', 'GET', `/t/acme/leases/${lease}/timeline`)).body as {
    steps: { kind: string }[];
  };
  assert.ok(steps.some(({ kind }) => kind === 'order.given'));
});

reversals('are not held up by a pause, nor ended by one', async () => {
  const { id: order } = await ordered(await published());
  const { id: pause } = must(await app.operator('otto', 'POST', '/api/pauses', REASON)).body;
  const back = must(await ask({ ...BACK, order }));
  assert.is(back.status, 201);
  const { id: second } = must(await app.operator('otto', 'POST', '/api/pauses', REASON)).body;
  await app.sql('update work set due = 0');
  await watch(here.deps);
  const [row] = await app.sql<{ state: string }>(`select state from leases where id = '${leaseIn(back)}'`);
  assert.is(row?.state, 'active');
  for (const id of [pause, second]) must(await as('otto', 'POST', `/api/pauses/${String(id)}/end`, REASON));
});

reversals('stay what they are where a person is asked first, and a pause has begun since', async () => {
  const { redeem, say } = await deciding(app);
  const { id: order } = await ordered(await published());
  const { situations: _, ...context } = must(await app.operator('ada', 'GET', '/api/tenants/acme/context')).body;
  const contextIs = async (resources: unknown) =>
    must(await app.operator('ada', 'PUT', '/api/tenants/acme/context', { ...context, resources }));
  await contextIs([{ resource: 'tickets', environment: 'production', data_classes: [], change_managed: true }]);
  const asked = await ask({ ...BACK, order, change: 'CHG-7' });
  assert.is(asked.status, 202, asked.text);
  const waits = {
    request: String(asked.body['request']),
    approval: (asked.body['approval'] as { id: ApprovalId }).id,
  };
  const { id: pause } = must(await app.operator('otto', 'POST', '/api/pauses', REASON)).body;
  assert.is(await say('paula', waits), 'approved');
  const redeemed = await redeem(waits, here);
  assert.is(redeemed.status, 201, redeemed.text);
  must(await as('otto', 'POST', `/api/pauses/${String(pause)}/end`, REASON));
  await contextIs(context['resources']);
});

reversals('are held up by a block, which spends no order', async () => {
  const { id: order } = await ordered(await published());
  const body = { scope: 'task', name: 'kb.unpublish', tenants: ['acme'], ...REASON };
  const { id } = must(await app.operator('otto', 'POST', '/api/blocks', body)).body;
  assert.is((await ask({ ...BACK, order })).body['code'], 'blocked');
  must(await as('otto', 'POST', `/api/blocks/${String(id)}/lift`, REASON));
  assert.is((await ask({ ...BACK, order })).status, 201);
});

reversals('are taken once, also by two nodes at the same moment, and whatever key comes along', async () => {
  const { id: order } = await ordered(await published());
  const both = await Promise.all(
    [here, other].map((at, n) => ask({ ...BACK, order }, at, { 'idempotency-key': `k${n}` })),
  );
  assert.equal(
    both.map(({ status }) => status).toSorted((a, b) => a - b),
    [201, 409],
  );
  const refused = await ask({ ...BACK, order });
  assert.equal([refused.status, refused.body['code']], [409, 'order_over']);
  assert.is(refused.body['request'], both.find(({ status }) => status === 201)?.body['request']);
});

reversals('let nobody do anything else in their name', async () => {
  const { id: order } = await ordered(await published());
  for (const [what, path] of [
    [{ ...PERMITTED }, 'task'],
    [{ ...BACK, resource: 'other' }, 'resource'],
    [{ ...BACK, parameters: { article: 'kb-2' } }, 'parameters.article'],
  ] as const) {
    const refused = await ask({ ...what, order });
    assert.equal([refused.body['code'], refused.body['path']], ['invalid_field', path]);
  }
  const token = await app.session('report-bot');
  const theft = await here.call('POST', '/t/acme/requests', { token, body: { ...BACK, order } });
  assert.is(theft.body['code'], 'not_found');
  const birch = await here.call('POST', '/t/birch/requests', {
    token: await app.session('birch-bot', 'birch'),
    body: { ...BACK, order },
  });
  assert.equal([birch.body['code'], birch.body['detail']], ['not_found', theft.body['detail']]);
  assert.is((await ask({ ...BACK, order: 'ord_x' })).body['code'], 'invalid_field');
  await app.sql(`update orders set until = 1 where id = '${order}'`);
  assert.is((await ask({ ...BACK, order })).body['code'], 'order_over', 'its time is over');
});

reversals('are one act of oversight, and the same when it comes again', async () => {
  const lease = await published();
  assert.is((await click(lease, 'ada')).body['code'], 'function_needed');
  const local = await app.operator('otto', 'POST', `/t/acme/leases/${lease}/reverse`, REASON);
  assert.is(local.body['code'], 'local_token_refused');
  assert.is((await click(lease, 'otto', 'birch')).status, 404);
  const first = await ordered(lease);
  const again = must(await click(lease)).body;
  assert.equal([(again['order'] as Ordered).id, again['receipt']], [first.id, null]);
});

reversals('are of tier 2, and of what can be taken back', async () => {
  const lease = leaseIn(must(await ask(PERMITTED)));
  const refused = await click(lease);
  assert.equal([refused.status, refused.body['code']], [409, 'not_reversible']);
  const [row] = await app.sql<{ state: string }>(`select state from leases where id = '${lease}'`);
  assert.is(row?.state, 'active', 'it was not ended either');
});

reversals('are refused to who answers for the agent', async () => {
  const lease = await published();
  must(await app.operator('ada', 'PUT', '/api/agents/triage-bot', agentBody({ deputy: 'otto' })));
  assert.is((await click(lease)).body['code'], 'in_conflict');
  must(await app.operator('ada', 'PUT', '/api/agents/triage-bot', agentBody()));
});

reversals.run();
