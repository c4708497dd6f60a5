/** What is held for a while, by the database's clock. */
import { sql } from 'drizzle-orm';
import type { SQL } from 'drizzle-orm';
import type { Seconds } from '../core/time.ts';

/**
 * Of the end of a hold: it is still to come. One that is further ahead than any holder would put it was written before
 * the clock was set back, and is nobody's: twice as far, so that a clock that is put right by little takes nothing away.
 *
 * @param hold how long each holder of it holds it.
 */
export const isAhead = (hold: Seconds): SQL =>
  sql`between brevet_now() + 1 and brevet_now() + ${2 * hold * 1000}::bigint`;
