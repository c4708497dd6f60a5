/** What the refusal of a probe proves of a session, and what it does not. */
import { STSClient } from '@aws-sdk/client-sts';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Subject } from '../../../src/core/provider.ts';
import { newId } from '../../../src/core/ids.ts';
import { markOf } from '../../../src/core/lease.ts';
import { Secret } from '../../../src/core/secret.ts';
import { after, milliseconds, seconds } from '../../../src/core/time.ts';
import { lookAt } from '../../../src/providers/aws/look.ts';
import type { Site } from '../../../src/providers/aws/site.ts';
import { processClock, random } from '../../support/target.ts';

const look = suite('a look at a session of AWS');

const REFUSED = 'User: arn is not authorized to perform: sts:DecodeAuthorizationMessage';

/** Where AWS answers every probe so. */
const siteWhere = (name: string, message: string): Site => {
  const client = new STSClient({ region: 'eu-west-1' });
  client.middlewareStack.add(
    () => () =>
      Promise.reject(Object.assign(new Error(message), { name, $fault: 'client', $metadata: { httpStatusCode: 403 } })),
    { step: 'initialize' },
  );
  return {
    clock: processClock,
    patience: milliseconds(1_000),
    pause: () => Promise.resolve(),
    sessionClient: () => client,
  } as unknown as Site;
};

const lease = newId('lse', processClock(), random);
const KEYS = { access_key_id: 'ASIA0000000000000000', secret_access_key: 'x', session_token: 'x' };
const subject: Subject = {
  lease,
  mark: markOf(lease),
  expiresAt: after(processClock(), seconds(300)),
  secret: new Secret(JSON.stringify(KEYS)),
  reference: {
    account: '111122223333',
    user_id: 'AROA:x',
    access_key_id: KEYS.access_key_id,
    session_ends: new Date(processClock() + 900_000).toISOString(),
    probed: true,
  },
  specification: {
    provider: 'aws',
    account: '111122223333',
    role_arn: 'arn:aws:iam::111122223333:role/acme',
    external_id: 'x',
    session_name: '{mark}',
    source_identity: '{mark}',
    tags: {},
    duration_seconds: 900,
    regions: ['eu-west-1'],
    policy: {},
    outliving: [],
  },
};

for (const [by, seen] of [
  ['with an explicit deny in an identity-based policy', 'gone'],
  ['with an explicit deny in a session policy', 'gone'],
  ['with an explicit deny in a service control policy', 'unseen'],
  ['with an explicit deny in a permissions boundary', 'unseen'],
  ['because no identity-based policy allows the sts:DecodeAuthorizationMessage action', 'unseen'],
] as const) {
  look(`finds it ${seen} where its probe is refused ${by}`, async () => {
    assert.is((await lookAt(siteWhere('AccessDenied', `${REFUSED} ${by}`), subject)).seen, seen);
  });
}

look.run();
