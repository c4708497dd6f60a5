/** The columns of a lease for whoever may not read its secret. */
import { getTableColumns, sql } from 'drizzle-orm';
import { leases } from './schema/requests.ts';

export const withoutSecret = { ...getTableColumns(leases), secret: sql<null>`null` };
