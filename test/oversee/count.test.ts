/** Breakers, counted over what agents and people did: tripped once over all nodes, and counted anew once a person has ended one. */
import { setTimeout as pause } from 'node:timers/promises';
import { exportJWK, generateKeyPair } from 'jose';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { watch } from '../../src/broker.ts';
import type { Notice } from '../../src/core/channel.ts';
import { makeEntry } from '../../src/core/entry.ts';
import type { AgentName, TaskName, TenantName } from '../../src/core/ids.ts';
import { countBreakers, isCounted, sinceCounted } from '../../src/oversee/count.ts';
import { administered } from '../support/administrators.ts';
import { ASKED, FORBIDDEN, must, PERMITTED, PUBLISHED, rulesOnDisk } from '../support/app.ts';
import type { Answer, TestNode } from '../support/app.ts';
import { activate } from '../support/oversight.ts';
import { random } from '../support/store.ts';

const world = await administered();
const { app, node, as, close } = world;
const told: Notice[] = [];
const channel = {
  name: 'webhook',
  reaches: () => true,
  tell: (notice: Notice) => {
    told.push(notice);
    return Promise.resolve();
  },
} as const;
const [here, other] = [await node({ channels: [channel] }), await node({ channels: [channel] })];

const breakers = suite('oversee/count');
breakers.after(close);

const REASON = { reason: 'For a test' };

async function withLimits(limits: string): Promise<void> {
  const files = await rulesOnDisk();
  const [charter = ''] = (files['bundle.yaml'] ?? '').split('\nbreakers:\n');
  await activate(world, { ...files, 'bundle.yaml': `${charter}\nbreakers:\n${limits}\n` });
}

/** As if the last count were long ago. */
async function count(at: TestNode = here): Promise<number | null> {
  await app.sql(`update turns set held_until = 0 where name = 'breakers'`);
  return countBreakers(at.deps);
}

async function atOnce(): Promise<readonly (number | null)[]> {
  await app.sql(`update turns set held_until = 0 where name = 'breakers'`);
  return Promise.all([countBreakers(here.deps), countBreakers(other.deps)]);
}

const ask = async (body: object = PERMITTED, tenant = 'acme', at: TestNode = here): Promise<Answer> => {
  const agent = tenant === 'acme' ? 'triage-bot' : 'birch-bot';
  // As if a sweeper were at work, however long the tests before this one took.
  await at.deps.store.beat('test');
  return at.call('POST', `/t/${tenant}/requests`, { token: await app.session(agent, tenant), body });
};
const leaseIn = ({ body, text }: Answer): string => {
  assert.ok('lease' in body, text);
  return (body['lease'] as { id: string }).id;
};

async function run(outcome: string, tenant = 'acme', body: object = PERMITTED): Promise<string> {
  const lease = leaseIn(must(await ask(body, tenant)));
  const agent = tenant === 'acme' ? 'triage-bot' : 'birch-bot';
  const token = await app.session(agent, tenant);
  must(await here.call('POST', `/t/${tenant}/leases/${lease}/complete`, { token, body: { outcome, summary: 'x' } }));
  return lease;
}

/** What nobody was told of yet, or lives on, as on a node in a while. */
async function workOff(): Promise<void> {
  for (let left = 1; left > 0;) {
    await app.sql('update work set due = 0');
    await watch(here.deps);
    const [row] = await app.sql<{ n: string }>(`select count(*) as n from work where what ->> 'task' <> 'approval'`);
    left = Number(row?.n);
  }
}

interface Listed {
  readonly id: string;
  readonly [name: string]: unknown;
}
const standing = async (): Promise<readonly Listed[]> =>
  must(await as('otto', 'GET', '/api/trips?standing=true')).body['items'] as Listed[];
const trip = async (): Promise<Listed> => {
  const [found, ...others] = await standing();
  assert.ok(found !== undefined && others.length === 0, JSON.stringify([found, ...others]));
  return found;
};
const reset = (id: string, who = 'otto') => as(who, 'POST', `/api/trips/${id}/reset`, REASON);

const raisedOf = ({ body }: Answer): readonly string[] => {
  const { execution } = body['decision'] as { execution: { raised: { because: string }[] } };
  return execution.raised.map(({ because }) => because);
};

/** As counted after the first of their kind: see `attribute/refusals.ts`. */
async function refusedAgain(code: 'forbidden_by_rule' | 'blocked', n: number): Promise<void> {
  const [tenant, agent, task] = ['acme' as TenantName, 'triage-bot' as AgentName, 'ticket.route' as TaskName];
  const facts = { task, code, rules: '', count: n };
  const actor = { kind: 'agent', name: agent } as const;
  const draft = { tenant, kind: 'request.forbidden_again', at: here.deps.clock(), actor, facts } as const;
  const entry = makeEntry({ ...draft, accountable: 'olga', inSetup: false }, random);
  const change = { kind: 'refusal.count', tenant, agent, task, resource: 'x', code, count: n } as const;
  assert.ok((await here.deps.store.commit(change, [entry])).ok);
}

async function rejected(): Promise<void> {
  const { id } = must(await ask(ASKED)).body['approval'] as { id: string };
  await app.sql(
    `update approvals set state = 'rejected', version = version + 1, decided_at = brevet_now(),
      votes = '[{"person":"paula"}]' where id = '${id}'`,
  );
}

const judge = async (lease: string, verdict: string): Promise<void> => {
  must(await as('otto', 'POST', `/t/acme/leases/${lease}/verdict`, { verdict, reference: 'INC-1' }));
};
const takeBack = async (lease: string): Promise<void> => {
  must(await as('otto', 'POST', `/t/acme/leases/${lease}/reverse`, REASON, here));
};

breakers('trip once over all nodes, ask from then on, and end what lives without a person’s word', async () => {
  await withLimits('  limits: { failing: { signal: failed, count: 2, within_minutes: 60, to: ask } }');
  assert.is(isCounted(await sinceCounted(here.deps)), false, 'nobody has counted yet');
  assert.is((await here.call('GET', '/readyz')).body['breakers'], false);
  await run('failed');
  await run('succeeded');
  assert.is(await count(), 0);
  assert.is((await here.call('GET', '/readyz')).body['breakers'], true);
  const live = leaseIn(must(await ask()));
  await run('failed');
  const [turn] = await app.sql<{ pause: string }>(
    `select held_until - done_at as pause from turns where name = 'breakers'`,
  );
  assert.is(Number(turn?.pause), 10_000);
  await app.sql(`update turns set held_until = brevet_now() + 30000 where name = 'breakers'`);
  assert.is(await countBreakers(other.deps), null, 'another counts, or has just counted');
  const both = await atOnce();
  assert.is(
    both.reduce<number>((sum, n) => sum + (n ?? 0), 0),
    1,
  );
  const tripped = await trip();
  assert.equal(
    ['tenant', 'agent', 'task', 'breaker', 'signal', 'counts', 'to', 'block'].map((name) => tripped[name]),
    ['acme', 'triage-bot', 'ticket.route', 'failing', 'failed', { failed: 2 }, 'ask', null],
  );
  for (const at of [here, other, app]) {
    const asked = await ask(PERMITTED, 'acme', at);
    assert.is(asked.status, 202);
    assert.equal(raisedOf(asked), [`breaker:${tripped.id}`]);
  }
  assert.is((await ask(PERMITTED, 'birch')).status, 201, 'elsewhere nothing has happened');
  await workOff();
  const [row] = await app.sql<{ state: string; cause: string }>(`select state, cause from leases where id = '${live}'`);
  assert.equal(row, { state: 'revoked', cause: 'entitlement_ended' });
  const notice = told.find(({ kind }) => kind === 'tripped');
  assert.equal(notice?.about, tripped.id);
  assert.ok(
    notice?.to.some(({ name }) => name.toLowerCase().startsWith('otto')),
    'who can reset it is told',
  );
  assert.is(await count(), 0, 'it stands');
});

breakers('are in the ledger with what was counted, and against what', async () => {
  const { id } = await trip();
  const [entry] = await app.sql<{ text: string }>(`select text from entries where kind = 'breaker.tripped'`);
  const { facts, actor, accountable } = JSON.parse(entry?.text ?? '{}') as {
    facts: Record<string, unknown>;
    actor: { kind: string };
    accountable: null;
  };
  const { policy: _, ...rest } = facts;
  assert.equal(rest, {
    trip: id,
    agent: 'triage-bot',
    task: 'ticket.route',
    breaker: 'failing',
    signal: 'failed',
    to: 'ask',
    counts: { failed: 2 },
    limit: 2,
    within_s: 3600,
    block: null,
  });
  assert.equal([actor.kind, accountable], ['broker', null]);
});

breakers('are counted anew once a person has ended one', async () => {
  must(await reset((await trip()).id));
  assert.is((await ask()).status, 201);
  assert.is(await count(), 0, 'what was before is counted no more');
  await run('failed');
  assert.is(await count(), 0);
  await run('failed');
  assert.is(await count(), 1);
  must(await reset((await trip()).id));
});

breakers('do not trip by what was counted before one was ended', async () => {
  await run('failed');
  await run('failed');
  assert.is(await count(), 1);
  const { id } = await trip();
  const { store } = here.deps;
  const [row] = await app.sql<{ from: string }>(`select "from" from trips where id = '${id}'`);
  must(await reset(id));
  // Another node that has counted at the same moment comes late.
  const of = { tenant: 'acme' as TenantName, agent: 'triage-bot' as AgentName, task: 'ticket.route' as TaskName };
  const late = { ...of, id: 'trp_late' as never, breaker: 'failing', signal: 'failed', to: 'ask', counts: {} } as const;
  const from = Number(row?.from) as never;
  const change = { kind: 'breaker.trip', trip: { ...late, from, block: null }, block: null, reason: 'r' } as const;
  const actor = { kind: 'broker', name: 'n' } as const;
  const draft = { tenant: of.tenant, kind: 'breaker.tripped', at: here.deps.clock(), actor, facts: {} } as const;
  const entry = makeEntry({ ...draft, accountable: null, inSetup: false }, random);
  const done = await store.commit({ kind: 'register', change, work: [], deploymentEpoch: null }, [entry]);
  assert.equal(done.ok ? null : done.error.unmet, 'taken');
});

breakers('that block stop one task class of one agent until the block is lifted', async () => {
  await withLimits(`  limits:
    failing: { signal: failed, count: 1, within_minutes: 60, to: ask }
    failing-on: { signal: failed, count: 2, within_minutes: 60, to: block }`);
  const live = leaseIn(must(await ask()));
  await run('failed');
  await run('failed');
  assert.is(await count(), 1, 'the block alone');
  const tripped = await trip();
  assert.equal([tripped['breaker'], tripped['to']], ['failing-on', 'block']);
  for (const at of [here, other]) assert.is((await ask(PERMITTED, 'acme', at)).body['code'], 'blocked');
  assert.is((await ask(ASKED)).status, 202, 'the rest of its work goes on');
  assert.is((await ask(PERMITTED, 'birch')).status, 201);
  assert.is((await reset(tripped.id)).body['code'], 'still_in_use');
  const block = must(await as('otto', 'GET', `/api/blocks/${String(tripped['block'])}`)).body;
  assert.equal(
    ['scope', 'name', 'author', 'standing'].map((name) => block[name]),
    ['agent_task', 'triage-bot/ticket.route', '(broker)', ['acme']],
  );
  await workOff();
  const [row] = await app.sql<{ cause: string; block: string }>(`select cause, block from leases where id = '${live}'`);
  assert.equal(row, { cause: 'blocked', block: tripped['block'] });
  assert.is(await count(), 0);
  must(await as('otto', 'POST', `/api/blocks/${String(tripped['block'])}/lift`, REASON));
  assert.equal(await standing(), []);
  assert.equal(must(await as('otto', 'GET', `/api/trips/${tripped.id}`)).body['ended_by'], 'otto');
  assert.is(await count(), 0, 'counting begins anew');
  assert.is((await ask()).status, 201);
});

for (const [signal, what, counts, signs] of [
  [
    'verdicts',
    'wrong twice',
    2,
    async () => {
      await judge(await run('succeeded'), 'false_positive');
      await judge(await run('succeeded'), 'caused_incident');
    },
  ],
  [
    'verdicts',
    'wrong twice, and once thought better of',
    null,
    async () => {
      const [one, two] = [await run('succeeded'), await run('succeeded')];
      for (const lease of [one, two]) await judge(lease, 'false_positive');
      await judge(one, 'correct');
    },
  ],
  [
    'verdicts',
    'right',
    null,
    async () => {
      for (let n = 0; n < 3; n++) await judge(await run('succeeded'), 'correct');
    },
  ],
  [
    'refused',
    'one that is written and one that is counted',
    2,
    async () => {
      assert.is((await ask(FORBIDDEN)).status, 403);
      await refusedAgain('forbidden_by_rule', 1);
    },
  ],
  ['refused', 'many that are counted together', 7, () => refusedAgain('forbidden_by_rule', 7)],
  ['refused', 'what is stopped by oversight', null, () => refusedAgain('blocked', 9)],
  [
    'rate',
    'asked three times',
    3,
    async () => {
      for (let n = 0; n < 3; n++) await ask();
    },
  ],
  ['rate', 'asked once', null, () => ask()],
] as const) {
  breakers(`count as ${signal}: ${what}`, async () => {
    const most = signal === 'rate' ? 3 : 2;
    await withLimits(`  limits: { some: { signal: ${signal}, count: ${most}, within_minutes: 60, to: ask } }`);
    await app.sql(`update trips set ended_at = brevet_now(), ended_by = 'otto'`);
    await anew();
    await signs();
    assert.is(await count(), counts === null ? 0 : 1);
    if (counts === null) return;
    const found = await trip();
    assert.equal([found['task'], found['counts']], ['ticket.route', { [signal]: counts }]);
    must(await reset(found.id));
  });
}

/** Nothing of the tests before is counted in this one: as a reset does, of whatever comes to be counted. */
async function anew(): Promise<void> {
  for (const task of ['ticket.route', 'kb.publish', 'firewall.change']) {
    await app.sql(`insert into trips (tenant, id, agent, task, breaker, signal, "to", counts, "from", ended_at, ended_by)
      values ('acme', 'trp_' || gen_random_uuid(), 'triage-bot', '${task}', 'b', 'failed', 'ask', '{}', 1, brevet_now(), 'otto')`);
  }
  // What comes now happens after that, also by the clock of a node that is behind the database's by some milliseconds.
  const [row] = await app.sql<{ now: string }>('select brevet_now() as now');
  while (here.deps.clock() <= Number(row?.now)) await pause(1);
}

breakers('count as refused: what people rejected', async () => {
  await withLimits('  limits: { some: { signal: refused, count: 2, within_minutes: 60, to: block } }');
  await anew();
  await rejected();
  assert.is(await count(), 0);
  await rejected();
  assert.is(await count(), 1);
  const found = await trip();
  assert.equal([found['task'], found['counts']], ['firewall.change', { refused: 2 }]);
  must(await as('otto', 'POST', `/api/blocks/${String(found['block'])}/lift`, REASON));
});

breakers('count as reversed: what was taken back, once, whether ordered, judged so, or both', async () => {
  await withLimits('  limits: { some: { signal: reversed, count: 2, within_minutes: 60, to: ask } }');
  await anew();
  const [one, two] = [await run('succeeded', 'acme', PUBLISHED), await run('succeeded', 'acme', PUBLISHED)];
  await takeBack(one);
  await judge(one, 'reversed');
  assert.is(await count(), 0);
  await judge(two, 'reversed');
  assert.is(await count(), 1);
  const found = await trip();
  assert.equal([found['task'], found['counts']], ['kb.publish', { reversed: 2 }]);
  must(await reset(found.id));
});

breakers('look as far back as their limit says, and at the task classes that it names', async () => {
  await withLimits(`  limits:
    old: { signal: failed, count: 1, within_minutes: 5, to: ask }
    others: { signal: failed, count: 1, within_minutes: 60, to: block, tasks: [kb.publish] }`);
  await anew();
  const lease = await run('failed');
  await app.sql(`update trips set ended_at = 1 where ended_at is not null`);
  await app.sql(`update leases set revoking_at = revoking_at - 600000 where outcome ->> 'outcome' = 'failed'`);
  assert.is(await count(), 0);
  await app.sql(`update leases set revoking_at = brevet_now() where id = '${lease}'`);
  assert.is(await count(), 1);
  must(await reset((await trip()).id));
});

breakers('at many tenants pause everything, once, until a person ends that', async () => {
  await withLimits(`  limits: { failing: { signal: failed, count: 1, within_minutes: 60, to: ask } }
  spike: { trips: 2, tenants: 2, within_minutes: 60 }`);
  await app.sql(`update trips set "from" = 1`);
  told.length = 0;
  await run('failed');
  assert.is(await count(), 1);
  const pauses = async () => {
    const { items } = must(await as('otto', 'GET', '/api/pauses?standing=true')).body;
    return (items as { id: string; author: string; everywhere: boolean }[]).map(({ id, ...one }) => ({ id, ...one }));
  };
  assert.equal(await pauses(), []);
  await run('failed', 'birch');
  assert.is((await atOnce()).filter((n) => n === 1).length, 1);
  const [pause, ...more] = await pauses();
  assert.equal([pause?.author, pause?.everywhere, more], ['(broker)', true, []]);
  await count();
  assert.is((await pauses()).length, 1);
  const [entry] = await app.sql<{ tenant: string; text: string }>(
    `select tenant, text from entries where kind = 'pause.started' order by at desc limit 1`,
  );
  const { facts, accountable } = JSON.parse(entry?.text ?? '{}') as Record<string, Record<string, unknown> | null>;
  assert.equal([entry?.tenant, facts?.['trips'], facts?.['at_tenants'], accountable], ['', 2, 2, null]);
  await workOff();
  assert.equal(
    told
      .filter(({ kind }) => kind === 'all_paused')
      .map(({ tenant }) => tenant)
      .toSorted(),
    ['acme', 'birch'],
  );
  for (const { id } of await standing()) must(await reset(id));
  assert.ok(raisedOf(await ask()).includes('pause'));
  must(await as('otto', 'POST', `/api/pauses/${String(pause?.id)}/end`, REASON));
  await count();
  assert.equal(await pauses(), [], 'those trips were looked at');
  assert.is((await ask()).status, 201);
});

breakers('trip for an agent that another node has enrolled', async () => {
  await withLimits('  limits: { failing: { signal: failed, count: 1, within_minutes: 60, to: ask } }');
  const lease = await run('failed', 'birch');
  await countBreakers(other.deps);
  other.deps.store.forget('birch' as TenantName);
  assert.is((await other.deps.store.snapshot('birch' as TenantName))?.agents.has('triage-bot' as AgentName), false);
  const { publicKey } = await generateKeyPair('ES256');
  must(await as('ada', 'PUT', '/api/tenants/birch/enrolments/triage-bot', { jwk: await exportJWK(publicKey) }, here));
  await app.sql(`update leases set agent = 'triage-bot' where id = '${lease}'`);
  await count(other);
  const trips = await app.sql(`select id from trips where tenant = 'birch' and agent = 'triage-bot'`);
  assert.is(trips.length, 1);
});

breakers('trip for nobody who is not here any more, and by no policy that has none', async () => {
  await run('failed');
  await app.sql(`update leases set agent = 'gone-bot' where outcome ->> 'outcome' = 'failed'`);
  assert.is(await count(), 0);
  const files = await rulesOnDisk();
  const [charter = ''] = (files['bundle.yaml'] ?? '').split('\nbreakers:\n');
  await activate(world, { ...files, 'bundle.yaml': charter });
  await run('failed');
  assert.is(await count(), 0);
});

breakers.run();
