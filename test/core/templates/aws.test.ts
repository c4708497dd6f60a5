import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { awsTemplate, enforcedByAws } from '../../../src/core/templates/aws.ts';

const template = suite('what a task class says to AWS');

const TICKETS = { actions: ['s3:GetObject'], resources: ['arn:aws:s3:::tickets/{{ticket}}/*'] };
const under = (operator: string, value: string) => ({
  ...TICKETS,
  conditions: { [operator]: { 's3:prefix': [value] } },
});

const TAKEN: readonly (readonly [what: string, statement: unknown])[] = [
  ['a parameter in a resource', TICKETS],
  ['a parameter in a condition', under('StringEquals', '{{ticket}}')],
  ['a qualified operator', under('ForAnyValue:StringLikeIfExists', '{{ticket}}/*')],
  ['a negated operator without a parameter', under('StringNotEquals', 'secret')],
  ['wildcards and variables of its author', { ...TICKETS, resources: ['arn:aws:s3:::tickets/${aws:userid}/*'] }],
  ['whatever there is', { actions: ['ec2:Describe*'], resources: ['*'] }],
];
for (const [what, statement] of TAKEN) {
  template(`takes ${what}`, () => assert.is(awsTemplate.safeParse({ allow: [statement] }).success, true));
}

const REFUSED: readonly (readonly [what: string, statement: unknown])[] = [
  ['no action', { ...TICKETS, actions: [] }],
  ['every action', { ...TICKETS, actions: ['*'] }],
  ['every service', { ...TICKETS, actions: ['*:Get*'] }],
  ['an action from a parameter', { ...TICKETS, actions: ['s3:{{ticket}}'] }],
  ['a resource that is no ARN', { ...TICKETS, resources: ['tickets'] }],
  ['a resource that is a parameter alone', { ...TICKETS, resources: ['{{ticket}}'] }],
  ['broken braces', { ...TICKETS, resources: ['arn:aws:s3:::tickets/{{ticket}/*'] }],
  ['letters that AWS does not take', { ...TICKETS, resources: ['arn:aws:s3:::билет/{{ticket}}'] }],
  ['an operator that there is not', under('StringIs', 'a')],
  ['a parameter that would not narrow', under('StringNotEquals', '{{ticket}}')],
  ['a negated operator in disguise', under('ForAllValues:ArnNotLikeIfExists', '{{ticket}}')],
  ['a key from a parameter', { ...TICKETS, conditions: { StringEquals: { '{{ticket}}': ['a'] } } }],
  ['an effect', { ...TICKETS, effect: 'Allow' }],
  ['IAM’s own NotAction', { NotAction: ['iam:*'], resources: ['*'] }],
];
for (const [what, statement] of REFUSED) {
  template(`refuses ${what}`, () => assert.is(awsTemplate.safeParse({ allow: [statement] }).success, false));
}

template('refuses to allow nothing', () => assert.is(awsTemplate.safeParse({ allow: [] }).success, false));

const LIST = { actions: ['s3:ListBucket'], resources: ['arn:aws:s3:::tickets'] };
const narrowed = (operator: string, values: readonly string[]) => ({
  ...LIST,
  conditions: { [operator]: { 's3:prefix': [...values] } },
});

for (const [what, enforced, allow] of [
  ['in a resource', true, [TICKETS]],
  ['in a condition', true, [narrowed('StringLike', ['{{ticket}}/*'])]],
  ['in each value of a condition', true, [narrowed('StringLike', ['{{ticket}}/*', 'old-{{ticket}}/*'])]],
  ['beside what is elsewhere', true, [TICKETS, { ...TICKETS, resources: ['arn:aws:s3:::manuals/*'] }]],
  ['beside what is another action', true, [TICKETS, LIST]],
  ['in one of two values', false, [narrowed('StringLike', ['{{ticket}}/*', '*'])]],
  ['in a condition that asks only where there is a key', false, [narrowed('StringLikeIfExists', ['{{ticket}}/*'])]],
  ['in one that no key at all meets', false, [narrowed('ForAllValues:StringLike', ['{{ticket}}/*'])]],
  ['beside a resource that takes it in', false, [{ ...TICKETS, resources: [...TICKETS.resources, '*'] }]],
  ['beside one that does in part', false, [TICKETS, { ...TICKETS, resources: ['arn:aws:s3:::tickets/*/log'] }]],
  ['beside one of a variable', false, [TICKETS, { ...TICKETS, resources: ['arn:aws:s3:::tickets/${aws:userid}/*'] }]],
  [
    'beside the same action by a pattern',
    false,
    [TICKETS, { actions: ['s3:Get?bject*'], resources: ['arn:aws:s3:::tic*'] }],
  ],
  ['nowhere', false, [LIST]],
] as const) {
  template(`${enforced ? 'holds' : 'does not hold'} a session to a parameter ${what}`, () => {
    assert.equal(enforcedByAws({ allow }), enforced ? ['ticket'] : []);
  });
}

template.run();
