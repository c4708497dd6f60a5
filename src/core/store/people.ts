/** What is read of people who come by the console, and of what they hold. */
import type { ConsoleSession } from '../console.ts';
import type { PersonName, RoleName, TenantName } from '../ids.ts';
import type { Marks, MarksQuery } from '../live.ts';
import type { RoleFunction } from '../registers.ts';
import type { Instant } from '../time.ts';

export interface PeopleReads {
  /** One that is not over. Who it leads to is to be looked up. */
  consoleSession(id: string): Promise<ConsoleSession | null>;
  /** Those of a person that are not over, the newest first. */
  consoleSessionsOf(person: PersonName): Promise<readonly ConsoleSession[]>;
  /** That a session was used: bookkeeping, by which it does not end for idleness before. */
  usedConsole(id: string, idleUntil: Instant): Promise<void>;
  /** Where things stand that open pages show. Whoever asks has looked whether they may be shown. */
  marks(query: MarksQuery): Promise<Marks>;
  /** What a person holds now, over all tenants and at the deployment (`null`). */
  functionsOf(
    person: PersonName,
  ): Promise<readonly { readonly tenant: TenantName | null; readonly held: RoleFunction }[]>;
  /** The tenants at which a person holds oversight now; by another role than these, where some are named. */
  overseenBy(person: PersonName, except?: ReadonlySet<RoleName>): Promise<readonly TenantName[]>;
}
