/**
 * An incoming webhook of Slack. All that comes from elsewhere stands in `plain_text`, which Slack reads as it is; the one
 * link is Brevet's own.
 *
 * @see https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
 * @see https://docs.slack.dev/reference/block-kit/blocks
 */
import type { Channel, Notice, NoticeLine } from '../core/channel.ts';
import type { GuardedRequest } from '../core/fetch.ts';
import type { Secret } from '../core/secret.ts';
import { visible } from '../core/visible.ts';
import { post } from './post.ts';

/** In characters, of the parts of a message. */
const HEADER = 150;
const FIELD = 2000;
const FIELDS = 10;

export const slackChannel = (url: Secret, request: GuardedRequest): Channel => ({
  name: 'slack',
  reaches: ({ audience }) => audience === 'team',
  tell: (notice) => post(request, url, JSON.stringify(slackMessage(notice))),
});

const plain = (text: string, limit: number) =>
  ({ type: 'plain_text', text: visible(text, limit), emoji: false }) as const;

export function slackMessage({ subject, lines, link }: Notice) {
  return {
    // Shown in notifications, and read as markup there.
    text: escaped(visible(subject, HEADER)),
    unfurl_links: false,
    unfurl_media: false,
    blocks: [
      { type: 'header', text: plain(subject, HEADER) } as const,
      ...inRows(lines, FIELDS).map((row) => ({ type: 'section', fields: row.map(fieldOf) }) as const),
      ...(link === null
        ? []
        : [{ type: 'section', text: { type: 'mrkdwn', text: `<${link}|Open in Brevet>` } } as const]),
    ],
  };
}

const fieldOf = ({ label, text, words }: NoticeLine) =>
  plain(words === 'agent' ? `${label}: “${text}”` : `${label}: ${text}`, FIELD);

const inRows = <T>(all: readonly T[], size: number): readonly (readonly T[])[] =>
  Array.from({ length: Math.ceil(all.length / size) }, (_, at) => all.slice(at * size, (at + 1) * size));

/** @see https://docs.slack.dev/messaging/formatting-message-text#escaping */
const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
