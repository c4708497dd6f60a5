/** The effective tier, cause by cause. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { TripId } from '../../src/core/ids.ts';
import type { Agent, TenantContext } from '../../src/core/registers.ts';
import type { Tier } from '../../src/decide/decision.ts';
import { claimsOf, effectiveTier } from '../../src/decide/tier.ts';
import type { Claims } from '../../src/decide/tier.ts';

interface Given {
  own?: Tier;
  contract?: TenantContext['autonomy'];
  regulations?: readonly string[];
  autonomy?: Agent['autonomy'];
  accepted?: boolean;
  claims?: Partial<Claims>;
  channels?: boolean;
  late?: boolean;
  onProbation?: boolean;
  manyTenants?: boolean;
  paused?: boolean;
  tripped?: TripId;
}

const SILENT: Claims = { disputed: false, lowConfidence: false, moreData: false };

const TABLE: readonly (readonly [given: Given, tier: Tier, because: readonly string[]])[] = [
  [{}, 1, []],
  [{ own: 2 }, 2, []],
  [{ own: 3 }, 3, []],
  [{ contract: null }, 3, ['contract:none']],
  [{ contract: 'advise-only' }, 3, ['contract:advise-only']],
  [{ contract: 'ask-always' }, 3, ['contract:ask-always']],
  [{ contract: 'notify' }, 2, ['contract:notify']],
  [{ contract: 'notify', own: 3 }, 3, []],
  [{ contract: 'notify', channels: false }, 3, ['contract:notify', 'no_channel']],
  [{ regulations: ['hipaa', 'gdpr'] }, 1, []],
  [{ regulations: ['hippa'] }, 3, ['regulation:unknown']],
  [{ accepted: false }, 3, ['model:not_accepted']],
  [{ autonomy: 'semi-autonomous' }, 2, ['autonomy:semi-autonomous']],
  [{ autonomy: 'advisory' }, 2, ['autonomy:advisory']],
  [{ claims: { disputed: true } }, 3, ['claims:disputed']],
  [{ claims: { lowConfidence: true }, own: 2 }, 3, ['claims:low_confidence']],
  [{ claims: { moreData: true } }, 3, ['claims:more_data']],
  [{ own: 2, channels: false }, 3, ['no_channel']],
  [{ channels: false }, 1, []],
  [{ own: 2, late: true }, 3, ['notices_late']],
  [{ contract: 'notify', late: true }, 3, ['contract:notify', 'notices_late']],
  [{ own: 2, channels: false, late: true }, 3, ['no_channel']],
  [{ late: true }, 1, []],
  [{ own: 3, late: true }, 3, []],
  [{ onProbation: true }, 3, ['probation']],
  [{ onProbation: true, own: 3 }, 3, []],
  [{ manyTenants: true }, 3, ['many_tenants']],
  [{ manyTenants: true, contract: 'notify' }, 3, ['contract:notify', 'many_tenants']],
  [{ manyTenants: true, own: 3 }, 3, []],
  [{ paused: true }, 3, ['pause']],
  [{ paused: true, own: 2, channels: false }, 3, ['pause']],
  [{ paused: true, own: 3 }, 3, []],
  [{ tripped: 'trp_1' as TripId }, 3, ['breaker:trp_1']],
  [{ tripped: 'trp_1' as TripId, own: 2 }, 3, ['breaker:trp_1']],
];

const tiers = suite('decide/tier');

for (const [given, tier, because] of TABLE) {
  tiers(`${JSON.stringify(given)} is tier ${tier}`, () => {
    const { own = 1, contract = 'autonomous', regulations = [], autonomy = 'autonomous' } = given;
    const {
      accepted = true,
      onProbation = false,
      channels = true,
      late = false,
      manyTenants = false,
      paused = false,
      tripped = null,
    } = given;
    const terms = { autonomy: contract, regulations, accepted };
    const standing = { onProbation, paused, tripped, channels, late, manyTenants };
    const effective = effectiveTier(own, terms, autonomy, { ...SILENT, ...given.claims }, standing);
    assert.is(effective.tier, tier);
    assert.equal(
      effective.raised.map((raise) => raise.because),
      because,
    );
  });
}

tiers('a claim counts only where it says otherwise, or more, than the registers', () => {
  const agent = { model: 'sorter', modelVersion: '3' };
  const said = (circumstances: Parameters<typeof claimsOf>[0]) =>
    claimsOf(circumstances, { data: ['pii'], environment: 'production' }, agent);
  assert.equal(said({}), SILENT);
  const agrees = { environment: 'production', model: 'sorter', modelVersion: '3', dataClasses: ['pii'] } as const;
  assert.equal(said({ ...agrees, confidence: 0.7 }), SILENT);
  assert.is(said({ model: 'talker' }).disputed, true);
  assert.is(said({ modelVersion: '4' }).disputed, true);
  assert.is(said({ confidence: 0.699 }).lowConfidence, true);
  assert.is(said({ dataClasses: ['phi'] }).moreData, true);
});

tiers.run();
