/** docs/reference.md says what the code says. `node test/house/reference.test.ts --write` draws it anew. */
import { readFileSync, writeFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createApp } from '../../src/app.ts';
import { BROKER_SETTINGS } from '../../src/config.ts';
import { PROVIDER_KINDS } from '../../src/core/registers.ts';
import { ACCESS_REQUEST_FIELDS } from '../../src/decide/request.ts';
import { drawn, routesOn, routesServed } from './reference.ts';

const PAGE = new URL('../../docs/reference.md', import.meta.url);

const reference = suite('docs/reference.md');

reference('has every error as the table of failures has it, and what provisions a database', () => {
  const page = readFileSync(PAGE, 'utf8');
  if (process.argv.includes('--write')) writeFileSync(PAGE, drawn(page));
  else assert.is(drawn(page), page);
});

reference('names every setting that config.ts reads', () => {
  const page = readFileSync(PAGE, 'utf8');
  const missing = BROKER_SETTINGS.filter((name) => !page.includes(`\`${name}\``));
  assert.equal(missing, []);
});

reference('names every route that is served, and no other', () => {
  const app = createApp(() => {
    throw new Error('nothing is asked of it here');
  });
  const [named, served] = [routesOn(readFileSync(PAGE, 'utf8')), routesServed(app.routes)];
  assert.equal([...served.difference(named)], [], 'served and not named');
  assert.equal([...named.difference(served)], [], 'named and not served');
});

const sectionOf = (title: string): string =>
  new RegExp(`^### ${title}\n(.*?)^### `, 'ms').exec(readFileSync(PAGE, 'utf8'))?.[1] ?? '';

reference('tells of the credential of every provider', () => {
  const section = sectionOf('A credential');
  assert.equal(
    PROVIDER_KINDS.filter((kind) => !section.includes(`\n| \`${kind}\` | `)),
    [],
  );
});

reference('names every field of an access request', () => {
  const section = sectionOf('An access request');
  assert.equal(
    ACCESS_REQUEST_FIELDS.filter((field) => !section.includes(`\`${field}\``)),
    [],
  );
});

reference.run();
