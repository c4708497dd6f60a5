/** The life of a lease of the gateway: its uses, its end, its key, and whose objects it reaches. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { makeEntry } from '../../src/core/entry.ts';
import { newId } from '../../src/core/ids.ts';
import type { LeaseId, PersonName, TenantName } from '../../src/core/ids.ts';
import { callThrough } from '../../src/broker/gateway.ts';
import type { Block } from '../../src/core/block.ts';
import { StoreUnavailable } from '../../src/core/store.ts';
import { must } from '../support/app.ts';
import type { Answer, TestNode } from '../support/app.ts';
import { answerPlainly, listening, startTool, toolApp, TOOL_KEY, toolTarget } from '../support/tool.ts';
import type { Tool, ToolLease } from '../support/tool.ts';
import { random } from '../support/target.ts';

const tool = await startTool();
const app = await toolApp(tool);
const other = await app.node();
const here = await listening(app);
const there = await listening(other);

const get = (lease: ToolLease, node: TestNode = app, path = '/tickets/ACME-1'): Promise<Answer> =>
  node.call('GET', `${lease.path}${path}`, { token: lease.token });

const rowOf = async (lease: ToolLease) => {
  const [row] = await app.sql<{ state: string; cause: string; used: number; death: { how: string } | null }>(
    `select state, cause, used, death from leases where id = '${lease.id}'`,
  );
  return row;
};

/** What is written after the answer. */
async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

interface Written {
  readonly kind: string;
  readonly facts: Readonly<Record<string, unknown>>;
  readonly values: readonly { readonly name: string; readonly value: unknown }[];
}

async function entriesOf(lease: ToolLease, kind: string, count = 1): Promise<readonly Written[]> {
  return until(async () => {
    const rows = await app.sql<{ kind: string; text: string; values: Written['values'] | null }>(
      `select e.kind, e.text, v."values" from entries e left join entry_values v on v.tenant = e.tenant and v.entry = e.id
        where e.lease = '${lease.id}' and e.kind = '${kind}' order by e.at`,
    );
    if (rows.length < count) return undefined;
    return rows.map((row) => ({ ...row, facts: (JSON.parse(row.text) as Written).facts, values: row.values ?? [] }));
  });
}

const uses = suite('uses of a lease');
uses.before.each(() => {
  tool.seen.length = 0;
  tool.answer = answerPlainly;
});

uses('are counted, and the last one ends it', async () => {
  const lease = await app.lease('tool.read', { uses: 3 });
  for (let used = 1; used <= 3; used++) assert.is((await get(lease)).status, 200);
  assert.is((await get(lease)).status, 401);
  const row = await until(async () => {
    const now = await rowOf(lease);
    return now?.state === 'revoked' ? now : undefined;
  });
  assert.equal([row.cause, row.used, row.death?.how], ['spent', 3, 'verified']);
  assert.is(tool.seen.length, 3);
});

uses('are one where two nodes are asked at the same moment for one', async () => {
  for (let again = 0; again < 3; again++) {
    const lease = await app.lease('tool.read', { uses: 1 });
    const answers = await Promise.all([app, other, app, other].map((node) => get(lease, node)));
    assert.equal(
      answers.map(({ status }) => status).toSorted((a, b) => a - b),
      [200, 401, 401, 401],
    );
  }
  assert.is(tool.seen.length, 3);
});

uses('are spent by what fails, and not by what is not let through', async () => {
  const lease = await app.lease('tool.read', { uses: 2 });
  assert.is((await get(lease, app, '/tickets/BIR-9')).status, 403);
  assert.is((await rowOf(lease))?.used, 0);
  tool.answer = (_request, response) => response.destroy();
  assert.is((await get(lease)).body['code'], 'gateway_no_answer');
  assert.is((await rowOf(lease))?.used, 1);
  const [answered] = await entriesOf(lease, 'gateway.answered');
  assert.equal([answered?.facts['end'], answered?.facts['status']], ['no_answer', null]);
});

uses('are written with method, path, status, sizes and a digest, and nothing of what was said', async () => {
  const lease = await app.lease('tool.note', { uses: 2 });
  const body = { text: 'The printer is on fire' };
  must(await app.call('POST', `${lease.path}/tickets/ACME-1/notes`, { token: lease.token, body }));
  const [used] = await entriesOf(lease, 'lease.used');
  assert.equal(used?.facts, { method: 'POST', path: '/tickets/{{ticket}}/notes', target: 'psa', target_version: 1 });
  assert.equal(
    used?.values.map(({ name, value }) => [name, value]),
    [['path', '/tickets/ACME-1/notes']],
  );
  const [answered] = await entriesOf(lease, 'gateway.answered');
  const { ms, use, ...facts } = answered?.facts ?? {};
  assert.equal(facts, { status: 200, end: 'whole', sent_bytes: 75, answer_bytes: 13 });
  assert.equal([typeof ms, String(use).slice(0, 4)], ['number', 'ent_']);
  assert.match(String(answered?.values[0]?.value), /^[0-9a-f]{64}$/);
  const all = await app.sql<{ text: string }>(
    `select text from entries union all select "values"::text from entry_values`,
  );
  const written = [...all.map(({ text }) => text), ...app.logged].join('\n');
  for (const secret of [TOOL_KEY, JSON.stringify(TOOL_KEY).slice(1, -1), 'printer is on fire', lease.token]) {
    assert.not(written.includes(secret), secret);
  }
});

uses('have what came of them written though the database is away when their answer ends', async () => {
  let away = 2;
  const node = await app.node({
    deps: (deps) => {
      const { commit } = deps.store;
      const fails: typeof commit = (change, entries) =>
        entries.some(({ kind }) => kind === 'gateway.answered') && away-- > 0
          ? Promise.reject(new StoreUnavailable('away'))
          : commit(change, entries);
      return { ...deps, store: { ...deps.store, commit: fails } };
    },
  });
  const lease = await app.lease('tool.read', { uses: 2 });
  assert.is((await get(lease, node)).status, 200);
  const [answered, ...more] = await entriesOf(lease, 'gateway.answered');
  assert.equal([answered?.facts['status'], more, away], [200, [], -1]);
});

const ends = suite('the end of a lease');
ends.before.each(() => {
  tool.answer = answerPlainly;
});

ends('refuses the very next call, on every node', async () => {
  const lease = await app.lease('tool.read', { uses: 100 });
  for (const node of [app, other]) assert.is((await get(lease, node)).status, 200);
  must(
    await app.call('POST', `/t/acme/leases/${lease.id}/revoke`, { token: await app.session(), body: { reason: 'x' } }),
  );
  tool.seen.length = 0;
  for (const node of [app, other]) assert.is((await get(lease, node)).status, 401);
  assert.is((await get(lease, app, '/tickets/BIR-9')).status, 401);
  assert.equal(tool.seen, []);
  assert.equal([(await rowOf(lease))?.state, (await rowOf(lease))?.death?.how], ['revoked', 'verified']);
});

ends('is never called proven where its calls leave effects', async () => {
  const lease = await app.lease('tool.make-key', { uses: 2 });
  must(await app.call('POST', `${lease.path}/keys`, { token: lease.token, body: {} }));
  must(
    await app.call('POST', `/t/acme/leases/${lease.id}/revoke`, { token: await app.session(), body: { reason: 'x' } }),
  );
  assert.equal([(await rowOf(lease))?.state, (await rowOf(lease))?.death?.how], ['revoked', 'unverifiable']);
});

ends('comes with a block, in whose commit nothing more passes on any node', async () => {
  const lease = await app.lease('tool.read', { uses: 100 });
  for (const node of [app, other]) assert.is((await get(lease, node)).status, 200);
  const at = app.deps.clock();
  const tenant = 'acme' as TenantName;
  const block: Block = {
    id: newId('blk', at, random),
    tenant,
    scope: 'target',
    name: 'psa',
    agents: [],
    author: 'otto' as PersonName,
    from: at,
    until: null,
  };
  const change = { kind: 'block.raise', blocks: [block], reason: 'A test', drill: false, deniesRoles: false } as const;
  const facts = { actor: { kind: 'operator', name: 'otto' }, accountable: 'otto', inSetup: true, facts: {} } as const;
  const entry = makeEntry({ tenant, kind: 'block.raised', at, ...facts }, random);
  const raised = await app.deps.store.commit({ kind: 'register', change, work: [], deploymentEpoch: null }, [entry]);
  assert.is(raised.ok, true, JSON.stringify(raised));
  tool.seen.length = 0;
  for (const node of [app, other]) assert.is((await get(lease, node)).body['code'], 'blocked');
  assert.equal(tool.seen, []);
  const lifted = { kind: 'block.lift', block: block.id, tenants: [tenant], by: 'otto' as PersonName } as const;
  await app.deps.store.commit({ kind: 'register', change: lifted, work: [], deploymentEpoch: null }, [
    makeEntry({ tenant, kind: 'block.lifted', at, ...facts }, random),
  ]);
  assert.is((await get(lease, other)).status, 200);
});

/** A call whose answer goes on and on; tells when it was cut, in milliseconds from `since`. */
async function dripping(lease: ToolLease, port: number) {
  tool.answer = (_request, response) => {
    response.write('x');
    const more = setInterval(() => response.write('x'), 10);
    response.on('close', () => clearInterval(more));
  };
  const answer = await fetch(`http://127.0.0.1:${port}${lease.path}/files/ACME-1`, {
    headers: { authorization: `Bearer ${lease.token}` },
  });
  assert.is(answer.status, 200);
  const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
  await reader.read();
  const cut = (async () => {
    try {
      for (;;) if ((await reader.read()).done) return 'ended in order';
    } catch {
      return 'cut';
    }
  })();
  return { cut, leave: () => reader.cancel() };
}

ends('cuts what streams, here at once and elsewhere soon', async () => {
  const lease = await app.lease('tool.upload', { uses: 10 });
  const [near, far] = [await dripping(lease, here.port), await dripping(lease, there.port)];
  const at = performance.now();
  must(
    await app.call('POST', `/t/acme/leases/${lease.id}/revoke`, { token: await app.session(), body: { reason: 'x' } }),
  );
  assert.is(await near.cut, 'cut');
  assert.is(await far.cut, 'cut');
  // Far above what is promised, so that a busy machine is no failure.
  assert.ok(performance.now() - at < 5_000);
  const answered = await entriesOf(lease, 'gateway.answered', 2);
  assert.equal(
    answered.map(({ facts }) => facts['end']),
    ['lease_over', 'lease_over'],
  );
});

for (const method of ['GET', 'PUT'] as const) {
  ends(`cuts what is sent faster than its reader takes it, of a ${method}`, async () => {
    const lease = await app.lease('tool.upload', { uses: 10 });
    let isFull = (): void => undefined;
    const full = new Promise<void>((resolve) => (isFull = resolve));
    tool.answer = (_request, response) => {
      const chunk = Buffer.alloc(65_536);
      const more = (): void => {
        while (response.write(chunk));
        setTimeout(isFull, 300);
      };
      response.on('drain', more);
      response.on('close', () => response.off('drain', more));
      more();
    };
    const headers = { authorization: `Bearer ${lease.token}`, 'content-type': 'application/octet-stream' };
    const answer = await fetch(`http://127.0.0.1:${here.port}${lease.path}/files/ACME-1`, {
      method,
      headers,
      ...(method === 'PUT' && { body: 'x' }),
    });
    await full;
    must(
      await app.call('POST', `/t/acme/leases/${lease.id}/revoke`, {
        token: await app.session(),
        body: { reason: 'x' },
      }),
    );
    const [answered] = await entriesOf(lease, 'gateway.answered');
    assert.is(answered?.facts['end'], 'lease_over');
    assert.is(app.deps.gateway.open.has(lease.id as LeaseId), false);
    await answer.body?.cancel().catch(() => undefined);
  });
}

ends('cuts what streams on its node with its commit, before anybody looks', async () => {
  const unwatched = await app.node({ deps: (deps) => ({ ...deps, pause: () => new Promise(() => undefined) }) });
  const served = await listening(unwatched);
  const lease = await app.lease('tool.upload', { uses: 10 });
  const { cut } = await dripping(lease, served.port);
  const path = `/t/acme/leases/${lease.id}/revoke`;
  must(await unwatched.call('POST', path, { token: await app.session(), body: { reason: 'x' } }));
  assert.is(await cut, 'cut');
  await served.close();
});

ends('cuts what streams once its agent has gone, whenever the queue comes to it', async () => {
  const gone = await toolApp(tool);
  const served = await listening(gone);
  const lease = await gone.lease('tool.upload', { uses: 10 });
  const { cut } = await dripping(lease, served.port);
  must(await gone.operator('ada', 'POST', '/api/offboard', { kind: 'agent', name: 'triage-bot', reason: 'x' }));
  assert.is(await cut, 'cut');
  assert.is((await get(lease, gone)).status, 401);
  const rows = await gone.sql<{ state: string }>(`select state from leases where id = '${lease.id}'`);
  assert.equal(
    rows.map(({ state }) => state),
    ['active'],
  );
  await served.close();
  await gone.close();
});

ends('cuts what streams at its expiry', async () => {
  const lease = await app.lease('tool.upload', { uses: 10, ttl: 2 });
  const { cut } = await dripping(lease, here.port);
  assert.is(await cut, 'cut');
  const [answered] = await entriesOf(lease, 'gateway.answered');
  assert.is(answered?.facts['end'], 'lease_over');
  assert.is((await get(lease)).status, 401);
});

for (const [what, look] of [
  ['not in time', () => new Promise<never>(() => undefined)],
  ['not at all', () => Promise.reject(new StoreUnavailable('away'))],
] as const) {
  ends(`that can be seen ${what} cuts the call, which is told of that and of no end`, async () => {
    let isUnderWay = false;
    const blind = await app.node({
      deps: (deps) => ({
        ...deps,
        store: { ...deps.store, lease: (...of) => (isUnderWay ? look() : deps.store.lease(...of)) },
      }),
    });
    const lease = await app.lease('tool.upload', { uses: 10 });
    tool.answer = () => {
      isUnderWay = true;
    };
    const cut = await get(lease, blind, '/files/ACME-1');
    assert.equal([cut.status, cut.body['code']], [503, 'database_unavailable']);
    const [answered] = await entriesOf(lease, 'gateway.answered');
    assert.is(answered?.facts['end'], 'lease_unseen');
    assert.is((await rowOf(lease))?.state, 'active');
  });
}

ends('is not held up by an answer that nobody ever read', async () => {
  const lease = await app.lease('tool.upload', { uses: 1 });
  let left = (): void => undefined;
  const isLeft = new Promise<void>((resolve) => (left = resolve));
  tool.answer = (_request, response) => {
    response.on('close', left);
    response.write('x');
  };
  const answer = await callThrough(app.deps, 'acme' as TenantName, {
    token: lease.token,
    lease: lease.id,
    method: 'GET',
    target: '/files/ACME-1',
    headers: new Map(),
    body: null,
    gone: new AbortController().signal,
  });
  if (!answer.ok || answer.value.body === null || answer.value.body instanceof Uint8Array) throw new Error('no stream');
  await answer.value.body[Symbol.asyncIterator]().return?.();
  await isLeft;
  const [answered] = await entriesOf(lease, 'gateway.answered');
  assert.is(answered?.facts['end'], 'caller_gone');
  assert.is(app.deps.gateway.open.has(lease.id as LeaseId), false);
  await until(async () => ((await rowOf(lease))?.cause === 'spent' ? true : undefined));
});

ends('does not come before the last use’s answer', async () => {
  const lease = await app.lease('tool.upload', { uses: 1 });
  const { cut, leave } = await dripping(lease, here.port);
  assert.is((await get(lease, app, '/files/ACME-1')).status, 401);
  assert.is((await rowOf(lease))?.state, 'active');
  await leave();
  await cut;
  const [answered] = await entriesOf(lease, 'gateway.answered');
  assert.is(answered?.facts['end'], 'caller_gone');
  await until(async () => ((await rowOf(lease))?.cause === 'spent' ? true : undefined));
});

const limits = suite('limits of a target');
limits.after.each(async () => {
  tool.answer = answerPlainly;
  await app.target();
});

limits('end what takes too long, before its answer and in the middle of it', async () => {
  await app.target({ limits: { seconds: 1 } });
  const lease = await app.lease('tool.upload', { uses: 10 });
  tool.answer = () => undefined;
  const slow = await get(lease, app, '/files/ACME-1');
  assert.equal([slow.status, slow.body['code']], [504, 'gateway_timeout']);
  const { cut } = await dripping(lease, here.port);
  assert.is(await cut, 'cut');
  const answered = await entriesOf(lease, 'gateway.answered', 2);
  assert.equal(
    answered.map(({ facts }) => facts['end']),
    ['too_slow', 'too_slow'],
  );
});

limits('end what takes too long before it is sent, and no use is spent', async () => {
  await app.target({ limits: { seconds: 1 } });
  const lease = await app.lease('tool.note', { uses: 2 });
  tool.seen.length = 0;
  async function* slowly() {
    await until(async () => (app.deps.gateway.open.has(lease.id as LeaseId) ? undefined : true));
    yield Buffer.from('{"text":"At last"}');
  }
  const answer = await callThrough(app.deps, 'acme' as TenantName, {
    token: lease.token,
    lease: lease.id,
    method: 'POST',
    target: '/tickets/ACME-1/notes',
    headers: new Map([['content-type', 'application/json']]),
    body: slowly(),
    gone: new AbortController().signal,
  });
  assert.is(answer.ok ? 'sent' : answer.error.code, 'gateway_timeout');
  assert.match(answer.ok ? '' : (answer.error.hint ?? ''), 'no use is spent');
  assert.equal([tool.seen.length, (await rowOf(lease))?.used], [0, 0]);
  assert.is((await entriesOf(lease, 'gateway.refused'))[0]?.facts['code'], 'gateway_timeout');
});

limits('cut an answer that goes on past them', async () => {
  await app.target({ limits: { response_bytes: 100 } });
  const lease = await app.lease('tool.upload', { uses: 10 });
  const { cut } = await dripping(lease, here.port);
  assert.is(await cut, 'cut');
  const [answered] = await entriesOf(lease, 'gateway.answered');
  assert.is(answered?.facts['end'], 'too_large');
  assert.ok(Number(answered?.facts['answer_bytes']) <= 100);
});

limits('refuse what comes too often', async () => {
  await app.target({ limits: { calls_per_minute: 2 } });
  const fresh = await app.node();
  const lease = await app.lease('tool.read', { uses: 10 });
  const statuses = [await get(lease, fresh), await get(lease, fresh), await get(lease, fresh)];
  assert.equal(
    statuses.map(({ status }) => status),
    [200, 200, 429],
  );
  assert.ok(Number(statuses[2]?.headers.get('retry-after')) > 0);
  assert.is((await rowOf(lease))?.used, 2);
});

const keys = suite('the key of a target');
keys.before.each(() => {
  tool.seen.length = 0;
  tool.answer = answerPlainly;
});
keys.after.each(() => app.target());

const NEW_KEY = 'sk_rotated_0123456789';

keys('is shown to nobody who reads the target', async () => {
  const read = must(await app.operator('ada', 'GET', '/api/tenants/acme/targets/psa'));
  assert.not(read.text.includes('pk_live'));
});

keys('that is rotated is used at once by leases that live', async () => {
  const lease = await app.lease('tool.read', { uses: 10 });
  await get(lease);
  await app.target({}, { secret: NEW_KEY });
  await get(lease, other);
  await get(lease);
  assert.equal(
    tool.seen.map(({ headers }) => headers['x-api-key']),
    [TOOL_KEY, NEW_KEY, NEW_KEY],
  );
});

keys('goes to the place that it was given for, wherever the target points by now', async () => {
  const second = await startTool();
  const lease = await app.lease('tool.read', { uses: 10 });
  const moved = toolTarget(second.origin);
  const refused = await app.operator('ada', 'PUT', '/api/tenants/acme/targets/psa', { ...moved, secret: null });
  assert.is(refused.body['code'], 'invalid_target');
  must(await app.operator('ada', 'PUT', '/api/tenants/acme/targets/psa', { ...moved, secret: NEW_KEY }));
  assert.is((await get(lease)).status, 200);
  assert.equal([tool.seen.length, tool.seen[0]?.headers['x-api-key'], second.seen.length], [1, TOOL_KEY, 0]);
  assert.is((await get(await app.lease())).status, 200);
  assert.equal([tool.seen.length, second.seen[0]?.headers['x-api-key']], [1, NEW_KEY]);
  await second.close();
});

keys('is refused for every client as one that reaches this one alone', async () => {
  const body = { ...toolTarget(tool.origin), msp_wide: { reason: 'One key for all' } };
  const refused = await app.operator('ada', 'PUT', '/api/tenants/acme/targets/psa', body);
  assert.equal([refused.body['code'], refused.body['path']], ['invalid_target', 'config.key_reaches']);
});

for (const [what, inject, shown] of [
  [
    'a header with a prefix',
    { by: 'header', name: 'authorization', prefix: 'Token ' },
    { authorization: `Token ${TOOL_KEY}` },
  ],
  ['a user and a password', { by: 'basic', user: 'brevet' }, { authorization: `Basic ${btoa(`brevet:${TOOL_KEY}`)}` }],
] as const) {
  keys(`is shown as ${what}`, async () => {
    await app.target({ inject });
    await get(await app.lease());
    assert.is(tool.seen[0]?.headers.authorization, shown.authorization);
  });
}

keys('is shown in the query, escaped', async () => {
  await app.target({ inject: { by: 'query', name: 'api_key' } });
  await get(await app.lease());
  const url = new URL(tool.seen[0]?.url ?? '', tool.origin);
  assert.equal(
    [...url.searchParams],
    [
      ['fields', 'id,subject'],
      ['api_key', TOOL_KEY],
    ],
  );
});

keys('becomes a token, which is kept until it is refused', async () => {
  await app.target({
    inject: { by: 'oauth', token_url: `${tool.origin}/token`, client_id: 'brevet', scope: 'tickets' },
  });
  const lease = await app.lease('tool.read', { uses: 10 });
  let made = 0;
  tool.answer = (request, response, seen) => {
    if (request.url !== '/token') return answerPlainly(request, response, seen);
    made++;
    response.end(JSON.stringify({ access_token: `at_0123456789_${made}`, token_type: 'bearer', expires_in: 300 }));
  };
  for (let call = 0; call < 2; call++) assert.is((await get(lease)).status, 200);
  const [asked, ...calls] = tool.seen;
  assert.is(asked?.headers.authorization, `Basic ${btoa(`brevet:${encodeURIComponent(TOOL_KEY)}`)}`);
  assert.is(asked?.body, 'grant_type=client_credentials&scope=tickets');
  assert.equal(
    calls.map(({ headers }) => headers.authorization),
    ['Bearer at_0123456789_1', 'Bearer at_0123456789_1'],
  );
  const answering = tool.answer;
  tool.answer = (_request, response) => response.writeHead(401).end();
  assert.is((await get(lease)).status, 401);
  tool.answer = answering;
  assert.is((await get(lease)).status, 200);
  assert.is(tool.seen.at(-1)?.headers.authorization, 'Bearer at_0123456789_2');
  tool.answer = (request, response, seen) => {
    if (request.url === '/token') response.writeHead(400).end('{"error":"invalid_client"}');
    else answerPlainly(request, response, seen);
  };
  await app.target({ inject: { by: 'oauth', token_url: `${tool.origin}/token`, client_id: 'wrong' } });
  assert.is((await get(await app.lease())).body['code'], 'gateway_no_answer');
});

for (const [expires, said] of [
  [360_000, 'days'],
  ['300', 'a text'],
  [undefined, 'nothing'],
] as const) {
  keys(`becomes a token of which its server says ${said}`, async () => {
    await app.target({ inject: { by: 'oauth', token_url: `${tool.origin}/token`, client_id: `for ${said}` } });
    tool.answer = (request, response, seen) => {
      if (request.url !== '/token') return answerPlainly(request, response, seen);
      response.end(JSON.stringify({ access_token: 'at_0123456789', token_type: 'Bearer', expires_in: expires }));
    };
    assert.is((await get(await app.lease())).status, 200);
  });
}

keys('that comes back in a stream is cut over the edge of two pieces, and told', async () => {
  const lease = await app.lease('tool.upload', { uses: 10 });
  tool.answer = (_request, response) => {
    response.write(`{"you sent": "${TOOL_KEY.slice(0, 9)}`);
    setTimeout(() => response.end(`${TOOL_KEY.slice(9)}"}`), 50);
  };
  const answer = await fetch(`http://127.0.0.1:${here.port}${lease.path}/files/ACME-1`, {
    headers: { authorization: `Bearer ${lease.token}` },
  });
  let got = '';
  try {
    for await (const chunk of answer.body as ReadableStream<Uint8Array>) got += new TextDecoder().decode(chunk);
    assert.unreachable('it ended in order');
  } catch (fault) {
    assert.instance(fault, TypeError);
  }
  assert.is(got, '{"you sent": "');
  const [echoed] = await entriesOf(lease, 'gateway.key_echoed');
  assert.equal([echoed?.facts['target'], echoed?.facts['target_version']], ['psa', await newestVersion()]);
  assert.ok(app.logged.some((line) => line.includes('gateway.key_echoed')));
});

const newestVersion = async (): Promise<number> => {
  const [row] = await app.sql<{ version: number }>(`select max(version) as version from targets where name = 'psa'`);
  return Number(row?.version);
};

const ties = suite('a key that reaches several clients');
ties.before.each(async () => {
  tool.seen.length = 0;
  tool.answer = answerPlainly;
  await app.target(TIED);
});

const TIED = {
  key_reaches: 'several',
  tenant_tie: {
    value: '4711',
    forced: { in: 'query', name: 'companyId' },
    lookups: { ticket: { path: '/api/tickets/{object}', pointer: '/organization/id' } },
  },
};

const paths = (of: Pick<Tool, 'seen'> = tool): string[] => of.seen.map(({ method, url }) => `${method} ${url}`);

ties('is used for what the tool says is this client’s, after it was asked', async () => {
  const lease = await app.lease('tool.read', { uses: 10 });
  assert.is((await get(lease)).status, 200);
  assert.equal(paths(), [
    'GET /api/tickets/ACME-1?companyId=4711',
    'GET /tickets/ACME-1?fields=id%2Csubject&companyId=4711',
  ]);
});

ties('is not used for another client’s object, nor for one that is not there', async () => {
  for (const ticket of ['BIR-9', 'NONE-1']) {
    const lease = await app.lease('tool.read', { uses: 10, parameters: { ticket } });
    const answer = await get(lease, app, `/tickets/${ticket}`);
    assert.equal([answer.status, answer.body['code']], [403, 'gateway_not_this_tenants']);
    assert.is((await rowOf(lease))?.used, 0);
  }
  assert.equal(paths(), ['GET /api/tickets/BIR-9?companyId=4711', 'GET /api/tickets/NONE-1?companyId=4711']);
});

for (const [what, answer] of [
  ['two values', '{"organization":{"id":4711,"id":999}}'],
  ['another kind of value', '{"organization":{"id":[4711]}}'],
  ['nothing', '{}'],
  ['no JSON', '4711'],
] as const) {
  ties(`is not used where the tool says ${what}`, async () => {
    tool.answer = (_request, response) => response.end(answer);
    const lease = await app.lease('tool.read', { uses: 10 });
    assert.is((await get(lease)).body['code'], 'gateway_not_this_tenants');
    assert.is(tool.seen.length, 1);
  });
}

for (const [how, inject] of [
  ['a key', { by: 'header', name: 'x-api-key' }],
  ['a token for a key', { by: 'oauth', token_url: `${tool.origin}/token`, client_id: 'brevet' }],
] as const) {
  ties(`is asked with ${how} that was changed on another node, from the next call on`, async () => {
    let key = TOOL_KEY;
    tool.answer = (request, response, seen) => {
      const { authorization, 'x-api-key': shown } = seen.headers;
      const isTaken =
        request.url === '/token'
          ? authorization === `Basic ${btoa(`brevet:${encodeURIComponent(key)}`)}`
          : shown === key || authorization === `Bearer for_${key.length}_${key.slice(0, 3)}`;
      if (!isTaken) response.writeHead(401).end();
      else if (request.url !== '/token') answerPlainly(request, response, seen);
      else response.end(JSON.stringify({ access_token: `for_${key.length}_${key.slice(0, 3)}`, token_type: 'bearer' }));
    };
    await app.target({ ...TIED, inject });
    const lease = await app.lease('tool.read', { uses: 10 });
    assert.is((await get(lease, other)).status, 200);
    key = NEW_KEY;
    await app.target({ ...TIED, inject }, { secret: NEW_KEY });
    assert.is((await get(lease, other)).status, 200);
  });
}

ties('is asked with a token that the tool takes: one that it has ended is asked for anew, once', async () => {
  await app.target({
    ...TIED,
    inject: { by: 'oauth', token_url: `${tool.origin}/token`, client_id: 'brevet' },
  });
  const lease = await app.lease('tool.read', { uses: 10 });
  const token = (nth: number): string => `at_0123456789_${nth}`;
  let made = 0;
  let taken = 1;
  tool.answer = (request, response, seen) => {
    if (request.url === '/token') response.end(JSON.stringify({ access_token: token(++made), token_type: 'bearer' }));
    else if (seen.headers.authorization === `Bearer ${token(taken)}`) answerPlainly(request, response, seen);
    else response.writeHead(401).end();
  };
  assert.is((await get(lease)).status, 200);
  taken = 2;
  assert.is((await get(lease)).status, 200);
  taken = Infinity;
  assert.is((await get(lease)).body['code'], 'gateway_not_this_tenants');
  assert.is(made, 3);
  assert.is((await rowOf(lease))?.used, 2);
});

ties('does not ask the tool for a lease that is over', async () => {
  const lease = await app.lease('tool.read', { uses: 10 });
  await get(lease);
  must(
    await app.call('POST', `/t/acme/leases/${lease.id}/revoke`, { token: await app.session(), body: { reason: 'x' } }),
  );
  tool.seen.length = 0;
  assert.is((await get(lease, other)).status, 401);
  assert.is((await get(lease)).status, 401);
  assert.equal(tool.seen, []);
});

ties('forces its value, which no agent sets', async () => {
  const lease = await app.lease('tool.read', { uses: 10 });
  assert.is((await get(lease, app, '/tickets/ACME-1?companyId=999')).status, 403);
  assert.equal(tool.seen, []);
});

ties('is refused for a task class whose calls nothing ties', async () => {
  const body = { task: 'tool.upload', resource: 'psa', parameters: { ticket: 'ACME-1' }, reason: 'x' };
  const answer = await app.call('POST', '/t/acme/requests', { token: await app.session(), body });
  assert.equal([answer.status, answer.body['code']], [400, 'invalid_target']);
});

ties.after(async () => {
  await here.close();
  await there.close();
  await app.close();
  await tool.close();
});

uses.run();
ends.run();
limits.run();
keys.run();
ties.run();
