/** Modules read lightly are those that Node finds by itself. */
import { spawnSync } from 'node:child_process';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const SRC = new URL('../../src/', import.meta.url).href;

/** Every module that the broker loads, with the kind of file that it is taken for. */
function loaded({ lightly }: { readonly lightly: boolean }): readonly string[] {
  const program = `
    import { registerHooks } from 'node:module';
    import { readModulesLightly } from '${SRC}cli/modules.ts';
    const loaded = [];
    if (${lightly}) readModulesLightly();
    registerHooks({
      load(url, context, next) {
        const read = next(url, context);
        loaded.push(url + ' ' + read.format);
        return read;
      },
    });
    await import('${SRC}node.ts');
    console.log(JSON.stringify(loaded.sort()));`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
    encoding: 'utf8',
  });
  assert.is(stderr, '');
  return JSON.parse(stdout) as string[];
}

const modules = suite('modules read lightly');

modules('are the same files, taken for the same', () => {
  const own = loaded({ lightly: false });
  assert.ok(own.includes(`${SRC}broker.ts module-typescript`));
  assert.equal(loaded({ lightly: true }), own);
});

modules('of what a start has no use for are left until somebody does', () => {
  const own = loaded({ lightly: true });
  for (const later of ['@simplewebauthn', '@peculiar', 'nodemailer', 'node-vault', '@aws-sdk', 'undici']) {
    assert.equal(
      own.filter((line) => line.includes(`/node_modules/${later}/`)),
      [],
    );
  }
});

modules.run();
