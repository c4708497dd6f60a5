import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { enforcedByHttp, httpTemplate } from '../../../src/core/templates/http.ts';

const GET = { method: 'GET', path: '/tickets/{{ticket}}' };
const POST = { method: 'POST', path: '/tickets', body: { members: { text: { type: 'string' } } } };

const templates = suite('the calls of a task class');

for (const [what, call] of [
  ['a call with a parameter in its path', GET],
  ['one at the root', { method: 'GET', path: '/' }],
  ['one whose path ends with a slash', { method: 'GET', path: '/tickets/' }],
  ['fixed and patterned fields', { ...GET, query: { a: { equals: '{{ticket}}' }, b: { matches: '[0-9]+' } } }],
  ['a body by rules', POST],
  ['members below members', { ...POST, body: { members: { a: { members: { b: { equals: ['{{x}}', 1] } } } } } }],
  ['bytes of a type', { method: 'PUT', path: '/files', body: { stream: 'application/octet-stream' } }],
  [
    'a document, whose type has xml in its name',
    {
      method: 'PUT',
      path: '/files',
      body: { stream: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document' },
    },
  ],
  [
    'what is fixed at an endpoint that runs it',
    { ...POST, path: '/graphql', body: { members: { query: { equals: '{ a }' } } } },
  ],
] as const) {
  templates(`may be ${what}`, () => assert.is(httpTemplate.safeParse({ calls: [call] }).success, true));
}

for (const [what, call] of [
  ['another method', { ...GET, method: 'TRACE' }],
  ['a method in small letters', { ...GET, method: 'get' }],
  ['a relative path', { ...GET, path: 'tickets' }],
  ['a dot segment', { ...GET, path: '/a/../b' }],
  ['an empty segment', { ...GET, path: '/a//b' }],
  ['an escape in its path', { ...GET, path: '/a%2fb' }],
  ['a parameter in part of a segment', { ...GET, path: '/tickets/T-{{ticket}}' }],
  ['braces that name nothing', { ...GET, path: '/tickets/{{Ticket}}' }],
  ['a query in its path', { ...GET, path: '/tickets?a=1' }],
  ['a star', { ...GET, path: '/tickets/*' }],
  ['a field that is read for a method', { ...GET, query: { _method: { equals: 'DELETE' } } }],
  ['a member that is read for a method', { ...POST, body: { members: { _Method: { type: 'string' } } } }],
  ['a pattern that looks ahead', { ...GET, query: { a: { matches: '(?=a)b' } } }],
  ['a pattern that is none', { ...GET, query: { a: { matches: '[' } } }],
  ['a pattern that ends its group', { ...GET, query: { a: { matches: 'a)|(b' } } }],
  ['a body of a GET', { ...GET, body: { members: {} } }],
  ['a form', { ...POST, body: { stream: 'application/x-www-form-urlencoded' } }],
  ['a form of parts', { ...POST, body: { stream: 'multipart/form-data' } }],
  ['JSON that nobody reads', { ...POST, body: { stream: 'application/json' } }],
  ['JSON in lines', { ...POST, body: { stream: 'application/x-ndjson' } }],
  ['YAML, which JSON is too', { ...POST, body: { stream: 'application/x-yaml' } }],
  ['a query of GraphQL', { ...POST, body: { stream: 'application/graphql' } }],
  ['JSON by another name', { ...POST, body: { stream: 'application/vnd.api+json' } }],
  ['a free member at an endpoint that runs it', { ...POST, path: '/api/graphql' }],
  ['bytes at an endpoint that runs them', { method: 'POST', path: '/$batch', body: { stream: 'text/plain' } }],
  [
    'a free field at an endpoint that runs it',
    { method: 'GET', path: '/graphql', query: { query: { matches: '.*' } } },
  ],
  ['a member without a kind', { ...POST, body: { members: { a: {} } } }],
  ['an unknown rule', { ...POST, body: { members: { a: { type: 'string', pattern: '.*' } } } }],
  ['an unknown field', { ...GET, headers: {} }],
] as const) {
  templates(`may not be ${what}`, () => assert.is(httpTemplate.safeParse({ calls: [call] }).success, false));
}

templates('are at least one', () => assert.is(httpTemplate.safeParse({ calls: [] }).success, false));

const FIXED = { members: { ticket: { equals: '{{ticket}}' } } };
for (const [where, enforced, calls] of [
  ['in a path', true, [GET]],
  ['in a field of the query that is set', true, [{ ...GET, path: '/', query: { id: { equals: 'T-{{ticket}}' } } }]],
  ['in a member that is set', true, [{ ...POST, body: FIXED }]],
  ['in one below a member that may be left out', true, [{ ...POST, body: { members: { of: FIXED } } }]],
  ['within a value that is set', true, [{ ...POST, body: { members: { of: { equals: [{ id: '{{ticket}}' }] } } } }]],
  ['in each call, wherever', true, [GET, { ...POST, body: FIXED }]],
  ['in one call of two', false, [GET, POST]],
  ['in a look-up alone', false, [{ ...POST, objects: { ticket: '{{ticket}}' } }]],
  [
    'in one of the values that a member may have',
    false,
    [{ ...POST, body: { members: { a: { one_of: ['{{ticket}}'] } } } }],
  ],
  ['nowhere', false, [POST]],
] as const) {
  templates(`${enforced ? 'hold' : 'do not hold'} an agent to a parameter ${where}`, () => {
    assert.is(httpTemplate.safeParse({ calls }).success, true);
    assert.equal(enforcedByHttp({ calls }), enforced ? ['ticket'] : []);
  });
}

templates('hold an agent to nothing where they cannot be read', () => {
  assert.equal(enforcedByHttp({ calls: [{ ...GET, odd: '{{ticket}}' }] }), []);
});

templates.run();
