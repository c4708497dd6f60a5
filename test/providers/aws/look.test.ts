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
import type { SessionReference } from '../../../src/providers/aws/specification.ts';
import { processClock, random } from '../../support/target.ts';

const look = suite('a look at a session of AWS');

const REFUSED = 'User: arn is not authorized to perform: sts:DecodeAuthorizationMessage';

/** Where AWS answers every probe so; the last answer again and again. */
const siteWhere = (...answers: readonly (readonly [name: string, message: string])[]): Site => {
  const client = new STSClient({ region: 'eu-west-1' });
  let asked = 0;
  client.middlewareStack.add(
    () => () => {
      const [name, message] = answers[Math.min(asked++, answers.length - 1)] ?? ['', ''];
      const answer = { name, $fault: 'client', $metadata: { httpStatusCode: 403 } };
      return Promise.reject(Object.assign(new Error(message), answer));
    },
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
    assert.is((await lookAt(siteWhere(['AccessDenied', `${REFUSED} ${by}`]), subject)).seen, seen);
  });
}

const DENIED = ['AccessDenied', `${REFUSED} with an explicit deny in an identity-based policy`] as const;
const LET_THROUGH = ['InvalidAuthorizationMessageException', 'it is none'] as const;
const EXPIRED = ['ExpiredTokenException', 'The security token included in the request is expired'] as const;
const of = (change: Partial<SessionReference>): Subject => ({
  ...subject,
  reference: { ...subject.reference, ...change },
});

for (const [what, seen, answers, who] of [
  ['refused, let through, and refused', 'gone', [DENIED, LET_THROUGH, DENIED, DENIED, DENIED], subject],
  ['let through after two refusals, and from then on', 'present', [DENIED, DENIED, LET_THROUGH], subject],
  ['refused, and it was never seen to be let through', 'unseen', [DENIED], of({ probed: false })],
  ['expired before its time', 'unseen', [EXPIRED], subject],
  ['expired at its time', 'gone', [EXPIRED], of({ session_ends: new Date(processClock()).toISOString() })],
  [
    'refused, and its class may have what outlives it',
    'unseen',
    [DENIED],
    { ...subject, specification: { ...subject.specification, outliving: ['make access keys'] } },
  ],
] as const) {
  look(`finds it ${seen} where it is ${what}`, async () => {
    assert.is((await lookAt(siteWhere(...answers), who)).seen, seen);
  });
}

look.run();
