/** What is measured is asked for by its name. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const RUN = fileURLToPath(new URL('../../bench/run.ts', import.meta.url));

const bench = suite('a run of the bench');

for (const wrong of ['tokenz', '--token', 'quick']) {
  bench(`names its cases, and fails, where it is asked for ${wrong}`, () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [RUN, '--quick', wrong], { encoding: 'utf8' });
    assert.equal([status, stdout], [1, '']);
    assert.match(stderr, `no case is called ${wrong}: there are tokens, logins, gateway`);
  });
}

bench.run();
