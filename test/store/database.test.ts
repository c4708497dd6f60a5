/** What the database's errors mean for callers: PITFALLS 38. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { StoreUnavailable } from '../../src/core/store.ts';
import { asStoreError } from '../../src/store/database.ts';

const errors = suite('an error of the database');

const PASSES: readonly (readonly [what: string, code: string, passes: boolean])[] = [
  ['a full disk', '53100', true],
  ['no memory left', '53200', true],
  ['no slot left', '53300', true],
  ['a file that cannot be written', '58030', true],
  ['a shutdown', '57P01', true],
  ['a server that has become a standby', '25006', true],
  ['a lock that was not had in time', '55P03', true],
  ['a connection that was reset', 'ECONNRESET', true],
  ['a connection that was closed', 'CONNECTION_CLOSED', true],
  ['a row that is there already', '23505', false],
  ['a privilege that is lacking', '42501', false],
  ['a row that may not be rewritten', 'BV003', false],
];
for (const [what, code, passes] of PASSES) {
  errors(`that is ${what} ${passes ? 'passes' : 'is a fault'}`, () => {
    const fault = Object.assign(new Error('it failed'), { code });
    const seen = asStoreError(fault);
    assert.is(seen instanceof StoreUnavailable, passes);
    if (!passes) assert.is(seen, fault);
  });
}

errors.run();
