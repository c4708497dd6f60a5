/** What is wrong with a target is told where it stands in what was sent. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { testApp } from '../support/app.ts';

const app = await testApp();

const target = (more: object = {}, config: object = {}) => ({
  provider: 'jwt',
  environment: 'production',
  config: { audience: 'https://desk.acme.example', checks: 'introspection', ...config },
  ...more,
});

const REFUSED: readonly (readonly [what: string, body: object, code: string, path: string])[] = [
  ['a field of the target', target({ environment: 7 }), 'invalid_field', 'environment'],
  ['a setting of the wrong kind', target({}, { counts_uses: 'true' }), 'invalid_field', 'config.counts_uses'],
  ['a setting that there is not', target({}, { audiense: 'x' }), 'unknown_field', 'config.audiense'],
  ['a setting that is missing', target({ config: {} }), 'invalid_field', 'config.audience'],
  ['Brevet’s own address', target({}, { audience: 'https://brevet.example/x' }), 'invalid_target', 'config.audience'],
];

const targets = suite('a target');

targets.after(() => app.close());

for (const [what, sent, code, path] of REFUSED) {
  targets(`is refused for ${what}, with its path`, async () => {
    const { body, text } = await app.call('PUT', '/api/tenants/acme/targets/desk', {
      token: await app.localToken('ada'),
      body: sent,
    });
    assert.equal([body['code'], body['path']], [code, path], text);
  });
}

targets.run();
