/** How long what was ended stayed alive, counted over the tenants of those who ask. */
import { sql } from 'drizzle-orm';
import { newId } from '../core/ids.ts';
import type { ProviderKind } from '../core/registers.ts';
import type { ExposureRow } from '../core/store/leases.ts';
import type { Store } from '../core/store.ts';
import { instant, milliseconds } from '../core/time.ts';
import type { Instant } from '../core/time.ts';
import type { Link } from './link.ts';
import { ROLES } from './roles.ts';

interface Row extends Record<string, unknown> {
  readonly from: string | null;
  readonly provider: ProviderKind | null;
  readonly n: string;
  readonly unverifiable: string;
  readonly median: string;
  readonly high: string;
  readonly worst: string;
}

/** Ids begin with their time, and no credential lives for longer than an hour: nothing before it was ended since. */
const firstId = (since: Instant): string => newId('lse', instant(since - 3_600_000), (bytes) => new Uint8Array(bytes));

export const createExposures = (link: Link): Pick<Store, 'exposures'> => ({
  exposures: ({ within, since, every }) =>
    within.length === 0
      ? Promise.resolve([])
      : link.transaction({ role: ROLES.list, tenants: [] }, async (tx) => {
          const rows = await tx.execute<Row>(sql`
            select revoking_at / ${every}::bigint * ${every}::bigint as "from", provider, count(*) as n,
              count(*) filter (where death ->> 'how' = 'unverifiable') as unverifiable,
              percentile_disc(0.5) within group (order by exposure) as median,
              percentile_disc(0.95) within group (order by exposure) as high,
              max(exposure) as worst
            from leases
            where tenant = any(string_to_array(${within.join(' ')}, ' ')) and id >= ${firstId(since)}
              and state = 'revoked' and revoking_at >= ${since} and exposure is not null
            group by grouping sets ((1), (provider))
            order by 1, 2`);
          return [...rows].map(rowOf);
        }),
});

const rowOf = ({ from, provider, n, unverifiable, median, high, worst }: Row): ExposureRow => ({
  from: from === null ? null : instant(Number(from)),
  provider,
  n: Number(n),
  unverifiable: Number(unverifiable),
  median: milliseconds(Number(median)),
  high: milliseconds(Number(high)),
  worst: milliseconds(Number(worst)),
});
