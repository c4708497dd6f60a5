/** What an agent does with a Vault token: reads a login by Vault's API, and uses it. */
import postgres from 'postgres';
import type { Minted } from '../../../src/core/provider.ts';
import { Secret } from '../../../src/core/secret.ts';
import type { ClientVault } from '../../support/client-vault.ts';
import { DATABASE } from '../../support/target.ts';

/** A task class's part for the provider: reads a login of the client's database. */
export const READS_LOGIN = { policies: ['reporting'], reads: [{ engine: 'database', role: 'reporting' }] };
/** One that reads a value, whose death nobody can prove. */
export const READS_VALUE = { policies: ['psa-key'], reads: [{ engine: 'kv', path: 'secret/data/psa' }] };

export interface Login {
  readonly username: string;
  readonly password: string;
}

/** A read with the credential's token, as curl would do it. */
export async function readWith(credential: Minted['credential'], path: string): Promise<Response> {
  const { token, address } = credential;
  if (!(token instanceof Secret) || typeof address !== 'string') throw new Error('no credential of Vault');
  return fetch(`${address}/v1/${path}`, { headers: { 'X-Vault-Token': token.reveal() } });
}

export const pathsOf = (credential: Minted['credential']): readonly string[] =>
  credential['reads'] as readonly string[];

/** `null`: refused. */
export async function readLogin(credential: Minted['credential']): Promise<Login | null> {
  const answer = await readWith(credential, pathsOf(credential)[0] ?? '');
  return answer.ok ? ((await answer.json()) as { data: Login }).data : null;
}

/** No such login or another password, may not sign in, may not do that, and ended while at it. */
const REFUSED: readonly string[] = ['28P01', '28000', '42501', '57P01'];

export function login({ database }: ClientVault, { username, password }: Login) {
  const open = (): postgres.Sql =>
    postgres({
      host: database.host,
      port: database.port,
      database: DATABASE,
      user: username,
      password,
      max: 1,
      backoff: () => 0,
      onnotice: () => {},
    });
  const answers = (sql: postgres.Sql, statement: string): Promise<boolean> =>
    sql.unsafe(statement).then(
      () => true,
      () => false,
    );
  return {
    /** `false` where the server refuses it. @throws where it was not even asked, or says something else. */
    async works(statement: string): Promise<boolean> {
      const sql = open();
      try {
        await sql.unsafe(statement);
        return true;
      } catch (fault) {
        if (fault instanceof postgres.PostgresError && REFUSED.includes(fault.code)) return false;
        throw fault;
      } finally {
        await sql.end({ timeout: 0 });
      }
    },
    /** Begins a session that stays open. */
    async hold(statement: string): Promise<{ answers(): Promise<boolean>; close(): Promise<void> }> {
      const sql = open();
      await answers(sql, statement);
      return {
        answers: async () => {
          const answered = await answers(sql, statement);
          if (!answered) await sql.end({ timeout: 0 });
          return answered;
        },
        close: () => sql.end(),
      };
    },
  };
}
