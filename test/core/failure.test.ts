import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FAILURES, failure } from '../../src/core/failure.ts';

/** @see RFC 6749 section 5.2 and 4.1.2.1, RFC 8628 section 3.5, RFC 8707 section 2, RFC 7009 section 2.2.1, RFC 9396 section 5 */
const OAUTH = new Set([
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'unsupported_token_type',
  'invalid_scope',
  'access_denied',
  'server_error',
  'temporarily_unavailable',
  'authorization_pending',
  'invalid_target',
  'invalid_authorization_details',
]);

const failures = suite('the table of failures');

for (const [code, row] of Object.entries(FAILURES)) {
  failures(`${code} is whole`, () => {
    assert.match(code, /^[a-z]+(_[a-z]+)*$/);
    assert.ok(Number.isInteger(row.status) && row.status >= 400 && row.status <= 599, `the status ${row.status}`);
    assert.ok(OAUTH.has(row.oauth), `the error ${row.oauth}`);
    assert.match(row.title, /^[A-Z][^.]*$/);
  });
}

failures('what passes is told as such, and what is ours alone is a fault', () => {
  for (const { status, oauth } of Object.values(FAILURES)) {
    if (status === 503 || status === 429) assert.is(oauth, 'temporarily_unavailable');
    if (status === 401) assert.is(oauth, 'invalid_client');
  }
  const faults = Object.entries(FAILURES).filter(([, { status }]) => status === 500);
  assert.equal(
    faults.map(([code]) => code),
    ['internal'],
  );
});

failures('a refusal carries what it was made with', () => {
  assert.equal(failure('not_found', 'nothing', { hint: 'look', path: 'x' }), {
    code: 'not_found',
    detail: 'nothing',
    hint: 'look',
    path: 'x',
  });
});

failures.run();
