/** One secret at two targets would be one way into two places: it is refused, and the answer tells nobody whose it is. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { must, testApp } from '../support/app.ts';
import { clientDatabase } from '../support/target.ts';

const SECRET = 'a-secret-of-one-place';

const secrets = suite('the secrets of targets');

secrets('stand at one target, unless they are said to be MSP-wide', async () => {
  const client = await clientDatabase();
  const app = await testApp();
  const other = await app.node();
  const token = await app.localToken('ada');
  const put = (place: string, more: object = {}, node: typeof other = app) => {
    const body = { provider: 'postgres', config: client.config, environment: 'production', secret: SECRET, ...more };
    return node.call('PUT', `/api/tenants/${place}`, { token, body });
  };
  must(await put('acme/targets/db'));
  must(await put('acme/targets/db'));
  must(await put('acme/targets/db', { secret: null, environment: 'test' }));
  const refused = [await put('birch/targets/db'), await put('acme/targets/twin')];
  for (const answer of refused) {
    assert.equal([answer.status, answer.body['code']], [409, 'secret_in_use']);
    assert.not.match(answer.text, SECRET);
    assert.not.match(String(answer.body['detail']), /acme|birch|db/);
  }
  assert.is(refused[0]?.body['detail'], refused[1]?.body['detail'], 'whoever has it');
  assert.is((await app.operator('ada', 'GET', '/api/tenants/birch/targets/db')).status, 404);

  must(await put('birch/targets/db', { msp_wide: { reason: 'one cluster for both' } }));
  const { body } = await app.operator('ada', 'GET', '/api/tenants/birch/targets/db');
  assert.equal(body['msp_wide'], { reason: 'one cluster for both', author: 'ada' });
  assert.is((await put('birch/targets/db', { secret: null })).body['code'], 'secret_in_use', 'the mark taken away');

  const wait = [put('acme/targets/a', { secret: 'fresh' }), put('birch/targets/b', { secret: 'fresh' }, other)];
  const raced = (await Promise.all(wait)).map(({ status }) => status);
  assert.equal(
    raced.toSorted((a, b) => a - b),
    [200, 409],
  );
  must(await app.operator('ada', 'DELETE', '/api/tenants/acme/targets/db'));
  must(await app.operator('ada', 'DELETE', '/api/tenants/birch/targets/db'));
  must(await put('acme/targets/after'));
  const kept = await app.sql<{ all: string }>(`select coalesce(string_agg(t::text, ' '), '') as all from targets t`);
  assert.not.match(kept[0]?.all ?? '', SECRET);
  await app.close();
  await client.remove();
});

secrets('are given anew where the target changes in anything that says where it is', async () => {
  const client = await clientDatabase();
  const app = await testApp();
  const put = (config: object, secret: string | null) =>
    app.operator('ada', 'PUT', '/api/tenants/acme/targets/db', {
      provider: 'postgres',
      config,
      environment: 'production',
      secret,
    });
  const config = { ...client.config } as Record<string, unknown> & { nodes: readonly object[] };
  must(await put(config, SECRET));
  const elsewhere = { host: 'db.evil.example', port: 5432, standby: false };
  for (const [what, changed] of Object.entries({
    nodes: { ...config, nodes: [elsewhere], tls: 'verify' },
    more: { ...config, nodes: [...config.nodes, elsewhere], tls: 'verify' },
    database: { ...config, database: 'other' },
    admin: { ...config, admin: 'other' },
    server: { ...config, system_identifier: '1' },
  })) {
    const answer = await put(changed, null);
    assert.equal([answer.body['code'], answer.body['path']], ['invalid_target', 'secret'], what);
  }
  must(await app.operator('ada', 'DELETE', '/api/tenants/acme/targets/db'));
  assert.is((await put(config, null)).body['code'], 'name_retired', 'nor by its name');
  const [row] = await app.sql<{ n: number }>(`select count(*)::int as n from target_versions where name = 'db'`);
  assert.is(row?.n, 1);
  await app.close();
  await client.remove();
});

secrets.run();
