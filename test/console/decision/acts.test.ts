import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ShownDecision } from '../../../src/broker/decisions/show.ts';
import { actsOf } from '../../../src/console/decision/acts.ts';
import type { SignedInVisit } from '../../../src/console/visit.ts';
import type { Passkey } from '../../../src/core/passkey.ts';
import { instant } from '../../../src/core/time.ts';
import { PUBLIC_URL } from '../../support/app.ts';

const now = instant(1_000_000);
const deps = { clock: () => now, keyring: { derive: () => new Uint8Array(32) }, publicUrl: PUBLIC_URL };
const visit = { deps, bound: 'session' } as unknown as SignedInVisit;
const key = { id: 'AAAA', transports: [], deviceBound: true } as unknown as Passkey;

const shown = (parameters: Record<string, unknown>): ShownDecision =>
  ({
    approval: {
      id: 'apr_00000000000000000000000000',
      tenant: 'acme',
      state: 'pending',
      expiresAt: now + 60_000,
      binding: { ttl: 60, uses: 1, parameters },
      narrows: null,
    },
    package: { shown: { credential: { uses: null } }, text: '{}' },
    ticket: { session: 'session', statement: { purpose: 'sign_in', origin: PUBLIC_URL, nonce: '0' }, until: now },
    mayNot: null,
    inVain: null,
    deviceBound: false,
  }) as unknown as ShownDecision;

const acts = suite('what a person may say to a decision');

acts('shows what could be less as everything of an agent is shown: with what hides written out', async () => {
  const drawn = String(await actsOf(visit, shown({ tables: ['a\u202eb', '<b>'] }), [key]));
  assert.match(drawn, 'U+202E');
  assert.not.match(drawn, '\u202e');
  assert.not.match(drawn, '<b>"');
});

acts.run();
