import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { POLICY_DIR } from '../support/policy.ts';
import { residentBrevet as brevet } from './resident.ts';

const test = suite('brevet policy diff');

const folder = mkdtempSync(join(tmpdir(), 'brevet-diff-'));
test.after(() => rmSync(folder, { recursive: true }));

function copyWith(name: string, file: string, edit: (text: string) => string): string {
  const copy = join(folder, name);
  cpSync(POLICY_DIR, copy, { recursive: true });
  writeFileSync(join(copy, file), edit(readFileSync(join(copy, file), 'utf8')));
  return copy;
}

test('of a bundle and itself says that there is none', async () => {
  const { status, out } = await brevet(['policy', 'diff', POLICY_DIR, POLICY_DIR]);
  assert.is(status, 0);
  assert.match(out, /^no difference; version [0-9a-f]{64}\n$/);
});

test('marks what is wider, in a table and for programs', async () => {
  const wider = copyWith('wider', 'rules/work.cedar', (text) => text.replace('endpoints > 20', 'endpoints > 50'));
  const table = await brevet(['policy', 'diff', POLICY_DIR, wider]);
  assert.is(table.status, 0, table.err);
  assert.match(
    table.out,
    /WIDER +patch-bot +acme +patching +patch\.routine .*endpoints 21.* ask .*many-endpoints-ask.* permit/,
  );
  assert.match(table.out, /this WIDENS what may be done; digest [0-9a-f]{64}/);
  const { out, status } = await brevet(['policy', 'diff', POLICY_DIR, wider, '--json']);
  const found = JSON.parse(out) as { widens: boolean; digest: string; not_evaluated: unknown[] };
  assert.is(status, 0);
  assert.ok(found.widens && table.out.includes(found.digest) && Array.isArray(found.not_evaluated));
});

test('of a folder with problems tells them and ends with 1', async () => {
  const broken = copyWith('broken', 'roles.yaml', (text) => text.replace('function: execution', 'function: all'));
  const { status, out } = await brevet(['policy', 'diff', POLICY_DIR, broken]);
  assert.is(status, 1);
  assert.match(out, 'roles.yaml:');
});

test.run();
