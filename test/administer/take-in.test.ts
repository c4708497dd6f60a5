/** The bundle on disk: what an empty broker takes in, and what it is told of where another is active. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { takeIn } from '../../src/administer/take-in.ts';
import type { BundleFiles } from '../../src/core/registers.ts';
import { bundleVersion } from '../../src/decide/bundle.ts';
import { bundleOnDisk, emptyApp, rulesOnDisk } from '../support/app.ts';

const taking = suite('administer/take-in');

const onDisk = await bundleOnDisk();
const lean = await rulesOnDisk();
const empty = await emptyApp();
taking.after(() => empty.close());

function edited(files: BundleFiles, file: string, from: string, to: string): BundleFiles {
  const text = files[file] ?? '';
  assert.ok(text.includes(from), `${file} holds ${from}`);
  return { ...files, [file]: text.replace(from, () => to) };
}

const BAD_ROLES = edited(lean, 'roles.yaml', 'function: oversight', 'function: overlooking');
const FAILING = edited(onDisk, 'cases/tickets.yaml', 'effect: permit', 'effect: forbid');

const activeIn = async (): Promise<string | null> => {
  empty.deps.store.forget(null);
  return (await empty.deps.store.deployment()).policy;
};

for (const [what, files, told] of [
  ['has problems', BAD_ROLES, /^roles\.yaml:\d+: /m],
  ['has a case that comes out otherwise', FAILING, /^cases\/tickets\.yaml: the case "[^"]+" comes out otherwise: /m],
] as const) {
  taking(`an empty broker takes none that ${what}`, async () => {
    const refused: unknown = await takeIn(empty.deps, files).catch((fault: unknown) => fault);
    assert.is((refused as Error).name, 'BadBundle');
    assert.match((refused as Error).message, told);
    assert.is(await activeIn(), null);
  });
}

taking('an empty broker takes the one on disk, and says so once', async () => {
  await takeIn(empty.deps, lean);
  await takeIn(empty.deps, lean);
  assert.is(await activeIn(), bundleVersion(lean));
  const entries = await empty.sql<{ policy: string; by: string }>(
    `select text::json -> 'facts' ->> 'policy' as policy, text::json -> 'actor' ->> 'kind' as by
      from entries where kind = 'policy.activated'`,
  );
  assert.equal(
    entries.map(({ policy, by }) => [policy, by]),
    [[bundleVersion(lean), 'broker']],
  );
});

for (const [what, files, event] of [
  ['one with problems', BAD_ROLES, 'policy.on_disk_is_bad'],
  ['another, whatever its cases', FAILING, 'policy.on_disk_differs'],
] as const) {
  taking(`where one is active, ${what} is told of and left`, async () => {
    const before = empty.logged.length;
    await takeIn(empty.deps, files);
    assert.match(empty.logged.slice(before).join('\n'), `"${event}"`);
    assert.is(await activeIn(), bundleVersion(lean));
  });
}

taking.run();
