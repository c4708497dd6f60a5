/**
 * What the registers say of the client at one moment, for one request: booleans and closed names, so that no clock,
 * id or free text reaches the rules. What a register does not know counts as the strictest.
 */
import type { TargetName, VendorName } from '../core/ids.ts';
import type {
  Agent,
  ContractTerms,
  DataClass,
  Situation,
  SituationKind,
  TargetVersion,
  TenantContext,
  Vendor,
} from '../core/registers.ts';
import type { AccessRequest } from '../core/request.ts';
import { patternAt, plain } from '../core/resource.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { TEMPLATES } from '../core/templates.ts';
import { seconds } from '../core/time.ts';
import type { Instant, Seconds } from '../core/time.ts';
import { edgesAfter, isWithin } from '../core/windows.ts';

export interface Surroundings {
  readonly environment: string;
  /** Behind the target, and behind each recorded part of it that the credential reaches. */
  readonly data: readonly DataClass[];
  readonly changeManaged: boolean;
  /** The request names more than a target. */
  readonly namesRecords: boolean;
  readonly changeStated: boolean;
  /** Purpose and legal basis are a pair of the tenant's list. */
  readonly lawfulBasis: boolean;
  readonly inChangeWindow: boolean;
  readonly incident: boolean;
  readonly frozen: boolean;
  readonly dataSubjectRequest: boolean;
  readonly vendorApproved: boolean;
  readonly vendorExceedsContract: boolean;
  readonly modelAccepted: boolean;
}

export function surroundingsOf(
  snapshot: Snapshot,
  request: AccessRequest,
  target: TargetVersion,
  agent: Pick<Agent, 'vendor' | 'model' | 'modelVersion'>,
  now: Instant,
): Surroundings {
  const { context } = snapshot.tenant;
  const reached = reachedBy(request, target);
  const parts = context.resources.filter(({ resource }) => reaches(reached, resource));
  const vendor = snapshot.deployment.vendors.get(agent.vendor as VendorName);
  const open = (kind: SituationKind): boolean =>
    snapshot.situations.some((one) => one.kind === kind && concerns(one, request) && isWithin([one], now));
  return {
    environment: environmentOf([target.environment, ...parts.map(({ environment }) => environment)], context),
    data: [...target.dataClasses, ...parts.flatMap(({ dataClasses }) => dataClasses)],
    changeManaged: parts.some(({ changeManaged }) => changeManaged),
    namesRecords: request.rest !== '',
    changeStated: request.circumstances.change !== undefined,
    lawfulBasis: isLawful(request, context),
    inChangeWindow: snapshot.windows === null || isWithin(snapshot.windows, now),
    incident: open('incident'),
    frozen: open('freeze'),
    dataSubjectRequest: open('data-subject-request'),
    vendorApproved: context.terms?.vendors.includes(agent.vendor) === true,
    vendorExceedsContract: exceeds(vendor, context),
    modelAccepted: context.terms !== null && isAccepted(agent, context.terms),
  };
}

/** Of a credential that does not say which part it is for, the whole: a request names a table, and the login reads all. */
const reachedBy = ({ resource }: AccessRequest, { name, provider }: TargetVersion): string =>
  TEMPLATES[provider].saysResource ? resource : name;

export const targetOfResource = (resource: string): TargetName => resource.split('/', 1)[0] as TargetName;

/** What the contract accepts; without the whole of its terms, nothing is recorded. */
export const contractOf = ({ autonomy, terms }: TenantContext): TenantContext['autonomy'] =>
  terms === null ? null : autonomy;

const isAccepted = ({ model, modelVersion }: Pick<Agent, 'model' | 'modelVersion'>, { models }: ContractTerms) =>
  models.some((accepted) => accepted.model === model && accepted.version === modelVersion);

/** One without a record may do anything with what it sees. */
function exceeds(vendor: Vendor | undefined, { terms, residency }: TenantContext): boolean {
  if (vendor === undefined) return terms !== null || residency.length > 0;
  return leaves(vendor, residency) || (terms !== null && takesMore(vendor, terms));
}

const leaves = (vendor: Vendor, residency: readonly string[]): boolean =>
  residency.length > 0 &&
  (vendor.residency.length === 0 || vendor.residency.some((region) => !residency.includes(region)));

const takesMore = (vendor: Vendor, terms: ContractTerms): boolean =>
  (vendor.trains && !terms.training) || vendor.retentionDays > terms.retentionDays;

const isLawful = ({ circumstances }: AccessRequest, { legalBases }: TenantContext): boolean =>
  legalBases.some(({ purpose, basis }) => purpose === circumstances.purpose && basis === circumstances.legalBasis);

/** One that is not recorded, and any that differ, count as the highest. */
function environmentOf(all: readonly (string | null)[], { environments }: TenantContext): string {
  const isKnown = (environment: string): boolean =>
    environment !== '' &&
    environment !== 'unknown' &&
    (environments.length === 0 || environments.includes(environment));
  const [first = 'production', ...others] = new Set(all.filter((one) => one !== null));
  return others.length === 0 && isKnown(first) ? first : 'production';
}

/** Whether what is asked for is the recorded thing, lies below it, or has it below or in its pattern. */
export function reaches(asked: string, recorded: string): boolean {
  const [wanted, held] = [plain(asked), plain(recorded)];
  const pattern = patternAt(wanted);
  const within = pattern < 0 ? `${wanted}/` : wanted.slice(0, pattern);
  return `${held}/`.startsWith(within) || within.startsWith(`${held}/`);
}

const concerns = ({ resource }: Situation, request: AccessRequest): boolean =>
  resource === null || reaches(request.resource, resource);

/** How long an ask may wait for its answer while an incident lasts; `null` while none does. */
export function askWithin({ situations }: Snapshot, now: Instant): Seconds | null {
  const open = situations.filter((one) => isWithin([one], now)).flatMap(({ askWithin: most }) => most ?? []);
  return open.length === 0 ? null : seconds(Math.min(...open));
}

/** A moment at which something that a decision rests on begins or ends. */
export interface Edge {
  readonly at: Instant;
  readonly by: string;
}

/** The edges that concern a request after a moment, the earliest first. */
export function edgesOf({ situations, windows }: Snapshot, request: AccessRequest, now: Instant): readonly Edge[] {
  const mine = situations.filter((one) => concerns(one, request));
  return [
    ...mine.map(({ kind, from }) => ({ at: from, by: `begin of the ${kind}` })),
    ...mine.map(({ kind, until }) => ({ at: until, by: `end of the ${kind}` })),
    ...edgesAfter(windows ?? [], now).map((at) => ({ at, by: 'edge of a change window' })),
  ]
    .filter(({ at }) => at > now)
    .toSorted((a, b) => a.at - b.at);
}
