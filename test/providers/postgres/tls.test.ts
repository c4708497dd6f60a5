/** A target over TLS, with a certificate of the client's own authority: used where it is right, refused where not. */
import { chown, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ProviderUnavailable } from '../../../src/core/provider.ts';
import { milliseconds } from '../../../src/core/time.ts';
import { postgresProvider } from '../../../src/providers/postgres/provider.ts';
import { certificateAuthority } from '../../support/certificate.ts';
import type { Certificate } from '../../support/certificate.ts';
import { withAdmin } from '../../support/postgres.ts';
import {
  ADMIN,
  clientDatabase,
  GROUP,
  openTargetOf,
  orderFor,
  processClock,
  random,
  subjectOf,
  termsOf,
} from '../../support/target.ts';
import type { ClientDatabase } from '../../support/target.ts';

const authority = certificateAuthority('The client’s own authority');
const stranger = certificateAuthority('Somebody else');
let database: ClientDatabase;

const tls = suite('a Postgres target over TLS');

tls.before(async () => {
  database = await clientDatabase();
});
tls.after(() => database.remove());

/** New sessions get it at once: Postgres reads its certificate anew when it is told to. */
async function present({ certificate, key }: Certificate): Promise<void> {
  const { uid, gid } = await stat(database.cluster);
  const files = { 'server.crt': certificate, 'server.key': key };
  for (const [name, text] of Object.entries(files)) {
    const path = join(database.cluster, name);
    await writeFile(path, text, { mode: 0o600 });
    await chown(path, uid, gid);
  }
  await withAdmin(database.admin, async (sql) => {
    await sql`alter system set ssl = on`;
    await sql`select pg_reload_conf()`;
  });
}

/** Whether each session of the admin login is encrypted, as the server sees it. */
const encrypted = (): Promise<readonly boolean[]> =>
  withAdmin(database.superuser, async (sql) => {
    const rows = await sql<{ ssl: boolean }[]>`
      select ssl from pg_stat_ssl join pg_stat_activity using (pid) where usename = ${ADMIN}`;
    return rows.map(({ ssl }) => ssl);
  });

/** The whole life of a login there, or what stops it. */
async function life(ca: string): Promise<unknown> {
  const provider = postgresProvider({ random, clock: processClock, patience: milliseconds(2_000) });
  try {
    const config = { ...database.config, tls: 'verify', ca };
    const target = openTargetOf(provider, config, { secret: database.secret });
    const order = orderFor(provider, target, termsOf({ group: GROUP }));
    const { reference } = await provider.mint(order, target);
    const subject = subjectOf(order, { reference });
    assert.ok((await encrypted()).length > 0 && (await encrypted()).every(Boolean), 'every session is encrypted');
    await provider.revoke(subject, target);
    return (await provider.look(subject, target)).seen;
  } catch (fault) {
    return fault;
  } finally {
    await provider.close();
  }
}

tls('mints, ends and looks over it, with the authority that the target names', async () => {
  await present(authority.issue('127.0.0.1'));
  assert.is(await life(authority.certificate), 'gone');
});

const WRONG: readonly (readonly [what: string, certificate: Certificate])[] = [
  ['of another authority', stranger.issue('127.0.0.1')],
  ['for another address', authority.issue('127.0.0.2')],
];
for (const [what, certificate] of WRONG) {
  tls(`gives nothing to a server with a certificate ${what}`, async () => {
    await present(certificate);
    assert.instance(await life(authority.certificate), ProviderUnavailable);
    assert.equal(await encrypted(), []);
  });
}

tls('gives nothing to a server that would speak in the clear', async () => {
  await withAdmin(database.admin, async (sql) => {
    await sql`alter system set ssl = off`;
    await sql`select pg_reload_conf()`;
  });
  assert.instance(await life(authority.certificate), ProviderUnavailable);
  assert.equal(await encrypted(), []);
});

tls.run();
