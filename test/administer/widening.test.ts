/** What a policy widens for a time, and what becomes of live credentials when it narrows. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { sweep } from '../../src/revoke/sweep.ts';
import { agentBody, bundleOnDisk, must, PERMITTED, PUBLISHED } from '../support/app.ts';
import type { Answer } from '../support/app.ts';
import { administered } from '../support/administrators.ts';

const { app, as, node, close } = await administered();
const other = await node();
const files = await bundleOnDisk();

const forbids = (id: string, task: string): string => `
@id("${id}")
@reason("Not for now.")
@hint("Leave it to people.")
forbid (principal, action == Action::"perform", resource == Task::"${task}");
`;
// Cases of the starting bundle would notice.
const open = Object.fromEntries(Object.entries(files).filter(([path]) => !path.startsWith('cases/')));
const NO_ROUTING = { ...open, 'rules/routing.cedar': forbids('no-routing', 'ticket.route') };
const NO_CATEGORIES = { 'rules/categories.cedar': forbids('no-categories', 'ticket.categorize') };
const CATEGORIZED = {
  ...PERMITTED,
  resource: 'tickets/ACME-1',
  task: 'ticket.categorize',
  parameters: { ticket: 'ACME-1', category: 'network' },
};

const session = await app.session();
const ask = (at: Pick<typeof app, 'call'>, body: object = PERMITTED): Promise<Answer> =>
  at.call('POST', '/t/acme/requests', { token: session, body });
const route = async (at: Pick<typeof app, 'call'> = app): Promise<unknown> => {
  const answer = await ask(at);
  return answer.status === 201 ? 'issued' : answer.body['code'];
};
const leaseOf = (answer: Answer) => must(answer).body['lease'] as { id: string; state: string; expires_at: string };
const leaseNow = async (id: string): Promise<{ state: string; cause: string | null }> => {
  const [row] = await app.sql<{ state: string; cause: string | null }>(`select * from leases where id = '${id}'`);
  if (row === undefined) throw new Error(`there is no lease ${id}`);
  return row;
};

interface Gain {
  readonly agent: string;
  readonly tenant: string;
  readonly task: string;
  readonly before: { readonly answer: string; readonly rules: readonly string[] };
  readonly after: { readonly answer: string };
  readonly widening: boolean;
}
interface Version {
  readonly version: string;
  readonly active_before: boolean;
}
interface Change {
  readonly id: string;
  readonly hash: string;
  readonly facts: Readonly<Record<string, unknown>>;
  readonly shown: {
    readonly diff: { readonly digest: string; readonly differences: readonly Gain[] };
    readonly live: { readonly would_not_be_given: number; readonly leases: readonly object[] };
  };
}
const propose = (bundle: unknown, until?: string): Promise<Answer> =>
  as('ada', 'POST', '/api/policy/propose', { files: bundle, reason: 'r', ...(until === undefined ? {} : { until }) });
const changeOf = (answer: Answer): Change => must(answer).body['change'] as Change;
const activate = async ({ id, hash }: Change, more = {}): Promise<Answer> =>
  must(await as('alan', 'POST', '/api/policy/activate', { change: id, hash, ...more }));
const refused = (answer: Answer, status: number, code: string): void => {
  assert.is(answer.status, status, answer.text);
  assert.is(answer.body['code'], code, answer.text);
};

const inSeconds = (count: number): string => new Date(Date.now() + count * 1000).toISOString();
/** As if so much of its time had passed. */
const endsIn = (milliseconds: number): Promise<unknown> =>
  app.sql(`update deployment set epoch = epoch + 1,
    widening = jsonb_set(widening::jsonb, '{until}', to_jsonb(brevet_now() + ${milliseconds}))::json`);
/** A pass begins work and does not wait long for it. */
const workOff = async (): Promise<void> => {
  await app.sql('update work set due = 0, held_until = 0');
  await sweep(other.deps);
  while ((await app.sql('select 1 from work where held_until > 0')).length > 0) {
    await new Promise((turn) => setTimeout(turn, 20));
  }
};
const activations = () =>
  app.sql<{ text: string }>(`select text from entries where kind = 'policy.activated' order by at, id`);

const widening = suite('a policy that widens for a time');

widening(
  'live credentials that it would not give are told when it is proposed, and live on unless it says',
  async () => {
    const { id } = leaseOf(await ask(app));
    const change = changeOf(await propose(NO_ROUTING));
    assert.equal(change.shown.live.leases, [
      { lease: id, tenant: 'acme', agent: 'triage-bot', task: 'ticket.route', why: 'forbidden_by_rule' },
    ]);
    await activate(change);
    await workOff();
    assert.is((await leaseNow(id)).state, 'active');
    await activate(changeOf(await propose(open)));
    await activate(changeOf(await propose(NO_ROUTING)), { revoke: true });
    await workOff();
    assert.equal([(await leaseNow(id)).state, (await leaseNow(id)).cause], ['revoked', 'entitlement_ended']);
  },
);

widening('has an end that is to come, and within a quarter', async () => {
  for (const until of [inSeconds(-5), inSeconds(91 * 86_400)]) {
    const answer = await propose(open, until);
    refused(answer, 400, 'invalid_field');
    assert.is(answer.body['path'], 'until');
  }
});

widening('nothing that it gives outlives its end', async () => {
  assert.is(await route(), 'forbidden_by_rule');
  await activate(changeOf(await propose(open, inSeconds(3600))));
  for (const at of [app, other]) assert.is(await route(at), 'issued');
  await endsIn(100_000);
  const { expires_at } = leaseOf(await ask(app));
  const [row] = await app.sql<{ until: string }>(`select widening->>'until' as until from deployment`);
  assert.ok(Date.parse(expires_at) <= Number(row?.until), `${expires_at} and ${row?.until}`);
  // What the narrower policy gives as well is not cut short.
  const category = leaseOf(await ask(app, CATEGORIZED));
  assert.ok(Date.parse(category.expires_at) > Number(row?.until));
});

widening('one at a time: another has to wait', async () => {
  refused(await propose(NO_ROUTING, inSeconds(60)), 400, 'invalid_field');
});

widening('a later change that touches the same lines is refused, since its end could not be worked out', async () => {
  const answer = await propose({ ...open, 'rules/routing.cedar': forbids('some-routing', 'ticket.route') });
  refused(answer, 400, 'invalid_policy');
  assert.match(answer.text, 'rules/routing.cedar');
});

widening('at its end it alone is taken back, on every node, and not the later change', async () => {
  await activate(changeOf(await propose({ ...open, ...NO_CATEGORIES })));
  for (const at of [app, other]) assert.is(await route(at), 'issued');
  const { id } = leaseOf(await ask(app));
  await endsIn(-1);
  for (const at of [app, other]) assert.is(await route(at), 'forbidden_by_rule');
  refused(await ask(other, CATEGORIZED), 403, 'forbidden_by_rule');
  const before = (await activations()).length;
  await workOff();
  await workOff();
  const written = await activations();
  assert.is(written.length, before + 1);
  assert.match(written.at(-1)?.text ?? '', '"widening":"ended"');
  assert.match(written.at(-1)?.text ?? '', '"accountable":"alan"');
  for (const at of [app, other]) assert.is(await route(at), 'forbidden_by_rule');
  assert.equal([(await leaseNow(id)).state, (await leaseNow(id)).cause], ['revoked', 'entitlement_ended']);
  const published = await ask(app, PUBLISHED);
  assert.ok(published.body['code'] !== 'forbidden_by_rule', published.text);
});

widening('what was active for a time alone is not gone back to by one person', async () => {
  const versions = must(await as('anna', 'GET', '/api/policy/versions')).body['items'] as readonly {
    readonly version: string;
    readonly active_before: boolean;
  }[];
  const [active] = await app.sql<{ policies_before: readonly string[] }>('select policies_before from deployment');
  const never = versions.filter(({ active_before }) => !active_before).map(({ version }) => version);
  assert.ok(never.length >= 2);
  for (const version of never) assert.not.ok(active?.policies_before.includes(version));
});

widening(
  'who gains what is in what the second person confirms, and who answers for it is not that person',
  async () => {
    // In force: no routing, no categories.
    const narrower = { ...open, ...NO_CATEGORIES, 'rules/routing.cedar': NO_ROUTING['rules/routing.cedar'] };
    const change = changeOf(await propose({ ...open, 'rules/routing.cedar': narrower['rules/routing.cedar'] }));
    const gains = change.shown.diff.differences.filter(({ widening: wider }) => wider);
    const found = gains.find(
      ({ agent, tenant, after }) => agent === 'triage-bot' && tenant === 'acme' && after.answer === 'permit',
    );
    assert.equal(
      [found?.task, found?.before.answer, found?.before.rules, found?.after.answer],
      ['ticket.categorize', 'forbid', ['no-categories'], 'permit'],
    );
    assert.equal([change.facts['widens'], change.facts['diff']], [true, change.shown.diff.digest]);
    refused(
      await propose({ ...narrower, 'rules/kb.cedar': forbids('no-kb', 'kb.draft') }, inSeconds(60)),
      400,
      'invalid_field',
    );
    must(await app.operator('ada', 'PUT', '/api/agents/triage-bot', agentBody({ owner: 'alan' })));
    refused(
      await as('alan', 'POST', '/api/policy/activate', { change: change.id, hash: change.hash }),
      403,
      'takes_two_persons',
    );
    const again = changeOf(await propose({ ...open, 'rules/routing.cedar': narrower['rules/routing.cedar'] }));
    const answer = await as('alan', 'POST', '/api/policy/activate', { change: again.id, hash: again.hash });
    refused(answer, 403, 'takes_two_persons');
    must(await as('anna', 'POST', '/api/policy/activate', { change: again.id, hash: again.hash }));
    await activate(changeOf(await propose(narrower)));
    const back = { version: must(await as('anna', 'GET', '/api/policy/versions')).body['items'] as readonly Version[] };
    const [wider] = back.version.filter(({ active_before }) => active_before);
    const own = await as('alan', 'POST', '/api/policy/rollback', { version: wider?.version, reason: 'Mine' });
    refused(own, 403, 'takes_two_persons');
    const done = must(await as('ada', 'POST', '/api/policy/rollback', { version: wider?.version, reason: 'Needed' }));
    const owed = done.body['change'] as Change;
    const looked = await as('alan', 'POST', `/api/changes/${owed.id}/confirm`, { hash: owed.hash });
    refused(looked, 403, 'takes_two_persons');
  },
);

widening('who gains by what is left at the end of another is not the second person either', async () => {
  // Who gave it away a moment ago still counts as whose it is.
  must(await app.operator('ada', 'PUT', '/api/agents/triage-bot', agentBody()));
  const [path, again] = ['rules/work.cedar', 'rules/again.cedar'];
  const triage = /@id\("triage-works-tickets"\)[^;]*;/;
  const work = open[path] ?? '';
  assert.match(work, triage);
  const byAnna = async ({ id, hash }: Change) =>
    must(await as('anna', 'POST', '/api/policy/activate', { change: id, hash }));
  await byAnna(changeOf(await propose({ ...open, [path]: work.replace(triage, '') })));
  await byAnna(changeOf(await propose(open, inSeconds(3600))));
  // Nothing to anybody today, and all that the widening gave from its end on.
  const lasting = triage.exec(work)?.[0].replace('triage-works-tickets', 'triage-still-works-tickets') ?? '';
  const change = changeOf(await propose({ ...open, [again]: lasting }));
  refused(
    await as('alan', 'POST', '/api/policy/activate', { change: change.id, hash: change.hash }),
    403,
    'takes_two_persons',
  );
  must(await app.operator('ada', 'PUT', '/api/agents/triage-bot', agentBody({ owner: 'anna' })));
  refused(
    await as('anna', 'POST', '/api/policy/activate', { change: change.id, hash: change.hash }),
    403,
    'takes_two_persons',
  );
});

widening.after(close);
widening.run();
