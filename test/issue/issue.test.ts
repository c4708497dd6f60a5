import { randomUUID } from 'node:crypto';
import { exportJWK, generateKeyPair } from 'jose';
import postgres from 'postgres';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Change } from '../../src/core/change.ts';
import { StoreUnavailable } from '../../src/core/store.ts';
import type { ApprovalId, LeaseId, TargetName, TenantName } from '../../src/core/ids.ts';
import { endLease } from '../../src/revoke/revoke.ts';
import { sweep } from '../../src/revoke/sweep.ts';
import { MintTooLarge, ProviderUnavailable } from '../../src/core/provider.ts';
import type { Minted, Provider } from '../../src/core/provider.ts';
import { agentBody, ahead, rulesOnDisk, clientForm, must, PERMITTED, REPORT, testApp } from '../support/app.ts';
import type { Answer, TestNode } from '../support/app.ts';
import { deciding } from '../support/deciding.ts';
import { withAdmin } from '../support/postgres.ts';
import { clientDatabase } from '../support/target.ts';

const client = await clientDatabase();
/** What happens at the provider between its mint and the answer; one thing at a time. */
let afterMint: (minted: Minted) => Promise<void> = async () => undefined;
let beforeMint: () => Promise<void> = async () => undefined;
/** The version of the target at whose place nothing answers. */
let gone: number | null = null;
const around = (provider: Provider): Provider =>
  provider.where === 'local'
    ? provider
    : {
        ...provider,
        mint: async (order, target) => {
          await beforeMint();
          const minted = await provider.mint(order, target);
          const act = afterMint;
          afterMint = async () => undefined;
          await act(minted);
          return minted;
        },
        revoke: async (subject, target) => {
          if (target.version.version === gone) throw new ProviderUnavailable('nothing answers there');
          return provider.revoke(subject, target);
        },
      };
const app = await testApp({ database: client, around });
/** Another node, for which every mint deadline has passed. */
const later = await app.node({ deps: ahead(() => 11_000) });

const ask = async (body: unknown = REPORT, headers: Record<string, string> = {}, node: TestNode = app) =>
  node.call('POST', '/t/acme/requests', { token: await app.session('report-bot'), body, headers });

interface Row {
  readonly id: string;
  readonly state: string;
  readonly cause: string | null;
  readonly mark: string;
  readonly reference: object | null;
  readonly death: { readonly how: string } | null;
  readonly exposure: string | null;
  readonly block: string | null;
}
const leases = async (): Promise<readonly Row[]> => app.sql<Row>('select * from leases order by opened_at desc, id');
const newest = async (): Promise<Row> => {
  const [row] = await leases();
  if (row === undefined) throw new Error('there is no lease');
  return row;
};
const kinds = async (lease: string): Promise<readonly string[]> =>
  (await app.sql<{ kind: string }>(`select kind from entries where lease = '${lease}' order by at, id`)).map(
    ({ kind }) => kind,
  );
/** Roles at the client’s server that bear marks: those that can log in, and fences. */
const roles = (): Promise<readonly { rolname: string; rolcanlogin: boolean }[]> =>
  withAdmin(
    client.superuser,
    async (sql) => sql`select rolname, rolcanlogin from pg_roles where rolname like 'brevet\\_0%'`,
  );
const logins = async (): Promise<readonly string[]> =>
  (await roles()).filter(({ rolcanlogin }) => rolcanlogin).map(({ rolname }) => rolname);
/** Everything that waits in the queue, now. */
const workOff = async (node: TestNode = later): Promise<void> => {
  await app.sql('update work set due = 0, held_until = 0');
  const begun: Promise<unknown>[] = [];
  await sweep({ ...node.deps, background: (work) => void begun.push(work) });
  // On a busy machine a pass loses its patience before the work is done.
  await Promise.all(begun);
};
const credentialOf = (answer: Answer) => answer.body['credential'] as Record<string, string | number>;
const connect = (answer: Answer): postgres.Sql => {
  const { host, port, database, user, password } = credentialOf(answer);
  return postgres({
    host: String(host),
    port: Number(port),
    database: String(database),
    user: String(user),
    password: String(password),
    max: 1,
    onnotice: () => undefined,
  });
};

const issuing = suite('issuing at a server');

issuing('commits the intent, mints, commits the outcome, and only then answers', async () => {
  let state = '';
  afterMint = async () => {
    state = (await newest()).state;
  };
  const answer = await ask();
  assert.is(answer.status, 201, answer.text);
  assert.is(state, 'opening');
  const lease = await newest();
  assert.is(lease.state, 'active');
  assert.equal(await kinds(lease.id), ['lease.opening', 'lease.active']);
  assert.is(credentialOf(answer)['user'], lease.mark);
  const sql = connect(answer);
  const rows = await sql`select count(*) as n from tickets`;
  assert.is(Number(rows[0]?.['n']), 3);
  await sql.end();
});

issuing('leaves nothing of the secret behind', async () => {
  const answer = await ask();
  const password = String(credentialOf(answer)['password']);
  app.planted.set('a login’s password', password);
  const text = JSON.stringify([await leases(), await app.sql('select * from entries'), app.logged]);
  assert.not.ok(text.includes(password));
});

issuing('withholds what is not permitted any more when the mint has landed', async () => {
  const files = await rulesOnDisk();
  const rule = '@id("nothing-for-now") @reason("A drill.") forbid (principal, action, resource);';
  afterMint = async () => {
    must(await app.operator('ada', 'POST', '/api/policy/activate', { files: { ...files, 'rules/drill.cedar': rule } }));
  };
  const before = (await leases()).length;
  const answer = await ask();
  assert.is(answer.status, 403, answer.text);
  assert.not.ok('credential' in answer.body);
  assert.is((await leases()).length, before + 1);
  const lease = await newest();
  assert.is(lease.state, 'revoking');
  assert.is(lease.cause, 'overtaken');
  await workOff();
  const dead = await newest();
  assert.is(dead.state, 'revoked');
  assert.is(dead.death?.how, 'verified');
  assert.not.ok((await logins()).includes(lease.mark));
  assert.equal(await kinds(lease.id), ['lease.opening', 'lease.revoking', 'lease.revoked']);
  // Its name is fenced for as long as a late mint could need it.
  assert.ok((await roles()).some(({ rolname }) => rolname === lease.mark));
  await workOff();
  assert.not.ok((await roles()).some(({ rolname }) => rolname === lease.mark));
  must(await app.operator('ada', 'POST', '/api/policy/activate', { files }));
});

issuing('withholds when the agent is disabled between its mint and its outcome', async () => {
  afterMint = async () => {
    must(await app.operator('ada', 'PUT', '/api/agents/report-bot', agentBody({ active: false })));
  };
  const answer = await ask();
  assert.is(answer.status, 401, answer.text);
  const { cause, id } = await newest();
  assert.is(cause, 'overtaken');
  await workOff();
  assert.is((await newest()).id, id);
  assert.is((await newest()).state, 'revoked');
  must(await app.operator('ada', 'PUT', '/api/agents/report-bot', agentBody()));
});

issuing('withholds when a block was raised between its mint and its outcome, which counts it as its own', async () => {
  const aim = { scope: 'agent', name: 'report-bot', reason: 'It mails strangers' };
  let block = '';
  afterMint = async () => {
    block = String(must(await app.operator('otto', 'POST', '/api/blocks', aim)).body['id']);
  };
  const answer = await ask();
  assert.equal([answer.status, answer.body['code']], [403, 'blocked'], answer.text);
  assert.equal([(await newest()).cause, (await newest()).block], ['blocked', block]);
  const [ended] = await app.sql<{ facts: Readonly<Record<string, unknown>> }>(
    `select text::json->'facts' as facts from entries where kind = 'lease.revoking' and lease = '${(await newest()).id}'`,
  );
  assert.is(ended?.facts['block'], block);
  await workOff();
  assert.is((await newest()).state, 'revoked');
  const { progress } = must(await app.operator('otto', 'GET', `/api/blocks/${block}`)).body;
  assert.is((progress as { ended: number }).ended, 1);
  await app.sql(`update blocks set until = 1 where id = '${block}'`);
  app.deps.store.forget('acme' as never);
});

issuing('withholds when the agent is enrolled with another key between its mint and its outcome', async () => {
  const path = '/api/tenants/acme/enrolments/report-bot';
  const before = must(await app.operator('ada', 'GET', path)).body['jwk'];
  const { publicKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = await exportJWK(publicKey);
  afterMint = async () => {
    must(await app.operator('ada', 'PUT', path, { jwk }));
  };
  const answer = await ask();
  assert.is(answer.status, 401, answer.text);
  assert.not.ok('credential' in answer.body);
  assert.is((await newest()).cause, 'overtaken');
  must(await app.operator('ada', 'PUT', path, { jwk: before }));
  await workOff();
  assert.is((await newest()).state, 'revoked');
});

issuing('withholds when its target has changed between its mint and its outcome', async () => {
  const target = (rounds: number) => ({
    provider: 'postgres',
    config: { ...client.config, scram_rounds: rounds },
    secret: client.secret.reveal(),
    environment: 'production',
  });
  afterMint = async () => {
    must(await app.operator('ada', 'PUT', '/api/tenants/acme/targets/shop-db', target(5000)));
  };
  const answer = await ask();
  // Decided again, with the new version: another lease.
  assert.is(answer.status, 201, answer.text);
  const overtaken = (await leases()).filter(({ cause, state }) => cause === 'overtaken' && state === 'revoking');
  assert.is(overtaken.length, 1);
  await workOff();
  assert.is((await leases()).filter(({ state }) => state === 'revoking').length, 0);
});

issuing('keeps what a mint came to whose end was committed before it', async () => {
  let landed: Minted | null = null;
  let ended = '';
  afterMint = async (minted) => {
    landed = minted;
    const { id } = await newest();
    const lease = await app.deps.store.lease('acme' as TenantName, id as LeaseId);
    if (lease === null) throw new Error('there is no lease');
    const actor = { kind: 'operator', name: 'otto' } as const;
    await endLease(app.deps, lease, { cause: 'oversight', actor, reason: null, outcome: null, killer: 'queue' });
    ended = lease.id;
  };
  const answer = await ask();
  assert.is(answer.status, 503, answer.text);
  assert.is(answer.body['code'], 'contended');
  const { id, state, cause, reference } = await newest();
  assert.equal([id, state, cause], [ended, 'revoking', 'oversight']);
  assert.equal(reference, (landed as Minted | null)?.reference);
  assert.equal(await kinds(id), ['lease.opening', 'lease.revoking', 'lease.landed']);
  await workOff();
  assert.is((await newest()).death?.how, 'verified');
  await workOff();
});

issuing('goes on when something else has changed and the very same is still permitted', async () => {
  afterMint = async () => {
    must(await app.operator('ada', 'PUT', '/api/people/dana', { display_name: 'Dana again' }));
  };
  const before = (await leases()).length;
  const answer = await ask();
  assert.is(answer.status, 201, answer.text);
  assert.is((await leases()).length, before + 1);
  assert.is((await newest()).state, 'active');
});

issuing('withholds what nobody’s yes stands behind any more when the mint has landed', async () => {
  const { keys, say, redeem } = await deciding(app);
  const waits = await ask({ ...REPORT, confidence: 0.5 });
  assert.is(waits.status, 202, waits.text);
  const approval = (waits.body['approval'] as { id: ApprovalId }).id;
  const waiting = { request: String(waits.body['request']), approval };
  assert.is(await say('paula', waiting), 'approved');
  afterMint = async () => {
    await app.sql(`delete from passkeys where id = '${keys.get('paula')?.id}'`);
    await app.sql('update deployment set epoch = epoch + 1');
  };
  const answer = await redeem(waiting, app, 'report-bot');
  assert.not.ok('credential' in answer.body, answer.text);
  assert.is((await newest()).cause, 'overtaken');
  await workOff();
  assert.is((await newest()).state, 'revoked');
});

issuing('withholds what another owner answers for since its mint, and gives one that they answer for', async () => {
  const owned = { owner: 'dana', deputy: 'olga' };
  afterMint = async () => {
    must(await app.operator('ada', 'PUT', '/api/agents/report-bot', agentBody(owned)));
  };
  const before = (await leases()).length;
  assert.is((await ask()).status, 201);
  const made = await app.sql<{ owner: string; cause: string | null }>(
    `select owner, cause from leases order by opened_at desc, id desc limit ${(await leases()).length - before}`,
  );
  assert.equal(
    made.map(({ owner, cause }) => [owner, cause]),
    [
      ['dana', null],
      ['olga', 'overtaken'],
    ],
  );
  await workOff();
  must(await app.operator('ada', 'PUT', '/api/agents/report-bot', agentBody()));
});

issuing('finds a login whose mint was never heard of again, and kills it', async () => {
  afterMint = () => Promise.reject(new ProviderUnavailable('the connection was lost'));
  const answer = await ask();
  assert.is(answer.status, 503);
  assert.is(answer.body['code'], 'provider_unavailable');
  assert.ok(Number(answer.headers.get('retry-after')) > 0);
  const lease = await newest();
  assert.is(lease.state, 'opening');
  assert.ok((await logins()).includes(lease.mark));
  await workOff(app);
  assert.is((await newest()).state, 'opening', 'before its deadline nothing is said of it');
  await workOff();
  const dead = await newest();
  assert.is(dead.state, 'revoked');
  assert.is(dead.cause, 'mint_failed');
  assert.not.ok((await logins()).includes(lease.mark));
  assert.equal(await kinds(lease.id), ['lease.opening', 'lease.revoking', 'lease.revoked']);
});

issuing(
  'says of a mint that was given up before its answer came what became of it, and that it may be asked anew',
  async () => {
    afterMint = () => workOff();
    const answer = await ask();
    assert.equal([answer.status, answer.body['code']], [503, 'provider_unavailable'], answer.text);
    assert.match(String(answer.body['detail']), 'has been ended');
    assert.match(String(answer.body['hint']), 'ask anew');
    assert.is(answer.headers.get('retry-after'), '1');
    const { id, cause, mark } = await newest();
    assert.is(cause, 'mint_failed');
    await workOff();
    assert.equal([(await newest()).id, (await newest()).state], [id, 'revoked']);
    assert.not.ok((await logins()).includes(mark));
  },
);

issuing('opens nothing at a target that has not answered of late, and says when to come back', async () => {
  const [last] = await app.sql<{ target: string; version: number }>(
    'select target, max(target_version) as version from leases group by target',
  );
  const at = { tenant: 'acme' as TenantName, target: last?.target as TargetName, targetVersion: Number(last?.version) };
  for (let calls = 0; calls < 3; calls++) app.deps.breakers.failed(at);
  const before = (await leases()).length;
  const answer = await ask();
  assert.equal([answer.status, answer.body['code']], [503, 'provider_unavailable'], answer.text);
  assert.ok(Number(answer.headers.get('retry-after')) > 0);
  assert.is((await leases()).length, before);
  app.deps.breakers.answered(at);
  assert.is((await ask()).status, 201);
});

issuing('finds a login whose node met a fault, as well', async () => {
  afterMint = () => Promise.reject(new Error('out of memory'));
  const answer = await ask();
  assert.is(answer.status, 500);
  assert.not.match(answer.text, 'out of memory');
  await workOff();
  assert.is((await newest()).state, 'revoked');
});

issuing('calls failed at once, and refuses as what it is, what its provider calls too large', async () => {
  beforeMint = () => Promise.reject(new MintTooLarge('it is packed into more than is taken'));
  const answer = await ask();
  beforeMint = async () => undefined;
  assert.is(answer.status, 400, answer.text);
  assert.is(answer.body['code'], 'invalid_parameters');
  const { id, state, death } = await newest();
  assert.equal([state, death], ['failed', null]);
  assert.equal(await kinds(id), ['lease.opening', 'lease.failed']);
  await workOff();
  assert.is((await newest()).state, 'failed');
  assert.is((await ask()).status, 201, 'the target itself is as good as before');
});

issuing('refuses while the target is down, and says failed once it was seen', async () => {
  await client.stop();
  const answer = await ask();
  assert.is(answer.status, 503, answer.text);
  const lease = await newest();
  assert.is(lease.state, 'opening');
  await workOff();
  assert.is((await newest()).state, 'opening', 'nothing is said of what nobody could look at');
  await client.start();
  await workOff();
  assert.is((await newest()).state, 'failed');
  assert.equal(await kinds(lease.id), ['lease.opening', 'lease.failed']);
  assert.is((await ask()).status, 201);
});

issuing('under an idempotency key that was overtaken gives no second login', async () => {
  afterMint = async () => {
    must(await app.operator('ada', 'PUT', '/api/agents/report-bot', agentBody({ autonomy: 'advisory' })));
  };
  const before = (await leases()).length;
  const answer = await ask(REPORT, { 'idempotency-key': randomUUID() });
  assert.not.ok(answer.body['credential']);
  assert.is((await leases()).length, before + 1);
  assert.is((await newest()).cause, 'overtaken');
  must(await app.operator('ada', 'PUT', '/api/agents/report-bot', agentBody()));
  await workOff();
});

issuing('many at once gives each a login of its own', async () => {
  const answers = await Promise.all(Array.from({ length: 8 }, () => ask()));
  assert.is(new Set(answers.map((answer) => credentialOf(answer)['user'])).size, 8);
  const held = new Set(await logins());
  for (const answer of answers) assert.ok(held.has(String(credentialOf(answer)['user'])));
});

/** A node that never hears how its next commit of that kind ended, nor of one look after it; and what it began then. */
async function deafened(kind: Change['kind']): Promise<{ node: TestNode; begun: Promise<unknown>[] }> {
  const begun: Promise<unknown>[] = [];
  const lost = () => {
    throw new StoreUnavailable('the answer was lost');
  };
  let deaf: 'not yet' | 'now' | 'no more' = 'not yet';
  const node = await app.node({
    deps: (deps) => ({
      ...deps,
      background: (work) => void begun.push(work),
      store: {
        ...deps.store,
        async commit(change, entries) {
          const done = await deps.store.commit(change, entries);
          if (change.kind !== kind || deaf !== 'not yet') return done;
          deaf = 'now';
          return lost();
        },
        async lease(tenant, id) {
          if (deaf !== 'now') return deps.store.lease(tenant, id);
          deaf = 'no more';
          return lost();
        },
      },
    }),
  });
  return { node, begun };
}

issuing('takes back a login that may be active, since nobody has it', async () => {
  const { node, begun } = await deafened('lease.activate');
  const answer = await ask(REPORT, {}, node);
  assert.is(answer.status, 503, answer.text);
  assert.is((await newest()).state, 'active');
  await Promise.all(begun);
  const { id, state, cause, mark } = await newest();
  assert.equal([state, cause], ['revoked', 'undelivered']);
  assert.not.ok((await logins()).includes(mark));
  assert.equal(await kinds(id), ['lease.opening', 'lease.active', 'lease.revoking', 'lease.revoked']);
});

const tokenWays: readonly (readonly [string, (node: TestNode) => Promise<Answer>])[] = [
  [
    'as a request',
    async (node) => node.call('POST', '/t/acme/requests', { token: await app.session('triage-bot'), body: PERMITTED }),
  ],
  [
    'at the token endpoint',
    async (node) => {
      const details = JSON.stringify([{ type: 'brevet_task', ...PERMITTED }]);
      const form = clientForm(await app.assertion('triage-bot'), { authorization_details: details });
      return node.call('POST', '/t/acme/token', { form });
    },
  ],
];
for (const [how, askFor] of tokenWays) {
  issuing(`takes back a token that may be active, asked for ${how}`, async () => {
    const { node, begun } = await deafened('lease.open');
    const answer = await askFor(node);
    assert.is(answer.status, 503, answer.text);
    assert.is((await newest()).state, 'active');
    await Promise.all(begun);
    const { id, state, cause } = await newest();
    assert.equal([state, cause], ['revoked', 'undelivered']);
    assert.equal(await kinds(id), ['lease.active', 'lease.revoked']);
  });
}

issuing('outlives nothing that the decision rested on, however long the way from there to the mint', async () => {
  const until = new Date(app.deps.clock() + 100_000);
  const assign = async (more: object) =>
    must(
      await app.operator('ada', 'POST', '/api/assignments', {
        tenant: 'acme',
        holder: { agent: 'report-bot' },
        role: 'reporting',
        ...more,
      }),
    );
  await assign({ until: until.toISOString() });
  let slow = 0;
  const node = await app.node({
    deps: (deps) => ({
      ...ahead(() => slow)(deps),
      store: {
        ...deps.store,
        sinceBeat: async () => {
          slow = 3_000;
          return deps.store.sinceBeat();
        },
      },
    }),
  });
  const answer = await ask(REPORT, {}, node);
  assert.is(answer.status, 201, answer.text);
  assert.ok(Date.parse(String(credentialOf(answer)['expires_at'])) <= until.getTime());
  await assign({});
});

issuing('goes on where its target is now, whatever does not answer where it was', async () => {
  must(await ask());
  const left = await newest();
  const [was] = await app.sql<{ version: number }>(
    `select target_version as version from leases where id = '${left.id}'`,
  );
  gone = Number(was?.version);
  must(
    await app.operator('ada', 'PUT', '/api/tenants/acme/targets/shop-db', {
      provider: 'postgres',
      config: { ...client.config, nodes: client.config.nodes.map((node) => ({ ...node, host: 'localhost' })) },
      secret: client.secret.reveal(),
      environment: 'production',
    }),
  );
  must(await app.operator('otto', 'POST', `/t/acme/leases/${left.id}/revoke`, { reason: 'done' }));
  assert.is((await ask()).status, 201);
  gone = null;
});

issuing.after(async () => {
  await app.close();
  await client.remove();
});
issuing.run();
