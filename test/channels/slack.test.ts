/** Messages to Slack, by its own types and limits; no markup of anybody else's. */
import type { KnownBlock, PlainTextElement } from '@slack/types';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { slackChannel, slackMessage } from '../../src/channels/slack.ts';
import { Secret } from '../../src/core/secret.ts';
import { guardedRequest } from '../../src/fetch/node.ts';
import { hides, HOSTILE, hostileNotice, notice } from '../support/notices.ts';
import { startReceiver } from '../support/receiver.ts';

/** What an incoming webhook takes: a message as `chat.postMessage` has it, without a channel. */
interface WebhookMessage {
  readonly text: string;
  readonly unfurl_links: boolean;
  readonly unfurl_media: boolean;
  readonly blocks: readonly KnownBlock[];
}

const messageOf = (of: Parameters<typeof slackMessage>[0]): WebhookMessage => slackMessage(of);

const slack = suite('channels/slack');

slack('says what, and leads to the console alone', () => {
  const { blocks, text } = messageOf(notice());
  assert.equal(
    blocks.map(({ type }) => type),
    ['header', 'section', 'section'],
  );
  assert.is(text, 'firewall.change at Acme is asked of you');
  assert.equal(blocks.at(-1), {
    type: 'section',
    text: { type: 'mrkdwn', text: '<https://brevet.example/approvals/apr_01jq|Open in Brevet>' },
  });
  const [, section] = blocks;
  assert.ok(section?.type === 'section');
  assert.equal(
    section.fields?.map((field) => field.text),
    ['Agent: net-bot', 'The agent’s words: “Telnet is open”'],
  );
});

slack('has no button, whoever is asked', () => {
  assert.not.match(JSON.stringify(messageOf(hostileNotice)), /"type":"(?:actions|button|input)"/);
});

/** Every text that Slack would read markup in. */
function readAsMarkup({ text, blocks }: WebhookMessage): readonly string[] {
  const found: string[] = [text];
  JSON.stringify(blocks, (_name, value: unknown) => {
    if (typeof value === 'object' && value !== null && 'type' in value && value.type === 'mrkdwn') {
      found.push((value as unknown as { text: string }).text);
    }
    return value;
  });
  return found;
}

slack('reads no markup in anybody’s words', () => {
  const [text, ...others] = readAsMarkup(messageOf(hostileNotice));
  assert.equal(others, ['<https://brevet.example/approvals/apr_01jq|Open in Brevet>']);
  assert.not.match(text ?? '', /[<>]/);
  assert.match(text ?? '', '&lt;!channel&gt;');
});

slack('keeps every limit, and shows what hides', () => {
  const { blocks } = messageOf(hostileNotice);
  assert.ok(blocks.length <= 50);
  const plain: PlainTextElement[] = blocks.flatMap((block) => {
    if (block.type === 'header') return [block.text];
    return block.type === 'section' ? ((block.fields ?? []) as PlainTextElement[]) : [];
  });
  assert.ok(plain.every(({ type, text }) => type === 'plain_text' && text.length > 0 && text.length <= 2000));
  assert.ok(plain.every(({ text }) => !hides(text)));
  assert.match(plain[1]?.text ?? '', '[U+202E]');
  const [header] = blocks;
  assert.ok(header?.type === 'header' && header.text.text.length <= 150);
  for (const block of blocks) {
    if (block.type === 'section') assert.ok((block.fields ?? []).length <= 10);
  }
  assert.ok(HOSTILE.length > 100);
});

slack('without a page to lead to has no link', () => {
  assert.not.match(JSON.stringify(messageOf(notice({ link: null }))), 'https://');
});

slack('goes to the webhook, and no client’s contact is told there', async () => {
  const far = await startReceiver();
  const channel = slackChannel(new Secret(far.url), guardedRequest({ privateHosts: ['127.0.0.1'] }));
  await channel.tell(notice());
  assert.equal(JSON.parse(far.received[0]?.body ?? ''), JSON.parse(JSON.stringify(slackMessage(notice()))));
  assert.ok(channel.reaches(notice()));
  assert.not(channel.reaches(notice({ audience: 'client' })));
  await far.stop();
});

slack.run();
