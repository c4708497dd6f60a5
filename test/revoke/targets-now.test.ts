/** What is read of many tenants for oversight leaves connections to whoever asks for a credential. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { TenantName } from '../../src/core/ids.ts';
import { targetsNow } from '../../src/revoke/targets-now.ts';
import { testApp } from '../support/app.ts';

const app = await testApp();
const read = suite('the targets of many tenants');
read.after(() => app.close());

read('are read a few at a time, and all of them', async () => {
  let [now, most, count] = [0, 0, 0];
  const snapshot = async (tenant: TenantName) => {
    now += 1;
    count += 1;
    most = Math.max(most, now);
    try {
      return await app.deps.store.snapshot(tenant);
    } finally {
      now -= 1;
    }
  };
  const nowhere = Array.from({ length: 30 }, (_, n) => `nowhere-${n}`);
  const names = [...nowhere, 'acme', 'birch'] as TenantName[];
  const targets = await targetsNow({ ...app.deps, store: { ...app.deps.store, snapshot } }, names);
  assert.equal([count, most], [names.length, 4]);
  assert.equal([...new Set(targets.map(({ tenant }) => tenant))], ['acme', 'birch']);
});

read.run();
