/** What the SDK throws, and what goes on of it. */
import { inspect } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ProviderUnavailable } from '../../../src/core/provider.ts';
import { AwsRefusal, faultOf, reasonIn } from '../../../src/providers/aws/fault.ts';

const fault = suite('a fault of AWS');

const CANARY = 'canary-of-a-session-token';

/** As the SDK throws an answer of AWS's: with all of it. */
const answered = (name: string, message: string): Error =>
  Object.assign(new Error(message), {
    name,
    $fault: 'client',
    $metadata: { httpStatusCode: 403 },
    $response: { headers: { 'x-amz-security-token': CANARY }, body: CANARY },
  });

const shown = (value: unknown): string => inspect(value, { depth: 9, showHidden: true });

for (const [what, thrown, told] of [
  ['an answer', answered('ThrottlingException', CANARY), 'AWS answered read the role with ThrottlingException'],
  [
    'a network that is cut',
    Object.assign(new Error(CANARY), { code: 'ECONNREFUSED' }),
    'AWS could not be asked to read the role: ECONNREFUSED',
  ],
  [
    'one that does not end',
    Object.assign(new Error(CANARY), { name: 'TimeoutError' }),
    'AWS could not be asked to read the role: TimeoutError',
  ],
  ['a name that is no name', answered(`<${CANARY}>`, ''), 'AWS answered read the role with an error'],
  ['what is no error', CANARY, 'read the role failed'],
] as const) {
  fault(`is told by its code alone: ${what}`, () => {
    const ours = faultOf(thrown, 'read the role');
    assert.instance(ours, ProviderUnavailable);
    assert.is(ours.message, told);
    assert.not(shown(ours).includes(CANARY));
  });
}

for (const [message, reason] of [
  ['User: arn is not authorized to perform: sts:X with an explicit deny in an identity-based policy', 'explicit'],
  [
    'User: arn is not authorized to perform: sts:X on resource: * with an explicit deny in a session policy',
    'explicit',
  ],
  [
    'User: arn is not authorized to perform: sts:X with an explicit deny in an identity-based policy: arn:aws:iam::1:policy/brevet-deny-x',
    'explicit',
  ],
  ['User: arn is not authorized to perform: sts:X with an explicit deny', 'explicit'],
  ['User: arn is not authorized to perform: sts:X with an explicit deny in a service control policy', 'elsewhere'],
  ['User: arn is not authorized to perform: sts:X with an explicit deny in a resource control policy', 'elsewhere'],
  ['User: arn is not authorized to perform: sts:X with an explicit deny in a permissions boundary', 'elsewhere'],
  ['User: arn is not authorized to perform: sts:X with an explicit deny in a VPC endpoint policy', 'elsewhere'],
  ['User: arn is not authorized to perform: sts:X because no identity-based policy allows the sts:X action', 'absent'],
  ['Access denied', 'untold'],
] as const) {
  fault(`says why it is a denial: ${reason}`, () => assert.is(reasonIn(message), reason));
}

for (const [code, isOfOne] of [
  ['PackedPolicyTooLargeException', true],
  ['LimitExceeded', true],
  ['AccessDenied', false],
  ['InvalidClientTokenId', false],
  ['ServiceUnavailable', false],
] as const) {
  fault(`${code} ${isOfOne ? 'is of one call' : 'is of the target'}`, () => {
    assert.is(new AwsRefusal('assume the role', code, null).answered, isOfOne);
  });
}

fault.run();
