/** Which calls a lease lets through, by what was sent: PITFALLS 52. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { SpecifiedCall } from '../../../src/core/gateway/specification.ts';
import { matchCall } from '../../../src/use/gateway/match.ts';

const CALLS: readonly SpecifiedCall[] = [
  {
    method: 'GET',
    template: '/tickets/{{ticket}}',
    path: '/tickets/A%26B%201',
    query: { fields: { equals: 'id,subject' }, page: { matches: '[0-9]{1,4}', required: false } },
    body: null,
    objects: [],
  },
  {
    method: 'GET',
    template: '/search',
    path: '/search',
    query: { q: { matches: '(?:([a-z]+-?)+)', required: true } },
    body: null,
    objects: [],
  },
  { method: 'POST', template: '/notes/', path: '/notes/', query: {}, body: { members: {} }, objects: [] },
];

const match = (method: string, target: string | null, headers: Readonly<Record<string, string>> = {}) => {
  const made = matchCall(CALLS, { method, target, headers: new Map(Object.entries(headers)) });
  return made.ok ? made.value.query : made.error.code;
};

const matching = suite('a call that was approved');

for (const [method, target, query] of [
  ['GET', '/tickets/A%26B%201', [['fields', 'id,subject']]],
  ['GET', '/tickets/A%26B%201?', [['fields', 'id,subject']]],
  ['GET', '/tickets/A&B%201', [['fields', 'id,subject']]],
  [
    'GET',
    '/%74ickets/A%26B%201?page=7',
    [
      ['fields', 'id,subject'],
      ['page', '7'],
    ],
  ],
  [
    'GET',
    '/tickets/A%26B%201?fields=id%2Csubject&page=7',
    [
      ['fields', 'id,subject'],
      ['page', '7'],
    ],
  ],
  ['GET', '/search?q=abc', [['q', 'abc']]],
  ['POST', '/notes/', []],
] as const) {
  matching(`is ${method} ${target}`, () => assert.equal(match(method, target), query));
}

for (const [method, target] of [
  // JavaScript's own engine does not come back from it.
  ['GET', `/search?q=${'a'.repeat(200)}!`],
  ['DELETE', '/tickets/A%26B%201'],
  ['get', '/tickets/A%26B%201'],
  ['GET', '/tickets/A'],
  ['GET', '/tickets/A%26B%201/notes'],
  ['GET', '/tickets/A%26B%201/'],
  ['GET', '/tickets'],
  ['GET', '/TICKETS/A%26B%201'],
  ['GET', '/'],
  ['POST', '/notes'],
  ['GET', '/tickets/A%26B%201?fields=secret'],
  ['GET', '/tickets/A%26B%201?page=12345'],
  ['GET', '/tickets/A%26B%201?page=1%0A2'],
  ['GET', '/tickets/A%26B%201?Page=1'],
  ['GET', '/tickets/A%26B%201?expand=all'],
  ['GET', '/search'],
  ['GET', '/search?q='],
  ['GET', '/search?q=ABC'],
  ['GET', `/search?q=${'a'.repeat(257)}`],
] as const) {
  matching(`is not ${method} ${target.slice(0, 60)}`, () => {
    const code = match(method, target);
    assert.ok(code === 'gateway_call_refused' || code === 'gateway_request_refused', String(code));
  });
}

const reading = suite('a call that could be read in two ways');

for (const target of [
  null,
  'http://psa.example/tickets/A%26B%201',
  '/tickets/../tickets/A%26B%201',
  '/tickets/%2e%2e/search',
  '/tickets//A%26B%201',
  '//search',
  '/search;v=1?q=a',
  '/tickets%2fA%26B%201',
  '/tickets%252fA',
  '\\search',
  '/search?q=a&q=b',
  '/search?q=a;q=b',
  '/search?q=a#/x',
  '/search?q=%zz',
]) {
  reading(`is ${target}`, () => assert.is(match('GET', target), 'gateway_request_refused'));
}

for (const headers of [
  { 'x-http-method-override': 'DELETE' },
  { 'x-http-method': 'DELETE' },
  { 'x-method-override': 'DELETE' },
  { 'content-length': '3', 'transfer-encoding': 'chunked' },
  { 'content-length': '3, 3' },
  { 'content-length': '+3' },
  { 'content-encoding': 'gzip' },
  { upgrade: 'websocket', connection: 'upgrade' },
]) {
  reading(`says ${JSON.stringify(headers)}`, () => {
    assert.is(match('POST', '/notes/', headers), 'gateway_request_refused');
  });
}

matching.run();
reading.run();
