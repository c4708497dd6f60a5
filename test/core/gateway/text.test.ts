/** Text in URLs: PITFALLS 34 and 52. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { escaped, fieldsOf, queryOf, segmentOf, segmentsOf, unescaped } from '../../../src/core/gateway/text.ts';
import { CHARACTER } from '../../support/text.ts';

const segments = suite('a value as a segment');

for (const [value, segment] of [
  ['ACME-1', 'ACME-1'],
  ['O’Brien & Söhne', 'O%E2%80%99Brien%20%26%20S%C3%B6hne'],
  [`it's "50%"`, 'it%27s%20%2250%25%22'],
  ['a*b!(c)', 'a%2Ab%21%28c%29'],
  ['${jndi:ldap:x}', '%24%7Bjndi%3Aldap%3Ax%7D'],
  ['a;b=c', 'a%3Bb%3Dc'],
  ['東京', '%E6%9D%B1%E4%BA%AC'],
  ['...', '...'],
  ['..a;b', '..a%3Bb'],
] as const) {
  segments(`${JSON.stringify(value)} is ${segment}`, () => assert.is(segmentOf(value), segment));
}

for (const value of [
  '',
  '.',
  '..',
  '..;',
  '.;a=b',
  ' .. ',
  'a/b',
  '/',
  'a\\b',
  '..\\x',
  'a%2fb',
  '%2e%2e',
  'a\nb',
  'a\tb',
  'a\u0000',
  '\ud800',
]) {
  segments(`nothing is made of ${JSON.stringify(value)}`, () => assert.is(segmentOf(value), null));
}

segments('nothing is made of what becomes dots or slashes where alphabets are folded', () => {
  for (const value of ['．．', 'a／b', '．', 'a＼b', '..；']) assert.is(segmentOf(value), null, value);
});

segments('whatever it is, it stays one segment of plain characters, and is read back as it was', () => {
  fc.assert(
    fc.property(fc.string({ unit: CHARACTER }), (value) => {
      const segment = segmentOf(value);
      if (segment === null) return;
      assert.match(segment, /^(?:[A-Za-z0-9._~-]|%[0-9A-F]{2})+$/);
      assert.is(unescaped(segment), value);
      assert.equal(segmentsOf(`/a/${segment}/b`), ['a', value, 'b']);
      assert.is(new URL(`https://tool.example/a/${segment}/b`).pathname, `/a/${segment}/b`);
    }),
  );
});

segments.run();

const paths = suite('a path as it was sent');

for (const [path, read] of [
  ['/', ['']],
  ['/a/b', ['a', 'b']],
  ['/a/', ['a', '']],
  ['/a%20b', ['a b']],
  ['/%41', ['A']],
] as const) {
  paths(`${path} is read`, () => assert.equal(segmentsOf(path), read));
}

for (const path of [
  '',
  'a',
  '//a',
  '/a//b',
  '/./a',
  '/a/..',
  '/a/../b',
  '/%2e%2e/a',
  '/%2E/a',
  '/a%2fb',
  '/a%2Fb',
  '/a%5cb',
  '/a\\b',
  '/a%252fb',
  '/a%25252e',
  '/a;b',
  '/a;jsessionid=1/b',
  '/a%',
  '/a%4',
  '/a%zz',
  '/%ff',
  '/%c0%ae%c0%ae/a',
  '/a%00',
  '/a%0d%0ab',
  '/ä',
  '/a b',
  '/a#b',
  '/a?b',
  '/%EF%BC%8E%EF%BC%8E/a',
]) {
  paths(`${JSON.stringify(path)} is not`, () => assert.is(segmentsOf(path), null));
}

paths.run();

const queries = suite('a query as it was sent');

for (const [query, read] of [
  ['', []],
  [
    'a=1&b=',
    [
      ['a', '1'],
      ['b', ''],
    ],
  ],
  ['a', [['a', '']]],
  ['a=x+y%2Bz', [['a', 'x y+z']]],
] as const) {
  queries(`${query} is read`, () => assert.equal([...(fieldsOf(query) ?? [])], read));
}

for (const query of [
  'a=1&a=2',
  'a=1&%61=2',
  'a=1;b=2',
  'a=1&&b=2',
  '=1',
  'a=b=c',
  'a=%',
  'a=%2500',
  'a=%00',
  'a=1#b',
  'a=ä',
]) {
  queries(`${query} is not`, () => assert.is(fieldsOf(query), null));
}

queries('is written so that no value ends its field', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), fc.string({ unit: 'grapheme' }), (name, value) => {
      const query = queryOf([
        [name, value],
        ['last', '1'],
      ]);
      assert.match(query, /^(?:[A-Za-z0-9._~=&-]|%[0-9A-F]{2})*$/);
      assert.equal(
        query.split('&').map((part) => part.split('=').map(decodeURIComponent)),
        [
          [name, value],
          ['last', '1'],
        ],
      );
      assert.not.match(escaped(value), /[&=#;+'"*$]/);
    }),
  );
});

queries.run();
