import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { deploymentKeyBytes, deploymentKeyFile, readConfig } from '../src/config.ts';
import type { Config, Environment, ReadFile } from '../src/config.ts';
import { Secret } from '../src/core/secret.ts';

const CANARY = 'hunter2canary';
const KEY = Buffer.alloc(32, 7).toString('base64');
const DATABASE = {
  DATABASE_URL: `postgres://brevet:${CANARY}@db/brevet`,
  BREVET_MIGRATE_URL: `postgres://brevet_owner:${CANARY}@db/brevet`,
};
const OUTSIDE = { ...DATABASE, BREVET_DEPLOYMENT_KEY: KEY, BREVET_PUBLIC_URL: 'https://brevet.example' };

const files: ReadFile = (path) => {
  if (path === '/key') return { text: `${KEY}\n`, mode: 0o100600 };
  if (path === '/open') return { text: KEY, mode: 0o100640 };
  if (path === '/short') return { text: CANARY, mode: 0o100400 };
  if (path === '/empty') return { text: '\n', mode: 0o100600 };
  return { why: 'ENOENT' };
};

const taken = suite('settings that are taken');

function read(env: Environment): Config {
  const config = readConfig(env, files);
  assert.ok(config.ok, JSON.stringify(config));
  return config.value;
}

taken('nothing at all: everything of its own, on loopback', () => {
  assert.equal(read({}), {
    listen: { host: '127.0.0.1', port: 8420 },
    publicUrl: 'http://localhost:8420',
    database: { kind: 'embedded' },
    dataDir: './.brevet',
    deploymentKey: null,
    policyDir: './policy',
    operators: null,
    allowPrivateHosts: [],
    channels: { smtp: null, slack: null, teams: null, webhook: null },
  });
});

const TAKEN: readonly (readonly [env: Environment, of: (config: Config) => unknown, value: unknown])[] = [
  [{ BREVET_LISTEN: '[::1]:9000' }, (config) => config.listen, { host: '::1', port: 9000 }],
  [{ BREVET_LISTEN: '[::1]:9000' }, (config) => config.publicUrl, 'http://localhost:9000'],
  [{ BREVET_LISTEN: 'localhost:1' }, (config) => config.listen, { host: 'localhost', port: 1 }],
  [{ ...OUTSIDE, BREVET_LISTEN: '0.0.0.0:443' }, (config) => config.listen.host, '0.0.0.0'],
  [{ BREVET_LISTEN: '' }, (config) => config.listen.port, 8420],
  [{ BREVET_PUBLIC_URL: 'https://brevet.example/' }, (config) => config.publicUrl, 'https://brevet.example'],
  [{ BREVET_PUBLIC_URL: 'http://localhost:8000' }, (config) => config.publicUrl, 'http://localhost:8000'],
  [{ BREVET_DEPLOYMENT_KEY_FILE: '/key' }, (config) => config.deploymentKey?.reveal(), KEY],
  [{ BREVET_DEPLOYMENT_KEY: KEY }, (config) => config.deploymentKey?.reveal(), KEY],
  [OUTSIDE, (config) => config.database.kind, 'configured'],
  [
    { BREVET_ALLOW_PRIVATE_HOSTS: 'Localhost, 10.0.0.1,' },
    (config) => config.allowPrivateHosts,
    ['localhost', '10.0.0.1'],
  ],
  [
    { BREVET_OPERATOR_ISSUER: 'https://id.example', BREVET_OPERATOR_CLIENT_ID: 'brevet' },
    (config) => config.operators,
    { issuer: 'https://id.example', clientId: 'brevet', clientSecret: null },
  ],
  [
    { BREVET_SLACK_WEBHOOK_URL: 'https://hooks.example/x' },
    (config) => config.channels.slack?.reveal(),
    'https://hooks.example/x',
  ],
  [{ BREVET_URL: 'https://brevet.example', BREVET_AS: 'ada', HOME: '/root' }, (config) => config.dataDir, './.brevet'],
];
for (const [env, of, value] of TAKEN) {
  taken(JSON.stringify(env).slice(0, 90), () => assert.equal(of(read(env)), value));
}

taken('no secret shows itself', () => {
  assert.not.match(JSON.stringify(read(OUTSIDE)), CANARY);
  assert.not.match(JSON.stringify(read(OUTSIDE)), KEY);
});

taken.run();

const refused = suite('settings that are refused');

/** The problems, as `NAME what`; each pattern matches one, in order, and there are no more. */
const REFUSED: readonly (readonly [env: Environment, problems: readonly RegExp[]])[] = [
  [{ BREVET_LISTEN: '8420' }, [/^BREVET_LISTEN is not host:port/]],
  [{ BREVET_LISTEN: '::1:8420' }, [/^BREVET_LISTEN is not host:port/]],
  [{ BREVET_LISTEN: '127.0.0.1:0' }, [/^BREVET_LISTEN/]],
  [{ BREVET_LISTEN: '127.0.0.1:65536' }, [/^BREVET_LISTEN/]],
  [{ BREVET_PUBLIC_URL: 'http://brevet.example' }, [/^BREVET_PUBLIC_URL is not https/]],
  [{ BREVET_PUBLIC_URL: 'http://localhost.evil.example' }, [/^BREVET_PUBLIC_URL is not https/]],
  [{ BREVET_PUBLIC_URL: 'https://brevet.example/path' }, [/^BREVET_PUBLIC_URL is not an origin/]],
  [{ BREVET_PUBLIC_URL: `https://a:${CANARY}@brevet.example` }, [/^BREVET_PUBLIC_URL is not an origin/]],
  [{ BREVET_PUBLIC_URL: 'brevet.example' }, [/^BREVET_PUBLIC_URL is not an origin/]],
  [
    { BREVET_LISTEN: '0.0.0.0:8420' },
    [/^BREVET_PUBLIC_URL is missing/, /^DATABASE_URL is missing/, /^BREVET_DEPLOYMENT_KEY_FILE is missing/],
  ],
  [{ BREVET_LISTEN: '[::]:8420', ...OUTSIDE, BREVET_PUBLIC_URL: '' }, [/^BREVET_PUBLIC_URL is missing/]],
  [
    { BREVET_LISTEN: '10.0.0.1:8420', ...OUTSIDE, BREVET_DEPLOYMENT_KEY: '' },
    [/^BREVET_DEPLOYMENT_KEY_FILE is missing/],
  ],
  [DATABASE, [/^BREVET_DEPLOYMENT_KEY_FILE is missing beside DATABASE_URL/]],
  [
    { DATABASE_URL: DATABASE.DATABASE_URL, BREVET_DEPLOYMENT_KEY: KEY },
    [/^BREVET_MIGRATE_URL is missing beside DATABASE_URL/],
  ],
  [{ BREVET_MIGRATE_URL: DATABASE.BREVET_MIGRATE_URL }, [/^DATABASE_URL is missing beside BREVET_MIGRATE_URL/]],
  [{ ...OUTSIDE, BREVET_MIGRATE_URL: DATABASE.DATABASE_URL }, [/^DATABASE_URL has the same login/]],
  [{ ...OUTSIDE, DATABASE_URL: `mysql://brevet:${CANARY}@db` }, [/^DATABASE_URL is not a URL of the kind/]],
  [{ ...OUTSIDE, DATABASE_URL: `postgres://brevet:${CANARY}@db:port/x` }, [/^DATABASE_URL is not a URL of the kind/]],
  [{ BREVET_DEPLOYMENT_KEY: CANARY }, [/^BREVET_DEPLOYMENT_KEY is not 32 bytes/]],
  [{ BREVET_DEPLOYMENT_KEY: KEY, BREVET_DEPLOYMENT_KEY_FILE: '/key' }, [/^BREVET_DEPLOYMENT_KEY is set beside/]],
  [{ BREVET_DEPLOYMENT_KEY_FILE: '/short' }, [/^BREVET_DEPLOYMENT_KEY_FILE is not 32 bytes/]],
  [
    { BREVET_DEPLOYMENT_KEY_FILE: '/open' },
    [/^BREVET_DEPLOYMENT_KEY_FILE names a file that others can read \(mode 0640\)/],
  ],
  [{ BREVET_DEPLOYMENT_KEY_FILE: '/none' }, [/^BREVET_DEPLOYMENT_KEY_FILE cannot be read: ENOENT/]],
  [{ BREVET_DEPLOYMENT_KEY_FILE: '/empty' }, [/^BREVET_DEPLOYMENT_KEY_FILE names an empty file/]],
  [{ BREVET_OPERATOR_ISSUER: 'https://id.example' }, [/^BREVET_OPERATOR_CLIENT_ID is missing/]],
  [{ BREVET_OPERATOR_CLIENT_ID: 'brevet' }, [/^BREVET_OPERATOR_ISSUER is missing/]],
  [
    { BREVET_OPERATOR_ISSUER: 'http://id.example', BREVET_OPERATOR_CLIENT_ID: 'brevet' },
    [/^BREVET_OPERATOR_ISSUER is not an https URL/],
  ],
  [{ BREVET_SLACK_WEBHOOK_URL: `http://hooks.example/${CANARY}` }, [/^BREVET_SLACK_WEBHOOK_URL is not a URL/]],
  [{ BREVET_ALLOW_PRIVATE_HOSTS: 'http://localhost' }, [/^BREVET_ALLOW_PRIVATE_HOSTS holds what is no host/]],
  [{ BREVET_ALLOW_PRIVATE_HOSTS: '*' }, [/^BREVET_ALLOW_PRIVATE_HOSTS holds what is no host/]],
  [{ BREVET_LISTN: '127.0.0.1:1' }, [/^BREVET_LISTN is no setting of Brevet Did you mean BREVET_LISTEN\?/]],
  [{ BREVET_SOMETHING_ELSE: CANARY }, [/^BREVET_SOMETHING_ELSE is no setting of Brevet Remove it\./]],
];
for (const [env, expected] of REFUSED) {
  refused(JSON.stringify(env).slice(0, 90), () => {
    const config = readConfig(env, files);
    const problems = config.ok ? [] : config.error.map(({ name, what, remedy }) => `${name} ${what} ${remedy}`);
    assert.is(problems.length, expected.length, problems.join('\n'));
    for (const [at, pattern] of expected.entries()) assert.match(problems[at] ?? '', pattern);
    assert.not.match(problems.join('\n'), CANARY);
    assert.not.match(problems.join('\n'), KEY);
  });
}

refused('all at once', () => {
  const config = readConfig({ BREVET_LISTEN: 'x', BREVET_PUBLIC_URL: 'y', BREVET_DEPLOYMENT_KEY: 'z', BREVET_W: '' });
  assert.is(config.ok ? 0 : config.error.length, 4);
});

refused('a file, where there are none', () => {
  assert.not.ok(readConfig({ BREVET_DEPLOYMENT_KEY_FILE: '/key' }).ok);
});

refused.run();

const keys = suite('a deployment key');

const KEYS: readonly (readonly [text: string, bytes: number | null])[] = [
  [KEY, 32],
  [KEY.replace('=', ''), 32],
  [Buffer.alloc(32, 255).toString('base64url'), 32],
  [Buffer.alloc(31).toString('base64'), null],
  [Buffer.alloc(33).toString('base64'), null],
  ['', null],
  ['not base64 at all, not even near to it 012345', null],
];
for (const [text, bytes] of KEYS) {
  keys(JSON.stringify(text), () => assert.is(deploymentKeyBytes(new Secret(text))?.length ?? null, bytes));
}

keys('is kept in the data directory', () => assert.is(deploymentKeyFile('./.brevet/'), './.brevet/deployment.key'));

keys.run();
