/**
 * The JSON Schemas that editors read say what the loader takes. After a change of a form:
 * `node test/policy/schemas.test.ts --write`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { format } from 'prettier';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { z } from 'zod';
import { CasesFile } from '../../src/decide/bundle/cases.ts';
import { CharterFile } from '../../src/decide/bundle/charter.ts';
import { RolesFile } from '../../src/decide/bundle/roles.ts';
import { RoutesFile } from '../../src/decide/bundle/routes.ts';
import { TasksFile } from '../../src/decide/bundle/tasks.ts';

const FORMS = { bundle: CharterFile, roles: RolesFile, tasks: TasksFile, routes: RoutesFile, cases: CasesFile };

const placeOf = (name: string): URL => new URL(`../../policy/schemas/${name}.schema.json`, import.meta.url);

async function schemaOf(name: keyof typeof FORMS): Promise<string> {
  const schema = z.toJSONSchema(FORMS[name], { target: 'draft-2020-12', io: 'input', unrepresentable: 'any' });
  return format(JSON.stringify({ title: `Brevet policy: ${name}`, ...schema }), { parser: 'json', printWidth: 120 });
}

const schemas = suite('policy/schemas');

for (const name of ['bundle', 'roles', 'tasks', 'routes', 'cases'] as const) {
  schemas(`the schema of ${name} is what the loader takes`, async () => {
    const made = await schemaOf(name);
    if (process.argv.includes('--write')) writeFileSync(placeOf(name), made);
    assert.is(readFileSync(placeOf(name), 'utf8'), made);
  });
}

schemas.run();
