import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parsePut } from '../../src/administer/registers.ts';
import { deployment } from '../authenticate/world.ts';

const issuers = suite('an issuer');

const GITHUB = 'https://token.actions.githubusercontent.com';
const PLATFORMS: readonly (readonly [url: string, platform: string, path: string | null])[] = [
  [GITHUB, 'github', null],
  [GITHUB, 'generic', 'platform'],
  [GITHUB, 'kubernetes', 'platform'],
  [`${GITHUB}/acme`, 'generic', 'platform'],
  ['https://TOKEN.actions.githubusercontent.com', 'generic', 'platform'],
  ['https://token.actions.acme.ghe.com', 'generic', 'platform'],
  ['https://token.actions.acme.ghe.com', 'github', null],
  ['https://token.actions.githubusercontent.com.example', 'generic', null],
  ['https://ci.example', 'generic', null],
];
for (const [url, platform, path] of PLATFORMS) {
  issuers(`at ${url} is ${path === null ? 'one' : 'none'} of the platform ${platform}`, () => {
    const parsed = parsePut('issuers', 'ci', { url, platform }, deployment({}));
    assert.is(parsed.ok ? null : parsed.error.path, path);
  });
}

issuers.run();
