import { exportJWK, generateKeyPair } from 'jose';
import type { JWK } from 'jose';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { answerApproval } from '../../../src/broker/decisions/answer.ts';
import { showDecision } from '../../../src/broker/decisions/show.ts';
import { revokeApproval } from '../../../src/broker/take-back.ts';
import type { Word } from '../../../src/approve/verdict.ts';
import { sealTicket } from '../../../src/authenticate/ticket.ts';
import type { ApprovalId, PersonName, TenantName } from '../../../src/core/ids.ts';
import { milliseconds } from '../../../src/core/time.ts';
import { AGENT, ahead, ASKED, must, PUBLIC_URL, rulesOnDisk, testApp } from '../../support/app.ts';
import { Authenticator, enrolled } from '../../support/authenticator.ts';
import { callerOf, deciding, NO, part, YES } from '../../support/deciding.ts';
import type { Saying } from '../../support/deciding.ts';

const ACME = 'acme' as TenantName;
const app = await testApp();
const { keys, ask, stateOf, redeem, say } = await deciding(app);
const other = await app.node();

const approving = suite('a person who is asked');

approving('says yes, and the agent goes on with a credential of exactly that', async () => {
  const waiting = await ask();
  assert.is(await say('paula', waiting), 'approved');
  assert.is((await stateOf(waiting))['state'], 'approved');
  const redeemed = await redeem(waiting);
  assert.is(redeemed.status, 201, redeemed.text);
  assert.type(part(redeemed, 'credential')['access_token'], 'string');
  assert.is((await stateOf(waiting))['state'], 'redeemed');
  const [entry] = await app.sql<{ text: string }>(
    `select text from entries where kind = 'approval.redeemed' and request = '${waiting.request}'`,
  );
  assert.match(entry?.text ?? '', /"approvers":\[\{"package_hash":"[0-9a-f]{64}","person":"paula"\}\]/);
});

approving(
  'is passed over where they set the agent to work on it, and nobody may be named who is not there',
  async () => {
    const refused = async (launched_by: string) =>
      (await app.call('POST', '/t/acme/requests', { token: await app.session(), body: { ...ASKED, launched_by } }))
        .body;
    assert.is((await refused('paula'))['code'], 'nobody_can_approve');
    assert.equal(
      [(await refused('nobody'))['code'], (await refused('nobody'))['path']],
      ['invalid_field', 'launched_by'],
    );
    const waiting = await ask({ launched_by: 'dana' });
    assert.is(await say('paula', waiting), 'approved');
    assert.is((await redeem(waiting)).status, 201);
  },
);

approving('says no, and the agent hears why', async () => {
  const waiting = await ask();
  assert.is(await say('paula', waiting, { word: NO }), 'rejected');
  assert.equal((await stateOf(waiting))['rejection'], { reason: 'wrong_client', words: 'Not at this clinic' });
  const redeemed = await redeem(waiting);
  assert.is(redeemed.status, 409);
  assert.is(redeemed.body['code'], 'approval_over');
});

approving('says yes to less, which the agent takes, and which they sign anew', async () => {
  const waiting = await ask();
  const word: Word = { verdict: 'narrow', narrower: { ttl: 60, uses: null, parameters: {} } };
  assert.is(await say('paula', waiting, { word }), 'superseded');
  const offered = await stateOf(waiting);
  assert.equal([offered['state'], (offered['narrower'] as Record<string, unknown>)['ttl']], ['pending', 60]);
  const next = { ...waiting, approval: offered['id'] as ApprovalId };
  assert.is(await say('paula', next), 'approval_waits');
  const accepted = await app.call('POST', `/t/acme/requests/${waiting.request}/accept`, { token: await app.session() });
  assert.is(accepted.status, 200, accepted.text);
  assert.is(await say('paula', next), 'approved');
  const redeemed = await redeem(waiting);
  assert.is(redeemed.status, 201, redeemed.text);
  const { expires_at } = part(redeemed, 'lease');
  assert.ok(Date.parse(String(expires_at)) - Date.now() <= 61_000);
});

approving('takes nothing of the credential’s life by the time that it takes', async () => {
  const began = Date.now();
  const waiting = await ask();
  assert.is(await say('paula', waiting), 'approved');
  const redeemed = await redeem(waiting, await app.node({ deps: ahead(() => 45_000) }));
  assert.is(redeemed.status, 201, redeemed.text);
  const [lease] = await app.sql<{ opened: string; lives: number; bound: number }>(
    `select l.opened_at as opened, (l.expires_at - l.opened_at)::int as lives, (a.terms->'binding'->>'ttl')::int as bound
      from leases l join approvals a on a.tenant = l.tenant and a.id = l.approval where l.request = '${waiting.request}'`,
  );
  assert.ok(Number(lease?.opened) >= began + 45_000);
  assert.is(lease?.lives, (lease?.bound ?? 0) * 1000);
});

approving('sees what else is a step of the same plan, and nothing of another', async () => {
  const plan = 'INC-7: close what is open';
  const [one, two] = [await ask({ plan }), await ask({ plan, parameters: { ...ASKED.parameters, port: 24 } })];
  await ask({ plan: 'INC-8' });
  await ask();
  const seen = await showDecision(app.deps, callerOf('paula'), { tenant: ACME, approval: one.approval });
  assert.equal(seen.ok && seen.value.package.shown.plan.map(({ approval }) => approval), [two.approval]);
});

approving('is told when the agent has taken the lesser yes, since it waits for them again', async () => {
  const channel = { name: 'slack', reaches: () => true, tell: () => Promise.resolve() } as const;
  const node = await app.node({ channels: [channel] });
  const waiting = await ask();
  await say('paula', waiting, { word: { verdict: 'narrow', narrower: { ttl: 60, uses: null, parameters: {} } } });
  const { id } = await stateOf(waiting);
  const path = `/t/acme/requests/${waiting.request}/accept`;
  must(await node.call('POST', path, { token: await app.session() }));
  const told = await app.sql<{ kind: string; tell: string[] }>(
    `select what -> 'notice' ->> 'kind' as kind, what -> 'notice' -> 'tell' as tell from work
      where what -> 'notice' ->> 'approval' = '${String(id)}'`,
  );
  assert.equal(
    told.map(({ kind }) => kind),
    ['asked'],
  );
  assert.ok(told[0]?.tell.includes('paula'));
});

approving('may be one of two at the same instant, and one word counts', async () => {
  const waiting = await ask();
  const said = await Promise.all([
    say('paula', waiting),
    say('paula', waiting, { word: NO, node: other, as: callerOf('paula', 'another session') }),
  ]);
  assert.is(said.filter((state) => state === 'approved' || state === 'rejected').length, 1, said.join(' '));
});

const REFUSED: readonly (readonly [what: string, saying: Saying & { person?: string }, code: string])[] = [
  ['who owns the agent', { person: 'olga' }, 'not_found'],
  ['who oversees', { person: 'otto' }, 'function_needed'],
  ['with another’s key', { with: keys.get('olga') as Authenticator }, 'passkey_refused'],
  ['with a key that nobody knows', { with: new Authenticator(PUBLIC_URL) }, 'passkey_refused'],
  ['from another origin', { lies: { origin: 'https://brevet.example.evil' } }, 'passkey_refused'],
  ['inside another’s page', { lies: { crossOrigin: true } }, 'passkey_refused'],
  ['without their finger', { lies: { userVerified: false } }, 'passkey_refused'],
  ['to another challenge', { lies: { challenge: 'AAAA' } }, 'passkey_refused'],
  ['to another page than was shown', { shown: '{"v":1}' }, 'form_over'],
];
for (const [what, { person = 'paula', ...saying }, code] of REFUSED) {
  approving(`is not heard ${what}`, async () => {
    const waiting = await ask();
    assert.is(await say(person, waiting, saying), code);
    assert.is((await stateOf(waiting))['state'], 'pending');
    assert.is((await redeem(waiting)).body['code'], 'approval_pending');
  });
}

approving('is heard once with one signature, and not in another session', async () => {
  const waiting = await ask();
  const paula = callerOf('paula');
  const seen = await showDecision(app.deps, paula, { tenant: ACME, approval: waiting.approval });
  if (!seen.ok) throw new Error(seen.error.detail);
  const { ticket, package: shown } = seen.value;
  const assertion = (keys.get('paula') as Authenticator).sign(ticket.statement);
  const answering = { ticket: sealTicket(app.deps, ticket), shown: shown.text, assertion };
  const stolen = await answerApproval(app.deps, callerOf('paula', 'another session'), answering);
  assert.is(stolen.ok ? '' : stolen.error.code, 'form_over');
  const olgas = { ...ticket, statement: { ...ticket.statement, approver: 'olga' as PersonName } };
  const given = await answerApproval(app.deps, paula, { ...answering, ticket: sealTicket(app.deps, olgas) });
  assert.is(given.ok ? '' : given.error.code, 'form_over', 'a form that another was shown');
  assert.ok((await answerApproval(app.deps, paula, answering)).ok);
  const again = await answerApproval(other.deps, paula, answering);
  assert.is(again.ok ? '' : again.error.code, 'approval_over');
});

approving('is not said with a copy of an authenticator, whose count stands still', async () => {
  const key = new Authenticator(PUBLIC_URL);
  await enrolled(app, key.passkey('paula', { confirmedBy: 'ada' as PersonName }));
  const [first, second] = [await ask(), await ask()];
  assert.is(await say('paula', first, { with: key, lies: { signCount: 7 } }), 'approved');
  assert.is(await say('paula', second, { with: key, lies: { signCount: 7 } }), 'form_over');
  assert.is(await say('paula', second, { with: key, lies: { signCount: 8 } }), 'approved');
});

approving.run();

const redeeming = suite('an approval');

redeeming('gives one credential, however many nodes it is brought to at once', async () => {
  const waiting = await ask();
  await say('paula', waiting);
  const answers = await Promise.all(Array.from({ length: 8 }, (_, n) => redeem(waiting, n % 2 === 0 ? app : other)));
  assert.equal(
    answers.map(({ status }) => status).toSorted((a, b) => a - b),
    [201, ...Array<number>(7).fill(409)],
  );
});

redeeming('is worth nothing to another agent, or with a session', async () => {
  const waiting = await ask();
  await say('paula', waiting);
  assert.is((await redeem(waiting, app, 'report-bot')).status, 404);
  const path = `/t/acme/requests/${waiting.request}/credential`;
  assert.is((await app.call('POST', path, { token: await app.session(), body: {} })).status, 400);
  assert.is((await redeem(waiting)).status, 201);
});

redeeming('is over once the agent withdraws, before or after the yes', async () => {
  for (const [word, state] of [
    [null, 'cancelled'],
    [YES, 'revoked'],
  ] as const) {
    const waiting = await ask();
    if (word !== null) await say('paula', waiting, { word });
    const path = `/t/acme/requests/${waiting.request}/withdraw`;
    must(await app.call('POST', path, { token: await app.session() }));
    assert.is((await stateOf(waiting))['state'], state);
    assert.is((await redeem(waiting)).body['code'], 'approval_over');
  }
});

const freeze = {
  kind: 'freeze',
  reason: 'A test',
  from: new Date().toISOString(),
  until: new Date(Date.now() + 60_000).toISOString(),
};
const target = (more: Record<string, unknown>) => ({ provider: 'jwt', environment: 'production', ...more });

/** What becomes another between the yes and the redemption; and how it is put right for the tests that follow. */
const MOVED: readonly (readonly [
  what: string,
  move: () => Promise<unknown>,
  back: () => Promise<unknown>,
  code: string,
])[] = [
  [
    'the target leads elsewhere',
    () =>
      ada(
        'PUT',
        '/api/tenants/acme/targets/tickets',
        target({ config: { audience: 'https://elsewhere.example', checks: 'introspection' } }),
      ),
    () => Promise.resolve(),
    'approval_differs',
  ],
  ['the agent proves itself with another key', rekey, () => Promise.resolve(), 'approval_differs'],
  ['who approved it holds approval no more', () => endAssignment('paula'), () => approver('paula'), 'approval_differs'],
  [
    'who approved it owns the agent now',
    () => ada('PUT', '/api/agents/triage-bot', { ...AGENT, owner: 'paula' }),
    () => ada('PUT', '/api/agents/triage-bot', AGENT),
    'approval_differs',
  ],
];

/** Its old key proves nothing any more: whoever comes, comes with the new one. */
async function rekey(): Promise<void> {
  const keysOf: Record<string, JWK> = app.keys;
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  keysOf['triage-bot@acme'] = await exportJWK(privateKey);
  await ada('PUT', '/api/tenants/acme/enrolments/triage-bot', { jwk: await exportJWK(publicKey) });
}

const approver = (person: string) =>
  ada('POST', '/api/assignments', { tenant: 'acme', holder: { person }, role: 'approver' });

async function endAssignment(person: string): Promise<void> {
  const { body } = await ada('GET', '/api/assignments?tenant=acme');
  const held = (body['items'] as { id: string; holder: { person?: string } }[]).find(
    ({ holder }) => holder.person === person,
  );
  await ada('DELETE', `/api/assignments/${held?.id}`);
}

const ada = async (method: string, path: string, body?: unknown) => must(await app.operator('ada', method, path, body));

redeeming('is worth nothing once who gave it, or oversight, takes it back, and nobody else can', async () => {
  for (const [person, ends] of [
    ['paula', true],
    ['otto', true],
    ['olga', false],
  ] as const) {
    const waiting = await ask();
    await say('paula', waiting);
    const taken = await revokeApproval(app.deps, callerOf(person), { tenant: ACME, approval: waiting.approval });
    assert.is(taken.ok, ends, person);
    assert.is((await redeem(waiting)).status, ends ? 409 : 201);
    const late = await revokeApproval(app.deps, callerOf('otto'), { tenant: ACME, approval: waiting.approval });
    assert.not.ok(late.ok);
  }
});

redeeming('is taken back on the first click, also where another node has changed something meanwhile', async () => {
  const waiting = await ask();
  await say('paula', waiting);
  await app.sql('update deployment set epoch = epoch + 1');
  const taken = await revokeApproval(app.deps, callerOf('paula'), { tenant: ACME, approval: waiting.approval });
  assert.is(taken.ok && taken.value.state, 'revoked');
});

redeeming('is kept, and gives nothing, while nobody watches over expiry', async () => {
  const waiting = await ask();
  assert.is(await say('paula', waiting), 'approved');
  const unwatched = await app.node({
    deps: (deps) => ({ ...deps, store: { ...deps.store, sinceBeat: () => Promise.resolve(milliseconds(30_001)) } }),
  });
  assert.is((await redeem(waiting, unwatched)).body['code'], 'sweeper_late');
  assert.is((await redeem(waiting)).status, 201);
});

redeeming('is worth nothing once the passkey that signed it is removed', async () => {
  const waiting = await ask();
  await say('paula', waiting);
  const key = keys.get('paula') as Authenticator;
  await app.sql(`delete from passkeys where id = '${key.id}'`);
  await app.sql('update deployment set epoch = epoch + 1');
  const redeemed = await redeem(waiting);
  await enrolled(app, key.passkey('paula', { confirmedBy: 'ada' as PersonName, signCount: 1_000 }));
  assert.is(redeemed.body['code'], 'approval_differs', redeemed.text);
  keys.set('paula', new Authenticator(PUBLIC_URL));
  await enrolled(app, (keys.get('paula') as Authenticator).passkey('paula', { confirmedBy: 'ada' as PersonName }));
});

redeeming(
  'of a tier that takes a key bound to its device is not signed with a synced one, and may be refused with it',
  async () => {
    const files = await rulesOnDisk();
    const routes = `${files['routes.yaml'] ?? ''}\ndevice_bound: { tiers: [3] }\n`;
    await ada('POST', '/api/policy/activate', { files: { ...files, 'routes.yaml': routes } });
    const synced = new Authenticator(PUBLIC_URL, { synced: true });
    await enrolled(app, synced.passkey('paula', { confirmedBy: 'ada' as PersonName }));
    const waiting = await ask();
    const less = { verdict: 'narrow', narrower: { ttl: 60, uses: null, parameters: {} } } as const;
    assert.is(await say('paula', waiting, { with: synced }), 'passkey_refused');
    assert.is(await say('paula', waiting, { word: less, with: synced }), 'passkey_refused');
    assert.is(await say('paula', waiting), 'approved');
    assert.is(await say('paula', await ask(), { word: NO, with: synced }), 'rejected');
    await ada('POST', '/api/policy/activate', { files });
  },
);

const CLIENT_INFRASTRUCTURE = '- { whom: account-engineer, within_minutes: 15,';

/** What the bundle comes to say of answers between the yes, with a synced key, and the redemption. */
const TIGHTENED: readonly (readonly [what: string, change: (routes: string) => string, why: RegExp])[] = [
  [
    'a key that is bound to its device',
    (routes) => `${routes}\ndevice_bound: { tiers: [3] }\n`,
    /may not approve it any more/,
  ],
  ['two persons', takesTwo, /come to take 2 persons/],
];
function takesTwo(routes: string): string {
  return routes
    .replaceAll(CLIENT_INFRASTRUCTURE, `${CLIENT_INFRASTRUCTURE} quorum: 2,`)
    .replaceAll('{ whom: on-call-technician, level: senior,', '{ whom: on-call-technician, level: senior, quorum: 2,')
    .replaceAll('{ whom: service-desk-manager,', '{ whom: service-desk-manager, quorum: 2,');
}
for (const [what, change, why] of TIGHTENED) {
  redeeming(`is worth nothing once policy has come to take ${what}`, async () => {
    const files = await rulesOnDisk();
    const routes = files['routes.yaml'] ?? '';
    assert.is.not(change(routes), routes);
    await ada('PUT', '/api/people/pete', { display_name: 'Pete' });
    await approver('pete');
    const synced = new Authenticator(PUBLIC_URL, { synced: true });
    await enrolled(app, synced.passkey('paula', { confirmedBy: 'ada' as PersonName }));
    const waiting = await ask();
    assert.is(await say('paula', waiting, { with: synced }), 'approved');
    const known = routes.replace('people:\n', 'people:\n  pete: { level: senior, time_zone: UTC, duty: [] }\n');
    await ada('POST', '/api/policy/activate', { files: { ...files, 'routes.yaml': change(known) } });
    const redeemed = await redeem(waiting);
    await ada('POST', '/api/policy/activate', { files });
    await endAssignment('pete');
    assert.is(redeemed.body['code'], 'approval_differs', redeemed.text);
    assert.match(String(redeemed.body['detail']), why);
  });
}

/** Where it takes two, and those are paula and pete. */
async function withTwo(work: () => Promise<void>): Promise<void> {
  const files = await rulesOnDisk();
  await ada('PUT', '/api/people/pete', { display_name: 'Pete' });
  await approver('pete');
  keys.set('pete', new Authenticator(PUBLIC_URL));
  await enrolled(app, (keys.get('pete') as Authenticator).passkey('pete', { confirmedBy: 'ada' as PersonName }));
  // Whatever the hour of the test.
  const atAnyHour = (files['routes.yaml'] ?? '')
    .replace('people:', 'people:\n  pete: { level: senior, time_zone: Europe/Zurich, duty: [] }')
    .replaceAll(/^ {4}duty: .*/gm, '    duty: []');
  await ada('POST', '/api/policy/activate', { files: { ...files, 'routes.yaml': takesTwo(atAnyHour) } });
  await work();
  await ada('POST', '/api/policy/activate', { files });
  await endAssignment('pete');
}

redeeming('of two persons counts, when the last yes comes, those of whoever may say it still', () =>
  withTwo(async () => {
    const waiting = await ask();
    assert.is(await say('paula', waiting), 'pending');
    await endAssignment('paula');
    assert.is(await say('pete', waiting), 'pending');
    assert.is((await stateOf(waiting))['state'], 'pending');
    const seen = await showDecision(app.deps, callerOf('pete'), { tenant: ACME, approval: waiting.approval });
    assert.equal(seen.ok && seen.value.package.shown.route.standing, ['pete']);
    assert.is(await say('pete', waiting), 'answered_before');
    await approver('paula');
    assert.is(await say('pete', waiting), 'approved');
    assert.is((await redeem(waiting)).status, 201);
  }),
);

redeeming('of two persons is said again by who has another passkey since, and counts them once', () =>
  withTwo(async () => {
    const waiting = await ask();
    assert.is(await say('paula', waiting), 'pending');
    assert.is(await say('paula', waiting), 'answered_before');
    await app.sql(`delete from passkeys where id = '${keys.get('paula')?.id}'`);
    await app.sql('update deployment set epoch = epoch + 1');
    keys.set('paula', new Authenticator(PUBLIC_URL));
    await enrolled(app, (keys.get('paula') as Authenticator).passkey('paula', { confirmedBy: 'ada' as PersonName }));
    assert.is(await say('paula', waiting), 'pending');
    assert.is(await say('pete', waiting), 'approved');
    assert.is((await redeem(waiting)).status, 201);
    const [entry] = await app.sql<{ text: string }>(
      `select text from entries where kind = 'approval.redeemed' and request = '${waiting.request}'`,
    );
    assert.equal(
      [...(entry?.text ?? '').matchAll(/"person":"(\w+)"\}/g)].map(([, person]) => person),
      ['paula', 'pete'],
    );
  }),
);

redeeming('is not said yes to where the agent would get nothing for it, and is said no to', async () => {
  const repoint = (audience: string) =>
    ada('PUT', '/api/tenants/acme/targets/tickets', target({ config: { audience, checks: 'introspection' } }));
  const waiting = await ask();
  await repoint('https://moved.example');
  assert.is(await say('paula', waiting), 'approval_differs');
  const word: Word = { verdict: 'narrow', narrower: { ttl: 60, uses: null, parameters: {} } };
  assert.is(await say('paula', waiting, { word }), 'approval_differs');
  assert.is(await say('paula', waiting, { word: NO }), 'rejected');
});

redeeming('is worth nothing in a freeze that began after the yes', async () => {
  const waiting = await ask();
  assert.is(await say('paula', waiting), 'approved');
  const set = await ada('POST', '/api/tenants/acme/situations', freeze);
  const redeemed = await redeem(waiting);
  await ada('POST', `/api/tenants/acme/situations/${String(set.body['id'])}/end`, { reason: 'over' });
  assert.is(redeemed.body['code'], 'forbidden_by_rule', redeemed.text);
});

for (const [what, move, back, code] of MOVED) {
  redeeming(`is worth nothing any more once ${what}`, async () => {
    const waiting = await ask();
    assert.is(await say('paula', waiting), 'approved');
    await move();
    const redeemed = await redeem(waiting);
    await back();
    assert.is(redeemed.body['code'], code, redeemed.text);
    assert.is((await stateOf(waiting))['state'], 'revoked');
    assert.is((await redeem(waiting)).body['code'], 'approval_over');
  });
}

redeeming.after(() => app.close());
redeeming.run();
