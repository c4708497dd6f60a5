/** Which of Brevet's tokens a Vault holds, by the leases under the paths that they were made at. Fences have none. */
import type { Mark } from '../../core/lease.ts';
import { databaseMountsOf } from './config.ts';
import { markIn } from './names.ts';
import type { Site } from './site.ts';

export async function listMarks(site: Site): Promise<readonly Mark[]> {
  const { prefix } = site.config;
  const tokens = await site.session.ask((as) => site.vault.list(as, 'sys/leases/lookup/auth/token/create/'));
  // A login whose token is gone is a credential too.
  const logins = await Promise.all(
    databaseMountsOf(site.config).map((mount) =>
      site.session.ask((as) => site.vault.list(as, `sys/leases/lookup/${mount}/creds/`)),
    ),
  );
  const names = [
    ...tokens.map((key) => key.replace(/\/$/, '')),
    // Their last part is the chance in the name of a lease's own role.
    ...logins.flat().map((key) => key.replace(/_[0-9a-z]+\/?$/, '')),
  ];
  const marks = names.map((name) => markIn(prefix, name)).filter((mark) => mark !== null);
  return [...new Set(marks)];
}
