import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { keyPairOf, parseAwsConfig } from '../../../src/providers/aws/config.ts';
import type { TargetContext } from '../../../src/core/provider.ts';
import { EXTERNAL_ID } from '../../support/target.ts';

const CONTEXT: TargetContext = {
  tenant: 'acme' as TargetContext['tenant'],
  publicUrl: 'https://brevet.example',
  externalId: EXTERNAL_ID,
};
const WRITTEN = { role_arn: 'arn:aws:iam::111122223333:role/brevet/agents', regions: ['eu-west-1'] };
const parse = (config: object) => parseAwsConfig(config, CONTEXT, ['127.0.0.1']);

const config = suite('an AWS target');

config('gets its account, its partition and its external id from Brevet', () => {
  const parsed = parse(WRITTEN);
  const derived = { partition: 'aws', account: '111122223333', external_id: EXTERNAL_ID };
  assert.equal(parsed.ok && parsed.value, { ...WRITTEN, ...derived });
  assert.is(parse({ ...WRITTEN, ...derived }).ok, true, 'as it was read, it can be written back');
});

const REFUSED: readonly (readonly [what: string, change: Record<string, unknown>, path: string])[] = [
  ['an external id that somebody chose', { external_id: 'f'.repeat(32) }, 'external_id'],
  ['another account than the role is of', { account: '999988887777' }, 'account'],
  ['what is no role', { role_arn: 'arn:aws:iam::111122223333:user/agents' }, 'role_arn'],
  ['a pattern of roles', { role_arn: 'arn:aws:iam::111122223333:role/*' }, 'role_arn'],
  ['a control role elsewhere', { control_role_arn: 'arn:aws:iam::999988887777:role/control' }, 'control_role_arn'],
  ['a role that controls itself', { control_role_arn: WRITTEN.role_arn }, 'control_role_arn'],
  ['no region', { regions: [] }, 'regions'],
  ['a pattern of regions', { regions: ['eu-*'] }, 'regions.0'],
  ['a region twice', { regions: ['eu-west-1', 'eu-west-1'] }, 'regions'],
  ['an AWS elsewhere', { endpoint: 'https://aws.example' }, 'endpoint'],
  ['an AWS that only looks local', { endpoint: 'http://127.0.0.1.example' }, 'endpoint'],
  ['a service of this machine that the broker may not call', { endpoint: 'http://localhost:4566' }, 'endpoint'],
  ['what is no URL', { endpoint: 'localhost' }, 'endpoint'],
];
for (const [what, change, path] of REFUSED) {
  config(`refuses ${what}`, () => {
    const parsed = parse({ ...WRITTEN, ...change });
    assert.is(!parsed.ok && parsed.error.path, path);
  });
}

config('lets a service on this machine stand in for AWS, where the broker may call it', () => {
  assert.is(parse({ ...WRITTEN, endpoint: 'http://127.0.0.1:4566' }).ok, true);
});

const PAIR = { access_key_id: 'AKIAIOSFODNN7EXAMPLE', secret_access_key: 's3cret' };
config('reads its secret strictly', () => {
  assert.equal(keyPairOf(JSON.stringify(PAIR)), { accessKeyId: PAIR.access_key_id, secretAccessKey: 's3cret' });
  assert.is(keyPairOf(JSON.stringify({ ...PAIR, session_token: 't' }))?.sessionToken, 't');
  for (const odd of [
    '',
    'AKIA:s',
    '{}',
    JSON.stringify({ ...PAIR, more: 1 }),
    JSON.stringify({ ...PAIR, access_key_id: 1 }),
  ]) {
    assert.is(keyPairOf(odd), null, odd);
  }
});

config.run();
