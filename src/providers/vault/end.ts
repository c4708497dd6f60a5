/**
 * Ends a token and all that was read with it: the sessions of its logins, then the logins, then the token; and once more,
 * since its holder may have read another meanwhile. What cannot be ended now keeps nothing else alive.
 */
import type { Mark } from '../../core/lease.ts';
import type { Subject } from '../../core/provider.ts';
import { databaseMountsOf, lookedInto } from './config.ts';
import type { Database } from './database.ts';
import { holderOf, removeTokenRole } from './fence.ts';
import { isOwnRole, nameOf } from './names.ts';
import type { Site } from './site.ts';
import { databaseReadsOf, referenceOf, tokenOf } from './specification.ts';
import type { OwnRole } from './specification.ts';

export async function endToken(site: Site, subject: Subject): Promise<void> {
  const { mark } = subject;
  const roles = await ownRolesOf(site, subject);
  const databases = databasesOf(site, subject);
  const endSessions = () => all(databases.map((database) => database.endSessions(mark)));
  const ended = [
    // The roles are known by their comments, which go with them.
    await settled(endSessions),
    await settled(() => endLogins(site, roles)),
    await settled(() => endTokens(site, subject)),
    // What was read up to now has a lease; the token reads nothing more.
    await settled(() => endLogins(site, roles)),
    await settled(endSessions),
  ];
  const fault = ended.slice(SURPASSED).find((one) => one !== null);
  if (fault !== undefined) throw fault;
  await removeRoles(site, roles, subject);
}

/** The first two steps are done again after the token’s end: then they count. */
const SURPASSED = 2;

async function settled(step: () => Promise<void>): Promise<Error | null> {
  try {
    await step();
    return null;
  } catch (fault) {
    return fault instanceof Error ? fault : new Error('a step of a token’s end failed');
  }
}

async function all(steps: readonly Promise<void>[]): Promise<void> {
  const outcomes = await Promise.allSettled(steps);
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

/** Synchronously: Vault answers when the statements that end the logins have run. */
async function endLogins(site: Site, roles: readonly OwnRole[]): Promise<void> {
  const revoke = (path: string) => site.session.ask((token) => site.vault.write(token, path, { sync: true }));
  await all(
    roles.map(async ({ mount, name }) => {
      await revoke(`sys/leases/revoke-prefix/${mount}/creds/${name}`);
    }),
  );
}

/** By its accessor, and by the path that a token has whose accessor nobody wrote down. */
async function endTokens(site: Site, { mark, reference }: Subject): Promise<void> {
  const accessor = referenceOf(reference)?.accessor;
  await site.session.ask(async (token) => {
    if (accessor !== undefined) await site.vault.write(token, 'auth/token/revoke-accessor', { accessor });
    await site.vault.write(token, `sys/leases/revoke-prefix/${tokensOf(site, mark)}`, { sync: true });
  });
}

/** Where the leases of the tokens lie that were made through a lease's token role. */
export const tokensOf = (site: Site, mark: Mark): string => `auth/token/create/${nameOf(site.config.prefix, mark)}`;

async function removeRoles(
  site: Site,
  roles: readonly OwnRole[],
  { mark, reference, specification }: Subject,
): Promise<void> {
  await Promise.all(
    roles.map(({ mount, name }) => site.session.ask((token) => site.vault.remove(token, `${mount}/roles/${name}`))),
  );
  // One whose mint may still be under way is the fence's to replace.
  if (reference !== null) await removeTokenRole(site, mark);
  else if (specification === null && (await holderOf(site, mark)) === 'role') await removeTokenRole(site, mark);
}

/** As written down, or else as the engines list them. */
export async function ownRolesOf(site: Site, { mark, reference, specification }: Subject): Promise<readonly OwnRole[]> {
  const known = referenceOf(reference)?.own_roles;
  if (known !== undefined) return known;
  // Of one that no lease knows, all that this target reads logins at.
  const mounts =
    specification === null
      ? databaseMountsOf(site.config)
      : [...new Set(databaseReadsOf(tokenOf(specification)).map(({ mount }) => mount))];
  const found = await Promise.all(mounts.map((mount) => rolesAt(site, mark, mount)));
  return found.flat();
}

/** A role that was removed may have left leases. */
async function rolesAt(site: Site, mark: Mark, mount: string): Promise<readonly OwnRole[]> {
  const [roles, leases] = await site.session.ask((token) =>
    Promise.all([
      site.vault.list(token, `${mount}/roles`),
      site.vault.list(token, `sys/leases/lookup/${mount}/creds/`),
    ]),
  );
  const names = new Set([...roles, ...leases.map((key) => key.replace(/\/$/, ''))]);
  return [...names].filter((name) => isOwnRole(site.config.prefix, mark, name)).map((name) => ({ mount, name }));
}

/** Where its logins are made, as far as Brevet may look there. */
export function databasesOf(site: Site, { specification }: Subject): readonly Database[] {
  if (specification === null) return site.databases;
  const at = databaseReadsOf(tokenOf(specification)).map((read) => lookedInto(site.config, read));
  return site.databases.filter((database) => at.includes(database.at));
}
