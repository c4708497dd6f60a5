/** Structured logs on Workers: the platform keeps what is written to the console, and indexes lines of JSON. */
import type { Log } from '../core/log.ts';

type Facts = Readonly<Record<string, unknown>>;

export const log: Log = {
  info: (event, facts) => console.log(line('info', event, facts)),
  warn: (event, facts) => console.warn(line('warn', event, facts)),
  error: (event, facts) => console.error(line('error', event, facts)),
};

const line = (level: string, event: string, facts: Facts = {}): string => JSON.stringify({ level, event, ...facts });
