/** What clients hold of Brevet's credentials, as their own administrators see it, past Brevet. */
import type { AwsWorld } from './aws/world.ts';
import type { ClientVault } from './client-vault.ts';
import { withAdmin } from './postgres.ts';
import type { ClientDatabase } from './target.ts';

export interface Holdings {
  /** Marks of all that may live there. */
  held(): Promise<readonly string[]>;
  /** Whether what bears this mark can still be used. */
  lives(mark: string): Promise<boolean>;
}

/** Logins, and sessions of those that can log in no more. */
export const databaseHoldings = ({ superuser }: Pick<ClientDatabase, 'superuser'>): Holdings => ({
  async held() {
    const rows = await withAdmin(
      superuser,
      (sql) => sql<{ mark: string }[]>`
        select rolname as mark from pg_roles r where rolname ~ '^brevet_[0-9a-z]{26}$'
          and (rolcanlogin or exists (select from pg_stat_activity where usesysid = r.oid))`,
    );
    return rows.map(({ mark }) => mark);
  },
  lives: async () => true,
});

/** Tokens, what was read with them, and the logins that this was, with their sessions. */
export const vaultHoldings = ({ vault, database, config }: ClientVault): Holdings => {
  const name = new RegExp(`^${config.prefix}_(?<ulid>[0-9a-z]{26})`);
  const leasesUnder = async (path: string): Promise<readonly string[]> => {
    const { body } = await vault.call('GET', `sys/leases/lookup/${path}/?list=1`);
    return ((body.data?.['keys'] ?? []) as readonly string[]).flatMap((key) => {
      const ulid = name.exec(key)?.groups?.['ulid'];
      return ulid === undefined ? [] : [`brevet_${ulid}`];
    });
  };
  const logins = () =>
    withAdmin(
      database.superuser,
      (sql) => sql<{ mark: string }[]>`
        select shobj_description(oid, 'pg_authid') as mark from pg_roles
        where shobj_description(oid, 'pg_authid') ~ '^brevet_[0-9a-z]{26}$' and rolname !~ '^brevet_'`,
    );
  return {
    async held() {
      const [tokens, reads, roles] = await Promise.all([
        leasesUnder('auth/token/create'),
        leasesUnder('database/creds'),
        logins(),
      ]);
      return [...new Set([...tokens, ...reads, ...roles.map(({ mark }) => mark)])];
    },
    lives: async () => true,
  };
};

/** Sessions, each tried with what it is for: one that was refused once is, since a denial outlives it. */
export const awsHoldings = (world: AwsWorld): Holdings => {
  const refused = new Set<string>();
  const sessions = () => world.front.sessions().filter(({ accessKeyId }) => !refused.has(accessKeyId));
  return {
    held: async () => sessions().flatMap(({ sourceIdentity }) => sourceIdentity ?? []),
    async lives(mark) {
      const tried = await Promise.all(
        sessions()
          .filter(({ sourceIdentity }) => sourceIdentity === mark)
          .map(async ({ accessKeyId, secretAccessKey, sessionToken = '' }) => {
            const keys = {
              access_key_id: accessKeyId,
              secret_access_key: secretAccessKey,
              session_token: sessionToken,
            };
            const reads = await world.reads(keys, 'acme-1');
            if (!reads) refused.add(accessKeyId);
            return reads;
          }),
      );
      return tried.includes(true);
    },
  };
};
