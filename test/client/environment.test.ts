import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createBrevet } from '../../src/client/brevet.ts';
import { optionsFromEnvironment } from '../../src/client/environment.ts';
import { BrevetMisconfigured } from '../../src/client/error.ts';
import { fakeBroker } from './fake-broker.ts';

const read = suite('the environment of an agent');

const folder = mkdtempSync(join(tmpdir(), 'brevet-client-'));
const file = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
};
read.after(() => rmSync(folder, { recursive: true }));

const BASE = { BREVET_URL: 'https://b.example', BREVET_TENANT: 'acme', BREVET_AGENT: 'report-bot' };
const KEY = file('key.json', '{"kty":"OKP","crv":"Ed25519","x":"a","d":"canary"}');
const TOKEN = file('token', 'one\n');

read('is a broker, a tenant, an agent and its key', () => {
  const options = optionsFromEnvironment({}, { ...BASE, BREVET_AGENT_KEY_FILE: KEY });
  const key = { kty: 'OKP', crv: 'Ed25519', x: 'a', d: 'canary' };
  assert.equal(options, { url: 'https://b.example', tenant: 'acme', agent: 'report-bot', key });
});

read('takes the tenant that is given', () => {
  const { tenant } = optionsFromEnvironment({ tenant: 'globex' }, { ...BASE, BREVET_AGENT_KEY_FILE: KEY });
  assert.is(tenant, 'globex');
});

read('reads a workload’s token anew at each use', async () => {
  const broker = await fakeBroker();
  try {
    const options = optionsFromEnvironment({}, { ...BASE, BREVET_URL: broker.url, BREVET_WORKLOAD_TOKEN_FILE: TOKEN });
    writeFileSync(TOKEN, 'workload-token\n');
    await createBrevet(options).ask({ task: 'db.report', resource: 'crm', reason: 'x' });
  } finally {
    await broker.stop();
  }
});

const WRONG: readonly (readonly [env: Record<string, string>, what: string])[] = [
  [{}, 'BREVET_TENANT is not set'],
  [{ ...BASE, BREVET_URL: '' }, 'BREVET_URL is not set'],
  [BASE, 'neither BREVET_AGENT_KEY_FILE nor BREVET_WORKLOAD_TOKEN_FILE is set'],
  [{ ...BASE, BREVET_AGENT_KEY_FILE: KEY, BREVET_WORKLOAD_TOKEN_FILE: TOKEN }, 'both set: keep one'],
  [{ ...BASE, BREVET_AGENT_KEY_FILE: join(folder, 'none') }, 'ENOENT'],
  [{ ...BASE, BREVET_AGENT_KEY_FILE: file('broken', '{"d":"canary"') }, 'holds no JWK'],
  [{ ...BASE, BREVET_AGENT_KEY_FILE: file('list', '["canary"]') }, 'holds no JWK'],
];
for (const [env, what] of WRONG) {
  read(`is refused: ${what}`, () => {
    const refused = (error: Error): boolean =>
      error instanceof BrevetMisconfigured && error.message.includes(what) && !error.message.includes('canary');
    assert.throws(() => optionsFromEnvironment({}, env), refused);
  });
}

read.run();
