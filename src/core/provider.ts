/**
 * The port to what mints and kills a kind of credential. Five verbs and a declaration; how a provider batches is its
 * own affair.
 */
import type { Json, JsonObject } from './canonical.ts';
import type { AgentName, LeaseId, RequestId, TaskName, TenantName } from './ids.ts';
import type { Declared, Mark } from './lease.ts';
import type { ProviderKind, TargetVersion } from './registers.ts';
import type { Result } from './result.ts';
import type { Secret } from './secret.ts';
import { TEMPLATES } from './templates.ts';
import type { Instant, Seconds } from './time.ts';

/** What the provider can and cannot do at a target, declared before anything is minted, and shown to approvers. */
export interface Declaration extends Declared {
  /** Which parameters the credential itself enforces; a permit that rests on others is a finding. */
  readonly enforces: readonly string[];
  readonly shortest: Seconds;
  readonly longest: Seconds;
}

/**
 * Which parameters a credential made by this template holds its holder to, whatever the target: what providers declare,
 * and what a bundle is checked against where there is none.
 */
export const enforcedBy = (kind: ProviderKind, template: JsonObject): readonly string[] =>
  TEMPLATES[kind].enforces(template);

/** What a grant says of the credential: all that `specify` may look at, beside the target. */
export interface MintTerms {
  readonly tenant: TenantName;
  readonly agent: AgentName;
  readonly task: TaskName;
  readonly request: RequestId;
  readonly resource: string;
  readonly parameters: JsonObject;
  /** The task class's part for this provider, such as the group role of a login. */
  readonly template: JsonObject;
  readonly ttl: Seconds;
  readonly uses: number;
}

/**
 * Everything that will be sent, with named placeholders (`{mark}`, `{expires_at}`, `{verifier}`) for what is not known
 * yet. An approval binds its digest.
 */
export type MintSpecification = JsonObject & { readonly __specification?: never };

/** A version of a target with its secret opened; only providers hold one. */
export interface OpenTarget {
  readonly version: TargetVersion;
  readonly secret: Secret | null;
}

export interface MintOrder {
  readonly lease: LeaseId;
  readonly mark: Mark;
  readonly specification: MintSpecification;
  readonly issuedAt: Instant;
  readonly expiresAt: Instant;
  /** After this the provider must not let it land. */
  readonly deadline: Instant;
}

export interface Minted {
  readonly reference: JsonObject | null;
  /** Members of the `credential` that the agent gets. A `Secret` is revealed only where the answer is written. */
  readonly credential: Readonly<Record<string, Json | Secret>>;
  /** Only where the provider declares `keepsSecret`. */
  readonly keep: Secret | null;
}

/** Who sets a target up, and where. */
export interface TargetContext {
  readonly tenant: TenantName;
  readonly publicUrl: string;
  /**
   * A name for this tenant that nobody can choose or guess, the same each time: what a cloud calls an external id.
   * 32 hex digits.
   */
  readonly externalId: string;
}

/** A credential as its provider may know it, minted or not. */
export interface Subject {
  readonly lease: LeaseId;
  readonly mark: Mark;
  readonly reference: JsonObject | null;
  readonly secret: Secret | null;
  readonly expiresAt: Instant;
  /** `null`: it bears Brevet's mark, and no lease says what it was made as. */
  readonly specification: MintSpecification | null;
}

/**
 * What a look saw. `gone` is proof; `present` is not dead; `unseen` could not look (another server answers, a node is
 * out of sight): neither alive nor dead may be said.
 */
export type Sighting =
  | { readonly seen: 'gone'; readonly evidence: JsonObject }
  | { readonly seen: 'present'; readonly evidence: JsonObject }
  | { readonly seen: 'unseen'; readonly why: string; readonly forGood: boolean };

/**
 * Whether a credential is in use now; if not, when it was last seen to be, on the target's word: `null` for one that
 * was never used. `unknown` where it cannot be told now: it is then taken for one in use.
 */
export type Activity =
  | { readonly use: 'now' }
  | { readonly use: 'over'; readonly last: Instant | null }
  | { readonly use: 'unknown'; readonly why: string };

export interface Finding {
  readonly level: 'refuse' | 'warn';
  readonly what: string;
  readonly remedy: string;
}

/** The provider did not answer, or answered what stops a mint or a kill for now. Never carries a secret. */
export class ProviderUnavailable extends Error {
  override readonly name = 'ProviderUnavailable';

  /** Whether its server answered, and so is there: this one thing alone did not go. */
  get answered(): boolean {
    return false;
  }
}

/** The provider answered, and this one thing did not go: its target has room for no more, or its holder holds on to it. */
export class ProviderRefused extends ProviderUnavailable {
  override get answered(): boolean {
    return true;
  }
}

/** What was asked for is larger than the provider takes: it has said so and made nothing, and would say so again. */
export class MintTooLarge extends ProviderRefused {}

interface CommonProvider {
  readonly kind: ProviderKind;
  /**
   * Reads a target as an administrator wrote it. Unknown fields are refused.
   * @param config what was written, without the secret.
   */
  parse(config: unknown, context: TargetContext): Result<JsonObject>;
  /** @param template the task class's part for this provider: what it leads to may be harder to end than the rest. */
  declare(target: TargetVersion, template: JsonObject): Declaration;
  /** Pure: the same terms and version give the same specification. */
  specify(terms: MintTerms, target: TargetVersion): Result<MintSpecification>;
  /** What is wrong with a target before first use; empty when nothing is. */
  check(target: OpenTarget): Promise<readonly Finding[]>;
}

/** Mints without leaving the process (a signature), and dies with Brevet's own commit or by expiry. */
export interface LocalProvider extends CommonProvider {
  readonly where: 'local';
  mint(order: MintOrder, target: OpenTarget): Promise<Minted>;
  /** Looks after the commit of the revocation, where the target says how; `null`: the commit itself is the death. */
  look(subject: Subject, target: OpenTarget): Promise<Sighting>;
}

/** Mints at a server that can be late, down or hostile. Throws `ProviderUnavailable` for whatever time may heal. */
export interface RemoteProvider extends CommonProvider {
  readonly where: 'remote';
  mint(order: MintOrder, target: OpenTarget): Promise<Minted>;
  /** Ends it, if it is there; no fault when it is not. */
  revoke(subject: Subject, target: OpenTarget): Promise<void>;
  look(subject: Subject, target: OpenTarget): Promise<Sighting>;
  /** From its return on, a late mint under this mark cannot land; safe to repeat. */
  fence(subject: Subject, target: OpenTarget): Promise<void>;
  /** Takes a fence away that is no longer needed. */
  unfence(subject: Subject, target: OpenTarget): Promise<void>;
  /** The marks of every credential of Brevet's that the target holds. */
  list(target: OpenTarget): Promise<readonly Mark[]>;
  /** Asked only where it declares `seesUse`. */
  activity(subject: Subject, target: OpenTarget): Promise<Activity>;
  /**
   * Ends whatever the target gave before a moment, also what Brevet did not mint; safe to repeat. `null` where it cannot.
   */
  readonly endAll: ((target: OpenTarget, before: Instant) => Promise<void>) | null;
}

export type Provider = LocalProvider | RemoteProvider;

/** Those that this deployment was put together with. */
export type Providers = ReadonlyMap<ProviderKind, Provider>;
