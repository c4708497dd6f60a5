/** How many migrations `drizzle/` holds. A constant, since Workers have no disk to count them on; a test compares. */
export const MIGRATIONS = 24;
