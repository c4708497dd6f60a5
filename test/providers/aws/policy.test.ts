/** What a session may do, as an evaluator reads it that is not ours. */
import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { AwsTemplate } from '../../../src/core/templates/aws.ts';
import { instant } from '../../../src/core/time.ts';
import {
  endedAt,
  outlivingIn,
  OUTLIVING_AT_SERVICES,
  PROBE,
  sessionPolicy,
} from '../../../src/providers/aws/policy.ts';
import { evaluate } from '../../support/aws/evaluate.ts';

const ACCOUNT = '111122223333';
const REGION = 'eu-west-1';
const END = instant(Date.parse('2026-11-27T10:00:00Z'));
const ALL = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] };
const USERID = 'AROAEXAMPLE:brevet_01m8dds79k5vp38fsw0zp5pxvd';

const READS: AwsTemplate = {
  allow: [
    { actions: ['s3:GetObject'], resources: ['arn:aws:s3:::tickets/{{ticket}}/*'] },
    {
      actions: ['s3:ListBucket'],
      resources: ['arn:aws:s3:::tickets'],
      conditions: { StringLike: { 's3:prefix': ['{{ticket}}/*'] } },
    },
  ],
};

const specified = (ticket: unknown, template = READS) =>
  sessionPolicy(template, { ticket: ticket as string }, [REGION, 'us-east-1']);

function policyFor(ticket: string, template = READS) {
  const policy = specified(ticket, template);
  if (!policy.ok) throw new Error(policy.error.detail);
  return endedAt(policy.value, END);
}

/** Whether a session with this policy may do it; its role may do anything. */
const allows = async (policy: unknown, action: string, resource: string, context: Record<string, string> = {}) =>
  (await evaluate(
    {
      principal: `arn:aws:sts::${ACCOUNT}:assumed-role/agents/brevet_x`,
      account: ACCOUNT,
      action,
      resource,
      context: {
        'aws:userid': USERID,
        'aws:RequestedRegion': REGION,
        'aws:CurrentTime': '2026-11-27T09:59:00Z',
        ...context,
      },
    },
    { identity: [['role', ALL]], session: policy },
  )) === null;

const object = (ticket: string): string => `arn:aws:s3:::tickets/${ticket}/log`;

const policy = suite('the policy of a session');

policy('allows what its task class allows for this ticket, and its probe', async () => {
  const made = policyFor('T-1');
  assert.is(await allows(made, 's3:GetObject', object('T-1')), true);
  assert.is(await allows(made, 's3:ListBucket', 'arn:aws:s3:::tickets', { 's3:prefix': 'T-1/log' }), true);
  assert.is(await allows(made, PROBE, '*'), true);
  assert.is(await allows(made, 's3:GetObject', object('T-2')), false);
  assert.is(await allows(made, 's3:ListBucket', 'arn:aws:s3:::tickets', { 's3:prefix': 'T-2/log' }), false);
  assert.is(await allows(made, 's3:DeleteObject', object('T-1')), false);
});

policy('ends with its lease, to the second before', async () => {
  const made = policyFor('T-1');
  assert.is(await allows(made, PROBE, '*', { 'aws:CurrentTime': '2026-11-27T10:00:00Z' }), true);
  for (const [action, resource] of [[PROBE, '*'] as const, ['s3:GetObject', object('T-1')] as const]) {
    assert.is(await allows(made, action, resource, { 'aws:CurrentTime': '2026-11-27T10:00:01Z' }), false);
  }
  const cut = endedAt(made, instant(END + 999));
  assert.match(JSON.stringify(cut), '2026-11-27T10:00:00Z');
});

policy('works in the allowed regions alone', async () => {
  const made = policyFor('T-1');
  assert.is(await allows(made, 's3:GetObject', object('T-1'), { 'aws:RequestedRegion': 'us-east-1' }), true);
  assert.is(await allows(made, 's3:GetObject', object('T-1'), { 'aws:RequestedRegion': 'us-west-2' }), false);
});

const BROAD: AwsTemplate = {
  allow: [
    {
      actions: ['sts:*', 'iam:*', 'ecr:*', 'ssm:*', 'rds-db:*', 'redshift:Get*', 'kms:Creat?Grant', 's3:*', 'ecs:Ex*'],
      resources: ['*'],
    },
  ],
};
for (const [action, resource] of [
  ['sts:AssumeRole', `arn:aws:iam::${ACCOUNT}:role/admin`],
  ['sts:AssumeRoleWithSAML', `arn:aws:iam::${ACCOUNT}:role/admin`],
  ['sts:GetServiceBearerToken', '*'],
  ['iam:PassRole', `arn:aws:iam::${ACCOUNT}:role/admin`],
  ['iam:CreateUser', `arn:aws:iam::${ACCOUNT}:user/x`],
  ['iam:CreateAccessKey', `arn:aws:iam::${ACCOUNT}:user/x`],
  ['ecr:GetAuthorizationToken', '*'],
  ['ssm:StartSession', `arn:aws:ec2:eu-west-1:${ACCOUNT}:instance/i-1`],
  ['rds-db:connect', `arn:aws:rds-db:eu-west-1:${ACCOUNT}:dbuser:db-1/x`],
  ['iam:UpdateAssumeRolePolicy', `arn:aws:iam::${ACCOUNT}:role/admin`],
  ['ssm:ResumeSession', `arn:aws:ssm:eu-west-1:${ACCOUNT}:session/x`],
  ['redshift:GetClusterCredentials', `arn:aws:redshift:eu-west-1:${ACCOUNT}:dbuser:c-1/x`],
  ['redshift:GetClusterCredentialsWithIAM', `arn:aws:redshift:eu-west-1:${ACCOUNT}:dbname:c-1/x`],
  ['kms:CreateGrant', `arn:aws:kms:eu-west-1:${ACCOUNT}:key/x`],
  ['s3:GetDataAccess', `arn:aws:s3:eu-west-1:${ACCOUNT}:access-grants/default`],
  ['ecs:ExecuteCommand', `arn:aws:ecs:eu-west-1:${ACCOUNT}:cluster/c-1`],
] as const) {
  policy(`denies ${action}, which would outlive it, to a class that reaches it by a wildcard`, async () => {
    assert.is(await allows(policyFor('T-1', BROAD), action, resource), false);
  });
}

policy('lets a class have what outlives it, where it names that', async () => {
  const named: AwsTemplate = {
    allow: [{ actions: ['iam:PassRole', 'IAM:createuser'.toLowerCase()], resources: ['*'] }],
  };
  assert.equal(outlivingIn(named), ['iam:PassRole', 'iam:Create*']);
  assert.is(await allows(policyFor('T-1', named), 'iam:PassRole', `arn:aws:iam::${ACCOUNT}:role/x`), true);
  assert.is(await allows(policyFor('T-1', named), 'iam:CreateRole', `arn:aws:iam::${ACCOUNT}:role/x`), false);
  assert.is(await allows(policyFor('T-1', named), 'sts:AssumeRole', `arn:aws:iam::${ACCOUNT}:role/x`), false);
  assert.equal(outlivingIn(BROAD), []);
});

policy(
  'lets a class have a login at a service, where it names that, and spends no room on what it does not reach',
  async () => {
    const named: AwsTemplate = { allow: [{ actions: ['redshift:GetClusterCredentials'], resources: ['*'] }] };
    assert.equal(outlivingIn(named), ['redshift:GetClusterCredentials*']);
    const user = `arn:aws:redshift:eu-west-1:${ACCOUNT}:dbuser:c-1/x`;
    assert.is(await allows(policyFor('T-1', named), 'redshift:GetClusterCredentials', user), true);
    for (const template of [named, READS]) {
      assert.not.match(JSON.stringify(policyFor('T-1', template)), /kms:|ecs:|dsql:|UpdateAssumeRolePolicy/);
    }
  },
);

policy('is written of with all that outlives a session', async () => {
  const page = await readFile(new URL('../../../docs/how-to/aws-target.md', import.meta.url), 'utf8');
  for (const action of OUTLIVING_AT_SERVICES) assert.ok(page.includes(`\`${action}\``), action);
});

const UNFIT: readonly (readonly [what: string, ticket: unknown])[] = [
  ['nothing', ''],
  ['no parameter', undefined],
  ['an object', { a: 1 }],
  ['another part of an ARN', 'a:b'],
  ['another alphabet than AWS takes', 'билет'],
  ['a line', 'a\nb'],
  ['an emoji', '🎫'],
];
for (const [what, ticket] of UNFIT) {
  policy(`refuses ${what} for a parameter`, () => {
    const made = specified(ticket);
    assert.is(!made.ok && made.error.code, 'invalid_parameters');
    assert.is(!made.ok && made.error.path, 'parameters.ticket');
  });
}

policy('refuses text where a number stands', () => {
  const limited: AwsTemplate = {
    allow: [
      {
        actions: ['s3:GetObject'],
        resources: ['*'],
        conditions: { NumericLessThan: { 's3:max-keys': ['{{ticket}}'] } },
      },
    ],
  };
  assert.is(specified('10', limited).ok, true);
  assert.is(specified('${aws:userid}', limited).ok, false);
});

policy('is refused when it is too long, with its size', () => {
  const made = specified('T'.repeat(1_000));
  assert.is(!made.ok && made.error.code, 'invalid_parameters');
  assert.match(made.ok ? '' : made.error.detail, /would have \d{4} characters, and AWS takes 2048/);
});

policy('is never longer than AWS takes', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1_200 }), (length) => {
      const made = specified('x'.repeat(length));
      assert.ok(!made.ok || JSON.stringify(endedAt(made.value, END)).length <= 2_048);
    }),
  );
});

/** Everything that means something to IAM, JSON, ARNs or URLs. */
const PIECES = [
  '*',
  '?',
  '$',
  '{',
  '}',
  '${',
  '${*}',
  '${$}',
  '${aws:userid}',
  '${aws:username}',
  '"',
  "'",
  '\\',
  '/',
  '..',
];
const hostile = fc
  .array(
    fc.oneof(
      fc.constantFrom(...PIECES, '%', '%2f', ' ', ',', '[', ']', '<', '&', 'é', 'ж', '票', 'a', 'T-1'),
      fc.string({ maxLength: 3 }),
    ),
    { minLength: 1, maxLength: 6 },
  )
  .map((pieces) => pieces.join(''));

/** What a value might be taken for: what a wildcard or a variable in it would match. */
const taken = (value: string): readonly string[] => [
  'other',
  `${value}x`,
  value.replaceAll('*', 'Z'),
  value.replaceAll('*', ''),
  value.replaceAll('?', 'Z'),
  value.replaceAll('${aws:userid}', USERID),
  value.replaceAll(/\$\{[^}]*\}/g, ''),
  value.replaceAll('${$}', '$').replaceAll('${*}', '*'),
];
/** The evaluator takes a request's own wildcards for a question about many resources. */
const isOne = (ticket: string): boolean => ticket !== '' && !/[*?]/.test(ticket);

policy('is never widened by a parameter, whatever it holds', async () => {
  let evaluated = 0;
  await fc.assert(
    fc.asyncProperty(hostile, async (value) => {
      const made = specified(value);
      if (!made.ok) return;
      const session = endedAt(made.value, END);
      for (const ticket of new Set(taken(value))) {
        if (ticket === value || !isOne(ticket)) continue;
        evaluated += 1;
        assert.is(await allows(session, 's3:GetObject', object(ticket)), false, `${value} let ${ticket} through`);
        const prefix = { 's3:prefix': `${ticket}/log` };
        assert.is(await allows(session, 's3:ListBucket', 'arn:aws:s3:::tickets', prefix), false, `${value}: ${ticket}`);
      }
      if (isOne(value)) assert.is(await allows(session, 's3:GetObject', object(value)), true, value);
    }),
    { numRuns: 400 },
  );
  assert.ok(evaluated > 300, String(evaluated));
});

policy.run();
