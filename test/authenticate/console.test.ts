/** Whom a session leads to, and when it is fresh. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ABSOLUTE, callerOf, FRESH, IDLE, idleFrom, isFresh, newSession } from '../../src/authenticate/console.ts';
import type { ConsoleSession } from '../../src/core/console.ts';
import type { OperatorName, PersonName } from '../../src/core/ids.ts';
import { Secret } from '../../src/core/secret.ts';
import type { DeploymentSnapshot } from '../../src/core/snapshot.ts';
import { after, instant, seconds } from '../../src/core/time.ts';
import { Authenticator } from '../support/authenticator.ts';
import { deployment } from './world.ts';

const NOW = instant(1_000_000);
const PAULA = 'paula' as PersonName;
const OPERATOR = 'paula' as OperatorName;
const key = new Authenticator('https://brevet.example').passkey('paula');

const session: ConsoleSession = newSession(
  new Secret('ab'),
  { person: PAULA, operator: OPERATOR, by: 'passkey', passkey: key.id, provenAt: NOW },
  NOW,
);

const person = (name: PersonName, active = true) => ({ name, displayName: name, email: null, active });
const operator = (more: { person?: PersonName | null; active?: boolean } = {}) => ({
  name: OPERATOR,
  person: PAULA,
  issuer: null,
  subject: null,
  active: true,
  ...more,
});

const place = (over: Parameters<typeof deployment>[0], passkeys = new Map([[key.id, key]])): DeploymentSnapshot => ({
  ...deployment(over),
  passkeys,
});

const callers = suite('who is at the console');

callers('is the person behind the operator who signed in', () => {
  const caller = callerOf(session, place({ persons: [person(PAULA)], operators: [operator()] }));
  assert.equal(caller, {
    kind: 'operator',
    operator: OPERATOR,
    person: PAULA,
    by: 'passkey',
    session: session.id,
    signedInAt: NOW,
    provenAt: NOW,
  });
});

const NOBODY: Readonly<Record<string, DeploymentSnapshot>> = {
  'no such operator': place({ persons: [person(PAULA)] }),
  'a disabled operator': place({ persons: [person(PAULA)], operators: [operator({ active: false })] }),
  'an operator of another person': place({
    persons: [person(PAULA), person('otto' as PersonName)],
    operators: [operator({ person: 'otto' as PersonName })],
  }),
  'an operator of nobody': place({ persons: [person(PAULA)], operators: [operator({ person: null })] }),
  'a disabled person': place({ persons: [person(PAULA, false)], operators: [operator()] }),
  'no such person': place({ persons: [], operators: [operator()] }),
  'a passkey that was removed': place({ persons: [person(PAULA)], operators: [operator()] }, new Map()),
  'a passkey of another person': place(
    { persons: [person(PAULA)], operators: [operator()] },
    new Map([[key.id, { ...key, person: 'otto' as PersonName }]]),
  ),
};
for (const [what, where] of Object.entries(NOBODY)) {
  callers(`is nobody with ${what}`, () => assert.is(callerOf(session, where), null));
}

callers('stays as long as they are at work, and no longer than a working day', () => {
  assert.is(session.idleUntil, after(NOW, IDLE));
  assert.is(session.until, after(NOW, ABSOLUTE));
  assert.is(idleFrom(session, after(NOW, seconds(59))), null);
  assert.is(idleFrom(session, after(NOW, seconds(60))), after(NOW, seconds(IDLE + 60)));
  const late = after(NOW, seconds(ABSOLUTE - 100));
  assert.is(idleFrom(session, late), session.until);
});

callers('is fresh for five minutes after they proved who they are, and never where nobody says when', () => {
  assert.ok(isFresh({ provenAt: NOW }, after(NOW, FRESH)));
  assert.not.ok(isFresh({ provenAt: NOW }, instant(after(NOW, FRESH) + 1)));
  assert.not.ok(isFresh({ provenAt: null }, NOW));
});

callers.run();
