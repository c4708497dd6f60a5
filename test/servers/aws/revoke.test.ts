/** How sessions end at AWS: many at once, beside what others write, on slow and on hostile days. */
import {
  AttachRolePolicyCommand,
  CreatePolicyCommand,
  CreateRoleCommand,
  DeletePolicyCommand,
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  DetachRolePolicyCommand,
  GetUserCommand,
  ListPoliciesCommand,
  PutRolePolicyCommand,
} from '@aws-sdk/client-iam';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { newId } from '../../../src/core/ids.ts';
import { markOf } from '../../../src/core/lease.ts';
import { ProviderUnavailable } from '../../../src/core/provider.ts';
import type { Minted, MintOrder, MintTerms, OpenTarget, Subject } from '../../../src/core/provider.ts';
import { Secret } from '../../../src/core/secret.ts';
import { after, seconds } from '../../../src/core/time.ts';
import type { Turns } from '../../../src/core/turns.ts';
import { awsProvider } from '../../../src/providers/aws/provider.ts';
import type { AwsProvider } from '../../../src/providers/aws/provider.ts';
import { INLINE_CHARACTERS, MANAGED_CHARACTERS, MANAGED_POLICIES } from '../../support/aws/role-policies.ts';
import { MSP, TENANT } from '../../support/aws/front.ts';
import type { Keys } from '../../support/aws/accounts.ts';
import { createStack } from '../../support/aws/stack.ts';
import { awsWorld, clientOf, fakeTurns, ROLE } from '../../support/aws/world.ts';
import type { AwsWorld } from '../../support/aws/world.ts';
import { EXTERNAL_ID, openTargetOf, orderFor, processClock, random, subjectOf } from '../../support/target.ts';

let world: AwsWorld;
let provider: AwsProvider;
let target: OpenTarget;
const opened: AwsProvider[] = [];

function node(turns: Turns = fakeTurns()): AwsProvider {
  const made = awsProvider({ clock: processClock, turns, endpoints: ['127.0.0.1'] });
  opened.push(made);
  return made;
}

const test = suite('sessions end at AWS');
test.before(async () => {
  world = await awsWorld();
  provider = node();
  target = world.open(provider);
});
test.before.each(async () => {
  world.front.skew(0);
  world.front.restore();
  await clearDenials();
});
test.after(async () => {
  await Promise.all(opened.map((made) => made.close()));
  await world.close();
});

interface Issued {
  readonly order: MintOrder;
  readonly minted: Minted;
  readonly subject: Subject;
}

async function issue(terms: Partial<MintTerms> = {}, more: Partial<MintOrder> = {}): Promise<Issued> {
  const order = orderFor(provider, target, world.terms(terms), more);
  const minted = await provider.mint(order, target);
  return { order, minted, subject: subjectOf(order, { reference: minted.reference, secret: minted.keep }) };
}

/** Never minted, with a mark of its own. */
const neverMinted = (): Subject =>
  subjectOf({ ...orderFor(provider, target, world.terms()), mark: markOf(newId('lse', processClock(), random)) });

const credentialOf = ({ accessKeyId, secretAccessKey, sessionToken = '' }: Keys) => ({
  access_key_id: accessKeyId,
  secret_access_key: secretAccessKey,
  session_token: sessionToken,
});

const works = ({ minted }: Issued): Promise<boolean> => world.reads(minted.credential, 'acme-1');
const seen = async (subject: Subject) => (await provider.look(subject, target)).seen;
const refused = async (call: Promise<unknown>): Promise<ProviderUnavailable> => {
  const fault = await call.then(
    () => null,
    (caught: unknown) => caught,
  );
  assert.instance(fault, ProviderUnavailable);
  return fault as ProviderUnavailable;
};

test('a session says whose it is to whoever reads AWS’s own log', async () => {
  const from = world.front.calls.length;
  const { order, subject } = await issue();
  const call = world.front.calls.slice(from).find(({ form }) => form.get('RoleSessionName') === order.mark);
  assert.is(call?.form.get('SourceIdentity'), order.mark);
  assert.match(call?.form.get('ExternalId') ?? '', /^[0-9a-f]{32}$/);
  const tags = [1, 2, 3, 4].map((place) => call?.form.get(`Tags.member.${place}.Key`));
  assert.equal(tags, ['brevet:tenant', 'brevet:agent', 'brevet:task', 'brevet:request']);
  await provider.revoke(subject, target);
});

test('what others wrote at the role stays as it is, also under our names', async () => {
  const { tenant } = world.front;
  const theirs = { Version: '2012-10-17', Statement: [{ Effect: 'Deny', Action: 'iam:ListUserTags', Resource: '*' }] };
  const names = ['theirs', 'brevet-deny-theirs'];
  for (const PolicyName of names) {
    const document = { RoleName: ROLE, PolicyName, PolicyDocument: JSON.stringify(theirs, null, 2) };
    await tenant.send(new PutRolePolicyCommand(document));
  }
  const before = (await world.front.view(ROLE)).inline.filter(([name]) => names.includes(name));
  await Promise.all(Array.from({ length: 300 }, () => provider.revoke(neverMinted(), target)));
  const after = await world.front.view(ROLE);
  assert.equal(
    after.inline.filter(([name]) => names.includes(name)),
    before,
  );
  assert.ok(after.attached.some(([arn]) => arn.endsWith('/tickets')));
  for (const PolicyName of names) await tenant.send(new DeleteRolePolicyCommand({ RoleName: ROLE, PolicyName }));
});

const isWrite = (action: string): boolean => /^iam:(?:Put|Create|Attach|Delete|Detach)/.test(action);

test('500 revocations at one role stay within AWS’s sizes, in a few writes, and end no other session', async () => {
  const bystander = await issue();
  const doomed = [await issue(), await issue()];
  const from = world.front.calls.length;
  const began = performance.now();
  const ends = [...doomed.map(({ subject }) => subject), ...Array.from({ length: 498 }, neverMinted)];
  await Promise.all(ends.map((subject) => provider.revoke(subject, target)));
  const writes = world.front.calls.slice(from).filter(({ action }) => isWrite(action)).length;
  console.log(`500 revocations at one role: ${Math.round(performance.now() - began)} ms, ${writes} writes`);
  assert.ok(writes < 60, `${writes} writes`);
  const { inline, attached } = await world.front.view(ROLE);
  const characters = (text: string) => text.replace(/\s/g, '').length;
  assert.ok(inline.reduce((sum, [, text]) => sum + characters(text), 0) <= INLINE_CHARACTERS);
  assert.ok(attached.length <= MANAGED_POLICIES);
  for (const [, text] of attached) assert.ok(characters(text) <= MANAGED_CHARACTERS);
  const held = [...inline, ...attached].map(([, text]) => text).join();
  for (const { mark } of ends) {
    assert.match(held, `"*:${mark}"`);
    assert.match(held, `"${mark}"`);
  }
  for (const one of doomed) assert.is(await works(one), false);
  assert.is(await works(bystander), true);
});

/** As AWS's own administrator, so that tests do not fill the role for each other. */
async function clearDenials(): Promise<void> {
  const { tenant, view } = world.front;
  const { inline, attached } = await view(ROLE);
  for (const [PolicyName] of inline.filter(([name]) => name.startsWith('brevet-deny-'))) {
    await tenant.send(new DeleteRolePolicyCommand({ RoleName: ROLE, PolicyName }));
  }
  for (const [PolicyArn] of attached.filter(([arn]) => arn.includes('/brevet-deny-'))) {
    await tenant.send(new DetachRolePolicyCommand({ RoleName: ROLE, PolicyArn }));
    await tenant.send(new DeletePolicyCommand({ PolicyArn }));
  }
}

/** No further inline policy has room at the role meanwhile. */
async function whileInlineIsFull(act: () => Promise<void>): Promise<void> {
  const { tenant } = world.front;
  const characters = (text: string) => text.replace(/\s/g, '').length;
  const { inline } = await world.front.view(ROLE);
  const free = INLINE_CHARACTERS - inline.reduce((sum, [, text]) => sum + characters(text), 0);
  const filling = (Sid: string) =>
    JSON.stringify({ Version: '2012-10-17', Statement: [{ Sid, Effect: 'Deny', Action: 'x:y', Resource: '*' }] });
  const PolicyDocument = filling('x'.repeat(free - filling('').length));
  await tenant.send(new PutRolePolicyCommand({ RoleName: ROLE, PolicyName: 'theirs', PolicyDocument }));
  try {
    await act();
  } finally {
    await tenant.send(new DeleteRolePolicyCommand({ RoleName: ROLE, PolicyName: 'theirs' }));
  }
}

/** As the queue does it: again, as long as it takes. */
async function ended(by: AwsProvider, subject: Subject): Promise<void> {
  for (;;) {
    const fault = await by.revoke(subject, target).catch((caught: unknown) => caught);
    if (fault === undefined) return;
    assert.instance(fault, ProviderUnavailable);
  }
}

test('two nodes that both think it their turn lose no denial', async () => {
  const nodes = [node(fakeTurns()), node(fakeTurns()), node(fakeTurns())];
  const ends = Array.from({ length: 45 }, neverMinted);
  // In waves, so that documents are merged while others write.
  for (let wave = 0; wave < 5; wave += 1) {
    const now = ends.slice(wave * 9, wave * 9 + 9);
    await Promise.all(now.map((subject, place) => ended(nodes[place % 3] ?? provider, subject)));
  }
  const { inline, attached } = await world.front.view(ROLE);
  const held = [...inline, ...attached].map(([, text]) => text).join();
  for (const { mark } of ends) assert.match(held, `"*:${mark}"`);
});

test('a turn that is lost in the middle is taken again, and nothing is left half done', async () => {
  const turns = fakeTurns();
  let asked = 0;
  const losing: Turns = { ...turns, isHeld: async (turn) => ((asked += 1) === 1 ? false : turns.isHeld(turn)) };
  const subject = neverMinted();
  await node(losing).revoke(subject, target);
  assert.ok(asked > 1);
  const { inline } = await world.front.view(ROLE);
  const names = inline.filter(([, text]) => text.includes(subject.mark)).map(([name]) => name);
  assert.match(names.join(), /^brevet-deny-2-[^,]*$/, 'nothing was written in the turn that was lost');
});

test('a turn that another node does not give back is waited for, and then given up', async () => {
  const never: Turns = { ...fakeTurns(), take: async () => null };
  let ahead = 0;
  // Waiting is not what is tested.
  const fast = awsProvider({
    clock: () => after(processClock(), seconds((ahead += 5))),
    turns: never,
    endpoints: ['127.0.0.1'],
  });
  opened.push(fast);
  const fault = await refused(fast.revoke(neverMinted(), target));
  assert.match(fault.message, 'another node');
});

test('a denial that has not spread everywhere is no death', async () => {
  const issued = await issue();
  world.front.lag('eu-west-1', () => 4_000);
  await provider.revoke(issued.subject, target);
  assert.is(await works(issued), false, 'where it has spread, it is refused');
  const first = await provider.look(issued.subject, target);
  assert.equal(first, { seen: 'present', evidence: { let_through_in: ['eu-west-1'] } });
  world.front.lag('eu-west-1', () => 0);
  assert.is(await seen(issued.subject), 'gone');
});

test('one refusal is no death, where the next host does not know of it', async () => {
  const issued = await issue();
  await provider.revoke(issued.subject, target);
  let asked = 0;
  world.front.lag('eu-west-1', () => ((asked += 1) % 3 === 0 ? 3_600_000 : 0));
  assert.is(await seen(issued.subject), 'present');
  world.front.lag('eu-west-1', () => 0);
  assert.is(await seen(issued.subject), 'gone');
});

for (const [what, skew] of [
  ['ahead', 60_000],
  ['behind', -60_000],
] as const) {
  test(`a clock of AWS's that is a minute ${what} neither shortens nor lengthens a session`, async () => {
    world.front.skew(skew);
    // Clocks are measured once a minute.
    const here = node();
    const order = orderFor(here, target, world.terms({ ttl: seconds(60) }), {
      expiresAt: after(processClock(), seconds(6)),
    });
    const minted = await here.mint(order, target);
    assert.is(await world.reads(minted.credential, 'acme-1'), true);
    const client = clientOf(world.front.url, minted.credential);
    const until = processClock() + 20_000;
    let last = processClock();
    while (processClock() < until) {
      const answered = await client.send(new GetUserCommand({ UserName: 'acme-1' })).then(
        () => true,
        () => false,
      );
      if (!answered) break;
      last = processClock();
    }
    client.destroy();
    const late = last - order.expiresAt;
    assert.ok(late <= 0 && late > -3_500, `it worked until ${late} ms after its end`);
    const subject = subjectOf(order, { reference: minted.reference, secret: minted.keep });
    await here.revoke(subject, target);
    assert.is((await here.look(subject, target)).seen, 'gone');
    world.front.skew(0);
  });
}

test('a slow AWS gives no session after the deadline, and what it gives then is denied', async () => {
  const from = world.front.sessions().length;
  world.front.slow(700);
  const here = node();
  const order = orderFor(here, target, world.terms(), { deadline: after(processClock(), seconds(3)) });
  await refused(here.mint(order, target));
  assert.ok(processClock() < order.deadline + 1_000, 'and nobody waits for it');
  world.front.restore();
  await here.fence(subjectOf(order), target);
  for (const keys of world.front
    .sessions()
    .slice(from)
    .filter(({ sourceIdentity }) => sourceIdentity === order.mark)) {
    assert.is(await world.reads(credentialOf(keys), 'acme-1'), false);
  }
});

const denialsOfAll = async (): Promise<readonly string[]> => {
  const { inline, attached } = await world.front.view(ROLE);
  return [...inline, ...attached].map(([, text]) => text).filter((text) => text.includes('aws:TokenIssueTime'));
};

test('a whole role is denied up to a moment, to those who never asked Brevet too, and later sessions are none of it', async () => {
  const [issued, outside] = [await issue(), await world.takeOutside('brevet_by_hand')];
  assert.is(await world.reads(outside, 'acme-1'), true);
  assert.ok(provider.endAll !== null);
  await provider.endAll(target, processClock());
  assert.is(await works(issued), false);
  assert.is(await world.reads(outside, 'acme-1'), false);
  const written = await denialsOfAll();
  assert.is(written.length, 1);
  await provider.endAll(target, after(processClock(), seconds(-60)));
  assert.equal(await denialsOfAll(), written, 'what is denied already is not written again');
  world.front.skew(10_000);
  const later = await issue();
  assert.is(await works(later), true);
  await provider.revoke(later.subject, target);
  assert.is(await seen(later.subject), 'gone');
  assert.equal(await denialsOfAll(), written, 'and a denial of one takes it nowhere');
});

test('a later moment takes the place of an earlier one, also where the inline policies are full', async () => {
  const { endAll } = provider;
  assert.ok(endAll !== null);
  await endAll(target, processClock());
  const [first = ''] = await denialsOfAll();
  await whileInlineIsFull(() => endAll(target, after(processClock(), seconds(60))));
  const now = await denialsOfAll();
  assert.is(now.length, 1);
  assert.ok((await world.front.view(ROLE)).attached.some(([, text]) => text === now[0]));
  assert.ok((now[0] ?? '') > first, 'the times are all that differs');
});

/** Managed policies on Brevet's path that stand nowhere, beside the boundaries of the stacks. */
async function unattached(): Promise<readonly string[]> {
  const { Policies = [] } = await world.front.tenant.send(
    new ListPoliciesCommand({ Scope: 'Local', PathPrefix: '/brevet/' }),
  );
  return Policies.filter(({ AttachmentCount }) => AttachmentCount === 0)
    .map(({ PolicyName = '' }) => PolicyName)
    .filter((name) => !name.endsWith('-boundary'))
    .toSorted();
}

/** Of somebody else, and of a role whose name begins with that of ours. */
const OTHERS = [`brevet-deny-${ROLE}-2-7-m9x-0`, 'brevet-deny-theirs'];

for (const [what, deny] of [
  ['a session', (subject: Subject) => provider.revoke(subject, target)],
  ['a whole role', () => provider.endAll?.(target, processClock()) ?? Promise.reject(new Error('there is no endAll'))],
] as const) {
  test(`a managed denial of ${what} that was neither attached nor deleted goes before the next, and no other does`, async () => {
    const { front } = world;
    const arns = await Promise.all(
      OTHERS.map(async (PolicyName) => {
        const document = { PolicyName, Path: '/brevet/', PolicyDocument: JSON.stringify(DENY_NOTHING) };
        return (await front.tenant.send(new CreatePolicyCommand(document))).Policy?.Arn;
      }),
    );
    const subject = neverMinted();
    await whileInlineIsFull(async () => {
      front.refuse('iam:AttachRolePolicy', 'iam:DeletePolicy');
      assert.match((await refused(deny(subject))).message, 'attach a denial with AccessDenied');
      assert.is((await unattached()).length, OTHERS.length + 1);
      front.refuse('iam:DeletePolicy');
      await deny(subject);
      assert.is((await unattached()).length, OTHERS.length + 1, 'no denial waits for one that stays');
      front.restore();
      await clearDenials();
      await deny(subject);
    });
    assert.equal(await unattached(), OTHERS);
    assert.ok((await front.view(ROLE)).attached.some(([arn]) => arn.includes('/brevet-deny-')));
    for (const PolicyArn of arns) await front.tenant.send(new DeletePolicyCommand({ PolicyArn }));
  });
}

test('a control role that may list no policies denies all the same, and the check warns of it', async () => {
  const RoleName = `${ROLE}-control`;
  const { inline } = await world.front.view(RoleName);
  const [, rights = ''] = inline.find(([name]) => name === 'denials') ?? [];
  const put = (PolicyDocument: string) =>
    world.front.tenant.send(new PutRolePolicyCommand({ RoleName, PolicyName: 'denials', PolicyDocument }));
  const subject = neverMinted();
  await put(rights.replace('iam:ListPolicies', 'iam:ListUsers'));
  try {
    await whileInlineIsFull(() => provider.revoke(subject, target));
    const { attached } = await world.front.view(ROLE);
    assert.ok(attached.some(([, text]) => text.includes(subject.mark)));
    const found = await provider.check(target);
    assert.equal(
      found.map(({ level }) => level),
      ['warn'],
    );
    assert.match(found[0]?.remedy ?? '', 'list policies');
  } finally {
    await put(rights);
  }
});

test('a policy that is attached is not deleted, as IAM has it', async () => {
  const { tenant } = world.front;
  const { Policy } = await tenant.send(
    new CreatePolicyCommand({ PolicyName: 'attached', PolicyDocument: JSON.stringify(DENY_NOTHING) }),
  );
  const PolicyArn = Policy?.Arn;
  await tenant.send(new AttachRolePolicyCommand({ RoleName: ROLE, PolicyArn }));
  const deleted = tenant.send(new DeletePolicyCommand({ PolicyArn }));
  assert.match(String(await deleted.catch((fault: unknown) => fault)), 'DeleteConflict');
  await tenant.send(new DetachRolePolicyCommand({ RoleName: ROLE, PolicyArn }));
  await tenant.send(new DeletePolicyCommand({ PolicyArn }));
});

const DENY_NOTHING = { Version: '2012-10-17', Statement: [{ Effect: 'Deny', Action: 'x:y', Resource: '*' }] };

test('a session that lands behind its fence may do nothing', async () => {
  const order = orderFor(provider, target, world.terms());
  await provider.fence(subjectOf(order), target);
  const credential = await world.takeOutside(order.mark);
  assert.is(await world.reads(credential, 'acme-1'), false);
  const fault = await refused(provider.mint(order, target));
  assert.match(fault.message, 'is refused');
});

test('a class that may have what outlives its session declares and gets no proof', async () => {
  const allow = [{ actions: ['iam:PassRole', 'iam:GetUser'], resources: ['*'] }];
  const declared = provider.declare(target.version, { allow });
  assert.equal([declared.evidence, declared.expiryEndsUse], [null, false]);
  const issued = await issue({ template: { allow } });
  await provider.revoke(issued.subject, target);
  const sighting = await provider.look(issued.subject, target);
  assert.ok(sighting.seen === 'unseen' && sighting.forGood);
  assert.match(sighting.seen === 'unseen' ? sighting.why : '', 'iam:PassRole');
  assert.is(await works(issued), false);
});

test('a refusal for want of a permission proves nothing', async () => {
  const { tenant } = world.front;
  const issued = await issue();
  const { inline } = await world.front.view(ROLE);
  const [, probe = ''] = inline.find(([name]) => name === 'probe') ?? [];
  await tenant.send(new DeleteRolePolicyCommand({ RoleName: ROLE, PolicyName: 'probe' }));
  const sighting = await provider.look(issued.subject, target);
  assert.ok(sighting.seen === 'unseen' && !sighting.forGood);
  const fault = await refused(issue());
  assert.match(fault.message, 'refused');
  const [finding] = await provider.check(target);
  assert.is(finding?.level, 'refuse');
  assert.match(finding?.what ?? '', 'death could not be seen');
  await tenant.send(new PutRolePolicyCommand({ RoleName: ROLE, PolicyName: 'probe', PolicyDocument: probe }));
  await provider.revoke(issued.subject, target);
  assert.is(await seen(issued.subject), 'gone');
});

test('a role that is nearly full refuses before it mints, and the check says so', async () => {
  const { tenant } = world.front;
  const big = JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Deny', Action: 'iam:ListUserTags', Resource: [`arn:aws:iam::${TENANT}:user/${'x'.repeat(9_000)}`] },
    ],
  });
  await tenant.send(new PutRolePolicyCommand({ RoleName: ROLE, PolicyName: 'big', PolicyDocument: big }));
  const { attached } = await world.front.view(ROLE);
  for (let place = attached.length; place < MANAGED_POLICIES; place += 1) {
    const PolicyName = `filler-${place}`;
    const PolicyDocument = JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Deny', Action: 's3:*', Resource: '*' }],
    });
    const { Policy } = await tenant.send(new CreatePolicyCommand({ PolicyName, PolicyDocument }));
    await tenant.send(new AttachRolePolicyCommand({ RoleName: ROLE, PolicyArn: Policy?.Arn }));
  }
  const here = node();
  const fault = await refused(here.mint(orderFor(here, target, world.terms()), target));
  assert.match(fault.message, 'no room');
  const outcomes = await Promise.allSettled(Array.from({ length: 40 }, () => here.revoke(neverMinted(), target)));
  assert.ok(
    outcomes.some(({ status }) => status === 'fulfilled'),
    'what fits is denied',
  );
  assert.ok(
    outcomes.some(({ status }) => status === 'rejected'),
    'and the rest is not called denied',
  );
  await tenant.send(new DeleteRolePolicyCommand({ RoleName: ROLE, PolicyName: 'big' }));
  for (const [PolicyArn] of (await world.front.view(ROLE)).attached.filter(([arn]) => arn.includes('filler'))) {
    await tenant.send(new DetachRolePolicyCommand({ RoleName: ROLE, PolicyArn }));
  }
});

const levels = async (checked: OpenTarget) => (await provider.check(checked)).map(({ level }) => level);

test('the check finds nothing wrong with the stack of deploy/aws', async () => {
  assert.equal(await provider.check(target), []);
  const { inline, attached } = await world.front.view(ROLE);
  assert.is(
    [...inline, ...attached].some(([name]) => name.includes('check')),
    false,
    'and leaves nothing behind',
  );
});

test('the check refuses a secret that is none, keys that AWS does not know, and another role', async () => {
  const odd = { ...target, secret: new Secret('AKIA:secret') };
  assert.equal(await levels(odd), ['refuse']);
  const stranger = { access_key_id: 'AKIASTRANGER00000001', secret_access_key: 's' };
  assert.ok((await levels({ ...target, secret: new Secret(JSON.stringify(stranger)) })).includes('refuse'));
  const config = { ...world.config, role_arn: world.config.role_arn.replace(ROLE, 'nobody') };
  assert.ok((await levels(openTargetOf(provider, config, { secret: world.secret, version: 2 }))).includes('refuse'));
});

test('a role of another external id gives no session, and one of none is refused by the check', async () => {
  const { tenant, moto } = world.front;
  const RoleName = 'brevet-others';
  const outputs = await createStack(moto, 'others', 'tenant.yaml', {
    BrokerArn: `arn:aws:iam::${MSP}:user/brevet`,
    ExternalId: EXTERNAL_ID,
    RoleName,
    PolicyArns: `arn:aws:iam::${TENANT}:policy/tickets`,
  });
  const config = {
    ...world.config,
    role_arn: outputs['RoleArn'] ?? '',
    control_role_arn: outputs['ControlRoleArn'] ?? '',
  };
  const others = openTargetOf(provider, config, { secret: world.secret, version: 3 });
  assert.equal(await levels(others), []);
  await tenant.send(new DeleteRolePolicyCommand({ RoleName, PolicyName: 'probe' }));
  const trusting = async (Condition: object): Promise<string> => {
    await tenant.send(new DeleteRoleCommand({ RoleName }));
    const Statement = [{ Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${MSP}:root` }, Action: 'sts:*', Condition }];
    const AssumeRolePolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement });
    const PermissionsBoundary = `arn:aws:iam::${TENANT}:policy/brevet/${RoleName}-boundary`;
    await tenant.send(
      new CreateRoleCommand({ RoleName, Path: '/brevet/', AssumeRolePolicyDocument, PermissionsBoundary }),
    );
    return (await provider.check(others)).map(({ what }) => what).join();
  };
  const wrong = await trusting({ StringEquals: { 'sts:ExternalId': 'f'.repeat(32) } });
  assert.match(wrong, 'without the external id of this tenant');
  assert.match(wrong, 'assume the role with AccessDenied');
  await refused(provider.mint(orderFor(provider, others, world.terms()), others));
  const open = await trusting({});
  assert.match(open, 'without the external id of this tenant');
  assert.not.match(open, 'assume the role with AccessDenied');
});

test.run();
