import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { TenantName } from '../../src/core/ids.ts';
import { createKeyring } from '../../src/core/seal.ts';
import { createPlaces } from '../../src/decide/spread.ts';
import { random } from '../support/store.ts';

const places = suite('decide/spread');

places('name a tenant the same at every node of a deployment, and otherwise at another', async () => {
  const keyring = await createKeyring(random(32), random);
  const [one, same, other] = [
    createPlaces(keyring),
    createPlaces(keyring),
    createPlaces(await createKeyring(random(32), random)),
  ];
  const acme = 'acme' as TenantName;
  assert.match(one(acme), /^[0-9a-f]{32}$/);
  assert.is(one(acme), one(acme));
  assert.is(same(acme), one(acme));
  assert.is.not(other(acme), one(acme));
  assert.is.not(one('birch' as TenantName), one(acme));
});

places.run();
