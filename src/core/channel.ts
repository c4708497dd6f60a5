/**
 * The port through which people are told. Telling never decides.
 */
import type { JsonObject } from './canonical.ts';
import type { TenantName } from './ids.ts';

export interface Notice {
  readonly tenant: TenantName;
  readonly subject: string;
  /** Facts to show: no secret, and no link that decides. */
  readonly facts: JsonObject;
}

export interface Channel {
  readonly name: string;
  /** Resolves once the far side has taken it; rejects otherwise, and is tried again. */
  tell(notice: Notice): Promise<void>;
}
