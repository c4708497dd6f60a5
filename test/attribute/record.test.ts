import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { must, PERMITTED, testApp } from '../support/app.ts';

const app = await testApp();

const record = suite('what is written of a request');

/** Every decision point: what set it off, what was looked at, for what and on which basis, and by which model. */
const SAID = {
  trigger: { kind: 'ticket', reference: 'ACME-1' },
  data_considered: ['ticket ACME-1', 'the queue of the network team'],
  data_classes: [],
  purpose: 'support',
  legal_basis: 'contract',
  environment: 'production',
  confidence: 0.9,
  model: 'planner',
  model_version: '3.1',
  ttl: 120,
};

record('has all that the agent said, under the names that it was said by', async () => {
  const { task, ...rest } = PERMITTED;
  const said = { ...rest, ...SAID };
  const token = await app.session();
  const asked = must(await app.call('POST', '/t/acme/requests', { token, body: { task, ...said } }));
  const { id } = asked.body['lease'] as { id: string };
  const { steps } = must(await app.call('GET', `/t/acme/leases/${id}/timeline`, { token })).body as unknown as {
    steps: { kind: string; said: object; facts: Record<string, unknown>; accountable: string }[];
  };
  const step = steps.find(({ kind }) => kind === 'request.permitted');
  assert.equal(step?.said, said);
  assert.equal([step?.accountable, step?.facts['task'], step?.facts['enrolled_model_version']], ['olga', task, '3.1']);
});

record.after(() => app.close());
record.run();
