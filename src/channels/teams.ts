/**
 * A workflow of Teams that posts what a webhook receives: one Adaptive Card. Its texts are runs, in which no Markdown is
 * read.
 *
 * @see https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using
 * @see https://adaptivecards.io/explorer/RichTextBlock.html
 */
import type { Channel, Notice, NoticeLine } from '../core/channel.ts';
import type { GuardedRequest } from '../core/fetch.ts';
import type { Secret } from '../core/secret.ts';
import { visible } from '../core/visible.ts';
import { post } from './post.ts';

const SUBJECT = 300;
/** A whole card is at most 28 KB. */
const LINE = 600;

export const teamsChannel = (url: Secret, request: GuardedRequest): Channel => ({
  name: 'teams',
  reaches: ({ audience }) => audience === 'team',
  tell: (notice) => post(request, url, JSON.stringify(teamsMessage(notice))),
});

export const teamsMessage = (notice: Notice) => ({
  type: 'message',
  attachments: [
    { contentType: 'application/vnd.microsoft.card.adaptive', contentUrl: null, content: adaptiveCard(notice) },
  ],
});

const run = (text: string, limit: number, how: Readonly<Record<string, unknown>> = {}) => ({
  type: 'TextRun',
  text: visible(text, limit),
  ...how,
});

/** 1.4: what Teams shows on every device. */
export const adaptiveCard = ({ subject, lines, link }: Notice) => ({
  $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
  type: 'AdaptiveCard',
  version: '1.4',
  body: [
    { type: 'RichTextBlock', inlines: [run(subject, SUBJECT, { weight: 'Bolder', size: 'Medium' })] },
    ...lines.map(lineOf),
  ],
  ...(link === null ? {} : { actions: [{ type: 'Action.OpenUrl', title: 'Open in Brevet', url: link }] }),
});

const lineOf = ({ label, text, words }: NoticeLine) => ({
  type: 'RichTextBlock',
  inlines: [
    run(`${label}: `, LINE, { isSubtle: true }),
    words === 'agent' ? run(`“${text}”`, LINE, { italic: true }) : run(text, LINE),
  ],
});
