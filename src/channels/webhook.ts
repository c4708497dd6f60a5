/**
 * A webhook of the MSP's own, signed in the form of Standard Webhooks. Signed here, since that is one HMAC: the package
 * of that name would bring its own base64, its own HMAC and its own clock.
 *
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
import type { Channel, Notice } from '../core/channel.ts';
import { hmacSha256, utf8 } from '../core/digest.ts';
import type { GuardedRequest } from '../core/fetch.ts';
import type { Secret } from '../core/secret.ts';
import { webhookKey } from '../core/webhook-key.ts';
import { numericDate, toRfc3339 } from '../core/time.ts';
import type { Clock } from '../core/time.ts';
import { post } from './post.ts';

export interface WebhookOptions {
  readonly url: Secret;
  /** `whsec_` and 24 to 64 bytes in base64. */
  readonly secret: Secret;
  readonly request: GuardedRequest;
  readonly clock: Clock;
}

/** Takes what the team is told; the words for a client's contact go to that contact alone. */
export function webhookChannel({ url, secret, request, clock }: WebhookOptions): Channel {
  const key = webhookKey(secret);
  if (key === null) throw new TypeError('the secret of a webhook was not checked');
  return {
    name: 'webhook',
    reaches: ({ audience }) => audience === 'team',
    tell: (notice) => {
      const body = webhookBody(notice);
      const timestamp = String(numericDate(clock()));
      const signed = hmacSha256(key, utf8(`${notice.id}.${timestamp}.${body}`));
      return post(request, url, body, {
        'webhook-id': notice.id,
        'webhook-timestamp': timestamp,
        'webhook-signature': `v1,${btoa(String.fromCharCode(...signed))}`,
      });
    },
  };
}

export const webhookBody = ({ kind, at, tenant, facts, link, to }: Notice): string =>
  JSON.stringify({
    type: `notice.${kind}`,
    timestamp: toRfc3339(at),
    data: { tenant, ...facts, to: to.map(({ name }) => name), link },
  });
