/** Passkeys as administrators see and remove them. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { must, testApp } from '../support/app.ts';
import { givePasskey } from '../support/console.ts';

const app = await testApp();
const key = await givePasskey(app, 'paula');

const passkeys = suite('/api/passkeys');

passkeys('lists whose they are and who confirmed them, to an administrator alone', async () => {
  const { body } = must(await app.operator('ada', 'GET', '/api/passkeys'));
  const [one] = body['items'] as Record<string, unknown>[];
  const { id, person, confirmed_by, device_bound, public_key } = one ?? {};
  assert.equal(
    { id, person, confirmed_by, device_bound, public_key },
    {
      id: key.id,
      person: 'paula',
      confirmed_by: 'somebody-else',
      device_bound: true,
      public_key: key.passkey('paula').publicKey,
    },
  );
  assert.is((await app.operator('otto', 'GET', '/api/passkeys')).status, 403);
  assert.is((await app.call('GET', '/api/passkeys')).status, 401);
});

passkeys('are removed by an administrator, once', async () => {
  assert.is((await app.operator('otto', 'DELETE', `/api/passkeys/${key.id}`)).status, 403);
  must(await app.operator('ada', 'DELETE', `/api/passkeys/${key.id}`));
  assert.is((await app.operator('ada', 'DELETE', `/api/passkeys/${key.id}`)).status, 404);
});

passkeys('go with a person who is offboarded, and do not come back with them', async () => {
  const again = await givePasskey(app, 'paula');
  must(await app.operator('ada', 'POST', '/api/offboard', { kind: 'person', name: 'paula', reason: 'a test' }));
  must(await app.operator('ada', 'PUT', '/api/people/paula', { display_name: 'Paula' }));
  const { body } = must(await app.operator('ada', 'GET', '/api/passkeys'));
  assert.not.ok(JSON.stringify(body).includes(again.id));
});

passkeys.after(() => app.close());
passkeys.run();
