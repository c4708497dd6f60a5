import { createHash } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ApprovalId, BlockId, ChangeId, PersonName, TenantName } from '../../src/core/ids.ts';
import { challengeOf, newNonce } from '../../src/core/statement.ts';
import type { Statement } from '../../src/core/statement.ts';

const PAULA = 'paula' as PersonName;
const decided = {
  approval_id: 'apr_1' as ApprovalId,
  approver: PAULA,
  tenant: 'acme' as TenantName,
  package_hash: 'ab'.repeat(32),
  nonce: 'n',
};
const change = { change: 'chg_1' as ChangeId, change_hash: 'ab'.repeat(32), approver: PAULA, nonce: 'n' };

/** One of each purpose, with the same values wherever they have a member of the same name. */
const STATEMENTS: readonly Statement[] = [
  { purpose: 'approve', verdict: 'approved', ...decided },
  { purpose: 'narrow', verdict: 'narrowed', narrower: { ttl: 60 }, ...decided },
  { purpose: 'reject', verdict: 'rejected', reason: 'too_wide', words: null, ...decided },
  { purpose: 'confirm', ...change },
  { purpose: 'activate', policy: 'v', ...change },
  { purpose: 'lift', block: 'blk_1' as BlockId, tenants: [], reason: 'over', approver: PAULA, nonce: 'n' },
  { purpose: 'sign_in', origin: 'https://brevet.example', nonce: 'n' },
  { purpose: 'enrol', person: PAULA, nonce: 'n' },
];

const statement = suite('what a passkey signs');

statement('is the SHA-256 of the canonical form, in base64url', () => {
  // Written out by hand: members in their order, no space. @see RFC 8785 section 3.2.3
  const form = '{"nonce":"n","person":"paula","purpose":"enrol"}';
  const expected = createHash('sha256').update(form).digest('base64url');
  assert.is(challengeOf({ nonce: 'n', person: PAULA, purpose: 'enrol' }), expected);
});

statement('is another for each purpose', () => {
  assert.is(new Set(STATEMENTS.map(challengeOf)).size, STATEMENTS.length);
});

statement('changes with each of its members', () => {
  for (const one of STATEMENTS) {
    for (const member of Object.keys(one)) {
      const other = { ...one, [member]: 'another' } as Statement;
      assert.is.not(challengeOf(other), challengeOf(one), `${one.purpose}: ${member}`);
    }
  }
});

statement('is said once: its nonce is sixteen bytes of chance', () => {
  const nonce = newNonce((bytes) => new Uint8Array(bytes).fill(0xab));
  assert.is(nonce, 'ab'.repeat(16));
});

statement.run();
