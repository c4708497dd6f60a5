import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { POLICY_DIR } from '../support/policy.ts';
import { residentBrevet as brevet } from './resident.ts';

const test = suite('brevet policy explain and summary');

const CASE = 'Cardholder data stays out of reach';

test('tells the lead the rule with its place, and the agent what it could do', async () => {
  const { status, out, err } = await brevet(['policy', 'explain', POLICY_DIR, '--case', CASE]);
  assert.is(status, 0, err);
  const [, agent = '', lead = ''] = out.split(/For the agent|For the security lead/);
  assert.match(lead, /decided +cardholder-data-stays-out +forbid +rules\/data\.cedar:\d+ +Cardholder data/);
  assert.match(agent, 'could: Name another target, such as sales. -> permit');
  assert.not.match(agent, 'cardholder-data-stays-out');
});

test('takes a request that is no case', async () => {
  const asked = ['--agent', 'patch-bot', '--tenant', 'acme', '--task', 'patch.routine', '--resource', 'endpoints'];
  const said = ['--param', 'package=openssl-3.5', '--param', 'endpoints:=200', '--say', 'confidence:=0.9'];
  const { status, out, err } = await brevet(['policy', 'explain', POLICY_DIR, ...asked, ...said, '--json']);
  assert.is(status, 0, err);
  const { lead } = JSON.parse(out) as { lead: { approval: { effect: string; rules: string[] } } };
  assert.equal([lead.approval.effect, lead.approval.rules], ['ask', ['many-endpoints-ask']]);
});

const MISUSED: readonly (readonly [args: readonly string[], says: RegExp])[] = [
  [['--case', 'No such case'], /no case named No such case/],
  [
    ['--agent', 'nobody', '--tenant', 'acme', '--task', 'ticket.route', '--resource', 'service-desk'],
    /no such agent or client/,
  ],
  [['--agent', 'triage-bot'], /tenant is missing/],
];

for (const [args, says] of MISUSED) {
  test(`refuses ${args.join(' ')}`, async () => {
    const { status, err } = await brevet(['policy', 'explain', POLICY_DIR, ...args]);
    assert.is(status, 2);
    assert.match(err, says);
  });
}

test('sums up a bundle on one page', async () => {
  const { status, out } = await brevet(['policy', 'summary', POLICY_DIR]);
  assert.is(status, 0);
  assert.match(out, /^What agents may do at all clients\n/);
  assert.match(out, /Agents do this by themselves\n  triage: ticket\.route\*/);
  assert.match(out, 'by people alone, whoever approves: documentation.read-password');
  assert.ok(out.split('\n').length <= 75, `${out.split('\n').length} lines`);
});

test('sums up one client, with why something asks', async () => {
  const { status, out } = await brevet(['policy', 'summary', POLICY_DIR, '--tenant', 'northwind-clinic']);
  assert.is(status, 0);
  assert.match(out, /reporting: report\.query\*?: Health and personal records/);
  assert.is((await brevet(['policy', 'summary', POLICY_DIR, '--tenant', 'nowhere'])).status, 2);
});

test.run();
