import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { oneUseOf, openTicket, sealTicket } from '../../src/authenticate/ticket.ts';
import type { PersonName } from '../../src/core/ids.ts';
import { createKeyring } from '../../src/core/seal.ts';
import { instant } from '../../src/core/time.ts';

const SESSION = 'a session';
const UNTIL = instant(1_000);
const ticket = {
  session: SESSION,
  statement: { purpose: 'enrol', person: 'paula' as PersonName, nonce: 'n' },
  until: UNTIL,
} as const;

const depsAt = async (now: number, key = 1) => ({
  keyring: await createKeyring(new Uint8Array(32).fill(key), (bytes) => new Uint8Array(bytes)),
  clock: () => instant(now),
});

const seals = suite('a ticket');

seals('gives back what it was made for', async () => {
  const deps = await depsAt(999);
  const opened = openTicket(deps, sealTicket(deps, ticket), SESSION);
  assert.equal(opened, { ok: true, value: ticket });
});

seals('is spent once, within its session', () => {
  assert.equal(oneUseOf(ticket), { client: `console:${SESSION}`, jti: 'n', until: UNTIL });
});

seals('is refused at its very end', async () => {
  const deps = await depsAt(UNTIL);
  const opened = openTicket(deps, sealTicket(deps, ticket), SESSION);
  assert.is(!opened.ok && opened.error.code, 'form_over');
});

seals('is refused in another session, under another key, and changed in any character', async () => {
  const deps = await depsAt(0);
  const text = sealTicket(deps, ticket);
  const refuses = (given: string, session = SESSION, by = deps): void => {
    const opened = openTicket(by, given, session);
    assert.is(!opened.ok && opened.error.code, 'form_over', given);
  };
  refuses(text, 'another session');
  refuses(text, SESSION, await depsAt(0, 2));
  refuses('');
  refuses('.');
  refuses(`${text}.`);
  refuses(`.${text}`);
  for (let at = 0; at < text.length; at++) {
    refuses(`${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`);
  }
});

seals.run();
