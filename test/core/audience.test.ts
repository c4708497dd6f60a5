import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { audienceKey, isAtSameServer } from '../../src/core/audience.ts';

const audiences = suite('core/audience');

const SAME: readonly (readonly [what: string, one: string, other: string])[] = [
  ['the case of the host', 'https://CRM.acme.example/api', 'https://crm.acme.example/api'],
  ['the port of the scheme', 'https://crm.acme.example:443/api', 'https://crm.acme.example/api'],
  ['a slash at the end', 'https://crm.acme.example/api/', 'https://crm.acme.example/api'],
  ['an escape that needs none', 'https://crm.acme.example/%61p%69', 'https://crm.acme.example/api'],
  ['a dot at the end of the host', 'https://crm.acme.example./api', 'https://crm.acme.example/api'],
  ['a dot in the path', 'https://crm.acme.example/x/../api', 'https://crm.acme.example/api'],
  ['the case of a scheme of its own', 'URN:example:api', 'urn:example:api'],
];
for (const [what, one, other] of SAME) {
  audiences(`are not told apart by ${what}`, () => assert.is(audienceKey(one), audienceKey(other)));
}

const OTHERS: readonly (readonly [what: string, one: string, other: string])[] = [
  ['the path', 'https://crm.acme.example/api', 'https://crm.acme.example/apis'],
  ['the case of the path', 'https://crm.acme.example/api', 'https://crm.acme.example/API'],
  ['an escape that matters', 'https://crm.acme.example/a%2Fb', 'https://crm.acme.example/a/b'],
  ['a port of its own', 'https://crm.acme.example:8443', 'https://crm.acme.example'],
  ['the query', 'https://crm.acme.example/?a=1', 'https://crm.acme.example/?a=2'],
  ['the scheme', 'http://crm.acme.example', 'https://crm.acme.example'],
  ['what a scheme of its own names', 'urn:example:api', 'urn:example:apis'],
];
for (const [what, one, other] of OTHERS) {
  audiences(`are told apart by ${what}`, () => assert.is.not(audienceKey(one), audienceKey(other)));
}

const SERVERS: readonly (readonly [url: string, other: string, same: boolean])[] = [
  ['https://brevet.example/t/acme', 'https://brevet.example', true],
  ['http://brevet.example/x', 'https://brevet.example', true],
  ['https://brevet.example.:443/x', 'https://brevet.example', true],
  ['http://127.0.0.1:8420/x', 'http://localhost:8420', true],
  ['https://localhost:8420/t/acme', 'http://localhost:8420', true],
  ['http://[::1]:8420', 'http://localhost:8420', true],
  ['http://127.0.0.1:8421/x', 'http://localhost:8420', false],
  ['https://brevet.example:8443', 'https://brevet.example', false],
  ['https://brevet.example.org', 'https://brevet.example', false],
];
for (const [url, other, same] of SERVERS) {
  audiences(`${url} is ${same ? '' : 'not '}at ${other}`, () => assert.is(isAtSameServer(url, other), same));
}

audiences.run();
