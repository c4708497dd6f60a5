/** Notices as a webhook of the MSP's own receives them: signed, and verified by the package of that standard. */
import { Webhook, WebhookVerificationError } from 'standardwebhooks';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { webhookChannel } from '../../src/channels/webhook.ts';
import { Secret } from '../../src/core/secret.ts';
import { instant } from '../../src/core/time.ts';
import { webhookKey } from '../../src/core/webhook-key.ts';
import { guardedRequest } from '../../src/fetch/node.ts';
import { hostileNotice, notice } from '../support/notices.ts';
import { startReceiver } from '../support/receiver.ts';
import type { Received } from '../support/receiver.ts';

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const far = await startReceiver();
const channel = webhookChannel({
  url: new Secret(far.url),
  secret: new Secret(SECRET),
  request: guardedRequest({ privateHosts: ['127.0.0.1'] }),
  clock: () => instant(Date.now()),
});

const verified = ({ body, headers }: Pick<Received, 'body' | 'headers'>, secret = SECRET): unknown =>
  new Webhook(secret).verify(body, headers as Record<string, string>);

const webhook = suite('channels/webhook');
webhook.before.each(() => void far.received.splice(0));

webhook('is signed so that whoever has the secret can verify it', async () => {
  await channel.tell(notice());
  const [received] = far.received;
  assert.ok(received);
  assert.equal(verified(received), {
    type: 'notice.asked',
    timestamp: '2026-11-02T09:00:00.000Z',
    data: {
      tenant: 'acme',
      kind: 'asked',
      approval: 'apr_01jq',
      to: ['Paula Nord'],
      link: 'https://brevet.example/approvals/apr_01jq',
    },
  });
  assert.is(received.method, 'POST');
  assert.is(received.headers['content-type'], 'application/json');
});

webhook('is the same message however often it is tried', async () => {
  await channel.tell(notice());
  await channel.tell(notice());
  const ids = far.received.map(({ headers }) => headers['webhook-id']);
  assert.equal(ids, [notice().id, notice().id]);
});

const TAMPERED: readonly (readonly [what: string, change: (received: Received) => Received])[] = [
  ['another body', (received) => ({ ...received, body: received.body.replace('acme', 'birch') })],
  ['another id', (received) => ({ ...received, headers: { ...received.headers, 'webhook-id': 'wrk_other' } })],
  ['another time', (received) => ({ ...received, headers: { ...received.headers, 'webhook-timestamp': '1' } })],
];

for (const [what, change] of TAMPERED) {
  webhook(`does not verify with ${what}`, async () => {
    await channel.tell(notice());
    const [received] = far.received;
    assert.ok(received);
    assert.throws(
      () => verified(change(received)),
      (fault: unknown) => fault instanceof WebhookVerificationError,
    );
  });
}

webhook('does not verify with another secret', async () => {
  await channel.tell(notice());
  const [received] = far.received;
  assert.ok(received);
  const other = `whsec_${Buffer.alloc(32, 8).toString('base64')}`;
  assert.throws(
    () => verified(received, other),
    (fault: unknown) => fault instanceof WebhookVerificationError,
  );
});

webhook('takes hostile words as they are, in JSON', async () => {
  await channel.tell(hostileNotice);
  const [received] = far.received;
  assert.ok(received);
  assert.ok(verified(received));
});

webhook('carries nobody’s address, and nothing for a client’s contact', async () => {
  await channel.tell(notice());
  assert.not.match(far.received[0]?.body ?? '', 'paula@msp.example');
  assert.not(channel.reaches(notice({ audience: 'client' })));
  assert.ok(channel.reaches(notice()));
});

const KEYS: readonly (readonly [what: string, text: string, bytes: number | null])[] = [
  ['32 bytes', SECRET, 32],
  ['24 bytes', `whsec_${Buffer.alloc(24).toString('base64')}`, 24],
  ['too few', `whsec_${Buffer.alloc(23).toString('base64')}`, null],
  ['too many', `whsec_${Buffer.alloc(65).toString('base64')}`, null],
  ['no prefix', Buffer.alloc(32).toString('base64'), null],
  ['no base64', 'whsec_not base64 at all, though long enough', null],
  ['nothing', 'whsec_', null],
];

for (const [what, text, bytes] of KEYS) {
  webhook(`a secret of ${what}: ${bytes === null ? 'refused' : 'taken'}`, () => {
    assert.is(webhookKey(new Secret(text))?.length ?? null, bytes);
  });
}

webhook.after(() => far.stop());
webhook.run();
