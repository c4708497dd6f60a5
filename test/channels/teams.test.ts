/** Cards to Teams, read by the reference implementation of Adaptive Cards; no Markdown of anybody else's. */
import { createRequire } from 'node:module';
import type * as AdaptiveCards from 'adaptivecards';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { adaptiveCard, teamsChannel, teamsMessage } from '../../src/channels/teams.ts';
import { Secret } from '../../src/core/secret.ts';
import { guardedRequest } from '../../src/fetch/node.ts';
import { hides, hostileNotice, notice } from '../support/notices.ts';
import { startReceiver } from '../support/receiver.ts';

// Its modules are for bundlers; this build of it Node can load.
const { AdaptiveCard, SerializationContext } = createRequire(import.meta.url)(
  'adaptivecards/dist/adaptivecards.min.js',
) as typeof AdaptiveCards;

/** The card as it was understood, and what was wrong with it. */
function parsed(card: object): { readonly card: unknown; readonly problems: readonly string[] } {
  const context = new SerializationContext();
  const read = new AdaptiveCard();
  read.parse(card, context);
  const problems = Array.from({ length: context.eventCount }, (_, at) => context.getEventAt(at).message);
  return { card: read.toJSON(), problems };
}

const plain = (value: object): unknown => JSON.parse(JSON.stringify(value));

const teams = suite('channels/teams');

for (const [what, of] of [
  ['a notice', notice()],
  ['a hostile one', hostileNotice],
  ['one without a page', notice({ link: null })],
] as const) {
  teams(`${what} is understood whole`, () => {
    const card = adaptiveCard(of);
    const { card: read, problems } = parsed(card);
    assert.equal(problems, []);
    // What it does not know it leaves out: nothing of ours is.
    assert.equal(read, plain(card));
  });
}

teams('a property that there is not would be seen', () => {
  const { card } = parsed({ ...adaptiveCard(notice()), bogus: 1 });
  assert.not.equal(card, plain({ ...adaptiveCard(notice()), bogus: 1 }));
});

teams('is a message with one card', () => {
  const { type, attachments } = teamsMessage(notice());
  assert.is(type, 'message');
  assert.equal(
    attachments.map(({ contentType, contentUrl }) => [contentType, contentUrl]),
    [['application/vnd.microsoft.card.adaptive', null]],
  );
});

teams('has no element that reads Markdown, nor an action but to open the console', () => {
  const card = plain(adaptiveCard(hostileNotice)) as {
    body: { type: string; inlines: { type: string; text: string }[] }[];
    actions: { type: string; url: string }[];
  };
  assert.ok(card.body.every(({ type }) => type === 'RichTextBlock'));
  const texts = card.body.flatMap(({ inlines }) => inlines);
  assert.ok(texts.every(({ type }) => type === 'TextRun'));
  assert.ok(texts.every(({ text }) => !hides(text)));
  assert.equal(
    card.actions.map(({ type, url }) => [type, url]),
    [['Action.OpenUrl', 'https://brevet.example/approvals/apr_01jq']],
  );
});

teams('stays below what Teams takes, whatever an agent writes', () => {
  assert.ok(JSON.stringify(teamsMessage(hostileNotice)).length < 28 * 1024);
});

teams('goes to the workflow, and no client’s contact is told there', async () => {
  const far = await startReceiver();
  const channel = teamsChannel(new Secret(far.url), guardedRequest({ privateHosts: ['127.0.0.1'] }));
  await channel.tell(notice());
  assert.equal(JSON.parse(far.received[0]?.body ?? ''), plain(teamsMessage(notice())));
  assert.not(channel.reaches(notice({ audience: 'client' })));
  await far.stop();
});

teams.run();
