/** The channels that take notices over HTTPS, as they are configured: the same on Node and on Workers. */
import type { Channel } from '../core/channel.ts';
import type { GuardedRequest } from '../core/fetch.ts';
import type { Secret } from '../core/secret.ts';
import type { Clock } from '../core/time.ts';
import { slackChannel } from './slack.ts';
import { teamsChannel } from './teams.ts';
import { webhookChannel } from './webhook.ts';

export interface Configured {
  readonly slack: Secret | null;
  readonly teams: Secret | null;
  readonly webhook: { readonly url: Secret; readonly secret: Secret } | null;
}

/** In the order in which they are tried. */
export const channelsOver = (
  request: GuardedRequest,
  clock: Clock,
  { slack, teams, webhook }: Configured,
): readonly Channel[] => [
  ...(slack === null ? [] : [slackChannel(slack, request)]),
  ...(teams === null ? [] : [teamsChannel(teams, request)]),
  ...(webhook === null ? [] : [webhookChannel({ ...webhook, request, clock })]),
];
