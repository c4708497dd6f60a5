import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { agentBody, bundleOnDisk, must, PERMITTED } from '../support/app.ts';
import type { Answer } from '../support/app.ts';
import { administered } from '../support/administrators.ts';

const { app, as, node, close } = await administered();
const other = await node();
const files = await bundleOnDisk();

/** The starting bundle with a rule that forbids routing, and the cases that it changes left out. */
const ROUTES_NOTHING = `
@id("no-routing")
@reason("Tickets are routed by people for now.")
@hint("Leave the ticket where it is.")
forbid (principal, action == Action::"perform", resource == Task::"ticket.route");
`;
const withoutCases = Object.fromEntries(Object.entries(files).filter(([path]) => !path.startsWith('cases/')));
const tightened: Readonly<Record<string, string>> = { ...withoutCases, 'rules/freeze.cedar': ROUTES_NOTHING };

const policy = suite('the policy, changed by two');

interface Change {
  readonly id: string;
  readonly hash: string;
}

const propose = (who: string, bundle: unknown): Promise<Answer> =>
  as(who, 'POST', '/api/policy/propose', { files: bundle, reason: 'People route for now' });
const activate = (who: string, { id, hash }: Change): Promise<Answer> =>
  as(who, 'POST', '/api/policy/activate', { change: id, hash });
const changeOf = (answer: Answer): Change => must(answer).body['change'] as Change;
const refused = (answer: Answer, status: number, code: string): void => {
  assert.is(answer.status, status, answer.text);
  assert.is(answer.body['code'], code, answer.text);
};
const session = await app.session();
const route = async (at: Pick<typeof app, 'call'>): Promise<unknown> => {
  const answer = await at.call('POST', '/t/acme/requests', { token: session, body: PERMITTED });
  return answer.status === 201 ? 'issued' : answer.body['code'];
};

policy(
  'is proposed with the files that will be active, and obeyed by every node once another has activated it',
  async () => {
    for (const at of [app, other]) assert.is(await route(at), 'issued');
    const proposed = await propose('ada', tightened);
    const change = changeOf(proposed);
    for (const at of [app, other]) assert.is(await route(at), 'issued');
    refused(await activate('ada', change), 403, 'takes_two_persons');
    must(await activate('alan', change));
    for (const at of [other, app]) assert.is(await route(at), 'forbidden_by_rule');
    const versions = must(await as('anna', 'GET', '/api/policy/versions')).body['items'] as readonly {
      readonly version: string;
      readonly active: boolean;
      readonly active_before: boolean;
    }[];
    assert.equal(
      versions.map(({ active, active_before }) => [active, active_before]),
      [
        [true, false],
        [false, true],
      ],
    );
    assert.is(versions[0]?.version, proposed.body['version']);
  },
);

policy('goes back to what was active before by one person, at once, who then owes another’s look', async () => {
  const versions = must(await as('anna', 'GET', '/api/policy/versions')).body['items'] as readonly {
    readonly version: string;
  }[];
  const before = versions[1]?.version;
  refused(await as('otto', 'POST', '/api/policy/rollback', { version: before, reason: 'r' }), 403, 'function_needed');
  const body = { version: before, reason: 'Routing stands still' };
  refused(await app.operator('ada', 'POST', '/api/policy/rollback', body), 403, 'local_token_refused');
  const change = changeOf(await as('ada', 'POST', '/api/policy/rollback', body, other));
  for (const at of [app, other]) assert.is(await route(at), 'issued');
  const seen = must(await as('anna', 'GET', `/api/changes/${change.id}`)).body;
  assert.is(seen['state'], 'owed');
  refused(
    await as('ada', 'POST', `/api/changes/${change.id}/confirm`, { hash: change.hash }),
    403,
    'takes_two_persons',
  );
  must(await as('anna', 'POST', `/api/changes/${change.id}/confirm`, { hash: change.hash }));
  assert.is(must(await as('anna', 'GET', `/api/changes/${change.id}`)).body['state'], 'applied');
  refused(await as('anna', 'POST', `/api/changes/${change.id}/confirm`, { hash: change.hash }), 409, 'change_over');
});

policy('is not rolled back to what never was active', async () => {
  const { version } = must(
    await propose('ada', { ...tightened, 'rules/freeze.cedar': ROUTES_NOTHING.replace('for now', 'today') }),
  ).body as { readonly version: string };
  const answer = await as('ada', 'POST', '/api/policy/rollback', { version, reason: 'r' });
  refused(answer, 404, 'not_found');
});

policy('that was proposed under another one is not activated', async () => {
  const late = changeOf(
    await propose('ada', { ...tightened, 'rules/freeze.cedar': ROUTES_NOTHING.replace('people', 'hand') }),
  );
  must(await activate('alan', changeOf(await propose('ada', tightened))));
  refused(await activate('alan', late), 409, 'version_conflict');
  assert.is(await route(app), 'forbidden_by_rule');
});

policy('whose own cases fail is not proposed, and neither is one that does not check', async () => {
  const failing = await propose('ada', { ...files, 'rules/freeze.cedar': ROUTES_NOTHING });
  refused(failing, 400, 'invalid_policy');
  assert.ok((failing.body['cases'] as readonly unknown[]).length > 0);
  const broken = await propose('ada', { ...files, 'rules/freeze.cedar': 'forbid (' });
  refused(broken, 400, 'invalid_policy');
  assert.match(JSON.stringify(broken.body['problems']), 'rules/freeze.cedar');
});

policy('is proposed with what was found of it, which its entry counts, and so is its activation', async () => {
  const idle = ROUTES_NOTHING.replace('no-routing', 'no-burning').replace('ticket.route', 'ticket.burn');
  const silent =
    '@id("never")\n@reason("A test.")\nforbid (principal, action, resource)\nwhen { context.kind == "tikcet" };';
  refused(await propose('ada', { ...tightened, 'rules/freeze.cedar': idle }), 400, 'invalid_policy');
  const answer = must(await propose('ada', { ...tightened, 'rules/freeze.cedar': silent }));
  const found = answer.body['findings'] as readonly { kind: string; file: string; line: number; what: string }[];
  const named = found.filter(({ file }) => file === 'rules/freeze.cedar');
  assert.equal(
    named.map(({ kind, line }) => [kind, line]),
    [
      ['unreachable_rule', 1],
      ['untested_rule', 1],
    ],
  );
  for (const what of ['roles.backup: nobody holds it', 'tasks.backup.inspect: no agent holds a role that carries it']) {
    assert.ok(
      found.some((one) => one.what === what),
      what,
    );
  }
  assert.not.ok(found.some(({ what }) => what.startsWith('roles.triage:')));
  const change = changeOf(answer);
  const { facts } = must(await as('anna', 'GET', `/api/changes/${change.id}`)).body as {
    readonly facts: { readonly findings: Readonly<Record<string, number>> };
  };
  const counted = Object.values(facts.findings).reduce((sum, count) => sum + count, 0);
  assert.is(counted, found.length);
  assert.is(facts.findings['unreachable_rule'], 1);
  const active = must(await activate('alan', change)).body['findings'] as typeof found;
  assert.ok(active.some(({ kind, file }) => kind === 'unreachable_rule' && file === 'rules/freeze.cedar'));
});

policy('in which an assigned role has another function, or is gone, is refused when it is proposed', async () => {
  const roles = tightened['roles.yaml'] ?? '';
  const gone = { ...tightened, 'roles.yaml': roles.replace(/^  overseer:[^]*?\n\n/m, '') };
  const answer = await propose('ada', gone);
  refused(answer, 409, 'still_in_use');
  assert.match(answer.text, 'overseer');
  const other = { ...tightened, 'roles.yaml': roles.replace('function: oversight', 'function: approval') };
  refused(await propose('ada', other), 409, 'still_in_use');
});

policy('that frees an agent is neither activated nor gone back to by whoever answers for it', async () => {
  must(await app.operator('ada', 'PUT', '/api/agents/triage-bot', agentBody({ owner: 'alan', deputy: 'olga' })));
  must(await activate('anna', changeOf(await propose('ada', tightened))));
  const proposed = must(await propose('ada', withoutCases));
  const change = changeOf(proposed);
  refused(await activate('alan', change), 403, 'takes_two_persons');
  must(await activate('anna', change));
  const version = String(proposed.body['version']);
  must(await activate('anna', changeOf(await propose('ada', tightened))));
  const body = { version, reason: 'It was better' };
  refused(await as('alan', 'POST', '/api/policy/rollback', body), 403, 'takes_two_persons');
  must(await as('anna', 'POST', '/api/policy/rollback', body));
});

policy('is nobody’s affair who does not administer the deployment', async () => {
  for (const who of ['otto', 'tess']) {
    refused(await propose(who, tightened), 403, 'function_needed');
    refused(await as(who, 'GET', '/api/policy/versions'), 403, 'function_needed');
  }
  refused(await as('ada', 'POST', '/api/policy/activate', { files }), 403, 'takes_two_persons');
});

policy.after(close);
policy.run();
