/** The same at AWS from workerd, where the SDK is another build, and its answers are read by another parser. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { policyForAws, targetAt } from '../../support/aws/bundle.ts';
import { awsWorld } from '../../support/aws/world.ts';
import type { AwsWorld } from '../../support/aws/world.ts';
import { clientOf, proverOf, setUp, startWorker, sweepOnce, workersDatabase } from '../../workers/world.ts';
import type { RunningWorker, WorkersDatabase } from '../../workers/world.ts';

let database: WorkersDatabase;
let worker: RunningWorker;
let world: AwsWorld;
let session: string;

const HOSTS = { BREVET_ALLOW_PRIVATE_HOSTS: '127.0.0.1' };

const workers = suite('Brevet on workerd at AWS');
workers.before(async () => {
  database = await workersDatabase();
  const keys = await setUp(database, {
    policy: await policyForAws(),
    env: HOSTS,
    more: async ({ url, token, put, assign }) => {
      const path = '/api/tenants/acme/targets/reports';
      world = await awsWorld(async (front) => {
        await put(path, targetAt(front));
        const read = await fetch(new URL(path, url), { headers: { authorization: `Bearer ${token}` } });
        return /"external_id":"([0-9a-f]{32})"/.exec(await read.text())?.[1] ?? '';
      });
      await put('/api/tenants/acme/acceptances/triage-bot', {
        model_version: '3.1',
        tasks: ['ticket.route', 'report.query'],
        reason: 'A test',
      });
      await assign({ tenant: 'acme', holder: { agent: 'triage-bot' }, role: 'reporting' });
    },
  });
  worker = await startWorker(database, { vars: HOSTS });
  await sweepOnce(worker);
  const agent = clientOf(worker.url, proverOf('triage-bot', keys.agent));
  session = String((await agent('token', { grant_type: 'client_credentials' })).body['access_token']);
});
workers.after(async () => {
  await worker.harness.close();
  await world.close();
  await database.stop();
});

async function post(path: string, body: unknown): Promise<Record<string, Record<string, string>>> {
  const headers = { authorization: `Bearer ${session}`, 'content-type': 'application/json' };
  const response = await fetch(new URL(path, worker.url), { method: 'POST', headers, body: JSON.stringify(body) });
  const text = await response.text();
  assert.ok(response.ok, text);
  return JSON.parse(text) as Record<string, Record<string, string>>;
}

workers('a session is given, used, ended and seen dead', async () => {
  const { lease, credential = {} } = await post('/t/acme/requests', {
    task: 'report.query',
    resource: 'reports',
    parameters: { ticket: 'acme-1' },
    reason: 'A report is due',
  });
  assert.is(await world.reads(credential, 'acme-1'), true);
  assert.is(await world.reads(credential, 'acme-2'), false);
  const ended = await post(`/t/acme/leases/${lease?.['id']}/complete?wait=20`, {
    outcome: 'succeeded',
    summary: 'Read',
  });
  assert.match(JSON.stringify(ended), '"verified"');
  assert.is(await world.reads(credential, 'acme-1'), false);
});

workers.run();
