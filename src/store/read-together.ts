/**
 * What nearly every call about a lease reads: its row, and the epochs. Those that ask while a reading is under way wait
 * for it and are read together, in one transaction that is sent in one go. None is answered from before it asked.
 */
import { getTableColumns } from 'drizzle-orm';
import type { LeaseId, TenantName } from '../core/ids.ts';
import type { Lease } from '../core/lease.ts';
import type { Store } from '../core/store.ts';
import type { Epochs } from '../core/snapshot.ts';
import type { Link, Row, Statement } from './link.ts';
import { ROLES } from './roles.ts';
import { leases } from './schema/requests.ts';

export interface ReadLimits {
  /** Readings at once. */
  readonly inFlight: number;
  /** How many go in one; 1 on Workers, where no promise may be shared between requests. */
  readonly batchLimit: number;
  /** Calls back once those that come together have come. */
  readonly gather?: (launch: () => void) => void;
}

type Wanted =
  | { readonly of: 'lease'; readonly tenant: TenantName; readonly id: LeaseId; readonly settle: Settling<Lease> }
  | { readonly of: 'epochs'; readonly tenant: TenantName; readonly settle: Settling<Epochs> };

type Settling<T> = PromiseWithResolvers<T | null>;

export function createReader(
  link: Link,
  { inFlight, batchLimit, gather = queueMicrotask }: ReadLimits,
): Pick<Store, 'lease' | 'epochs'> {
  const waiting: Wanted[] = [];
  let flying = 0;
  const launch = (): void => {
    if (flying >= inFlight || waiting.length === 0) return;
    flying++;
    const landed = () => {
      flying--;
      launch();
    };
    fly(link, waiting.splice(0, batchLimit)).then(landed, landed);
  };
  const want = (wanted: Wanted): void => {
    waiting.push(wanted);
    if (flying < inFlight) gather(launch);
  };
  return {
    lease(tenant, id) {
      const settle = Promise.withResolvers<Lease | null>();
      want({ of: 'lease', tenant, id, settle });
      return settle.promise;
    },
    epochs(tenant) {
      const settle = Promise.withResolvers<Epochs | null>();
      want({ of: 'epochs', tenant, settle });
      return settle.promise;
    },
  };
}

/** Settles everyone, and never rejects. */
async function fly(link: Link, batch: readonly Wanted[]): Promise<void> {
  try {
    const tenants = [...new Set(batch.map(({ tenant }) => tenant))];
    const [found = [], standing = []] = await link.pipeline({ role: ROLES.serve, tenants }, null, [
      leasesAsked(batch),
      epochsAsked(batch),
    ]);
    const rows = new Map(found.map((row) => [keyOf(String(row['tenant']), String(row['id'])), row]));
    const epochs = new Map(standing.map((row) => [row['tenant'], row]));
    for (const wanted of batch) {
      if (wanted.of === 'lease') wanted.settle.resolve(leaseOf(rows.get(keyOf(wanted.tenant, wanted.id))));
      else wanted.settle.resolve(epochsOf(epochs.get(wanted.tenant)));
    }
  } catch (error) {
    for (const { settle } of batch) settle.reject(error);
  }
}

/** No name of a tenant has a space. */
const keyOf = (tenant: string, id: string): string => `${tenant} ${id}`;

/** The ids stand there twice for the reason that `commit/move.ts` gives. */
export const LEASES = `with asked as materialized (
  select * from json_to_recordset($1::text::json) as a(tenant text, id text))
select l.* from asked join leases l on l.tenant = asked.tenant and l.id = asked.id
where l.id = any(array(select id from asked))`;

const leasesAsked = (batch: readonly Wanted[]): Statement => ({
  text: LEASES,
  parameters: [
    JSON.stringify(
      batch.flatMap((wanted) => (wanted.of === 'lease' ? [{ tenant: wanted.tenant, id: wanted.id }] : [])),
    ),
  ],
});

const epochsAsked = (batch: readonly Wanted[]): Statement => ({
  text: `select t.name as tenant, t.epoch as tenant_epoch, d.epoch as deployment_epoch from tenants t, deployment d
    where t.name = any(string_to_array($1, ',')) and not t.retired`,
  parameters: [[...new Set(batch.flatMap(({ of, tenant }) => (of === 'epochs' ? [tenant] : [])))].join(',')],
});

const COLUMNS = Object.entries(getTableColumns(leases));

/** As drizzle would read it. */
function leaseOf(row: Row | undefined): Lease | null {
  if (row === undefined) return null;
  const fields = COLUMNS.map(([field, column]) => {
    const value = row[column.name] ?? null;
    return [field, value === null ? null : column.mapFromDriverValue(value)];
  });
  return Object.fromEntries(fields) as Lease;
}

const epochsOf = (row: Row | undefined): Epochs | null =>
  row === undefined ? null : { tenant: Number(row['tenant_epoch']), deployment: Number(row['deployment_epoch']) };
