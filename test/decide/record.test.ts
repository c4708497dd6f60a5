/** A decision as it is written down: in three parts, without what people wrote in the leaf, and plain for its caller. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { canonicalText } from '../../src/core/canonical.ts';
import { decide } from '../../src/decide/decide.ts';
import { failureOf } from '../../src/decide/decision.ts';
import { ledgerFields, publicDecision } from '../../src/decide/record.ts';
import { NOW, asking, forbids, policyOf, shipped } from './world.ts';

const policy = policyOf();
const records = suite('decide/record');

records('a permit, part by part', () => {
  const fields = ledgerFields(decide(policy, asking('triage-bot', 'ticket.route', 'eurolane', { ttl: 900 })));
  assert.equal(fields, {
    approval: { effect: 'permit', rules: ['triage-works-tickets'], policy: shipped.version },
    execution: {
      task: 'ticket.route',
      role: 'triage',
      provider: 'jwt',
      target: 'service-desk',
      target_version: 1,
      tier: 2,
      raised: [{ to: 2, because: 'contract:notify' }],
      ttl: 300,
      uses: 1,
      narrowed: [{ what: 'ttl', asked: 900, given: 300, by: 'task:ticket.route' }],
      not_enforced: ['ticket', 'queue', 'resource'],
      death: { revoked: 'commit', evidence: 'introspection refuses it', expiry_ends_use: true },
    },
    oversight: {
      overseers: ['overseer'],
      notify: ['overseer'],
      notify_by: new Date(NOW + 15 * 60_000).toISOString(),
      review_by: new Date(NOW + 7 * 86_400_000).toISOString(),
    },
  });
});

records('an ask says by which route and until when', () => {
  const { approval } = ledgerFields(decide(policy, asking('net-bot', 'firewall.change', 'acme')));
  assert.is(approval['deadline'], new Date(NOW + 3_600_000).toISOString());
  assert.is(approval['route'], 'client-infrastructure');
});

records('a forbid names its rules to the ledger, and none to its caller', () => {
  const asked = asking('advisor', 'ticket.route', 'acme');
  const decision = decide(policy, asked);
  const { approval, execution, oversight } = ledgerFields(decision);
  assert.equal(approval['rules'], ['advisory-agents-read-only']);
  assert.equal([execution, oversight], [{}, {}]);
  const told = [publicDecision(decision), { ...failureOf(forbids(asked, 'forbidden_by_rule')) }];
  for (const body of told) assert.not.match(JSON.stringify(body), /advisory-agents-read-only/);
});

records('what an agent wrote is in no leaf', () => {
  const canary = 'canary-5f1c';
  const more = { resource: `service-desk/${canary}`, reason: canary, purpose: canary, plan: canary };
  const decision = decide(policy, asking('triage-bot', 'ticket.route', 'acme', more));
  assert.not.match(JSON.stringify(ledgerFields(decision)), /canary/);
  assert.match(JSON.stringify(publicDecision(decision)), /canary/);
});

records('every form has canonical JSON', () => {
  for (const [agent, task] of [
    ['triage-bot', 'ticket.route'],
    ['net-bot', 'firewall.change'],
    ['advisor', 'ticket.route'],
  ] as const) {
    const decision = decide(policy, asking(agent, task, 'acme'));
    assert.type(canonicalText(publicDecision(decision)), 'string');
    assert.type(canonicalText({ ...ledgerFields(decision) }), 'string');
  }
});

records.run();
