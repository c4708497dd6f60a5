import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { lineLog } from '../../src/cli/log.ts';
import { story } from '../../src/cli/lease.ts';
import { fields, shown, table } from '../../src/cli/terminal.ts';
import { Secret } from '../../src/core/secret.ts';

const terminal = suite('what a terminal shows');

const SHOWN: readonly (readonly [value: unknown, text: string])[] = [
  ['plain', 'plain'],
  [null, '-'],
  [undefined, '-'],
  [7, '7'],
  [false, 'false'],
  [['a', 'b'], 'a, b'],
  [[], '-'],
  [{ person: 'ada' }, 'person ada'],
  [{ how: 'verified', evidence: { role: 'gone', sessions: 0 } }, 'how verified, evidence (role gone, sessions 0)'],
  [
    [
      { to: 3, because: 'probation' },
      { to: 3, because: 'no_channel' },
    ],
    'to 3, because probation; to 3, because no_channel',
  ],
  [{}, '-'],
  ['\u001b[31mred\u001b[0m', '\\u{1b}[31mred\\u{1b}[0m'],
  ['two\nlines', 'two\\u{a}lines'],
  ['\u202eabc', '\\u{202e}abc'],
  [['a\u0007'], 'a\\u{7}'],
];
for (const [value, text] of SHOWN) terminal(JSON.stringify(value) ?? 'nothing', () => assert.is(shown(value), text));

terminal('a table is as wide as its cells', () => {
  const lines = table(
    ['name', 'until'],
    [
      ['a-long-name', '-'],
      ['b', '2026'],
    ],
  );
  assert.is(lines, 'NAME         UNTIL\na-long-name  -\nb            2026');
});

terminal('one thing has a line for each field', () => {
  assert.is(fields({ id: 'lse_1', exposure_ms: 12 }), 'id           lse_1\nexposure_ms  12');
});

terminal('a timeline tells who said what apart from what was seen', () => {
  const step = {
    at: '2026-01-01T00:00:00Z',
    kind: 'lease.revoked',
    actor: { kind: 'agent', name: 'report-bot', by: 'private_key_jwt' },
    facts: { cause: 'completed', outcome: null },
    said: { summary: 'all\u001b[2J well' },
    seen: { sessions: 0 },
  };
  assert.is(
    story({ lease: 'lse_1', steps: [step] }),
    [
      'lease  lse_1',
      '',
      '2026-01-01T00:00:00Z  lease.revoked  by report-bot (private_key_jwt)',
      '    cause: completed',
      '    said summary: all\\u{1b}[2J well',
      '    seen sessions: 0',
    ].join('\n'),
  );
});

terminal.run();

const logs = suite('a log');

logs('is a line of JSON for each event, and holds no secret', () => {
  const lines: string[] = [];
  const log = lineLog(
    (line) => lines.push(line),
    () => 0,
  );
  log.warn('mint.failed', { lease: 'lse_1', key: new Secret('canary'), fault: new TypeError('wrong') });
  const [line = ''] = lines;
  assert.not.match(line, 'canary');
  const { at, level, event, lease, key, fault } = JSON.parse(line) as Record<string, unknown>;
  assert.equal(
    { at, level, event, lease, key },
    { at: '1970-01-01T00:00:00.000Z', level: 'warn', event: 'mint.failed', lease: 'lse_1', key: '[secret]' },
  );
  assert.is((fault as { message: string }).message, 'wrong');
});

logs.run();
