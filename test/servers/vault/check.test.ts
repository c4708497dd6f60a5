/** What is wrong with a Vault target is told before first use, all of it; and the guide's policy leaves nothing wrong. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { instant } from '../../../src/core/time.ts';
import { Secret } from '../../../src/core/secret.ts';
import { guidePolicies } from '../../support/client-vault.ts';
import { withAdmin } from '../../support/postgres.ts';
import { openTargetOf } from '../../support/target.ts';
import { openDesk } from './desk.ts';
import type { Desk } from './desk.ts';

let desk: Desk;
let guide: string;

const checks = suite('the check of a Vault target');

checks.before(async () => {
  desk = await openDesk();
  guide = (await guidePolicies()).get('brevet-acme') ?? '';
});
checks.after(() => desk.close());

const tell = (findings: readonly { readonly level: string; readonly what: string }[]) =>
  findings.map(({ level, what }) => `${level}: ${what}`);

const findings = async (change: object = {}, by = desk.provider) => tell(await by.check(desk.targetOf(change)));

checks('finds nothing where the guide was followed', async () => assert.equal(await findings(), []));

/** What the guide says that is taken away, and what is found then. */
for (const [what, from, to] of [
  ['refuse: Brevet lacks delete on auth/token/roles/', '"create", "read", "delete"]', '"create", "read"]'],
  ['refuse: Brevet may change token roles', '"create", "read", "delete"]', '"create", "read", "update", "delete"]'],
  ['refuse: Brevet lacks update on auth/token/revoke-accessor', 'path "auth/token/revoke-accessor"', 'path "x"'],
  ['refuse: Brevet lacks update on auth/token/create', 'path "auth/token/create" {', 'path "x" {'],
  ['refuse: Vault answered 403 to a write of auth/token/create', '["20s"]', '["10s"]'],
  [
    'refuse: Brevet lacks list, sudo on sys/leases/lookup/auth/token/create/',
    'path "sys/leases/lookup/auth/token/create/" {',
    'path "x" {',
  ],
  [
    'refuse: Brevet lacks sudo on sys/leases/revoke-prefix/database/creds/',
    'path "sys/leases/revoke-prefix/database/creds/brevet-acme_*" {\n  capabilities = ["update", "sudo"]',
    'path "sys/leases/revoke-prefix/database/creds/brevet-acme_*" {\n  capabilities = ["update"]',
  ],
  ['refuse: Vault answered 403 to a read of database/roles/reporting', 'path "database/roles/reporting"', 'path "x"'],
  ['warn: Brevet may write token roles of other names', 'auth/token/roles/brevet-acme_*', 'auth/token/roles/*'],
] as const) {
  checks(`finds, of Brevet’s policy, ${what}`, async () => {
    assert.ok(guide.includes(from), 'the guide says it');
    await desk.vault.must('PUT', 'sys/policies/acl/brevet-acme', { policy: guide.replaceAll(from, to) });
    try {
      assert.ok(
        (await findings()).some((found) => found.startsWith(what)),
        (await findings()).join('\n'),
      );
    } finally {
      await desk.vault.must('PUT', 'sys/policies/acl/brevet-acme', { policy: guide });
    }
  });
}

checks('finds a connection that does not admit the roles of leases', async () => {
  await desk.vault.must('POST', 'database/config/tickets', { allowed_roles: 'reporting' });
  assert.equal(await findings(), ['refuse: the connection database/tickets does not admit the roles of leases']);
  await desk.vault.must('POST', 'database/config/tickets', { allowed_roles: 'reporting,brevet-acme_*' });
});

for (const [what, wrong, right] of [
  ['cannot end sessions', 'REVOKE pg_signal_backend FROM brevet_look', 'GRANT pg_signal_backend TO brevet_look'],
  ['cannot read when', 'REVOKE pg_read_all_stats FROM brevet_look', 'GRANT pg_read_all_stats TO brevet_look'],
  ['is a superuser', 'ALTER ROLE brevet_look SUPERUSER', 'ALTER ROLE brevet_look NOSUPERUSER'],
] as const) {
  checks(`finds that the login that looks ${what}`, async () => {
    await withAdmin(desk.database.superuser, (sql) => sql.unsafe(wrong));
    const found = await findings();
    await withAdmin(desk.database.superuser, (sql) => sql.unsafe(right));
    assert.is(found.length, 1, found.join('\n'));
    assert.ok(found[0]?.startsWith(`refuse: brevet_look ${what}`), found.join('\n'));
  });
}

checks('finds another cluster, another database, and a role of another connection', async () => {
  const [at] = desk.config.looks_into;
  const other = '00000000-0000-0000-0000-000000000000';
  assert.equal(await findings({ cluster_id: other }), ['refuse: another cluster answers']);
  const strange = await findings({ looks_into: [{ ...at, system_identifier: '1' }] });
  assert.ok(strange[0]?.includes(`is the server ${at.system_identifier}, not 1`), strange.join('\n'));
  const elsewhere = await findings({ looks_into: [{ ...at, roles: ['reporting', 'nothing'] }] });
  assert.equal(elsewhere, ['refuse: Vault answered 403 to a read of database/roles/nothing']);
});

checks('finds a clock that is more than a minute off', async () => {
  const late = desk.another({ clock: () => instant(Date.now() - 120_000) });
  assert.equal(await findings({}, late), ['warn: Vault’s clock is more than a minute off']);
});

checks('finds a sealed Vault', async () => {
  await desk.vault.seal();
  assert.equal(await findings(), ['refuse: Vault is sealed']);
  await desk.vault.unseal();
  assert.equal(await findings(), []);
});

for (const [what, secret, found] of [
  ['no secret', null, 'refuse: the target has no secret to sign in with'],
  ['a wrong one', new Secret('no such secret id'), 'refuse: Vault answered 400 to a write of auth/approle/login'],
  ['one of another form', new Secret('{"secret_id": "x"}'), 'refuse: the target’s secret is no object'],
] as const) {
  checks(`finds ${what}, and does not tell it`, async () => {
    const target = openTargetOf(desk.provider, desk.config, { secret });
    const told = tell(await desk.provider.check(target));
    assert.is(told.length, 1);
    assert.ok(told[0]?.startsWith(found), told.join('\n'));
    if (secret !== null) assert.not(told.join('\n').includes(secret.reveal()));
  });
}

checks.run();
