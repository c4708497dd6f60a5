/** What a start keeps of what it compiled, in a copy of the entry with a small program behind it. */
import { spawnSync } from 'node:child_process';
import { chmod, cp, mkdir, readdir, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { temporaryFolder } from '../support/leftovers.ts';
import { MAIN } from './cli.ts';

const PROGRAM = `const said: string = 'ran';\nconsole.log(said);\n`;

const compiled = suite('what was compiled');

/** The entry, and where it would keep what it compiles. */
async function copyOfBrevet(): Promise<{ readonly entry: string; readonly cache: string }> {
  const root = await temporaryFolder('compiled');
  const folder = join(root, 'src', 'cli');
  await mkdir(folder, { recursive: true });
  for (const name of ['brevet.js', 'compiled.js']) await cp(join(dirname(MAIN), name), join(folder, name));
  await writeFile(join(folder, 'main.ts'), PROGRAM);
  await writeFile(join(root, 'package.json'), '{"type":"module"}');
  return { entry: join(folder, 'brevet.js'), cache: join(root, 'node_modules', '.cache', 'brevet') };
}

/** Without the folder that the runner gives to all that it starts. */
function runs(entry: string): void {
  const { NODE_COMPILE_CACHE: _, ...env } = process.env;
  const { status, stdout, stderr } = spawnSync(process.execPath, [entry], { env, encoding: 'utf8' });
  assert.equal([status, stdout, stderr], [0, 'ran\n', '']);
}

const kept = async (cache: string): Promise<number> => (await readdir(cache, { recursive: true })).length;

compiled('is kept where nobody else can enter', async () => {
  const { entry, cache } = await copyOfBrevet();
  runs(entry);
  assert.is((await stat(cache)).mode & 0o777, 0o700);
  assert.ok((await kept(cache)) > 0);
  runs(entry);
});

for (const [name, mode] of [
  ['others can write to', 0o722],
  ['others can read', 0o755],
] as const) {
  compiled(`is not kept in a folder that ${name}`, async () => {
    const { entry, cache } = await copyOfBrevet();
    await mkdir(cache, { recursive: true });
    await chmod(cache, mode);
    runs(entry);
    assert.is(await kept(cache), 0);
  });
}

compiled('is not kept where another folder was put in its place', async () => {
  const { entry, cache } = await copyOfBrevet();
  const other = await temporaryFolder('other');
  await chmod(other, 0o700);
  await mkdir(dirname(cache), { recursive: true });
  await symlink(other, cache);
  runs(entry);
  assert.is(await kept(other), 0);
});

compiled('is not kept where there can be no folder', async () => {
  const { entry, cache } = await copyOfBrevet();
  await writeFile(dirname(dirname(cache)), 'a file');
  runs(entry);
});

compiled.run();
