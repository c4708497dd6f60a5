/** Signs of rubber-stamping, as a table; and who is shown them. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { PersonName } from '../../src/core/ids.ts';
import { instant } from '../../src/core/time.ts';
import { signsOf } from '../../src/oversee/stamping.ts';
import type { Said, Signs } from '../../src/oversee/stamping.ts';
import { administered } from '../support/administrators.ts';
import { must } from '../support/app.ts';

const signs = suite('signs of rubber-stamping');

const S = 1_000;
/** At a second, after so many seconds of looking. */
const said = (at: number, took: number, verdict: Said['verdict'] = 'approve', person = 'paula'): Said => ({
  person: person as PersonName,
  verdict,
  at: instant(at * S),
  tookMs: took * S,
});

const TABLE: readonly (readonly [what: string, said: readonly Said[], signs: Partial<Signs>])[] = [
  [
    'one careful yes',
    [said(0, 60)],
    { decisions: 1, approvalRate: 1, medianMs: 60 * S, underTenSeconds: 0, batches: 0 },
  ],
  ['a yes in a blink', [said(0, 2)], { underTenSeconds: 1 }],
  ['exactly ten seconds', [said(0, 10)], { underTenSeconds: 0 }],
  [
    'one of each',
    [said(0, 20), said(100, 40, 'reject'), said(200, 30, 'narrow')],
    { approved: 1, rejected: 1, narrowed: 1, approvalRate: 1 / 3, medianMs: 30 * S },
  ],
  ['an even number', [said(0, 20), said(100, 40)], { medianMs: 30 * S }],
  ['two in one go are no batch', [said(0, 5), said(15, 5)], { batches: 0, largestBatch: 0 }],
  ['three in one go', [said(0, 5), said(20, 5), said(40, 5)], { batches: 1, largestBatch: 3 }],
  ['a gap in between', [said(0, 5), said(20, 5), said(41, 5)], { batches: 0 }],
  [
    'two batches, in any order',
    [200, 0, 10, 210, 20, 220, 230].map((at) => said(at, 1)),
    { batches: 2, largestBatch: 4 },
  ],
];

for (const [what, all, expected] of TABLE) {
  signs(`of ${what}`, () => {
    const [found] = signsOf(all);
    for (const [name, value] of Object.entries(expected)) assert.is(found?.[name as keyof Signs], value, name);
  });
}

signs('are each person’s own, who answered the most first', () => {
  const all = [said(0, 5, 'approve', 'pia'), said(1, 5), said(2, 5)];
  assert.equal(
    signsOf(all).map(({ person, decisions }) => [person, decisions]),
    [
      ['paula', 2],
      ['pia', 1],
    ],
  );
  assert.equal(signsOf([]), []);
});

signs('are shown to oversight alone, of its own tenants', async () => {
  const { app, as, close } = await administered();
  try {
    const at = app.deps.clock();
    const row = (tenant: string, n: number) => `('${tenant}', 'apr_${n}', 'req_${n}', 'approved', 1, '{}', 1,
      '[{"person":"paula","operator":"p","verdict":"approve","at":${at},"passkey":"k","packageHash":"h","tookMs":4000}]')`;
    const rows = [row('acme', 1), row('birch', 2), row('elsewhere', 3)].map((one) =>
      one.replace(/'(apr|req)_(\d)'/g, (_, of: string, n: string) => `'${of}_7zzzzzzzzzzzzzzzzzzzzzzzz${n}'`),
    );
    await app.sql(`insert into approvals (tenant, id, request, state, expires_at, terms, step_ends_at, votes)
      values ${rows.join(',')}`);
    const seen = must(await as('otto', 'GET', '/api/oversight/approvers?days=1')).body['items'] as Record<
      string,
      unknown
    >[];
    assert.equal(
      seen.map((one) => [one['person'], one['decisions'], one['median_ms'], one['under_ten_seconds']]),
      [['paula', 2, 4000, 2]],
    );
    assert.is((await as('ada', 'GET', '/api/oversight/approvers')).body['code'], 'function_needed');
    assert.is((await as('otto', 'GET', '/api/oversight/approvers?days=0')).body['code'], 'invalid_field');
    assert.is((await as('otto', 'GET', '/api/oversight/approvers?person=paula')).body['code'], 'unknown_field');
  } finally {
    await close();
  }
});

signs.run();
