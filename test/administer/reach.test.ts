import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { must, testApp } from '../support/app.ts';

const app = await testApp();
const reach = suite('the report of reach');

reach('is of every tenant, for who administers the deployment', async () => {
  const { body } = must(await app.operator('ada', 'GET', '/api/policy/sod'));
  const tenants = body['tenants'] as readonly { readonly tenant: string; readonly issues: boolean }[];
  assert.equal(
    tenants.map(({ tenant, issues }) => [tenant, issues]),
    [
      ['acme', true],
      ['birch', true],
    ],
  );
  const people = body['people'] as readonly { readonly person: string; readonly deputy_of: readonly string[] }[];
  assert.equal(people.find(({ person }) => person === 'dana')?.deputy_of, ['birch-bot', 'report-bot', 'triage-bot']);
  assert.is((body['conflicts'] as readonly unknown[]).length, 1, 'one administrator');
});

reach('is nobody else’s', async () => {
  const answer = await app.operator('otto', 'GET', '/api/policy/sod');
  assert.is(answer.status, 403);
  assert.is((await app.call('GET', '/api/policy/sod', { token: await app.session() })).status, 401);
});

reach.after(() => app.close());
reach.run();
