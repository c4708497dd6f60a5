/**
 * Signing in at the operators' OIDC issuer: the code flow, with PKCE, state and nonce. What is to be remembered until
 * the browser comes back is sealed and goes with it; the broker keeps nothing.
 *
 * @see OpenID Connect Core 1.0 section 3.1, RFC 7636, RFC 9700 section 2.1
 */
import { base64url } from 'jose';
import * as oidc from 'openid-client';
import { sha256, toHex, utf8 } from '../core/digest.ts';
import { FetchFailed, FetchRefused } from '../core/fetch.ts';
import { failure } from '../core/failure.ts';
import { err, ok } from '../core/result.ts';
import { Secret } from '../core/secret.ts';
import { WrongDeploymentKey } from '../core/seal.ts';
import type { SealedSecret } from '../core/seal.ts';
import { after, fromNumericDate, seconds } from '../core/time.ts';
import type { Instant } from '../core/time.ts';
import type { Deps } from '../deps.ts';
import { issuerUnavailable } from './auth-failure.ts';
import type { Proven } from './auth-failure.ts';
import { FRESH } from './console.ts';

/** Long enough for a password, a second factor and a telephone call. */
export const PENDING_LASTS = seconds(600);
export const CALLBACK = '/sign-in/callback';

/** A sign-in that is under way at the issuer. */
export interface Pending {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  readonly returnTo: string;
  /** Whether the issuer was told to ask anew, and must say when it did. */
  readonly proves: boolean;
  readonly until: Instant;
}

type Operators = NonNullable<Deps['operators']>;
type OidcDeps = Pick<Deps, 'operators' | 'gateway' | 'publicUrl' | 'random' | 'clock' | 'keyring' | 'log'>;

const PENDING = { tenant: '', use: 'sign-in', subject: 'operator' } as const;
const RANDOM_BYTES = 32;

/** @returns where to send the browser, and what it keeps meanwhile. */
export async function beginSignIn(
  deps: OidcDeps,
  { returnTo, proves }: Pick<Pending, 'returnTo' | 'proves'>,
): Promise<Proven<{ readonly url: string; readonly pending: SealedSecret }>> {
  const issuer = await issuerOf(deps);
  if (!issuer.ok) return issuer;
  const [state, nonce] = [toHex(deps.random(RANDOM_BYTES)), toHex(deps.random(RANDOM_BYTES))];
  const verifier = base64url.encode(deps.random(RANDOM_BYTES));
  const pending: Pending = { state, nonce, verifier, returnTo, proves, until: after(deps.clock(), PENDING_LASTS) };
  const url = oidc.buildAuthorizationUrl(issuer.value, {
    redirect_uri: deps.publicUrl + CALLBACK,
    scope: 'openid',
    state,
    nonce,
    code_challenge: base64url.encode(sha256(utf8(verifier))),
    code_challenge_method: 'S256',
    ...(proves ? { prompt: 'login', max_age: String(FRESH) } : {}),
  });
  return ok({ url: url.href, pending: await deps.keyring.seal(PENDING, new Secret(JSON.stringify(pending))) });
}

export interface AtIssuer {
  readonly issuer: string;
  readonly subject: string;
  /** As the issuer says it. */
  readonly provenAt: Instant | null;
}

/** What a browser brings back: it is taken apart only once it was seen to be ours. */
export async function openPending(
  deps: Pick<Deps, 'keyring' | 'clock'>,
  sealed: string | undefined,
): Promise<Proven<Pending>> {
  if (sealed === undefined) return refused('a sign-in that this browser did not begin');
  try {
    const opened = await deps.keyring.open(PENDING, sealed as SealedSecret);
    const pending = JSON.parse(opened.reveal()) as Pending;
    return deps.clock() < pending.until ? ok(pending) : refused('a sign-in that took too long');
  } catch (error) {
    if (error instanceof WrongDeploymentKey) return refused('a sign-in that this broker did not begin');
    throw error;
  }
}

/** @param query what the issuer sent the browser back with. */
export async function finishSignIn(deps: OidcDeps, pending: Pending, query: string): Promise<Proven<AtIssuer>> {
  const issuer = await issuerOf(deps);
  if (!issuer.ok) return issuer;
  const { state, nonce, verifier, proves } = pending;
  const checks = {
    expectedState: state,
    expectedNonce: nonce,
    pkceCodeVerifier: verifier,
    idTokenExpected: true,
    ...(proves ? { maxAge: FRESH } : {}),
  };
  const back = new URL(deps.publicUrl + CALLBACK);
  back.search = query;
  const tokens = await asked(() => oidc.authorizationCodeGrant(issuer.value, back, checks));
  if (!tokens.ok) return tokens;
  const claims = tokens.value.claims();
  if (claims === undefined) return refused('an answer without an ID token');
  const { sub: subject, iss, auth_time: provenAt } = claims;
  return ok({ issuer: iss, subject, provenAt: provenAt === undefined ? null : fromNumericDate(provenAt) });
}

/** What its discovery document says is asked for so often: anybody may begin to sign in, as often as they like. */
const KEPT_FOR = seconds(600);

/** Values, and no promises: what they are asked through outlives a request of a Worker's. */
const known = new WeakMap<Operators, { readonly configuration: oidc.Configuration; readonly until: Instant }>();

async function issuerOf(deps: OidcDeps): Promise<Proven<oidc.Configuration>> {
  const { operators, clock } = deps;
  if (operators === null) return refused('no issuer of operators is configured');
  const kept = known.get(operators);
  if (kept !== undefined && clock() < kept.until) return ok(kept.configuration);
  const found = await discover(deps, operators);
  if (found.ok) known.set(operators, { configuration: found.value, until: after(clock(), KEPT_FOR) });
  return found;
}

function discover(deps: OidcDeps, { issuer, clientId, clientSecret }: Operators): Promise<Proven<oidc.Configuration>> {
  const url = new URL(issuer);
  const authentication = clientSecret === null ? oidc.None() : oidc.ClientSecretBasic(clientSecret.reveal());
  return asked(() =>
    oidc.discovery(url, clientId, undefined, authentication, {
      [oidc.customFetch]: guarded(deps),
      timeout: TIMEOUT_S,
      // The configuration takes http for localhost alone. Signatures are looked at whatever they came over.
      execute: [oidc.enableNonRepudiationChecks, ...(url.protocol === 'http:' ? [oidc.allowInsecureRequests] : [])],
    }),
  );
}

const TIMEOUT_S = 10;
/** Metadata, keys and tokens are a few kilobytes. */
const LARGEST_ANSWER = 256 * 1024;

/** The issuer may stand in a private network, where the deployment allows its host. */
const guarded =
  ({ gateway }: OidcDeps): oidc.CustomFetch =>
  async (url, { method, headers, body, signal }) => {
    const answer = await gateway.forward({
      method,
      url: new Secret(url),
      // They bear the client's secret, and its form the code.
      headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, new Secret(value)])),
      body: body === undefined || body === null ? null : utf8(formOf(body)),
      ca: null,
      mayBePrivate: true,
      pool: 'operators',
      signal: signal ?? AbortSignal.timeout(TIMEOUT_S * 1000),
    });
    const bytes = await readBounded(answer.body);
    const noBody = answer.status === 204 || answer.status === 304;
    return new Response(noBody ? null : bytes, { status: answer.status, headers: answer.headers.map(([...of]) => of) });
  };

function formOf(body: oidc.FetchBody): string {
  if (body instanceof URLSearchParams) return body.toString();
  if (typeof body === 'string') return body;
  throw new TypeError('a request to the issuer that is no form');
}

async function readBounded(body: AsyncIterable<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > LARGEST_ANSWER) throw new FetchFailed('the issuer answered too much');
    chunks.push(chunk);
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

/** The library throws for whatever is not as it must be; its words may hold parts of what was presented. */
async function asked<T>(ask: () => Promise<T>): Promise<Proven<T>> {
  try {
    return ok(await ask());
  } catch (error) {
    if (isUnreachable(error)) return issuerUnavailable();
    if (error instanceof oidc.AuthorizationResponseError) return refused('the issuer did not sign them in');
    if (error instanceof oidc.ResponseBodyError) return refused('the issuer did not take the code');
    if (error instanceof oidc.WWWAuthenticateChallengeError) return refused('the issuer did not take the client');
    if (error instanceof oidc.ClientError) return refused(`not what the issuer may answer: ${error.code ?? ''}`);
    if (error instanceof TypeError) return refused('not what the issuer may answer');
    throw error;
  }
}

const isUnreachable = (error: unknown): boolean =>
  error instanceof FetchFailed ||
  error instanceof FetchRefused ||
  (error instanceof Error && error.cause !== undefined && isUnreachable(error.cause));

const REFUSED = failure('not_signed_in', 'signing in did not succeed', {
  hint: 'Go to the sign-in page and begin again.',
});

const refused = (why: string): Proven<never> => err({ failure: REFUSED, why });
