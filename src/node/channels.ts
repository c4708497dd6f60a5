/** Where people are told, on Node: by mail too. */
import type { Channel } from '../core/channel.ts';
import type { GuardedRequest } from '../core/fetch.ts';
import type { Clock } from '../core/time.ts';
import { mailChannel } from '../channels/mail.ts';
import { channelsOver } from '../channels/over.ts';
import type { Config } from '../config.ts';
import { guardedConnect } from '../fetch/node-connect.ts';

/** Mail last: it reaches persons, where the others reach the room that they share. */
export function channelsOf(
  { channels, allowPrivateHosts }: Pick<Config, 'channels' | 'allowPrivateHosts'>,
  request: GuardedRequest,
  clock: Clock,
): readonly Channel[] {
  const over = channelsOver(request, clock, channels);
  const { smtp: server } = channels;
  if (server === null) return over;
  const mayBePrivate = allowPrivateHosts.includes(server.host.toLowerCase());
  return [...over, mailChannel({ server, connect: guardedConnect({ privateHosts: allowPrivateHosts }), mayBePrivate })];
}
