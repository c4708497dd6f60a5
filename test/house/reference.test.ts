/** docs/reference.md says what the code says. `node test/house/reference.test.ts --write` draws it anew. */
import { readFileSync, writeFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BROKER_SETTINGS } from '../../src/config.ts';
import { withErrors } from './reference.ts';

const PAGE = new URL('../../docs/reference.md', import.meta.url);

const reference = suite('docs/reference.md');

reference('has every error as the table of failures has it', () => {
  const page = readFileSync(PAGE, 'utf8');
  if (process.argv.includes('--write')) writeFileSync(PAGE, withErrors(page));
  else assert.is(withErrors(page), page);
});

reference('names every setting that config.ts reads', () => {
  const page = readFileSync(PAGE, 'utf8');
  const missing = BROKER_SETTINGS.filter((name) => !page.includes(`\`${name}\``));
  assert.equal(missing, []);
});

reference.run();
