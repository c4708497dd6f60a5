/** Calls that are not let through stand in the ledger: the first of a kind whole, the others as a count. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createRefusals } from '../../src/attribute/refusals.ts';
import { watch } from '../../src/broker.ts';
import { instant } from '../../src/core/time.ts';
import { must } from '../support/app.ts';
import { startTool, toolApp } from '../support/tool.ts';
import type { ToolLease } from '../support/tool.ts';

/** By which the counts of the broker are ahead. */
let shift = 0;
const tool = await startTool();
const app = await toolApp(tool, {
  deps: (deps) => ({ ...deps, refusals: createRefusals(() => instant(deps.clock() + shift)) }),
});
await app.target({
  limits: { request_bytes: 1000 },
  key_reaches: 'several',
  tenant_tie: {
    value: '4711',
    forced: { in: 'query', name: 'companyId' },
    lookups: { ticket: { path: '/tickets/{object}', pointer: '/organization/id' } },
  },
});

interface Refused {
  readonly facts: Readonly<Record<string, unknown>>;
  readonly accountable: string;
  readonly said: Readonly<Record<string, unknown>>;
}

async function refusedOf({ id }: Pick<ToolLease, 'id'>): Promise<readonly Refused[]> {
  const rows = await app.sql<{ text: string; values: readonly { name: string; value: unknown }[] }>(
    `select e.text, v."values" from entries e join entry_values v on v.tenant = e.tenant and v.entry = e.id
      where e.lease = '${id}' and e.kind = 'gateway.refused' order by e.at, e.id`,
  );
  return rows.map(({ text, values }) => ({
    ...(JSON.parse(text) as Refused),
    said: Object.fromEntries(values.map(({ name, value }) => [name, value])),
  }));
}

/** Those of the tests before are of another kind for that. */
const later = (): void => {
  shift += 120_000;
};

const refused = suite('a call that is not let through');
refused.before.each(later);

for (const [what, task, [method, path, body], code] of [
  ['by its path', 'tool.read', ['GET', '/tickets/BIR-9?fields=sk_said', undefined], 'gateway_call_refused'],
  ['by its method', 'tool.read', ['DELETE', '/tickets/ACME-1', undefined], 'gateway_call_refused'],
  [
    'since it can be read in two ways',
    'tool.read',
    ['GET', '/tickets/ACME-1;a=b', undefined],
    'gateway_request_refused',
  ],
  ['by what its body says', 'tool.note', ['POST', '/tickets/ACME-1/notes', { other: 1 }], 'gateway_call_refused'],
  ['by its length', 'tool.note', ['POST', '/tickets/ACME-1/notes', { text: 'x'.repeat(2000) }], 'body_too_large'],
] as const) {
  refused(`${what} is written, and nothing of what it says but its path`, async () => {
    const lease = await app.lease(task, { uses: 2 });
    const sent = { token: lease.token, ...(body === undefined ? {} : { body }) };
    assert.is((await app.call(method, `${lease.path}${path}`, sent)).body['code'], code);
    const [entry, ...more] = await refusedOf(lease);
    assert.equal(
      [entry?.facts, entry?.accountable, entry?.said, more],
      [{ code, target: 'psa', task }, 'olga', { method, path: path.split('?')[0] }, []],
    );
    assert.equal(tool.seen, []);
  });
}

refused('since it names another client’s object is written', async () => {
  const lease = await app.lease('tool.read', { uses: 2, parameters: { ticket: 'BIR-9' } });
  const answer = await app.call('GET', `${lease.path}/tickets/BIR-9`, { token: lease.token });
  assert.is(answer.body['code'], 'gateway_not_this_tenants');
  assert.equal(
    (await refusedOf(lease)).map(({ facts }) => facts['code']),
    ['gateway_not_this_tenants'],
  );
});

refused('since its lease is over is written, and one with no lease’s token is not', async () => {
  const lease = await app.lease('tool.read', { uses: 2 });
  const sent = { token: await app.session(), body: { reason: 'A test' } };
  must(await app.call('POST', `/t/acme/leases/${lease.id}/revoke`, sent));
  const call = (token: string) => app.call('GET', `${lease.path}/tickets/ACME-1`, { token });
  for (const token of [lease.token, `${lease.token}x`, await app.session()]) assert.is((await call(token)).status, 401);
  assert.equal(
    (await refusedOf(lease)).map(({ facts }) => facts['code']),
    ['unauthenticated'],
  );
});

refused('after the first of its kind is counted', async () => {
  const leases = [await app.lease('tool.read', { uses: 2 }), await app.lease('tool.read', { uses: 2 })];
  for (let time = 0; time < 5; time++) {
    for (const { path, token } of leases) await app.call('GET', `${path}/tickets/${time}`, { token });
  }
  assert.equal(
    (await Promise.all(leases.map(refusedOf))).map(({ length }) => length),
    [1, 0],
  );
  shift += 6_000;
  await watch(app.deps);
  const again = await app.sql<{ text: string }>(`select text from entries where kind = 'gateway.refused_again'`);
  const counts = again.map(({ text }) => (JSON.parse(text) as Refused).facts);
  assert.equal(counts, [{ task: 'tool.read', code: 'gateway_call_refused', rules: 'target:psa', count: 9 }]);
});

refused('is refused too where it cannot be written, and is written the next time', async () => {
  const lease = await app.lease('tool.read', { uses: 2 });
  const call = () => app.call('GET', `${lease.path}/nowhere`, { token: lease.token });
  await app.sql('revoke insert on entries from brevet_serve');
  try {
    assert.ok((await call()).status >= 400);
  } finally {
    await app.sql('grant insert on entries to brevet_serve');
  }
  assert.is((await call()).status, 403);
  assert.is((await refusedOf(lease)).length, 1);
});

refused.after(async () => {
  await app.close();
  await tool.close();
});
refused.run();
