import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createRefusals } from '../../src/attribute/refusals.ts';
import { watch } from '../../src/broker.ts';
import type { RefusalKind, Refusals } from '../../src/core/refusals.ts';
import { instant } from '../../src/core/time.ts';
import { FORBIDDEN, PERMITTED, testApp } from '../support/app.ts';

const MINUTE = 60_000;
const kind = (more: Partial<Record<keyof RefusalKind, string>> = {}): RefusalKind =>
  ({
    of: 'request',
    tenant: 'acme',
    agent: 'bot',
    accountable: 'olga',
    task: 'ticket.route',
    resource: 'passwords',
    code: 'forbidden_by_rule',
    rules: 'a',
    ...more,
  }) as RefusalKind;

/** Whether it is to be written whole; and then it is. */
function first(refusals: Refusals, of: RefusalKind): boolean {
  if (refusals.repeats(of)) return false;
  refusals.wrote(of);
  return true;
}

const counting = suite('refusals that are alike');

counting('are written whole once, and counted from then on', () => {
  let now = 0;
  const refusals = createRefusals(() => instant(now));
  assert.equal(
    Array.from({ length: 5 }, () => first(refusals, kind())),
    [true, false, false, false, false],
  );
  assert.equal(refusals.take(), [], 'not yet');
  now = 5_000;
  assert.equal(
    refusals.take().map(({ count }) => count),
    [4],
  );
  now = 10_000;
  assert.equal(refusals.take(), []);
});

for (const part of ['of', 'tenant', 'agent', 'task', 'resource', 'code', 'rules'] as const) {
  counting(`are not alike with another ${part}`, () => {
    const refusals = createRefusals(() => instant(0));
    first(refusals, kind());
    assert.is(first(refusals, kind({ [part]: 'other' })), true);
  });
}

counting('are written whole again once their window is over', () => {
  let now = 0;
  const refusals = createRefusals(() => instant(now));
  first(refusals, kind());
  now = MINUTE;
  assert.is(first(refusals, kind()), true);
});

counting('lose no count when their window ends before it is taken', () => {
  let now = 0;
  const refusals = createRefusals(() => instant(now));
  for (let time = 0; time < 3; time++) first(refusals, kind());
  now = MINUTE + 1;
  first(refusals, kind());
  assert.equal(
    refusals.take().map(({ count }) => count),
    [3],
  );
});

counting('are written whole where there are too many kinds to remember', () => {
  const refusals = createRefusals(() => instant(0));
  for (let at = 0; at < 10_000; at++) first(refusals, kind({ resource: `r${at}` }));
  assert.is(first(refusals, kind({ resource: 'one more' })), true);
  assert.is(first(refusals, kind({ resource: 'one more' })), true);
  assert.is(first(refusals, kind({ resource: 'r7' })), false);
});

counting('that could not be written are counted again', () => {
  let now = 0;
  const refusals = createRefusals(() => instant(now));
  for (let time = 0; time < 3; time++) first(refusals, kind());
  now = 5_000;
  for (const counted of refusals.take()) refusals.giveBack(counted);
  first(refusals, kind());
  now = 10_000;
  assert.equal(
    refusals.take().map(({ count }) => count),
    [3],
  );
});

/** By which the counts of the broker are ahead. */
let shift = 0;
const app = await testApp({
  deps: (deps) => ({ ...deps, refusals: createRefusals(() => instant(deps.clock() + shift)) }),
});
const ledger = suite('a storm of refusals');

ledger('leaves the first in sight, and one entry for the rest', async () => {
  const token = await app.session();
  const ask = (body: object) => app.call('POST', '/t/acme/requests', { token, body });
  for (let time = 0; time < 20; time++) assert.is((await ask(FORBIDDEN)).status, 403);
  assert.is((await ask({ ...PERMITTED, resource: 'nowhere' })).status, 403);
  shift += 6_000;
  await watch(app.deps);
  const entries = await app.sql<{ kind: string; text: string }>(
    `select kind, text from entries where kind like 'request.forbidden%' order by at, id`,
  );
  const kinds = entries.map((entry) => entry.kind).toSorted();
  assert.equal(kinds, ['request.forbidden', 'request.forbidden', 'request.forbidden_again']);
  const again = entries.find((entry) => entry.kind === 'request.forbidden_again');
  const { facts, accountable } = JSON.parse(again?.text ?? '{}') as {
    facts: Record<string, unknown>;
    accountable: unknown;
  };
  assert.is(accountable, 'olga');
  assert.is(facts['count'], 19);
  assert.is(facts['rules'], 'credentials-are-not-data');
  const [row] = await app.sql<{ count: string }>('select count from refusal_counts');
  assert.is(Number(row?.count), 19);
});

ledger('of which nothing could be written says so, and forgets none', async () => {
  const token = await app.session();
  const ask = () => app.call('POST', '/t/acme/requests', { token, body: { ...FORBIDDEN, resource: 'passwords/all' } });
  await ask();
  for (let time = 0; time < 5; time++) await ask();
  shift += 6_000;
  await app.sql('revoke insert on entries from brevet_serve');
  try {
    await watch(app.deps).catch(() => undefined);
  } finally {
    await app.sql('grant insert on entries to brevet_serve');
  }
  shift += 6_000;
  await watch(app.deps);
  const [row] = await app.sql<{ count: string }>(`select count from refusal_counts where resource = 'passwords/all'`);
  assert.is(Number(row?.count), 5);
});

ledger.after(() => app.close());
counting.run();
ledger.run();
