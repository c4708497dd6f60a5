/** What will be sent for a session, purely. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { AgentName } from '../../../src/core/ids.ts';
import type { MintTerms } from '../../../src/core/provider.ts';
import { seconds } from '../../../src/core/time.ts';
import type { Turns } from '../../../src/core/turns.ts';
import { awsProvider } from '../../../src/providers/aws/provider.ts';
import { EXTERNAL_ID, openTargetOf, processClock, termsOf } from '../../support/target.ts';

const NO_TURNS: Turns = { take: async () => null, isHeld: async () => false, release: async () => undefined };
const provider = awsProvider({ clock: processClock, turns: NO_TURNS });
const ROLE = 'arn:aws:iam::111122223333:role/brevet/agents';
const target = openTargetOf(provider, { role_arn: ROLE, regions: ['eu-west-1'] });
const TEMPLATE = { allow: [{ actions: ['s3:GetObject'], resources: ['arn:aws:s3:::tickets/{{ticket}}'] }] };
const PARAMETERS = { ticket: 'T-1' };

const specify = (more: Partial<MintTerms> = {}) =>
  provider.specify(termsOf(TEMPLATE, { parameters: PARAMETERS, ...more }), target.version);

const specification = suite('the specification of a session');

specification('names the session by its mark, for whom it is, and the id that no tenant chooses', () => {
  const terms = termsOf(TEMPLATE, { parameters: PARAMETERS });
  const made = provider.specify(terms, target.version);
  const { policy, ...rest } = made.ok ? made.value : {};
  assert.equal(rest, {
    provider: 'aws',
    account: '111122223333',
    role_arn: ROLE,
    external_id: EXTERNAL_ID,
    session_name: '{mark}',
    source_identity: '{mark}',
    tags: {
      'brevet:tenant': terms.tenant,
      'brevet:agent': terms.agent,
      'brevet:task': terms.task,
      'brevet:request': terms.request,
    },
    duration_seconds: 900,
    regions: ['eu-west-1'],
    outliving: [],
  });
  assert.match(JSON.stringify(policy), '"aws:CurrentTime":"{expires_at}"');
});

for (const [ttl, asked] of [
  [60, 900],
  [900, 900],
  [3_600, 3_600],
] as const) {
  specification(`asks AWS for ${asked} s where the lease lives for ${ttl}`, () => {
    const made = specify({ ttl: seconds(ttl) });
    assert.is(made.ok && made.value['duration_seconds'], asked);
  });
}

const REFUSED: readonly (readonly [what: string, more: Partial<MintTerms>, code: string])[] = [
  ['a parameter that is missing', { parameters: {} }, 'invalid_parameters'],
  ['a policy that is too long', { parameters: { ticket: 'T'.repeat(2_000) } }, 'invalid_parameters'],
  ['a tag that AWS does not take', { agent: 'a;b' as AgentName }, 'invalid_request'],
  ['a template of another provider', { template: { group: 'reporting' } }, 'invalid_field'],
];
for (const [what, more, code] of REFUSED) {
  specification(`refuses ${what}`, () => {
    const made = specify(more);
    assert.is(!made.ok && made.error.code, code);
  });
}

const declared = suite('what is declared of sessions');

declared('that their death is seen by the session itself, and their parameters are held', () => {
  const { evidence, expiryEndsUse, keepsSecret, seesUse, countsUses, enforces, shortest, longest } = provider.declare(
    target.version,
    TEMPLATE,
  );
  assert.match(String(evidence), 'refused three times in a row in every region');
  assert.equal([expiryEndsUse, keepsSecret, seesUse, countsUses], [true, true, false, false]);
  assert.equal([enforces, shortest, longest], [['ticket'], 60, 3_600]);
});

for (const action of ['sts:AssumeRole', 'redshift:GetClusterCredentials', 'kms:CreateGrant', 'ecs:ExecuteCommand']) {
  declared(`that a class which names ${action}, which outlives a session, is not proven dead`, () => {
    const template = { allow: [{ actions: [action], resources: ['*'] }] };
    const { evidence, expiryEndsUse } = provider.declare(target.version, template);
    assert.equal([evidence, expiryEndsUse], [null, false]);
  });
}

specification.run();
declared.run();
