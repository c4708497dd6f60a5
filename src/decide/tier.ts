/**
 * The effective tier: the task class's own as it stands now, raised by the contract, by the agent's autonomy, by its
 * being new here, by a pause or a tripped breaker, by what the request says of itself, and by there being nobody to
 * tell. Nothing here can lower it.
 */
import type { TripId } from '../core/ids.ts';
import { REGULATIONS } from '../core/registers.ts';
import type { Agent, TenantContext } from '../core/registers.ts';
import type { Circumstances } from '../core/request.ts';
import type { Surroundings } from './context.ts';
import type { Raise, Tier } from './decision.ts';

/** An agent that trusts its own judgement less than this has a human look. High confidence lowers nothing. */
const LOW_CONFIDENCE = 0.7;

/** What the request says of its circumstances that the registers do not bear out, or that counsels care. */
export interface Claims {
  readonly disputed: boolean;
  readonly lowConfidence: boolean;
  /** Named by the request beside what the register has. */
  readonly moreData: boolean;
}

export function claimsOf(
  said: Circumstances,
  registered: Pick<Surroundings, 'data' | 'environment'>,
  agent: Pick<Agent, 'model' | 'modelVersion'>,
): Claims {
  return {
    disputed:
      differs(said.environment, registered.environment) ||
      differs(said.model, agent.model) ||
      differs(said.modelVersion, agent.modelVersion),
    lowConfidence: said.confidence !== undefined && said.confidence < LOW_CONFIDENCE,
    moreData: (said.dataClasses ?? []).some((data) => !registered.data.includes(data)),
  };
}

const differs = (said: string | undefined, registered: string): boolean => said !== undefined && said !== registered;

/** The freest tier that a contract accepts. Without recorded terms everything asks. */
const CONTRACT: Readonly<Record<NonNullable<TenantContext['autonomy']>, Tier>> = {
  'advise-only': 3,
  'ask-always': 3,
  notify: 2,
  autonomous: 1,
};

/** The freest tier at which an agent acts. */
const AUTONOMY: Readonly<Record<Agent['autonomy'], Tier>> = { advisory: 2, 'semi-autonomous': 2, autonomous: 1 };

/** What the registers say of the client, as far as the tier depends on it. */
export interface Terms extends Pick<TenantContext, 'autonomy' | 'regulations'> {
  /** Whether the contract names the agent's model and version. */
  readonly accepted: boolean;
}

export interface Effective {
  readonly tier: Tier;
  readonly raised: readonly Raise[];
}

/** How the agent stands here, beside what it is registered with. */
export interface Standing {
  readonly onProbation: boolean;
  /** Oversight has paused everything here. */
  readonly paused: boolean;
  /** A circuit breaker of this agent and task class has tripped here, and stands. */
  readonly tripped: TripId | null;
  /** Whether somebody can be told. */
  readonly channels: boolean;
  /** Nobody could be told in time of what this class did here, and still cannot be. */
  readonly late: boolean;
  /** The same at many tenants within minutes is one act over all of them, whatever it would be at one. */
  readonly manyTenants: boolean;
}

export function effectiveTier(
  own: Tier,
  { autonomy: contract, regulations, accepted }: Terms,
  autonomy: Agent['autonomy'],
  claims: Claims,
  { onProbation, paused, tripped, channels, late, manyTenants }: Standing,
): Effective {
  const raises: Raise[] = [
    { to: contract === null ? 3 : CONTRACT[contract], because: `contract:${contract ?? 'none'}` },
    { to: regulations.every(isKnown) ? 1 : 3, because: 'regulation:unknown' },
    { to: accepted ? 1 : 3, because: 'model:not_accepted' },
    { to: AUTONOMY[autonomy], because: `autonomy:${autonomy}` },
    { to: onProbation ? 3 : 1, because: 'probation' },
    { to: paused ? 3 : 1, because: 'pause' },
    { to: tripped === null ? 1 : 3, because: `breaker:${tripped}` },
    { to: manyTenants ? 3 : 1, because: 'many_tenants' },
    { to: claims.disputed ? 3 : 1, because: 'claims:disputed' },
    { to: claims.lowConfidence ? 3 : 1, because: 'claims:low_confidence' },
    { to: claims.moreData ? 3 : 1, because: 'claims:more_data' },
  ];
  const tier = highest(own, raises);
  // Acting first and telling afterwards takes somebody who can be told.
  const untold = tier === 2 ? whyUntold(channels, late) : [];
  return { tier: highest(tier, untold), raised: [...raises, ...untold].filter(({ to }) => to > own) };
}

function whyUntold(channels: boolean, late: boolean): readonly Raise[] {
  if (!channels) return [{ to: 3, because: 'no_channel' }];
  return late ? [{ to: 3, because: 'notices_late' }] : [];
}

const known: readonly string[] = REGULATIONS;
/** A misspelt regulation must not be one that no rule is about. */
const isKnown = (regulation: string): boolean => known.includes(regulation);

const highest = (own: Tier, raises: readonly Raise[]): Tier =>
  raises.reduce<Tier>((tier, { to }) => (to > tier ? to : tier), own);
