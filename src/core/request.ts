/**
 * An agent's ask, parsed: one task at one client.
 */
import type { Json, JsonObject } from './canonical.ts';
import type { OrderId, PersonName, RoleName, TargetName, TaskName } from './ids.ts';
import type { DataClass, LegalBasis } from './registers.ts';
import type { Urgency } from './route.ts';
import type { Seconds } from './time.ts';

/** What the agent says of its circumstances: bounded, hashed with the request, and able only to raise or forbid. */
export interface Circumstances {
  readonly trigger?: { readonly kind: string; readonly reference: string };
  readonly dataConsidered?: readonly string[];
  readonly dataClasses?: readonly DataClass[];
  readonly purpose?: string;
  readonly legalBasis?: LegalBasis;
  readonly environment?: string;
  /** 0 to 1, the agent's own. */
  readonly confidence?: number;
  readonly model?: string;
  readonly modelVersion?: string;
  readonly evidence?: readonly Json[];
  readonly rollback?: string;
  readonly change?: string;
  readonly plan?: string;
  /** Absent: routine. It shortens what people are given to answer, and nothing else. */
  readonly urgency?: Urgency;
}

export interface AccessRequest {
  readonly task: TaskName;
  /** `{target}` or `{target}/{rest}`, as asked. */
  readonly resource: string;
  readonly target: TargetName;
  /** What follows the target; empty where nothing does. */
  readonly rest: string;
  readonly parameters: JsonObject;
  readonly reason: string;
  readonly role: RoleName | null;
  /** The reversal that oversight has ordered, which this is. */
  readonly order: OrderId | null;
  /** Who set the agent to work on this, where a person did: they answer nothing of it, and oversee nothing of it. */
  readonly launchedBy: PersonName | null;
  readonly ttl: Seconds | null;
  readonly uses: number | null;
  readonly circumstances: Circumstances;
  /** SHA-256 over the canonical request as it came, in hex. */
  readonly hash: string;
}

/** Of one that was recorded: an order that it names was held against it before that. */
export const isOrdered = ({ order }: AccessRequest): boolean => order !== null;
