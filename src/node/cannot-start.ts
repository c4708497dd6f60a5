/** Faults of the start that a setting can mend: told with its name, and never with its value where that holds a secret. */
import type { Config } from '../config.ts';
import { codeOf, isPassing } from '../store/database.ts';

/** Brevet cannot start like this; the message says what to do. */
export class CannotStart extends Error {
  override readonly name = 'CannotStart';
}

/** A wrong password or login, and a database that there is not. */
const TURNED_AWAY = /^(?:28...|3D000)$/;

/** What its administrator has left out. */
const UNPROVISIONED: Readonly<Record<string, string>> = {
  '42704': 'lacks roles of Brevet',
  '42501': 'does not let its login make tables: it is not the owner',
};
const PROVISION = 'Have its administrator run what stands in docs/reference.md, "Provisioning an outside Postgres".';

/** @throws {CannotStart} naming the setting, where the configured database is not to be reached or does not let Brevet in. */
export async function reaching<T>(
  setting: 'DATABASE_URL' | 'BREVET_MIGRATE_URL',
  { database }: Pick<Config, 'database'>,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (fault) {
    const code = codeOf(fault) ?? codeOf((fault as { readonly cause?: unknown }).cause) ?? 'no answer in time';
    if (database.kind === 'configured' && setting === 'BREVET_MIGRATE_URL' && Object.hasOwn(UNPROVISIONED, code)) {
      throw new CannotStart(`the database of ${setting} ${UNPROVISIONED[code]} (${code}). ${PROVISION}`, {
        cause: fault,
      });
    }
    if (database.kind === 'embedded' || !(isPassing(fault) || TURNED_AWAY.test(code))) throw fault;
    const what = TURNED_AWAY.test(code) ? 'does not let Brevet in' : 'cannot be reached';
    const remedy = TURNED_AWAY.test(code) ? 'its login, password and database' : 'that it runs, its host and its port';
    throw new CannotStart(`the database of ${setting} ${what} (${code}). Check ${remedy}.`, { cause: fault });
  }
}

const LISTENS: ReadonlySet<unknown> = new Set(['listen', 'bind', 'getaddrinfo']);

/** @throws {CannotStart} naming the setting, where the address cannot be listened on. */
export async function listening<T>({ listen }: Pick<Config, 'listen'>, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (fault) {
    const { code, syscall } = fault as NodeJS.ErrnoException;
    if (!LISTENS.has(syscall)) throw fault;
    const what = code === 'EADDRINUSE' ? 'is in use by another process' : `cannot be listened on (${code})`;
    const remedy = code === 'EADDRINUSE' ? 'Stop it, or set BREVET_LISTEN' : 'Set BREVET_LISTEN';
    throw new CannotStart(`${listen.host}:${listen.port} ${what}. ${remedy} to another host:port.`, { cause: fault });
  }
}

const NO_PLACE: ReadonlySet<string | undefined> = new Set(['ENOTDIR', 'EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EEXIST']);

/** @throws {CannotStart} naming the setting, where the data directory cannot be made or written to. */
export async function keeping<T>({ dataDir }: Pick<Config, 'dataDir'>, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (fault) {
    const { code, syscall } = fault as NodeJS.ErrnoException;
    // What takes no entries at all, such as /proc, answers that there is no such thing.
    if (!NO_PLACE.has(code) && !(code === 'ENOENT' && syscall === 'mkdir')) throw fault;
    const remedy = 'Set BREVET_DATA_DIR to a folder that Brevet may write to.';
    throw new CannotStart(`the data directory ${dataDir} cannot be used (${code}). ${remedy}`, { cause: fault });
  }
}
