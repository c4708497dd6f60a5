/** Vault and Brevet make logins at one database, and neither waits for the other in a circle. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { postgresProvider } from '../../../src/providers/postgres/provider.ts';
import { clientVault } from '../../support/client-vault.ts';
import type { ClientVault } from '../../support/client-vault.ts';
import { GROUP, openTargetOf, orderFor, processClock, random, subjectOf, termsOf } from '../../support/target.ts';

const AT_ONCE = 12;
const EACH = 15;

const provider = postgresProvider({ random, clock: processClock });
let client: ClientVault;

const test = suite('Vault’s engine and Brevet at one database');

test.before(async () => {
  client = await clientVault({ max_connections: '200' });
});
test.after(async () => {
  await provider.close();
  await client.stop();
});

async function throughVault({ vault }: ClientVault): Promise<void> {
  const { status, body } = await vault.call('GET', 'database/creds/reporting');
  assert.is(status, 200, JSON.stringify(body));
  await vault.must('PUT', 'sys/leases/revoke', { lease_id: body['lease_id'], sync: true });
}

async function throughBrevet({ database }: ClientVault): Promise<void> {
  const target = openTargetOf(provider, database.config, { secret: database.secret });
  const order = orderFor(provider, target, termsOf({ group: GROUP }));
  const { reference } = await provider.mint(order, target);
  await provider.revoke(subjectOf(order, { reference }), target);
}

async function over(work: (client: ClientVault) => Promise<void>): Promise<void> {
  for (let left = EACH; left > 0; left--) await work(client);
}

test('as the guide sets it up, every login that either is asked for is made', async () => {
  const both = Array.from({ length: AT_ONCE }, () => [over(throughVault), over(throughBrevet)]);
  await Promise.all(both.flat());
});

test.run();
