/** What stands in a `tenant` column for what is no tenant: no name can be either. */
export const DEPLOYMENT = '';
export const EVERYWHERE = '*';

/** The one lock: shared by what issues, exclusive for what raises an epoch. */
export const EPOCHS_LOCK = 0x6570_6f63;
