/** Where a sign-in may lead back to: open redirects and header injection. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseLocalPath } from '../../src/console/local-path.ts';

const paths = suite('a path to be led back to');

for (const path of ['/', '/changes', '/changes/chg_1?done=confirmed', '/approvals?tenant=acme&x=%2F%2Fevil']) {
  paths(`is ${path}`, () => {
    const parsed = parseLocalPath(path);
    assert.is(parsed.ok && parsed.value, path);
  });
}

const ELSEWHERE = [
  '',
  'changes',
  'https://evil.example/',
  '//evil.example/',
  '///evil.example',
  '/\\evil.example',
  '/\t/evil.example',
  '/%0d%0a/../..//evil.example\r\nset-cookie: a=b',
  '/x\r\nlocation: https://evil.example',
  '/x y',
  '\\\\evil.example',
  'javascript:alert(1)',
  '/\u2028/evil',
  '/ž',
  '/.//evil.example',
  '/..//evil.example',
  '/a/../..//evil.example',
  `/${'x'.repeat(1001)}`,
];
for (const path of ELSEWHERE) {
  paths(`is never ${JSON.stringify(path).slice(0, 60)}`, () => {
    const parsed = parseLocalPath(path);
    assert.is(parsed.ok ? parsed.value : 'refused', 'refused');
  });
}

paths.run();
