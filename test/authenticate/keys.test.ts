/** The keys of other issuers, over HTTP: PITFALLS 6. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { IssuerKeys, KeyHint } from '../../src/core/issuer.ts';
import { instant, milliseconds } from '../../src/core/time.ts';
import type { Instant } from '../../src/core/time.ts';
import { checkIssuerUrl, createIssuerKeys } from '../../src/authenticate/keys.ts';
import { jsonOver } from '../../src/fetch/json.ts';
import { guardedRequest } from '../../src/fetch/node.ts';
import { startIssuer } from '../support/issuer.ts';
import type { TestIssuer } from '../support/issuer.ts';
import { NOW } from './world.ts';

const request = guardedRequest({ privateHosts: ['127.0.0.1'] });
/** As the guard fetches, but with less patience. */
const fetch = jsonOver((url, { bytes }, headers) => request(url, { bytes, milliseconds: milliseconds(300) }, headers));

const BOTH = ['/.well-known/openid-configuration', '/keys'];
const hint = (kid: string | null, algorithm = 'ES256'): KeyHint => ({ kid, algorithm });

interface World {
  readonly issuer: TestIssuer;
  readonly keys: IssuerKeys;
  readonly warnings: string[];
  /** Seconds from the start. */
  at(seconds: number): void;
  /** `ok`, or why not. */
  find(kid: string | null, algorithm?: string): Promise<string>;
}

async function withIssuer(test: (world: World) => Promise<void>, flights: 'shared' | 'own' = 'shared'): Promise<void> {
  const issuer = await startIssuer();
  const warnings: string[] = [];
  let now: Instant = NOW;
  const log = { warn: (event: string) => warnings.push(event) };
  const keys = createIssuerKeys(fetch, () => now, log, flights);
  const find = async (kid: string | null, algorithm?: string): Promise<string> => {
    const found = await keys.find(issuer.url, hint(kid, algorithm));
    return found.ok ? 'ok' : found.error;
  };
  try {
    await test({ issuer, keys, warnings, at: (seconds) => void (now = instant(NOW + seconds * 1000)), find });
  } finally {
    await issuer.stop();
  }
}

const kept = suite('an issuer’s keys');

kept('are found by discovery, once, and kept for ten minutes', () =>
  withIssuer(async ({ issuer, find, at }) => {
    assert.is(await find('first'), 'ok');
    at(599);
    assert.equal([await find('first'), await find(null)], ['ok', 'ok']);
    assert.equal(issuer.asked, BOTH);
    at(600);
    assert.is(await find('first'), 'ok');
    assert.equal(issuer.asked, [...BOTH, ...BOTH]);
  }),
);

kept('are fetched once for all who ask at the same time', () =>
  withIssuer(async ({ issuer, find }) => {
    const found = await Promise.all(Array.from({ length: 50 }, () => find('first')));
    assert.equal(new Set(found), new Set(['ok']));
    assert.equal(issuer.asked, BOTH);
  }),
);

kept('are fetched once more for a storm of unknown kids, and a minute later once again', () =>
  withIssuer(async ({ issuer, find, at }) => {
    await find('first');
    const storm = (): Promise<string[]> => Promise.all(Array.from({ length: 200 }, (_, n) => find(`unknown-${n}`)));
    assert.equal(new Set(await storm()), new Set(['unknown']));
    assert.is(issuer.asked.length, 2);
    at(60);
    assert.equal(new Set(await storm()), new Set(['unknown']));
    assert.is(issuer.asked.length, 4);
    at(119);
    await storm();
    assert.is(issuer.asked.length, 4);
    assert.is(await find('first'), 'ok');
  }),
);

kept('that are new are found within a minute, and those withdrawn are gone then', () =>
  withIssuer(async ({ issuer, find, at }) => {
    await find('first');
    await issuer.rotate('second');
    issuer.keys.shift();
    assert.is(await find('second'), 'unknown');
    at(60);
    assert.equal([await find('second'), await find('first')], ['ok', 'unknown']);
  }),
);

kept('fit the algorithm and the use, or are none', () =>
  withIssuer(async ({ issuer, find }) => {
    const [key = {}] = issuer.keys;
    const { alg: _, ...plain } = key;
    issuer.keys.push(
      { ...plain, kid: 'encrypts', use: 'enc' },
      { ...plain, kid: 'other-alg', alg: 'ES384' },
      { ...plain, kid: 'twice' },
      { ...plain, kid: 'twice' },
      { kty: 'oct', k: 'AAAA', kid: 'secret' },
    );
    assert.is(await find('first', 'RS256'), 'unknown');
    for (const kid of ['encrypts', 'other-alg', 'twice', 'secret']) assert.is(await find(kid), 'unknown', kid);
    assert.is(await find(null), 'unknown', 'several could be meant');
  }),
);

const BROKEN: readonly (readonly [what: string, breakIt: (issuer: TestIssuer) => void])[] = [
  ['names another issuer', ({ discovery }) => (discovery['issuer'] = 'https://other.example')],
  ['names itself with a slash', ({ discovery, url }) => (discovery['issuer'] = `${url}/`)],
  ['names no keys', ({ discovery }) => delete discovery['jwks_uri']],
  ['has its keys at a private address', ({ discovery }) => (discovery['jwks_uri'] = 'https://127.0.0.2/keys')],
  ['has its keys in a file', ({ discovery }) => (discovery['jwks_uri'] = 'file:///etc/keys')],
  ['has too many keys', ({ keys }) => keys.push(...Array.from({ length: 64 }, () => ({ kty: 'EC' })))],
  ['redirects', (issuer) => (issuer.answer = (_, to) => to.writeHead(302, { location: '/keys' }).end())],
  ['fails', (issuer) => (issuer.answer = (_, to) => to.writeHead(500).end('{}'))],
  ['says too much', (issuer) => (issuer.answer = (_, to) => to.end(`"${'x'.repeat(200_000)}"`))],
  ['says nothing', (issuer) => (issuer.answer = () => undefined)],
  ['hangs up', (issuer) => (issuer.answer = (_, to) => to.destroy())],
  ['speaks no JSON', (issuer) => (issuer.answer = (_, to) => to.end('<html>'))],
  ['says JSON of another shape', (issuer) => (issuer.answer = (_, to) => to.end('[]'))],
];
for (const [what, breakIt] of BROKEN) {
  kept(`are not to be had of one that ${what}; it is asked again after a second`, () =>
    withIssuer(async ({ issuer, warnings, find, at }) => {
      const { discovery } = issuer;
      const good = { ...discovery };
      breakIt(issuer);
      assert.equal([await find('first'), await find('first')], ['unavailable', 'unavailable']);
      assert.equal(warnings, ['issuer_keys_unavailable']);
      issuer.answer = null;
      Object.assign(discovery, good);
      issuer.keys.splice(1);
      at(0.9);
      assert.is(await find('first'), 'unavailable');
      at(1);
      assert.is(await find('first'), 'ok');
    }),
  );
}

kept('are asked for less and less often while they are not to be had, at least each half minute', () =>
  withIssuer(async ({ issuer, find, at }) => {
    issuer.answer = (_, to) => to.writeHead(503).end();
    const tried: number[] = [];
    for (let second = 0; second < 100; second++) {
      at(second);
      const before = issuer.asked.length;
      await Promise.all([find('first'), find('second')]);
      if (issuer.asked.length > before) tried.push(second);
    }
    assert.equal(tried, [0, 1, 3, 7, 15, 31, 61, 91]);
    issuer.answer = null;
    at(121);
    assert.is(await find('first'), 'ok');
    issuer.answer = (_, to) => to.writeHead(503).end();
    at(721);
    assert.is(await find('first'), 'unavailable');
    issuer.answer = null;
    at(722);
    assert.is(await find('first'), 'ok', 'and from the beginning once they were had');
  }),
);

kept('are asked for once a minute for unknown kids, also where the issuer does not answer', () =>
  withIssuer(async ({ issuer, find, at }) => {
    await find('first');
    issuer.answer = (_, to) => to.writeHead(503).end();
    const before = issuer.asked.length;
    for (let second = 60; second < 120; second++) {
      at(second);
      assert.is(await find('unknown'), 'unknown');
    }
    assert.is(issuer.asked.length, before + 1);
  }),
);

kept('that become too old just after they could not be refreshed are asked for again at once', () =>
  withIssuer(async ({ issuer, find, at }) => {
    await find('first');
    issuer.answer = (_, to) => to.writeHead(503).end();
    at(598);
    assert.is(await find('unknown'), 'unknown');
    issuer.answer = null;
    at(600);
    assert.is(await find('first'), 'ok');
  }),
);

kept('that are too old are not believed while the issuer is out', () =>
  withIssuer(async ({ issuer, find, at }) => {
    assert.is(await find('first'), 'ok');
    issuer.answer = (_, to) => to.writeHead(503).end();
    at(300);
    assert.equal([await find('new'), await find('first')], ['unknown', 'ok']);
    at(600);
    assert.is(await find('first'), 'unavailable');
  }),
);

kept('are each request’s own to fetch where promises are not shared', () =>
  withIssuer(async ({ issuer, find, at }) => {
    const found = await Promise.all(Array.from({ length: 20 }, () => find('first')));
    assert.is(found.filter((one) => one === 'ok').length, 8, 'a few at a time');
    assert.is(await find('first'), 'ok');
    const asked = issuer.asked.length;
    at(60);
    const storm = await Promise.all(Array.from({ length: 20 }, (_, n) => find(`unknown-${n}`)));
    assert.equal(new Set(storm), new Set(['unknown']));
    assert.is(issuer.asked.length, asked + 2);
    at(660);
    const again = await Promise.all(Array.from({ length: 20 }, () => find('first')));
    assert.is(again.filter((one) => one === 'ok').length, 8, 'as few, and not one alone, once they are too old');
  }, 'own'),
);

kept('are asked for a few times in a minute, however long one of the answers takes', () =>
  withIssuer(async ({ issuer, find, at }) => {
    for (const minute of [0, 1]) {
      at(minute * 60);
      const held: (() => void)[] = [];
      issuer.answer = (_, to) => {
        const refuse = (): void => void to.writeHead(503).end();
        if (held.length === 0) held.push(refuse);
        else refuse();
      };
      const storm = (): Promise<string[]> => Promise.all(Array.from({ length: 20 }, () => find('first')));
      const first = find('first');
      while (held.length === 0) await new Promise((turn) => setTimeout(turn, 1));
      await storm();
      await storm();
      held[0]?.();
      assert.is(await first, 'unavailable');
      assert.is(issuer.asked.length, 8 * (minute + 1));
    }
  }, 'own'),
);

kept.run();

const urls = suite('an issuer’s URL');

const URLS: readonly (readonly [url: string, fits: boolean])[] = [
  ['https://token.actions.githubusercontent.com', true],
  ['https://kubernetes.default.svc.cluster.local', true],
  ['https://ci.example/realms/acme/', true],
  ['http://127.0.0.1:4000', true],
  ['https://ci.example?x=1', false],
  ['https://ci.example?', false],
  ['https://ci.example/#', false],
  ['https://user@ci.example', false],
  ['https://ci.example /', false],
  ['ftp://ci.example', false],
  ['ci.example', false],
  [`https://ci.example/${'x'.repeat(500)}`, false],
];
for (const [url, fits] of URLS) {
  urls(`${url.slice(0, 60)} ${fits ? 'fits' : 'does not'}`, () => assert.is(checkIssuerUrl(url).ok, fits));
}

urls.run();
