/** Structured logs: a line of JSON for each event. */
import type { Log } from '../core/log.ts';

export function lineLog(write: (line: string) => void, clock: () => number = Date.now): Log {
  const at =
    (level: string) =>
    (event: string, facts: Readonly<Record<string, unknown>> = {}): void =>
      write(JSON.stringify({ at: new Date(clock()).toISOString(), level, event, ...facts }, readable));
  return { info: at('info'), warn: at('warn'), error: at('error') };
}

/** An error has no members of its own that JSON shows; its stack says where. */
function readable(_name: string, value: unknown): unknown {
  if (value instanceof Error)
    return { name: value.name, message: value.message, stack: value.stack, cause: value.cause };
  return typeof value === 'bigint' ? value.toString() : value;
}
