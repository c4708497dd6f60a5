/** Vault on a bad day, and holders who don't let go: nothing is called dead that lives, and nothing lives on unseen. */
import { exportSPKI, generateKeyPair, SignJWT } from 'jose';
import type postgres from 'postgres';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ProviderUnavailable } from '../../../src/core/provider.ts';
import type { Sighting } from '../../../src/core/provider.ts';
import { Secret } from '../../../src/core/secret.ts';
import { after, instant, seconds } from '../../../src/core/time.ts';
import { guidePolicies } from '../../support/client-vault.ts';
import { withAdmin } from '../../support/postgres.ts';
import { startStandby } from '../../support/standby.ts';
import { openTargetOf, orderFor, subjectOf, termsOf } from '../../support/target.ts';
import { login, pathsOf, readLogin, readWith, READS_LOGIN, READS_VALUE } from './agent.ts';
import { openDesk } from './desk.ts';
import type { Desk, Issued } from './desk.ts';

let desk: Desk;

const hostile = suite('a Vault token’s end against its holder');
const badDays = suite('a Vault token on a bad day');

hostile.before(async () => {
  desk = await openDesk();
});
badDays.after(() => desk.close());

const look = (issued: Issued): Promise<Sighting> => desk.provider.look(issued.subject, desk.target);
const seen = async (issued: Issued) => (await look(issued)).seen;
const end = (issued: Issued) => desk.provider.revoke(issued.subject, desk.target);
const asSuperuser = <T extends postgres.MaybeRow[]>(statement: string) =>
  withAdmin(desk.database.superuser, (sql) => sql.unsafe<T>(statement));

async function readLoginOf(issued: Issued) {
  const read = await readLogin(issued.minted.credential);
  if (read === null) throw new Error('the login could not be read');
  return login(desk, read);
}

const suffixOf = (issued: Issued): string => pathsOf(issued.minted.credential)[0]?.split('/').at(-1) ?? '';

async function unavailable(call: () => Promise<unknown>, what: string): Promise<void> {
  const fault = await call().then(
    () => null,
    (caught: unknown) => caught,
  );
  assert.instance(fault, ProviderUnavailable, what);
}

hostile('ends every session of every login that was read', async () => {
  const issued = await desk.issue(READS_LOGIN, { uses: 3 });
  const held = await Promise.all([1, 2, 3].map(async () => (await readLoginOf(issued)).hold('select 1')));
  assert.equal(await Promise.all(held.map((one) => one.answers())), [true, true, true]);
  const sighting = await look(issued);
  assert.ok(JSON.stringify(sighting).includes('"logins":3'), JSON.stringify(sighting));
  await end(issued);
  assert.is(await seen(issued), 'gone');
  assert.equal(await Promise.all(held.map((one) => one.answers())), [false, false, false]);
});

hostile('ends, on another node, a session whose login was dropped before that node came to it', async () => {
  const issued = await desk.issue();
  const held = await (await readLoginOf(issued)).hold('select 1');
  await desk.vault.must('PUT', `sys/leases/revoke-prefix/database/creds/${suffixOf(issued)}`, { sync: true });
  const accessor = issued.subject.reference?.['accessor'];
  await desk.vault.must('POST', 'auth/token/revoke-accessor', { accessor });
  assert.is(await held.answers(), true, 'Vault leaves it open');
  const another = desk.another();
  assert.is((await another.look(issued.subject, desk.target)).seen, 'present');
  await another.revoke(issued.subject, desk.target);
  assert.is((await another.look(issued.subject, desk.target)).seen, 'gone');
  assert.is(await held.answers(), false);
});

hostile('leaves alone a session that began before the lease, of a login that Vault has dropped', async () => {
  await asSuperuser(`CREATE ROLE old_app LOGIN PASSWORD 'old' IN ROLE brevet_connect`);
  const held = await login(desk, { username: 'old_app', password: 'old' }).hold('select 1');
  await asSuperuser('DROP ROLE old_app');
  const now = Date.now() + 120_000;
  const order = orderFor(desk.provider, desk.target, termsOf(READS_LOGIN));
  // Of a lease that was opened two minutes later.
  const later = laterMark(order.mark, now);
  const subject = { ...subjectOf(order), mark: later };
  await desk.provider.revoke(subject, desk.target);
  assert.is((await desk.provider.look(subject, desk.target)).seen, 'gone');
  assert.is(await held.answers(), true);
  await asSuperuser('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usesysid <> 10 AND usename IS NULL');
});

const laterMark = (mark: string, at: number) => {
  const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';
  let time = at;
  let head = '';
  for (let place = 0; place < 10; place++) {
    head = alphabet.charAt(time % 32) + head;
    time = Math.floor(time / 32);
  }
  return `brevet_${head}${mark.slice(17)}` as ReturnType<typeof orderFor>['mark'];
};

hostile('does not call dead what Vault cannot drop', async () => {
  const issued = await desk.issue();
  const read = await readLoginOf(issued);
  await asSuperuser('GRANT CREATE ON SCHEMA public TO reporting');
  const names = await asSuperuser<{ rolname: string }[]>(`SELECT rolname FROM pg_roles WHERE rolname LIKE 'v-token%'`);
  assert.is(await read.works('CREATE TABLE public.left_behind (x int)'), true);
  await unavailable(() => end(issued), 'Vault says that it could not');
  assert.is(await seen(issued), 'present');
  for (const { rolname } of names) await asSuperuser(`REASSIGN OWNED BY "${rolname}" TO reporting`);
  await end(issued);
  assert.is(await seen(issued), 'gone');
  await asSuperuser('DROP TABLE public.left_behind; REVOKE CREATE ON SCHEMA public FROM reporting');
});

hostile('gives no agent a way to another’s login', async () => {
  const [first, second] = await Promise.all([desk.issue(READS_LOGIN, { uses: 9 }), desk.issue(READS_LOGIN)]);
  const { mark } = second.subject;
  for (const path of ['database/roles?list=1', 'database/roles/reporting', 'database/creds/reporting']) {
    assert.is((await readWith(first.minted.credential, path)).status, 403, path);
  }
  // What a login of its own can see in the database is the mark, and that names no path.
  const guessed = await readWith(first.minted.credential, `database/creds/brevet-acme_${mark.slice(7)}`);
  assert.ok(guessed.status >= 400);
  await Promise.all([end(first), end(second)]);
});

hostile('makes a token with nothing but its policies, and with its lease’s name', async () => {
  const issued = await desk.issue();
  const accessor = issued.subject.reference?.['accessor'];
  const { data } = await desk.vault.must('POST', 'auth/token/lookup-accessor', { accessor });
  const { policies, entity_id, orphan, num_uses, type, renewable, meta } = data as Record<string, unknown>;
  assert.equal(
    { policies, entity_id, orphan, num_uses, type, renewable },
    { policies: ['reporting'], entity_id: '', orphan: true, num_uses: 2, type: 'service', renewable: false },
  );
  const { brevet_mark, brevet_lease } = meta as Record<string, unknown>;
  assert.equal({ brevet_mark, brevet_lease }, { brevet_mark: issued.subject.mark, brevet_lease: issued.subject.lease });
  await end(issued);
});

hostile('lets Vault count: each read once for a use, and one login no more than read', async () => {
  const issued = await desk.issue(READS_VALUE, { uses: 2 });
  const read = async () => (await readWith(issued.minted.credential, 'secret/data/psa')).status;
  const activity = () => desk.provider.activity(issued.subject, desk.target);
  assert.equal(await activity(), { use: 'over', last: null });
  assert.is(await read(), 200);
  assert.is((await activity()).use, 'unknown', 'Vault does not say when');
  assert.equal([await read(), await read()], [200, 403]);
  const spent = await activity();
  assert.ok(spent.use === 'over' && spent.last !== null, 'what is spent was used, and is of no use');
  await end(issued);
  const logins = await desk.issue(READS_LOGIN, { uses: 1 });
  assert.ok(await readLogin(logins.minted.credential));
  assert.is(await readLogin(logins.minted.credential), null, 'the request to spare gives no other');
  await end(logins);
});

hostile('never says of a value that was read that it is gone', async () => {
  const declared = desk.provider.declare(desk.target.version, READS_VALUE);
  assert.is(declared.evidence, null);
  assert.ok(desk.provider.declare(desk.target.version, READS_LOGIN).evidence);
  const issued = await desk.issue(READS_VALUE);
  assert.is(await seen(issued), 'present');
  await end(issued);
  const sighting = await look(issued);
  assert.equal(sighting, {
    seen: 'unseen',
    why: 'the token is gone, and a value that was read with it may be known',
    forGood: true,
  });
  assert.is((await readWith(issued.minted.credential, 'secret/data/psa')).status, 403);
});

hostile('tells a use by its sessions', async () => {
  const issued = await desk.issue(READS_LOGIN, { uses: 2 });
  const activity = () => desk.provider.activity(issued.subject, desk.target);
  assert.equal(await activity(), { use: 'over', last: null });
  const before = Date.now() - 1_000;
  const held = await (await readLoginOf(issued)).hold('select 1');
  assert.equal(await activity(), { use: 'now' });
  await held.close();
  const over = await activity();
  assert.ok(over.use === 'over' && over.last !== null && over.last > before, JSON.stringify(over));
  await end(issued);
});

badDays('outlives the end of Brevet’s own token, and is ended after it', async () => {
  const issued = await desk.issue();
  await endSessionsOfBrevet();
  assert.ok(await readLogin(issued.minted.credential), 'an orphan');
  assert.is(await seen(issued), 'present');
  await endSessionsOfBrevet();
  await end(issued);
  await endSessionsOfBrevet();
  assert.is(await seen(issued), 'gone');
  const next = await desk.issue();
  await end(next);
});

/** Every token that has Brevet's own policy, children for mints too. */
async function endSessionsOfBrevet(): Promise<void> {
  const { data } = await desk.vault.must('GET', 'auth/token/accessors?list=1');
  const accessors = data?.['keys'] as readonly string[];
  for (const accessor of accessors) {
    const found = await desk.vault.call('POST', 'auth/token/lookup-accessor', { accessor });
    const policies = (found.body.data?.['policies'] ?? []) as readonly string[];
    if (policies.includes('brevet-acme')) await desk.vault.must('POST', 'auth/token/revoke-accessor', { accessor });
  }
}

badDays('waits for a sealed Vault, and says neither dead nor alive', async () => {
  const issued = await desk.issue();
  await desk.vault.seal();
  const order = orderFor(desk.provider, desk.target, termsOf(READS_LOGIN));
  await unavailable(() => desk.provider.mint(order, desk.target), 'mint');
  await unavailable(() => end(issued), 'revoke');
  await unavailable(() => desk.provider.fence(issued.subject, desk.target), 'fence');
  assert.equal(await look(issued), { seen: 'unseen', why: 'Vault is sealed', forGood: false });
  await desk.vault.unseal();
  await end(issued);
  assert.is(await seen(issued), 'gone');
});

badDays('takes a right that is lacking for no death', async () => {
  const issued = await desk.issue();
  const guide = (await guidePolicies()).get('brevet-acme') ?? '';
  for (const lookup of ['sys/leases/lookup/auth', 'auth/token/lookup-accessor', 'sys/leases/lookup/database']) {
    const policy = guide.replaceAll(`path "${lookup}`, 'path "x');
    await desk.vault.must('PUT', 'sys/policies/acl/brevet-acme', { policy });
    const sighting = await look(issued);
    assert.is(sighting.seen, 'unseen', lookup);
    assert.is(sighting.seen === 'unseen' && sighting.forGood, false, lookup);
  }
  await desk.vault.must('PUT', 'sys/policies/acl/brevet-acme', { policy: guide });
  await end(issued);
  assert.is(await seen(issued), 'gone');
});

badDays('gives no policy that Vault’s administrator did not name for Brevet', async () => {
  for (const policies of [['brevet-acme'], ['reporting', 'brevet-acme']]) {
    const order = orderFor(desk.provider, desk.target, termsOf({ ...READS_LOGIN, policies }));
    await unavailable(() => desk.provider.mint(order, desk.target), policies.join());
    await desk.provider.fence(subjectOf(order), desk.target);
    assert.is((await desk.provider.look(subjectOf(order), desk.target)).seen, 'gone');
    await desk.provider.unfence(subjectOf(order), desk.target);
  }
});

badDays('says neither while one of the database’s nodes is away', async () => {
  const issued = await desk.issue();
  await end(issued);
  const [at] = desk.config.looks_into;
  const nodes = [...at.nodes, { host: '127.0.0.1', port: 1, standby: true }];
  const target = desk.targetOf({ looks_into: [{ ...at, nodes }] });
  const version = { ...target.version, version: 2 };
  const sighting = await desk.provider.look(issued.subject, { ...target, version });
  assert.is(sighting.seen, 'unseen');
  assert.is(sighting.seen === 'unseen' && sighting.forGood, false);
});

for (const skew of [-60_000, 60_000]) {
  badDays(`works with a clock ${skew / 1000} s from Vault’s, and refuses what is late on its own`, async () => {
    const skewed = () => instant(Date.now() + skew);
    const provider = desk.another({ clock: skewed });
    const terms = termsOf(READS_LOGIN);
    const made = orderFor(provider, desk.target, terms);
    const order = {
      ...made,
      issuedAt: skewed(),
      expiresAt: after(skewed(), seconds(120)),
      deadline: after(skewed(), seconds(10)),
    };
    const minted = await provider.mint(order, desk.target);
    const subject = subjectOf(order, { reference: minted.reference });
    assert.ok(await readLogin(minted.credential));
    const accessor = minted.reference?.['accessor'];
    const { data } = await desk.vault.must('POST', 'auth/token/lookup-accessor', { accessor });
    assert.ok(Number(data?.['ttl']) <= 120 && Number(data?.['ttl']) > 110, 'lives as long as it was to');
    await provider.revoke(subject, desk.target);
    assert.is((await provider.look(subject, desk.target)).seen, 'gone');
    const late = { ...orderFor(provider, desk.target, terms), deadline: after(skewed(), seconds(-1)) };
    await unavailable(() => provider.mint(late, desk.target), 'late');
  });
}

badDays('lists what is this target’s alone', async () => {
  const issued = await desk.issue();
  await desk.vault.must('POST', 'auth/token/roles/brevet-other_01m8de50jb2zx85sv60jpadkhv', { orphan: true });
  await desk.vault.must('POST', 'auth/token/create/brevet-other_01m8de50jb2zx85sv60jpadkhv', {
    policies: ['psa-key'],
    ttl: '60s',
  });
  await desk.vault.must('POST', 'auth/token/create', { policies: ['psa-key'], ttl: '60s' });
  assert.equal(await desk.provider.list(desk.target), [issued.subject.mark]);
  await end(issued);
  assert.equal(await desk.provider.list(desk.target), []);
});

badDays('ends the token also while the database is away, and the rest when it is back', async () => {
  const issued = await desk.issue(READS_LOGIN, { uses: 3 });
  await readLoginOf(issued);
  await desk.database.stop();
  await unavailable(() => end(issued), 'the login cannot be dropped');
  assert.is(await seen(issued), 'present', 'its lease is still there');
  assert.is(await readLogin(issued.minted.credential), null, 'the token is not');
  await desk.database.start();
  await end(issued);
  assert.is(await seen(issued), 'gone');
});

badDays('says for good what it cannot see, where a node that follows is not named', async () => {
  const standby = await startStandby(desk.database);
  try {
    const issued = await desk.issue();
    await end(issued);
    const [at] = desk.config.looks_into;
    assert.equal(await look(issued), {
      seen: 'unseen',
      why: 'database/tickets: 1 of the nodes that follow are not named',
      forGood: true,
    });
    const nodes = [...at.nodes, { host: '127.0.0.1', port: standby.port, standby: true }];
    const named = desk.targetOf({ looks_into: [{ ...at, nodes }] });
    const target = { ...named, version: { ...named.version, version: 3 } };
    const order = orderFor(desk.provider, target, termsOf(READS_LOGIN));
    const minted = await desk.provider.mint(order, target);
    const subject = subjectOf(order, { reference: minted.reference });
    const read = await readLogin(minted.credential);
    assert.ok(read);
    await standby.caughtUp();
    const held = await login({ ...desk, database: { ...desk.database, port: standby.port } }, read).hold('select 1');
    assert.is(await held.answers(), true);
    await desk.provider.revoke(subject, target);
    await standby.caughtUp();
    assert.is((await desk.provider.look(subject, target)).seen, 'gone');
    assert.is(await held.answers(), false, 'also what was open at the standby');
  } finally {
    await standby.remove();
  }
});

badDays('signs in with a JWT too', async () => {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  await desk.vault.must('POST', 'sys/auth/jwt', { type: 'jwt' });
  await desk.vault.must('POST', 'auth/jwt/config', {
    jwt_validation_pubkeys: [await exportSPKI(publicKey)],
    jwt_supported_algs: ['ES256'],
  });
  await desk.vault.must('POST', 'auth/jwt/role/brevet', {
    role_type: 'jwt',
    user_claim: 'sub',
    bound_audiences: ['vault'],
    token_policies: 'brevet-acme',
    token_no_default_policy: true,
    token_ttl: '1h',
  });
  const jwt = await new SignJWT({ sub: 'brevet', aud: 'vault' })
    .setProtectedHeader({ alg: 'ES256' })
    .setIssuedAt()
    .setExpirationTime('10m')
    .sign(privateKey);
  const { passwords } = JSON.parse(desk.secret.reveal()) as { passwords: object };
  const secret = new Secret(JSON.stringify({ sign_in: jwt, passwords }));
  const target = openTargetOf(
    desk.provider,
    { ...desk.config, auth: { method: 'jwt', role: 'brevet' } },
    { secret, version: 4 },
  );
  assert.equal(await desk.provider.check(target), []);
  const order = orderFor(desk.provider, target, termsOf(READS_LOGIN));
  const minted = await desk.provider.mint(order, target);
  const subject = subjectOf(order, { reference: minted.reference });
  // Who signs in with a JWT is an entity of Vault's; what it makes is none.
  assert.ok(await readLogin(minted.credential));
  await desk.provider.revoke(subject, target);
  assert.is((await desk.provider.look(subject, target)).seen, 'gone');
});

badDays('keeps every secret out of its errors', async () => {
  const secret = new Secret('{"sign_in": "a-wrong-secret-id", "passwords": {"database/tickets": "a-wrong-password"}}');
  const target = { ...desk.target, version: { ...desk.target.version, version: 9 }, secret };
  const order = orderFor(desk.provider, desk.target, termsOf(READS_LOGIN));
  const fault = await desk.provider.mint(order, target).catch((caught: unknown) => caught);
  assert.instance(fault, ProviderUnavailable);
  assert.not(/a-wrong/.test(`${(fault as Error).message}${(fault as Error).stack ?? ''}${JSON.stringify(fault)}`));
});

hostile.run();
badDays.run();
