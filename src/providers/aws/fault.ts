/** What AWS, its SDK or the network did, told by its code alone: the SDK's errors carry whole answers. */
import { ProviderUnavailable } from '../../core/provider.ts';

/** AWS answered with an error. */
export class AwsRefusal extends ProviderUnavailable {
  readonly code: string;
  /** Why it was denied, as far as AWS says. */
  readonly reason: DenialReason | null;

  constructor(what: string, code: string, reason: DenialReason | null) {
    super(`AWS answered ${what} with ${code}`);
    this.code = code;
    this.reason = reason;
  }

  /** It is up and takes Brevet's word: what it refused is this one call. */
  override get answered(): boolean {
    return /^(?:PackedPolicyTooLarge|MalformedPolicy|LimitExceeded|Validation|InvalidInput)/.test(this.code);
  }

  get isDenial(): boolean {
    return this.code === 'AccessDenied' || this.code === 'AccessDeniedException';
  }
}

/**
 * `explicit`: something denies it, a policy of the role or of the session as far as AWS says; `elsewhere`: what denies it
 * is none of these; `absent`: nothing allows it; `untold`: AWS says none of this.
 */
export type DenialReason = 'explicit' | 'elsewhere' | 'absent' | 'untold';

/** Of the organisation, the network or the resource, or the bounds of the role: Brevet writes none of them. */
const ELSEWHERE =
  /with an explicit deny in an? (?:service control|resource control|resource-based|VPC endpoint|permissions boundary)/i;

/** @see https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html */
export function reasonIn(message: string): DenialReason {
  if (ELSEWHERE.test(message)) return 'elsewhere';
  if (/with an explicit deny/.test(message)) return 'explicit';
  return /because no .* allows/.test(message) ? 'absent' : 'untold';
}

/** A fault of the SDK as one of ours; what is none of AWS's doing stays what it is. */
export function faultOf(fault: unknown, what: string): Error {
  if (fault instanceof ProviderUnavailable) return fault;
  if (!(fault instanceof Error)) return new ProviderUnavailable(`${what} failed`);
  if (isAnswer(fault)) {
    const code = plain(fault.name);
    return new AwsRefusal(what, code, code.startsWith('AccessDenied') ? reasonIn(fault.message) : null);
  }
  const code = 'code' in fault && typeof fault.code === 'string' ? fault.code : fault.name;
  return new ProviderUnavailable(`AWS could not be asked to ${what}: ${plain(code)}`);
}

const isAnswer = (fault: Error): boolean => '$fault' in fault && '$metadata' in fault;

/** A name that a server sent is shown only as far as it is one. */
const plain = (name: string): string => (/^[A-Za-z][A-Za-z0-9_.]{0,63}$/.test(name) ? name : 'an error');
