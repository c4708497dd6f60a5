/**
 * The keys of other issuers: found by discovery, kept for minutes, and fetched at most once a minute from each issuer,
 * however many tokens with unknown keys arrive. Where there are none to believe, it is asked again sooner.
 *
 * @see OpenID Connect Discovery 1.0 section 4
 */
import type { Json, JsonObject } from '../core/canonical.ts';
import { failure } from '../core/failure.ts';
import { FetchFailed, FetchRefused } from '../core/fetch.ts';
import type { FetchLimits, GuardedFetch } from '../core/fetch.ts';
import type { IssuerKeys, KeyHint, KeyMiss } from '../core/issuer.ts';
import type { Log } from '../core/log.ts';
import type { PublicJwk } from '../core/registers.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import { after, instant, milliseconds, seconds } from '../core/time.ts';
import type { Clock, Instant, Seconds } from '../core/time.ts';
import { algorithmsOf } from './jwk.ts';

/** A key that its issuer withdrew is believed no longer than this. */
const KEPT_FOR = seconds(600);
/** For a key that those kept are without, which anybody can name. */
const REFRESHED_EVERY = seconds(60);
/** One failed fetch may be chance, and stops every agent of its issuer: doubling, from here to there. */
const FIRST_RETRY = seconds(1);
const LAST_RETRY = seconds(30);
/** Real documents have 2 to 10 KB, and an issuer two to ten keys. */
const LIMITS: FetchLimits = { bytes: 128 * 1024, milliseconds: milliseconds(5_000) };
const MOST_KEYS = 64;
const LONGEST_URL = 512;
/** Far more than anybody registers; a bound, so that memory has one. */
const MOST_ISSUERS = 1_024;
/** Where flights are not shared: how many may begin at a time, the first among them, for keys that are not there or too old. */
const MOST_FLIGHTS = 8;

interface Kept {
  keys: readonly PublicJwk[] | null;
  freshUntil: Instant;
  /** While what is kept is fresh; otherwise when it may be tried again. */
  mayRefreshAt: Instant;
  mayRetryAt: Instant;
  /** How often it was asked since it last gave its keys. */
  tries: number;
  flights: number;
  /** How many have begun since one last might. */
  begun: number;
  flight: Promise<void> | null;
}

/**
 * @param flights `shared`: callers wait for the fetch that another began. `own`, for Workers, where a promise of one
 * request hangs another's: each fetches for itself, a few at a time, and what is kept are values alone.
 */
export function createIssuerKeys(
  fetch: GuardedFetch,
  clock: Clock,
  log: Pick<Log, 'warn'>,
  flights: 'shared' | 'own' = 'shared',
): IssuerKeys {
  const issuers = new Map<string, Kept>();

  const isFresh = (kept: Kept): boolean => kept.keys !== null && clock() < kept.freshUntil;
  const mayBegin = (kept: Kept): boolean => clock() >= (isFresh(kept) ? kept.mayRefreshAt : kept.mayRetryAt);

  async function load(issuer: string, kept: Kept): Promise<void> {
    if (mayBegin(kept)) {
      kept.mayRefreshAt = after(clock(), REFRESHED_EVERY);
      kept.mayRetryAt = kept.mayRefreshAt;
      kept.tries += 1;
      kept.begun = 0;
    }
    kept.begun += 1;
    kept.flights += 1;
    try {
      kept.keys = await fetchKeys(fetch, issuer);
      kept.freshUntil = after(clock(), KEPT_FOR);
      kept.tries = 0;
    } catch (error) {
      if (!(error instanceof FetchFailed || error instanceof FetchRefused)) throw error;
      kept.mayRetryAt = after(clock(), retryAfter(kept.tries));
      log.warn('issuer_keys_unavailable', { issuer, why: error.message });
    } finally {
      kept.flights -= 1;
      kept.flight = null;
    }
  }

  async function refresh(issuer: string, kept: Kept): Promise<void> {
    if (flights === 'own') {
      const isAway = !isFresh(kept) && kept.flights > 0 && kept.begun < MOST_FLIGHTS;
      if (mayBegin(kept) || isAway) await load(issuer, kept);
      return;
    }
    if (kept.flight === null && mayBegin(kept)) kept.flight = load(issuer, kept);
    await kept.flight;
  }

  return {
    async find(issuer, hint) {
      const kept = issuers.get(issuer) ?? newlyKept(issuers, issuer);
      const first = isFresh(kept) ? select(kept.keys ?? [], hint) : err<KeyMiss>('unavailable');
      if (first.ok) return first;
      await refresh(issuer, kept);
      return isFresh(kept) ? select(kept.keys ?? [], hint) : err('unavailable');
    },
  };
}

const retryAfter = (tries: number): Seconds => seconds(Math.min(LAST_RETRY, FIRST_RETRY * 2 ** Math.max(0, tries - 1)));

function newlyKept(issuers: Map<string, Kept>, issuer: string): Kept {
  const [oldest] = issuers.keys();
  if (issuers.size >= MOST_ISSUERS && oldest !== undefined) issuers.delete(oldest);
  const [freshUntil, mayRefreshAt, mayRetryAt] = [instant(0), instant(0), instant(0)];
  const kept = { keys: null, freshUntil, mayRefreshAt, mayRetryAt, tries: 0, flights: 0, begun: 0, flight: null };
  issuers.set(issuer, kept);
  return kept;
}

/** The key that the header names, if it may verify this algorithm; without a `kid`, the only one that may. */
function select(keys: readonly PublicJwk[], { kid, algorithm }: KeyHint): Result<PublicJwk, KeyMiss> {
  const fitting = keys.filter(
    (key) => (kid === null || key['kid'] === kid) && algorithmsOf(key).some((name) => name === algorithm),
  );
  const [key] = fitting;
  return key !== undefined && fitting.length === 1 ? ok(key) : err('unknown');
}

async function fetchKeys(fetch: GuardedFetch, issuer: string): Promise<readonly PublicJwk[]> {
  const discovery = asObject(await fetch(discoveryUrl(issuer), LIMITS));
  if (discovery['issuer'] !== issuer) throw new FetchFailed('the discovery document names another issuer');
  const { jwks_uri: at } = discovery;
  if (typeof at !== 'string' || at.length > LONGEST_URL)
    throw new FetchFailed('the discovery document has no jwks_uri');
  const { keys } = asObject(await fetch(at, LIMITS));
  if (!Array.isArray(keys) || keys.length > MOST_KEYS) throw new FetchFailed('the key set is none, or too large');
  return keys.map(asObject).filter((key) => algorithmsOf(key).length > 0);
}

/** @see OpenID Connect Discovery 1.0 section 4.1: a slash at the end goes first. */
const discoveryUrl = (issuer: string): string => `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;

function asObject(value: unknown): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new FetchFailed('not a JSON object');
  return value as { readonly [name: string]: Json };
}

/**
 * For an administrator: whether a URL can be an issuer's. Whether its host may be reached is the guard's to say.
 *
 * @see OpenID Connect Discovery 1.0 section 3: no query, no fragment
 */
export function checkIssuerUrl(url: string, path = 'url'): Result<void> {
  const parsed = URL.canParse(url) && url.length <= LONGEST_URL ? new URL(url) : null;
  const plain =
    parsed !== null &&
    ['https:', 'http:'].includes(parsed.protocol) &&
    parsed.username + parsed.password + parsed.search + parsed.hash === '' &&
    !/[?#@\s]/.test(url);
  if (plain) return ok(undefined);
  return err(
    failure('invalid_field', `${path} is not an issuer’s URL`, {
      hint: 'Give it exactly as tokens say it: https, without query or fragment.',
      path,
    }),
  );
}
