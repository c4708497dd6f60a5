import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Unmet } from '../../src/core/change.ts';
import type { RegisterChange } from '../../src/core/change/register.ts';
import type { AgentName, IssuerName, PersonName, TargetName, TenantName, VendorName } from '../../src/core/ids.ts';
import { NO_CONTEXT } from '../../src/core/registers.ts';
import type { Enrolment, Holder, SituationKind } from '../../src/core/registers.ts';
import { newId } from '../../src/core/ids.ts';
import type { Instant } from '../../src/core/time.ts';
import { instant, seconds } from '../../src/core/time.ts';
import { entryOf, epochsOf } from '../support/lives.ts';
import { withAdmin } from '../support/postgres.ts';
import {
  acceptanceOf,
  ACME,
  ADA,
  agentOf,
  ALAN,
  assignmentOf,
  BIRCH,
  FUNCTIONS,
  OLGA,
  operatorOf,
  OWEN,
  PATCHER,
  PAULA,
  personOf,
  random,
  situationOf,
  targetOf,
  testStore,
  TICKETS,
  TRIAGE,
} from '../support/store.ts';
import type { TestStore } from '../support/store.ts';

let test: TestStore;

const register = suite('register');
register.before(async () => {
  test = await testStore();
});
register.after(() => test.close());

async function put(change: RegisterChange, deploymentEpoch: number | null = null): Promise<Unmet | 'done'> {
  const command = { kind: 'register', change, work: [], deploymentEpoch } as const;
  const done = await test.store.commit(command, [test.entry()]);
  test.store.forget(null);
  return done.ok ? 'done' : done.error;
}

const person = (name: string): Holder => ({ kind: 'person', name: name as PersonName });
const agent = (name: string): Holder => ({ kind: 'agent', name: name as AgentName });
const assign = (holder: Holder, role: string, tenant: TenantName | null, until: Instant | null = null) =>
  put({ kind: 'assignment.put', assignment: assignmentOf(holder, role, tenant, until) });
const tenantOf = (name: string) => ({
  name: name as TenantName,
  displayName: name,
  context: NO_CONTEXT,
});

async function rows(table: string): Promise<number> {
  const [row] = await withAdmin(test.database.admin, (sql) => sql`select count(*)::int as n from ${sql(table)}`);
  return row?.['n'] as number;
}

register('writes nothing of a change that may not be, and its entry with one that may', async () => {
  const before = await rows('entries');
  const epoch = await test.store.deploymentEpoch();
  assert.equal(
    await put({ kind: 'agent.put', agent: agentOf('new' as AgentName, { owner: 'nobody' as PersonName }) }),
    {
      unmet: 'missing',
      what: 'person',
    },
  );
  assert.is(await rows('entries'), before);
  assert.is(await test.store.deploymentEpoch(), epoch);
  assert.is(await put({ kind: 'person.put', person: personOf(OWEN) }), 'done');
  assert.is(await rows('entries'), before + 1);
  assert.is(await test.store.deploymentEpoch(), epoch + 1);
});

register('raises the tenant’s epoch for what is the tenant’s, and no other', async () => {
  const before = [await test.store.epochs(ACME), await test.store.epochs(BIRCH)];
  assert.is(
    await put({ kind: 'target.put', target: targetOf(ACME, 'other' as TargetName), audience: null, secretHash: null }),
    'done',
  );
  const after = [await test.store.epochs(ACME), await test.store.epochs(BIRCH)];
  assert.is(after[0]?.tenant, (before[0]?.tenant ?? 0) + 1);
  assert.equal(after[1], before[1]);
});

register('does nothing under a standing that has moved', async () => {
  const epoch = await test.store.deploymentEpoch();
  assert.is(await put({ kind: 'person.put', person: personOf(OWEN) }, epoch), 'done');
  assert.equal(await put({ kind: 'person.put', person: personOf(OWEN) }, epoch), { unmet: 'moved' });
});

register('does nothing under a standing at a tenant that has moved there', async () => {
  const tenantEpoch = (await test.store.epochs(ACME))?.tenant ?? null;
  const target = targetOf(ACME, 'other' as TargetName);
  const change = { kind: 'target.put', target, audience: null, secretHash: null } as const;
  const command = { kind: 'register', change, work: [], deploymentEpoch: null, tenantEpoch } as const;
  const entry = () => test.entry({ tenant: ACME });
  assert.ok((await test.store.commit(command, [entry()])).ok);
  const again = await test.store.commit(command, [entry()]);
  assert.equal(again.ok ? 'done' : again.error, { unmet: 'moved' });
});

register('lets nobody in as a person who has gone', async () => {
  const gone = 'gone' as PersonName;
  await put({ kind: 'person.put', person: { ...personOf(gone), active: false } });
  const operator = operatorOf(gone);
  assert.equal(await put({ kind: 'operator.put', operator }), { unmet: 'missing', what: 'active person' });
  assert.is(await put({ kind: 'operator.put', operator: { ...operator, active: false } }), 'done');
});

register('refuses a second function, by the one that is held', async () => {
  const second = (held: string) => ({ unmet: 'second_function', held });
  assert.equal(await assign(person(OLGA), 'approver', ACME), second('oversight'));
  assert.equal(await assign(person(PAULA), 'overseer', ACME), second('approval'));
  assert.equal(await assign(person(ADA), 'overseer', ACME), second('administration'));
  assert.equal(await assign(person(OLGA), 'administrator', null), second('oversight'));
  for (const role of ['approver', 'overseer', 'administrator']) {
    assert.equal(await assign(agent(TRIAGE), role, ACME), second('execution'), role);
  }
  assert.equal(await assign(agent(PATCHER), 'triage', ACME), 'done', 'the same function again');
});

register('frees a function with the last assignment that gives it, not before', async () => {
  const name = 'wanda' as PersonName;
  await put({ kind: 'person.put', person: personOf(name) });
  const one = assignmentOf(person(name), 'approver', ACME);
  assert.is(await put({ kind: 'assignment.put', assignment: one }), 'done');
  assert.equal(await assign(person(name), 'overseer', ACME), { unmet: 'second_function', held: 'approval' });
  assert.is(await put({ kind: 'assignment.remove', assignment: one }), 'done');
  assert.equal(await put({ kind: 'assignment.remove', assignment: one }), { unmet: 'missing', what: 'assignment' });
  assert.is(await assign(person(name), 'overseer', ACME), 'done');
});

register('lets what has ended stand in nobody’s way', async () => {
  const name = 'eve' as PersonName;
  await put({ kind: 'person.put', person: personOf(name) });
  assert.is(await assign(person(name), 'approver', ACME, instant(Date.now() - 1000)), 'done');
  assert.is(await assign(person(name), 'overseer', ACME), 'done');
});

register('replaces an assignment of the same role', async () => {
  const name = 'rita' as PersonName;
  await put({ kind: 'person.put', person: personOf(name) });
  const until = instant(Date.now() + 60_000);
  const assignment = assignmentOf(person(name), 'approver', ACME);
  await put({ kind: 'assignment.put', assignment });
  assert.is(await put({ kind: 'assignment.put', assignment: { ...assignment, until } }), 'done');
  assert.equal(await test.store.assignment(assignment.id), { ...assignment, until });
});

register('lets one of two nodes that race for a person’s function have it', async () => {
  const other = await test.open();
  for (let round = 0; round < 10; round++) {
    const name = `racer-${round}` as PersonName;
    await put({ kind: 'person.put', person: personOf(name) });
    const tries = [
      [test.store, assignmentOf(person(name), 'administrator', null)],
      [other, assignmentOf(person(name), 'approver', ACME)],
      [other, assignmentOf(person(name), 'overseer', BIRCH)],
    ] as const;
    const done = await Promise.all(
      tries.map(([store, assignment]) =>
        store.commit(
          { kind: 'register', change: { kind: 'assignment.put', assignment }, work: [], deploymentEpoch: null },
          [test.entry()],
        ),
      ),
    );
    const administers = done[0]?.ok === true;
    assert.is(done[1]?.ok, !administers);
    assert.is(done[2]?.ok, !administers);
  }
});

register('never gives a removed name again', async () => {
  const name = 'gone' as PersonName;
  const gone = 'gone' as AgentName & IssuerName & TargetName & TenantName;
  const issuer = { name: gone, url: 'https://gone.example', platform: 'generic', maxAge: seconds(60) } as const;
  const target = targetOf(ACME, gone);
  const cases: readonly (readonly [RegisterChange, RegisterChange])[] = [
    [
      { kind: 'agent.put', agent: agentOf(gone) },
      { kind: 'agent.remove', agent: gone },
    ],
    [
      { kind: 'issuer.put', issuer },
      { kind: 'issuer.remove', issuer: gone },
    ],
    [
      { kind: 'target.put', target, audience: null, secretHash: null },
      { kind: 'target.remove', tenant: ACME, target: gone },
    ],
    [
      { kind: 'tenant.put', tenant: tenantOf('gone'), keys: [] },
      { kind: 'tenant.remove', tenant: gone },
    ],
    [
      { kind: 'person.put', person: personOf(name) },
      { kind: 'person.remove', person: name },
    ],
  ];
  for (const [give, take] of cases) {
    assert.is(await put(give), 'done', give.kind);
    assert.is(await put(take), 'done', take.kind);
    assert.equal(await put(give), { unmet: 'retired' }, give.kind);
    assert.equal((await put(take)) === 'done', false, take.kind);
  }
  assert.equal(await put({ kind: 'agent.put', agent: agentOf(TRIAGE, { owner: name }) }), {
    unmet: 'missing',
    what: 'person',
  });
});

register('remembers who owned an agent of late, and from whom it went to whom', async () => {
  const name = 'handed-on' as AgentName;
  const owners = ['first', 'second', 'third'] as const;
  for (const person of owners) await put({ kind: 'person.put', person: personOf(person as PersonName) });
  const ownedBy = async (owner: string): Promise<readonly string[]> => {
    const agent = agentOf(name, { owner: owner as PersonName });
    assert.is(await put({ kind: 'agent.put', agent }), 'done');
    const written = (await test.store.agents()).find((one) => one.name === name);
    return (written?.formerOwners ?? []).map(({ person }) => person);
  };
  assert.equal(await ownedBy('first'), []);
  assert.equal(await ownedBy('first'), []);
  assert.equal(await ownedBy('second'), ['first']);
  assert.equal(await ownedBy('first'), ['second', 'first']);
  assert.equal(await ownedBy('third'), ['first', 'second']);
});

register('ends a person’s ways in and assignments with the person', async () => {
  const name = 'leaver' as PersonName;
  await put({ kind: 'person.put', person: personOf(name) });
  await put({ kind: 'operator.put', operator: operatorOf(name) });
  for (const tenant of [ACME, BIRCH]) assert.is(await assign(person(name), 'overseer', tenant), 'done');
  assert.equal(await test.store.overseenBy(name), [ACME, BIRCH]);
  assert.is(await put({ kind: 'person.remove', person: name }), 'done');
  assert.equal(await test.store.overseenBy(name), []);
  const { operators, persons } = await test.store.deployment();
  assert.is(
    [...operators.values()].find((operator) => operator.person === name),
    undefined,
  );
  assert.is(persons.has(name), false);
});

register('numbers the versions of a target, and keeps every one', async () => {
  const target = targetOf(BIRCH, 'versioned' as TargetName);
  const version = async (environment: string) => {
    const change = {
      kind: 'target.put',
      target: { ...target, environment },
      audience: null,
      secretHash: null,
    } as const;
    const done = await test.store.commit({ kind: 'register', change, work: [], deploymentEpoch: null }, [test.entry()]);
    return done.ok ? done.value.version : done.error;
  };
  assert.equal([await version('a'), await version('b')], [1, 2]);
  assert.is((await test.store.target(BIRCH, target.name, 1))?.environment, 'a');
  assert.is((await test.store.snapshot(BIRCH))?.targets.get(target.name)?.version, 2);
  assert.is(await test.store.target(ACME, target.name, 1), null);
});

register('lists the targets of several tenants as they stand now', async () => {
  const [kept, removed, away] = ['kept', 'removed', 'away'] as TargetName[] as [TargetName, TargetName, TargetName];
  const left = 'left' as TenantName;
  const give = (tenant: TenantName, name: TargetName) =>
    put({ kind: 'target.put', target: targetOf(tenant, name), audience: null, secretHash: null });
  assert.is(await put({ kind: 'tenant.put', tenant: tenantOf('left'), keys: [] }), 'done');
  for (const [tenant, name] of [
    [BIRCH, kept],
    [BIRCH, kept],
    [BIRCH, removed],
    [left, away],
  ] as const) {
    assert.is(await give(tenant, name), 'done');
  }
  const listed = async (...names: readonly TenantName[]) =>
    (await test.store.targetsAt(names))
      .map(({ tenant, name, version }) => `${tenant}/${name}@${version}`)
      .filter((one) => /kept|removed|away/.test(one));
  assert.equal(await listed(BIRCH, left), ['birch/kept@2', 'birch/removed@1', 'left/away@1']);
  assert.is(await put({ kind: 'target.remove', tenant: BIRCH, target: removed }), 'done');
  assert.is(await put({ kind: 'tenant.remove', tenant: left }), 'done');
  assert.equal(await listed(BIRCH, left), ['birch/kept@2']);
  assert.equal(await listed(ACME), []);
  assert.equal(await test.store.targetsAt([]), []);
});

register('gives an audience to one tenant, until it lets go of it', async () => {
  const ours = (audience: string | null) =>
    put({ kind: 'target.put', target: targetOf(ACME, TICKETS), audience, secretHash: null });
  const theirs = (audience: string) =>
    put({ kind: 'target.put', target: targetOf(BIRCH, 'wants' as TargetName), audience, secretHash: null });
  assert.is(await ours('https://shared.example'), 'done');
  assert.equal(await theirs('https://shared.example'), { unmet: 'taken', by: 'audience https://shared.example' });
  assert.is(await ours('https://acme.example'), 'done');
  assert.is(await theirs('https://shared.example'), 'done');
});

async function enrol(tenant: TenantName, name: AgentName, proof: Enrolment['proof'], until?: Instant) {
  const exception = until === undefined ? null : { reason: 'moving', author: 'ada' as never, until };
  return put({ kind: 'enrolment.put', enrolment: { tenant, agent: name, proof, exception } });
}

register('lets one key be one agent at one tenant, but for an exception', async () => {
  const [one, other] = ['keyed-one', 'keyed-other'] as [AgentName, AgentName];
  for (const name of [one, other]) await put({ kind: 'agent.put', agent: agentOf(name) });
  const key = { by: 'key', jwk: {}, thumbprint: 'the same' } as const;
  const taken = { unmet: 'taken', by: `key of ${one}` };
  const later = instant(Date.now() + 60_000);
  assert.is(await enrol(ACME, one, key), 'done');
  assert.is(await enrol(ACME, one, key), 'done', 'itself again');
  assert.equal(await enrol(ACME, other, key, later), taken, 'another agent, whatever the exception');
  assert.equal(await enrol(BIRCH, other, key, later), taken);
  assert.equal(await enrol(BIRCH, one, key), taken, 'another tenant');
  assert.equal(await enrol(BIRCH, one, key, instant(Date.now() - 1)), taken, 'an exception that is over');
  assert.is(await enrol(BIRCH, one, key, later), 'done');
});

register('frees the keys of a tenant that is removed', async () => {
  const left = 'vacated' as TenantName;
  const key = { by: 'key', jwk: {}, thumbprint: 'of one that left' } as const;
  assert.is(await put({ kind: 'tenant.put', tenant: tenantOf(left), keys: [] }), 'done');
  assert.is(await enrol(left, TRIAGE, key), 'done');
  assert.is(await put({ kind: 'agent.put', agent: agentOf('later-bot' as AgentName) }), 'done');
  assert.equal(await enrol(ACME, 'later-bot' as AgentName, key), { unmet: 'taken', by: `key of ${TRIAGE}` });
  assert.is(await put({ kind: 'tenant.remove', tenant: left }), 'done');
  assert.equal(await enrol(ACME, 'later-bot' as AgentName, key), 'done');
});

const acceptances = async (tenant: TenantName) => {
  test.store.forget(tenant);
  return [...((await test.store.snapshot(tenant))?.acceptances.values() ?? [])];
};

register('keeps who answers for an agent at a tenant, until the agent is gone from there', async () => {
  const name = 'rookie' as AgentName;
  await put({ kind: 'agent.put', agent: agentOf(name) });
  const acceptance = acceptanceOf(ACME, name);
  const missing = { unmet: 'missing', what: 'enrolment' };
  assert.equal(await put({ kind: 'acceptance.put', acceptance }), missing);
  const enrolled = (tenant: TenantName) => {
    const proof = { by: 'key', jwk: {}, thumbprint: `${name} at ${tenant}` } as const;
    return put({ kind: 'enrolment.put', enrolment: { tenant, agent: name, proof, exception: null } });
  };
  for (const tenant of [ACME, BIRCH]) {
    assert.is(await enrolled(tenant), 'done');
    assert.is(await put({ kind: 'acceptance.put', acceptance: { ...acceptance, tenant } }), 'done');
  }
  const again = { ...acceptance, modelVersion: '2', authors: [ADA], inSetup: true };
  assert.is(await put({ kind: 'acceptance.put', acceptance: again }), 'done');
  assert.equal(await acceptances(ACME), [again]);
  assert.is(await put({ kind: 'acceptance.remove', tenant: ACME, agent: name }), 'done');
  assert.equal(await put({ kind: 'acceptance.remove', tenant: ACME, agent: name }), {
    unmet: 'missing',
    what: 'acceptance',
  });
  await put({ kind: 'acceptance.put', acceptance });
  assert.is(await put({ kind: 'enrolment.remove', tenant: ACME, agent: name }), 'done');
  assert.is(await enrolled(ACME), 'done');
  assert.equal(await acceptances(ACME), [], 'one who comes back is new');
  assert.is((await acceptances(BIRCH)).length, 1);
  assert.is(await put({ kind: 'agent.remove', agent: name }), 'done');
  assert.equal(await acceptances(BIRCH), []);
});

register('refuses two bindings that one token could satisfy', async () => {
  const issuer = 'forge' as IssuerName;
  await put({
    kind: 'issuer.put',
    issuer: { name: issuer, url: 'https://forge.example', platform: 'generic', maxAge: seconds(60) },
  });
  const [one, other] = ['bound-one', 'bound-other'] as [AgentName, AgentName];
  for (const name of [one, other]) await put({ kind: 'agent.put', agent: agentOf(name) });
  const bind = (name: AgentName, claims: Record<string, string>, of = issuer) =>
    enrol(ACME, name, { by: 'workload', binding: { issuer: of, claims } });
  const taken = { unmet: 'taken', by: `binding of ${one}` };
  assert.is(await bind(one, { repository_id: '1', environment: 'prod' }), 'done');
  assert.equal(await bind(other, { repository_id: '1', environment: 'prod' }), taken, 'the same');
  assert.equal(await bind(other, { repository_id: '1' }), taken, 'wider');
  assert.equal(await bind(other, { repository_id: '1', environment: 'prod', ref: 'x' }), taken, 'narrower');
  assert.equal(await bind(other, { job: 'y' }), taken, 'beside it');
  assert.is(await bind(other, { repository_id: '2', environment: 'prod' }), 'done');
  assert.equal(await bind(other, { a: 'b' }, 'none' as IssuerName), { unmet: 'missing', what: 'issuer' });
});

register('lets an issuer neither move nor go while an enrolment trusts it', async () => {
  const name = 'trusted' as IssuerName;
  const issuer = { name, url: 'https://trusted.example', platform: 'generic', maxAge: seconds(60) } as const;
  const inUse = { unmet: 'in_use', by: 'enrolments trust this issuer' };
  const workload = 'trusting-bot' as AgentName;
  await put({ kind: 'issuer.put', issuer });
  await put({ kind: 'agent.put', agent: agentOf(workload) });
  assert.is(await enrol(BIRCH, workload, { by: 'workload', binding: { issuer: name, claims: { sub: 'x' } } }), 'done');
  assert.equal(await put({ kind: 'issuer.put', issuer: { ...issuer, url: 'https://other.example' } }), inUse);
  assert.equal(await put({ kind: 'issuer.put', issuer: { ...issuer, platform: 'github' } }), inUse);
  assert.equal(await put({ kind: 'issuer.remove', issuer: name }), inUse);
  assert.is(await put({ kind: 'issuer.put', issuer: { ...issuer, maxAge: seconds(90) } }), 'done', 'an age alone');
  assert.is(await put({ kind: 'enrolment.remove', tenant: BIRCH, agent: workload }), 'done');
  assert.is(await put({ kind: 'issuer.put', issuer: { ...issuer, url: 'https://other.example' } }), 'done');
  assert.is(await put({ kind: 'issuer.remove', issuer: name }), 'done');
});

register('refuses a bundle in which a role that is assigned changes its function, or is gone', async () => {
  const activate = (version: string, functions: Readonly<Record<string, string>>, onlyFirst = false) =>
    put({ kind: 'policy.activate', version, files: {}, functions, reading: [], onlyFirst });
  const inUse = { unmet: 'in_use', by: 'role triage' };
  assert.equal(await activate('v2', { ...FUNCTIONS, triage: 'oversight' }), inUse);
  const { triage: _, ...without } = FUNCTIONS;
  assert.equal(await activate('v2', without), inUse);
  assert.equal((await activate('v2', FUNCTIONS, true)) === 'done', false, 'only into a broker that has none');
  assert.is(await test.store.bundle('v2'), null);
  assert.is(await activate('v2', { ...FUNCTIONS, spare: 'approval' }), 'done');
  assert.is((await test.store.deployment()).policy, 'v2');
  assert.equal(await test.store.bundle('v2'), {});
});

register('assigns a role only as the active bundle has it', async () => {
  const assignment = assignmentOf(person(OLGA), 'overseer', BIRCH);
  assert.equal(await assign(person(OLGA), 'no-such-role', BIRCH), { unmet: 'missing', what: 'role' });
  const stale = { ...assignment, role: 'approver' as never };
  assert.equal(await put({ kind: 'assignment.put', assignment: stale }), { unmet: 'moved' });
});

register('spends a local token’s demand once', async () => {
  const oneUse = { client: 'operator:ada', jti: 'demand', until: instant(Date.now() + 60_000) };
  const change = { kind: 'local_token.make', operator: 'ada' as never, oneUse } as const;
  const epoch = await test.store.deploymentEpoch();
  assert.is(await put(change), 'done');
  assert.equal(await put(change), { unmet: 'replayed' });
  const over = { ...oneUse, jti: 'over', until: instant(Date.now() - 1_000) };
  assert.equal(await put({ ...change, oneUse: over }), { unmet: 'replayed' });
  assert.is(await test.store.deploymentEpoch(), epoch);
  assert.equal(await put({ ...change, operator: 'nobody' as never }), { unmet: 'missing', what: 'operator' });
});

register('leaves the work of a change in its transaction, and the entry in its ledger', async () => {
  const at = instant(Date.now());
  const over = { tenant: ACME, agent: TRIAGE, owner: null, target: null, role: null };
  const work = [{ id: newId('wrk', at, random), due: at, what: { task: 'cascade', tenant: ACME, over } as const }];
  const enrolment = { kind: 'enrolment.remove', tenant: ACME, agent: TRIAGE } as const;
  const command = { kind: 'register', change: enrolment, work, deploymentEpoch: null } as const;
  assert.ok((await test.store.commit(command, [entryOf('register.removed', ACME)])).ok);
  const [claimed] = await test.store.claim(5, 5, seconds(1));
  // With the epoch that the change raised, so that it ends what was decided before and nothing since.
  const { tenant } = await epochsOf(test.store, ACME);
  assert.equal(claimed?.what, { ...work[0]?.what, since: { tenant } });
  assert.is((await test.store.snapshot(ACME))?.agents.has(TRIAGE), false);
});

register('a tenant that is put again keeps what the change says nothing of', async () => {
  const context = { ...NO_CONTEXT, regulations: ['gdpr'], residency: ['eu'] };
  assert.is(await put({ kind: 'context.put', tenant: BIRCH, context }), 'done');
  const tenant = { name: BIRCH, displayName: 'Birch', context: { autonomy: 'notify' } } as const;
  assert.is(await put({ kind: 'tenant.put', tenant, keys: [] }), 'done');
  test.store.forget(BIRCH);
  assert.equal((await test.store.snapshot(BIRCH))?.tenant.context, { ...context, autonomy: 'notify' });
});

register('a situation is ended once, as what it is, where it is', async () => {
  const situation = situationOf(BIRCH, instant(Date.now() + 60_000), { kind: 'freeze' });
  assert.is(await put({ kind: 'situation.set', situation }), 'done');
  const end = (tenant: TenantName, of: SituationKind) =>
    put({ kind: 'situation.end', tenant, situation: situation.id, of });
  assert.equal(await end(BIRCH, 'incident'), { unmet: 'missing', what: 'situation' });
  assert.equal(await end(ACME, 'freeze'), { unmet: 'missing', what: 'situation' });
  assert.is(await end(BIRCH, 'freeze'), 'done');
  assert.equal(await end(BIRCH, 'freeze'), { unmet: 'missing', what: 'situation' });
});

register('setting a situation moves the epoch of its tenant alone, and what is over goes', async () => {
  const over = situationOf(BIRCH, instant(Date.now() - 1));
  assert.is(await put({ kind: 'situation.set', situation: over }), 'done');
  const before = [await test.store.epochs(ACME), await test.store.epochs(BIRCH)];
  const situation = situationOf(BIRCH, instant(Date.now() + 60_000));
  assert.is(await put({ kind: 'situation.set', situation }), 'done');
  assert.equal(await test.store.epochs(ACME), before[0]);
  assert.is((await test.store.epochs(BIRCH))?.tenant, (before[1]?.tenant ?? 0) + 1);
  assert.is(await rows('situations'), 1);
});

register('a vendor that was removed does not come back', async () => {
  const vendor = { name: 'brightmind' as VendorName, trains: false, retentionDays: 0, residency: ['eu'] };
  assert.is(await put({ kind: 'vendor.put', vendor }), 'done');
  test.store.forget(null);
  assert.equal([...(await test.store.deployment()).vendors.values()], [vendor]);
  assert.is(await put({ kind: 'vendor.remove', vendor: vendor.name }), 'done');
  test.store.forget(null);
  assert.is((await test.store.deployment()).vendors.size, 0);
  assert.equal(await put({ kind: 'vendor.put', vendor }), { unmet: 'retired' });
});

register('writes once that a block is over, whoever else was at it', async () => {
  const at = instant(Date.now());
  const id = newId('blk', at, random);
  const block = { id, scope: 'everything', name: '', agents: [], author: OLGA, from: at, until: null } as const;
  const blocks = [{ ...block, tenant: ACME }];
  await test.change({ kind: 'block.raise', blocks, reason: 'r', drill: false, deniesRoles: false });
  const report = { kind: 'block.report', block: id, tenants: [ACME] } as const;
  const before = await rows('entries');
  const [one, other] = await Promise.all([put(report), put(report)]);
  assert.equal(new Set([one, other]), new Set(['done', { unmet: 'taken', by: 'an earlier report' }]));
  assert.is(await rows('entries'), before + 1);
});

register.run();

const setup = suite('set-up');
let empty: TestStore;
setup.before(async () => {
  empty = await testStore({ world: false });
});
setup.after(() => empty.close());

const act = async (change: RegisterChange) => {
  const done = await empty.store.commit({ kind: 'register', change, work: [], deploymentEpoch: null }, [empty.entry()]);
  empty.store.forget(null);
  return done.ok ? 'done' : done.error.unmet;
};
const begin = (name: PersonName): RegisterChange => ({
  kind: 'setup.begin',
  person: personOf(name),
  operator: operatorOf(name),
  assignment: assignmentOf(person(name), 'administrator', null),
});

setup('begins once, for one of many at once', async () => {
  assert.is((await empty.store.deployment()).inSetup, true);
  const outcomes = await Promise.all([act(begin(ADA)), act(begin(ALAN)), act(begin(OWEN))]);
  assert.equal(outcomes.toSorted(), ['done', 'taken', 'taken']);
});

setup('ends with the second, different administrator alone', async () => {
  const [first] = (await empty.store.deployment()).persons.keys();
  assert.ok(first !== undefined);
  const second = 'second' as PersonName;
  const witness = (name: PersonName) => act({ kind: 'setup.witness', person: name });
  assert.is(await witness(first), 'done');
  assert.is(await witness(first), 'taken');
  assert.is(await act({ kind: 'person.put', person: personOf(second) }), 'done');
  assert.is(await witness(second), 'missing', 'one who administers nothing');
  assert.is((await empty.store.deployment()).inSetup, true);
  const functions = { administrator: 'administration' };
  assert.is(
    await act({ kind: 'policy.activate', version: 'v', files: {}, functions, reading: [], onlyFirst: true }),
    'done',
  );
  const assignment = assignmentOf(person(second), 'administrator', null);
  assert.is(await act({ kind: 'assignment.put', assignment }), 'done');
  assert.is(await witness(second), 'done');
  assert.is((await empty.store.deployment()).inSetup, false);
  assert.is(await witness(first), 'missing', 'it is over for good');
});

setup.run();
