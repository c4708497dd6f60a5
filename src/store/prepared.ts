/**
 * drizzle's statements, prepared on their connection: sent in one round trip instead of two, and parsed once. They are
 * planned each time as before, for the values that they come with (see `link.ts`).
 */
import type postgres from 'postgres';

/** The server keeps them for as long as the connection lasts; lists of every length would fill its memory. */
const MOST_PREPARED = 200;
/** Seen once, of which most are never seen again. */
const MOST_SEEN = 1_000;

type Unsafe = postgres.Sql['unsafe'];

/** @returns the same client, whose `unsafe` prepares a text that comes for the second time. */
export function preparing(client: postgres.Sql): postgres.Sql {
  const prepared = new Set<string>();
  const seen = new Set<string>();
  const isPrepared = (text: string): boolean => {
    if (prepared.has(text)) return true;
    if (prepared.size === MOST_PREPARED) return false;
    if (seen.delete(text)) {
      prepared.add(text);
      return true;
    }
    if (seen.size === MOST_SEEN) seen.clear();
    seen.add(text);
    return false;
  };
  const unsafe: Unsafe = (text, parameters, options) =>
    client.unsafe(text, parameters, { ...options, prepare: isPrepared(text) });
  return new Proxy(client, {
    get: (of, name) => (name === 'unsafe' ? unsafe : (Reflect.get(of, name) as unknown)),
  });
}
