/** Open pages hear that what they show has changed: one look at the database, now and then, serves all of a process. */
import type { ConsoleSession } from './console.ts';
import type { PersonName, TenantName } from './ids.ts';

/** What a page shows, as far as it can change by itself. */
export interface Shown {
  /** What is asked of this person. */
  readonly asks: PersonName | null;
  /** Whatever is written in the ledgers of these. */
  readonly ledgers: readonly TenantName[];
}

/** Where these stand: a text that is another one once something was added or taken away. */
export interface Marks {
  readonly asks: ReadonlyMap<PersonName, string>;
  readonly ledgers: ReadonlyMap<TenantName, string>;
  /** Those that are not over, of the ones asked for. */
  readonly sessions: ReadonlyMap<string, ConsoleSession>;
}

export interface MarksQuery {
  readonly persons: readonly PersonName[];
  readonly ledgers: readonly TenantName[];
  readonly sessions: readonly string[];
}

/** `beat` says nothing but that the stream is there; `over`, that the session is not; `gone`, that this node is not. */
export type Told = 'changed' | 'beat' | 'over' | 'gone';

export interface Listener {
  readonly session: string;
  readonly shown: Shown;
  /** Where it stood when the page was drawn. */
  readonly mark: string;
  hear(told: Told): void;
}

export interface Live {
  mark(shown: Shown): Promise<string>;
  /** @returns what ends it. */
  listen(listener: Listener): () => void;
  /** Tells every page that it is over here; they come back, to whichever node is there. */
  close(): void;
}
