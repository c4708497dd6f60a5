import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { agentBody, must } from '../support/app.ts';
import type { Answer } from '../support/app.ts';
import { administered } from '../support/administrators.ts';

const { app, as, node, close } = await administered();
const other = await node();

const changes = suite('changes that take two');

interface Change {
  readonly id: string;
  readonly hash: string;
}

const newPerson = (name: string) => ({ act: 'person.put', name, body: { display_name: name }, reason: 'Joins us' });
const propose = async (who: string, body: unknown): Promise<Change> =>
  must(await as(who, 'POST', '/api/changes', body)).body['change'] as Change;
const confirm = (who: string, { id, hash }: Change, at?: typeof other): Promise<Answer> =>
  as(who, 'POST', `/api/changes/${id}/confirm`, { hash }, at);
const state = async ({ id }: Change): Promise<unknown> =>
  must(await as('anna', 'GET', `/api/changes/${id}`)).body['state'];
const person = async (name: string): Promise<number> => (await as('anna', 'GET', `/api/people/${name}`)).status;
const refused = (answer: Answer, status: number, code: string): void => {
  assert.is(answer.status, status, answer.text);
  assert.is(answer.body['code'], code, answer.text);
};

changes('are done by the second person’s word, and not before', async () => {
  const change = await propose('ada', newPerson('paul'));
  assert.is(await person('paul'), 404);
  assert.is(await state(change), 'open');
  must(await confirm('alan', change));
  assert.is(await person('paul'), 200);
  assert.is(await state(change), 'applied');
});

changes('say who proposed, who confirmed and why', async () => {
  const change = await propose('ada', newPerson('petra'));
  const seen = must(await as('alan', 'GET', `/api/changes/${change.id}`)).body;
  assert.is(seen['reason'], 'Joins us');
  assert.is(seen['proposer'], 'ada');
  assert.is(seen['hash'], change.hash);
  assert.equal(seen['said'], { display_name: 'petra', email: null });
  must(await confirm('alan', change));
  const [entry] = await app.sql<{ text: string }>(
    `select text from entries where kind = 'register.put' and text like '%${change.id}%'`,
  );
  const { actor, facts, accountable } = JSON.parse(entry?.text ?? '{}') as {
    readonly actor: { readonly person: string };
    readonly facts: Record<string, unknown>;
    readonly accountable: string;
  };
  assert.is(actor.person, 'alan');
  assert.is(accountable, 'alan');
  assert.is(facts['proposed_by'], 'ada');
  assert.is(facts['proposal_hash'], change.hash);
});

const NOT_SECOND: readonly (readonly [who: string, why: string, of: unknown, status: number, code: string])[] = [
  ['ada', 'proposed it', newPerson('quinn'), 403, 'takes_two_persons'],
  ['ada-again', 'is the one who proposed it, by another account', newPerson('quinn'), 403, 'takes_two_persons'],
  ['otto', 'oversees', newPerson('quinn'), 404, 'not_found'],
  ['tess', 'administers one tenant alone', newPerson('quinn'), 404, 'not_found'],
  [
    'alan',
    'is given a way in by it',
    { act: 'operator.put', name: 'alan-too', body: { person: 'alan' }, reason: 'Another way in' },
    403,
    'takes_two_persons',
  ],
];
for (const [who, why, of, status, code] of NOT_SECOND) {
  changes(`are not confirmed by one who ${why}`, async () => {
    const change = await propose('ada', of);
    refused(await confirm(who, change), status, code);
    assert.is(await state(change), 'open');
    must(await as('ada', 'POST', `/api/changes/${change.id}/withdraw`));
  });
}

changes('are not given to who confirms, at a tenant either', async () => {
  must(await confirm('alan', await propose('ada', newPerson('rosa'))));
  const body = { tenant: 'acme', holder: { person: 'rosa' }, role: 'approver' };
  const change = await propose('tess', { act: 'assignment.put', body, reason: 'Approves at acme' });
  refused(await confirm('tess', change), 403, 'takes_two_persons');
  refused(await confirm('otto', change), 404, 'not_found');
  must(await confirm('anna', change));
  const held = must(await as('tess', 'GET', '/api/assignments?tenant=acme')).body['items'] as readonly unknown[];
  assert.ok(JSON.stringify(held).includes('rosa'));
});

changes('name both who answer for an agent that is accepted, of whom its owner is none', async () => {
  const agents = must(await as('ada', 'GET', '/api/agents/birch-bot')).body as Record<string, unknown>;
  assert.is(agents['owner'], 'olga');
  const body = { model_version: agents['model_version'], tasks: ['ticket.route'], reason: 'Known from acme' };
  const act = { act: 'acceptance.put', tenant: 'birch', agent: 'birch-bot', body, reason: 'It has proven itself' };
  const change = await propose('ada', act);
  refused(await confirm('ada', change), 403, 'takes_two_persons');
  must(await confirm('alan', change));
  const { body: accepted } = must(await as('ada', 'GET', '/api/tenants/birch/acceptances/birch-bot'));
  assert.equal(accepted['authors'], ['ada', 'alan']);
});

changes('are not confirmed by whose the agent was of late, or has become since they were proposed', async () => {
  const own = async (owner: string) => must(await as('ada', 'PUT', '/api/agents/birch-bot', agentBody({ owner })));
  const { body: agent } = must(await as('ada', 'GET', '/api/agents/birch-bot'));
  const body = { model_version: agent['model_version'], tasks: ['ticket.route'], reason: 'Known from acme' };
  const act = { act: 'acceptance.put', tenant: 'birch', agent: 'birch-bot', body, reason: 'It has proven itself' };
  const change = await propose('ada', act);
  await own('alan');
  refused(await confirm('alan', change), 403, 'takes_two_persons');
  await own('olga');
  refused(await confirm('alan', await propose('ada', act)), 403, 'takes_two_persons');
  refused(await confirm('alan', change), 403, 'takes_two_persons');
  must(await confirm('anna', change));
});

changes('are no local token’s affair, neither as the first nor as the second', async () => {
  refused(await app.operator('ada', 'POST', '/api/changes', newPerson('sam')), 403, 'local_token_refused');
  const change = await propose('ada', newPerson('sam'));
  const confirmed = await app.operator('alan', 'POST', `/api/changes/${change.id}/confirm`, { hash: change.hash });
  refused(confirmed, 403, 'local_token_refused');
  assert.is(await state(change), 'open');
});

changes('are confirmed by the hash that was seen, and by no other', async () => {
  const [one, two] = [await propose('ada', newPerson('tom')), await propose('ada', newPerson('tina'))];
  refused(await confirm('alan', { ...one, hash: two.hash }), 409, 'version_conflict');
  refused(await confirm('alan', { ...one, hash: 'f'.repeat(64) }), 409, 'version_conflict');
  assert.is(await person('tom'), 404);
});

changes('happen once, also when two confirm at two nodes at once', async () => {
  const change = await propose('ada', newPerson('uma'));
  const answers = await Promise.all([confirm('alan', change), confirm('anna', change, other)]);
  const done = answers.filter(({ status }) => status === 200);
  assert.is(done.length, 1, answers.map(({ text }) => text).join('\n'));
  refused(await confirm('anna', change, other), 409, 'change_over');
});

changes('that were withdrawn or not confirmed in time are over', async () => {
  const [one, two] = [await propose('ada', newPerson('vera')), await propose('ada', newPerson('vito'))];
  must(await as('anna', 'POST', `/api/changes/${one.id}/withdraw`));
  refused(await confirm('alan', one), 409, 'change_over');
  refused(await as('ada', 'POST', `/api/changes/${one.id}/withdraw`), 409, 'change_over');
  await app.sql(`update changes set expires_at = brevet_now() where id = '${two.id}'`);
  refused(await confirm('alan', two), 409, 'change_over');
  assert.is(await state(two), 'expired');
  assert.is(await person('vera'), 404);
  assert.is(await person('vito'), 404);
});

changes('take what takes two alone', async () => {
  const body = { tenant: 'acme', holder: { agent: 'triage-bot' }, role: 'triage' };
  refused(
    await as('ada', 'POST', '/api/changes', { act: 'assignment.put', body, reason: 'r' }),
    400,
    'invalid_request',
  );
});

const BAD: readonly (readonly [what: string, body: unknown, status: number, path: string | undefined])[] = [
  ['an act that is none', { act: 'tenant.put', reason: 'r' }, 400, 'act'],
  ['no reason', { act: 'person.put', name: 'x', body: {} }, 400, 'reason'],
  ['a field that is not defined', { ...newPerson('x'), and: 1 }, 400, 'and'],
  ['a body with a wrong field', { ...newPerson('x'), body: { display_name: 7 } }, 400, 'display_name'],
  [
    'a person who is not there',
    { act: 'operator.put', name: 'x', body: { person: 'nobody' }, reason: 'r' },
    404,
    'person',
  ],
];
for (const [what, body, status, path] of BAD) {
  changes(`refuse ${what}`, async () => {
    const answer = await as('ada', 'POST', '/api/changes', body);
    assert.is(answer.status, status, answer.text);
    assert.is(answer.body['path'], path, answer.text);
  });
}

changes('are listed for those who administer where they have effect', async () => {
  const listed = must(await as('anna', 'GET', '/api/changes')).body['items'] as readonly { readonly act: string }[];
  assert.ok(listed.length > 5);
  const atAcme = must(await as('tess', 'GET', '/api/changes?tenant=acme')).body['items'] as readonly unknown[];
  assert.is(atAcme.length, 1);
  for (const [who, path] of [
    ['tess', '/api/changes'],
    ['otto', '/api/changes'],
    ['otto', '/api/changes?tenant=acme'],
    ['tess', '/api/changes?tenant=birch'],
    ['tess', '/api/changes?tenant=nowhere'],
  ] as const) {
    refused(await as(who, 'GET', path), 404, 'not_found');
  }
});

changes('cannot be confirmed by their proposer past the code either', async () => {
  const { id } = await propose('ada', newPerson('walt'));
  const bySql = app.sql(`update changes set state = 'applied', confirmer = 'ada' where id = '${id}'`);
  const refusal = await bySql.then(
    () => 'done',
    (fault: unknown) => String(fault),
  );
  assert.match(refusal, 'changes_take_two');
});

changes('look again at what is live where they must, and are no policy where they are none', async () => {
  await confirm('alan', await propose('ada', newPerson('olaf')));
  const body = { tenant: 'acme', holder: { person: 'olaf' }, role: 'overseer' };
  const { id, hash } = await propose('tess', { act: 'assignment.put', body, reason: 'Oversees acme' });
  await app.sql('delete from work');
  refused(await as('alan', 'POST', '/api/policy/activate', { change: id, hash }), 400, 'invalid_field');
  must(await as('alan', 'POST', `/api/changes/${id}/confirm`, { hash }));
  const due = await app.sql<{ what: { task: string } }>('select what from work');
  assert.equal(
    due.map(({ what }) => what.task),
    ['reassess'],
  );
});

changes('are confirmed no more once who proposed them administers nothing there', async () => {
  const body = { tenant: 'acme', holder: { person: 'olga' }, role: 'approver' };
  const change = await propose('tess', { act: 'assignment.put', body, reason: 'Approves at acme' });
  const { items } = must(await as('ada', 'GET', '/api/assignments?tenant=acme')).body as {
    readonly items: readonly { readonly id: string; readonly holder: { readonly person?: string } }[];
  };
  const hers = items.find(({ holder }) => holder.person === 'tess');
  must(await as('ada', 'DELETE', `/api/assignments/${hers?.id}`));
  refused(await confirm('alan', change), 409, 'change_over');
  assert.is(await state(change), 'open');
});

const GIVEN: readonly (readonly [what: string, act: object])[] = [
  ['a role', { act: 'assignment.put', body: { tenant: 'acme', holder: { person: 'rolf' }, role: 'approver' } }],
  ['a way in', { act: 'operator.put', name: 'rolf-too', body: { person: 'rolf' } }],
];
changes('give nothing to one who was offboarded since', async () => {
  await confirm('alan', await propose('ada', newPerson('rolf')));
  const open: (readonly [what: string, change: Change])[] = [];
  for (const [what, act] of GIVEN) open.push([what, await propose('ada', { ...act, reason: 'Approves at acme' })]);
  must(await as('ada', 'POST', '/api/offboard?wait=0', { kind: 'person', name: 'rolf', reason: 'Left' }));
  for (const [what, change] of open) {
    refused(await confirm('alan', change), 404, 'not_found');
    assert.is(await state(change), 'open', what);
  }
  const body = { tenant: 'acme', holder: { person: 'rolf' }, role: 'approver' };
  refused(
    await confirm('alan', await propose('ada', { act: 'assignment.put', body, reason: 'Again' })),
    404,
    'not_found',
  );
  must(await as('ada', 'PUT', '/api/operators/rolf-too', { person: 'rolf', active: false }));
});

changes.after(close);
changes.run();
