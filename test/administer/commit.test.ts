import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { putInRegister, putTarget } from '../../src/administer/acts.ts';
import type { OperatorName, PersonName, TargetName, TenantName } from '../../src/core/ids.ts';
import { must, testApp } from '../support/app.ts';

const app = await testApp();
const ACME = 'acme' as TenantName;

const committing = suite('an administrative act');

committing('rests on a standing that still holds at its commit', async () => {
  must(await app.operator('ada', 'PUT', '/api/people/nina', { display_name: 'Nina' }));
  must(await app.operator('ada', 'PUT', '/api/operators/nina', { person: 'nina' }));
  const held = { tenant: 'acme', holder: { person: 'nina' }, role: 'administrator' };
  must(await app.operator('ada', 'POST', '/api/assignments', held));
  const nina = {
    kind: 'operator',
    operator: 'nina' as OperatorName,
    person: 'nina' as PersonName,
    by: 'oidc',
    reason: null,
    isAsSeen: null,
  } as const;
  const put = async (between: () => Promise<void>) => {
    app.deps.store.forget(ACME);
    const at = await app.deps.store.snapshot(ACME);
    if (at === null) throw new Error('there is no acme');
    await between();
    const config = { audience: 'https://nina.acme.example', checks: 'introspection' };
    const body = { provider: 'jwt', config, environment: 'production' };
    return putTarget(app.deps, nina, at, { target: 'ninas' as TargetName, body });
  };
  assert.ok((await put(async () => undefined)).ok);
  const done = await put(async () => {
    const list = must(await app.operator('ada', 'GET', '/api/assignments?tenant=acme'));
    const items = list.body['items'] as { id: string; holder: { person?: string } }[];
    const id = items.find(({ holder }) => holder.person === 'nina')?.id;
    must(await app.operator('ada', 'DELETE', `/api/assignments/${id}`));
  });
  assert.is(done.ok ? 'done' : done.error.code, 'contended');
  const [row] = await app.sql<{ n: string }>(`select count(*) as n from target_versions where name = 'ninas'`);
  assert.is(Number(row?.n), 1);
});

committing('is nothing that an operator who was removed meanwhile can do', async () => {
  must(await app.operator('ada', 'PUT', '/api/operators/spare', { person: 'ada' }));
  const spare = {
    kind: 'operator',
    operator: 'spare' as OperatorName,
    person: 'ada' as PersonName,
    by: 'oidc',
    reason: null,
    isAsSeen: null,
  } as const;
  const put = () => {
    app.deps.store.forget(null);
    return putInRegister(app.deps, spare, { register: 'people', name: 'zoe', body: { display_name: 'Zoe' } });
  };
  assert.ok((await put()).ok);
  must(await app.operator('ada', 'DELETE', '/api/operators/spare'));
  const done = await put();
  assert.is(done.ok ? 'done' : done.error.code, 'unauthenticated');
});

committing.after(() => app.close());
committing.run();
