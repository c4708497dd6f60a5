/** The templates of `deploy/aws/`, by the linter of those who made CloudFormation. Their stack is in `revoke.test.ts`. */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DEPLOY } from '../../support/aws/stack.ts';
import { pythonWithMoto } from '../../support/aws/venv.ts';
import { temporaryFolder } from '../../support/leftovers.ts';

let linter: string;

const deploy = suite('deploy/aws');
deploy.before(async () => {
  linter = join(dirname(await pythonWithMoto()), 'cfn-lint');
});

const lint = (file: string): Promise<string> =>
  new Promise((resolve, reject) => {
    execFile(linter, ['--include-checks', 'I', '--', file], (fault, out) => {
      if (fault !== null && typeof fault.code !== 'number') reject(fault);
      else resolve(out);
    });
  });

for (const file of readdirSync(DEPLOY).filter((name) => name.endsWith('.yaml'))) {
  deploy(`${file} passes its linter`, async () => assert.is(await lint(join(DEPLOY, file)), ''));
}

deploy('the linter sees what is wrong', async () => {
  const broken = join(await temporaryFolder('aws'), 'broken.yaml');
  writeFileSync(broken, readFileSync(join(DEPLOY, 'tenant.yaml'), 'utf8').replaceAll('!Ref Boundary', '!Ref Bounds'));
  assert.match(await lint(broken), 'Bounds');
});

deploy.run();
