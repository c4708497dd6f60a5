/**
 * A workload's binding: the claims that its token must carry, each exactly.
 *
 * A claim is named by its path, which is a JSON Pointer without its first slash: `repository_id`,
 * `kubernetes.io/serviceaccount/uid`; a slash within a name is written `~1`, a tilde `~0`. Values are strings, compared
 * whole and never by pattern.
 *
 * @see RFC 6901 section 3
 */
import type { Json, JsonObject } from '../core/canonical.ts';
import { failure } from '../core/failure.ts';
import type { TrustedIssuer, WorkloadBinding } from '../core/registers.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';

const MOST_CLAIMS = 16;
const LONGEST_PATH = 256;
const LONGEST_VALUE = 512;

/** The value at a claim's path, where there is one. */
export function claimAt(claims: JsonObject, path: string): Json | undefined {
  let at: Json | undefined = claims;
  for (const step of path.split('/')) {
    const name = step.replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof at !== 'object' || at === null || Array.isArray(at) || !Object.hasOwn(at, name)) return undefined;
    at = (at as JsonObject)[name];
  }
  return at;
}

export function satisfies(claims: JsonObject, { claims: wanted }: WorkloadBinding): boolean {
  const all = Object.entries(wanted);
  return all.length > 0 && all.every(([path, value]) => claimAt(claims, path) === value);
}

/** Whether one token could carry what both demand: they name no claim to which they give different values. */
export function bindingsOverlap(a: WorkloadBinding, b: WorkloadBinding): boolean {
  if (a.issuer !== b.issuer) return false;
  return Object.entries(a.claims).every(([path, value]) => (b.claims[path] ?? value) === value);
}

interface Fixing {
  /** Claims that must be there, each with its form. */
  readonly owner: readonly (readonly [path: string, form: RegExp])[];
  /** At least one of these must be there; empty where the owner's claims fix the job already. */
  readonly job: readonly string[];
  readonly hint: string;
}

const SOMETHING = /^.+$/;

/**
 * What fixes an identity for good on each platform: ids that are never given again, since names are.
 *
 * @see https://docs.github.com/actions/reference/security/oidc
 * @see https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#bound-service-account-tokens
 * @see OpenID Connect Core 1.0 section 2: `sub` is never reassigned within its issuer
 */
const PLATFORMS: Readonly<Record<TrustedIssuer['platform'], Fixing>> = {
  github: {
    owner: [['repository_id', /^\d{1,20}$/]],
    job: ['job_workflow_ref', 'environment'],
    // A job of any branch may name an environment, unless its rules on the platform say otherwise.
    hint: 'Give repository_id, with job_workflow_ref or environment; and ref, where any branch may use that environment.',
  },
  kubernetes: {
    owner: [['kubernetes.io/serviceaccount/uid', /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/]],
    job: [],
    hint: 'Give kubernetes.io/serviceaccount/uid.',
  },
  generic: { owner: [['sub', SOMETHING]], job: [], hint: 'Give sub, and what else fixes the job.' },
};

/** They differ from token to token or are checked in any case: they fix nobody. */
const FIXES_NOBODY = new Set(['iss', 'aud', 'exp', 'iat', 'nbf', 'jti', 'nonce', 'auth_time']);

/** For an administrator: whether a binding fixes the owner and the job for good. Further claims may narrow it. */
export function checkBinding(issuer: TrustedIssuer, binding: WorkloadBinding): Result<void> {
  const entries = Object.entries(binding.claims);
  if (binding.issuer !== issuer.name) return refuse('issuer', 'another issuer’s', 'Name the issuer that it is for.');
  if (entries.length > MOST_CLAIMS) return refuse('claims', 'too many', `Give at most ${MOST_CLAIMS}.`);
  const wrong = entries.find(([path, value]) => !isUsable(path, value));
  if (wrong !== undefined) return refuse(`claims.${wrong[0]}`, 'not a claim that fixes anybody', 'Take it out.');
  const { owner, job, hint } = PLATFORMS[issuer.platform];
  const missing = owner.find(([path, form]) => !form.test(binding.claims[path] ?? ''));
  if (missing !== undefined) return refuse(`claims.${missing[0]}`, 'missing, or not of its form', hint);
  const fixesJob = job.length === 0 || job.some((path) => binding.claims[path] !== undefined);
  return fixesJob ? ok(undefined) : refuse('claims', 'open to any job of its owner', hint);
}

/** @param value from a parsed body: a string, if the parser did its work. */
function isUsable(path: string, value: string): boolean {
  const bounded = path.length <= LONGEST_PATH && value.length > 0 && value.length <= LONGEST_VALUE;
  const [top = ''] = path.split('/');
  return bounded && path.split('/').every((step) => step !== '') && !FIXES_NOBODY.has(top) && isText(path + value);
}

/** No control characters, which nobody would see. */
const isText = (text: string): boolean => /^\P{Cc}+$/u.test(text);

const refuse = (path: string, what: string, hint: string): Result<never> =>
  err(failure('invalid_field', `${path} of the binding is ${what}`, { hint, path: `binding.${path}` }));
