/**
 * Names that people choose and ids that Brevet makes. Both are parsed once, at the edge; further in they carry their
 * kind in their type.
 */
import { err, ok } from './result.ts';
import type { Result } from './result.ts';
import { failure } from './failure.ts';
import type { Instant } from './time.ts';

declare const kind: unique symbol;
type Branded<Kind extends string> = string & { readonly [kind]: Kind };

export type TenantName = Branded<'tenant'>;
export type PersonName = Branded<'person'>;
export type OperatorName = Branded<'operator'>;
export type AgentName = Branded<'agent'>;
export type RoleName = Branded<'role'>;
export type TargetName = Branded<'target'>;
export type IssuerName = Branded<'issuer'>;
export type TaskName = Branded<'task'>;
export type VendorName = Branded<'vendor'>;

interface Names {
  tenant: TenantName;
  person: PersonName;
  operator: OperatorName;
  agent: AgentName;
  role: RoleName;
  target: TargetName;
  issuer: IssuerName;
  task: TaskName;
  vendor: VendorName;
}
export type NameKind = keyof Names;

const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;
const TASK = /^[a-z0-9][a-z0-9-]{0,62}(?:\.[a-z0-9][a-z0-9-]{0,62}){1,7}$/;

export const isName = (text: unknown): text is string => typeof text === 'string' && NAME.test(text);
export const isTaskName = (text: unknown): text is TaskName => typeof text === 'string' && TASK.test(text);

/** @param what names the field in the refusal; the kind itself where none is given. */
export function parseName<Kind extends NameKind>(of: Kind, text: unknown, what: string = of): Result<Names[Kind]> {
  const fits = of === 'task' ? isTaskName(text) : isName(text);
  if (fits) return ok(text as Names[Kind]);
  const form =
    of === 'task' ? 'names joined by dots, such as service.restart' : 'up to 63 of a-z, 0-9 and -, no - first';
  const subject = what === of ? 'this' : what;
  const kind = `${/^[aeiou]/.test(of) ? 'an' : 'a'} ${of} name`;
  return err(failure('invalid_name', `${subject} is not ${kind}`, { hint: `Use ${form}.`, path: what }));
}

export type RequestId = Branded<'req'>;
export type LeaseId = Branded<'lse'>;
export type ApprovalId = Branded<'apr'>;
export type BlockId = Branded<'blk'>;
export type EntryId = Branded<'ent'>;
export type WorkId = Branded<'wrk'>;
export type AssignmentId = Branded<'asg'>;
export type ChangeId = Branded<'chg'>;
export type SituationId = Branded<'sit'>;
export type VerdictId = Branded<'vrd'>;
export type PauseId = Branded<'pse'>;
export type OrderId = Branded<'ord'>;
export type ReviewId = Branded<'rev'>;
/** A circuit breaker that has tripped. */
export type TripId = Branded<'trp'>;
/** One call of the API, answered or refused: what its caller tells when asking about it. */
export type CallId = Branded<'cal'>;

interface Ids {
  req: RequestId;
  lse: LeaseId;
  apr: ApprovalId;
  blk: BlockId;
  ent: EntryId;
  wrk: WorkId;
  asg: AssignmentId;
  chg: ChangeId;
  sit: SituationId;
  vrd: VerdictId;
  pse: PauseId;
  ord: OrderId;
  rev: ReviewId;
  trp: TripId;
  cal: CallId;
}
export type IdPrefix = keyof Ids;

/** Crockford's alphabet in lower case. @see https://github.com/ulid/spec */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const ULID = '[0-7][0-9a-hjkmnp-tv-z]{25}';
const FORMS = new Map<string, RegExp>();

const formOf = (prefix: string): RegExp => {
  const known = FORMS.get(prefix) ?? new RegExp(`^${prefix}_${ULID}$`);
  FORMS.set(prefix, known);
  return known;
};

export function parseId<Prefix extends IdPrefix>(prefix: Prefix, text: unknown): Result<Ids[Prefix]> {
  if (typeof text === 'string' && formOf(prefix).test(text)) return ok(text as Ids[Prefix]);
  return err(failure('invalid_id', `This is not an id that begins with ${prefix}_`, { hint: 'Copy the whole id.' }));
}

/** Fresh random bytes, as many as asked for. */
export type Random = (bytes: number) => Uint8Array;

const TIME_CHARACTERS = 10;

/** A ULID: 48 bits of time, 80 of chance; ids of one millisecond stand in no order. */
export function newId<Prefix extends IdPrefix>(prefix: Prefix, now: Instant, random: Random): Ids[Prefix] {
  let time = now as number;
  let head = '';
  for (let at = 0; at < TIME_CHARACTERS; at++) {
    head = ALPHABET.charAt(time % 32) + head;
    time = Math.floor(time / 32);
  }
  return `${prefix}_${head}${base32(random(10))}` as Ids[Prefix];
}

/** Five bits a character; a last group that is short counts in its high bits. */
export function base32(bytes: Uint8Array): string {
  let text = '';
  let held = 0;
  let bits = 0;
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xfff;
    for (bits += 8; bits >= 5; bits -= 5) text += ALPHABET.charAt((held >> (bits - 5)) & 31);
  }
  return bits > 0 ? text + ALPHABET.charAt((held << (5 - bits)) & 31) : text;
}
