/**
 * Takes away what a dead login still owns, so that its role can be dropped. After `SET ROLE NONE` a login could own
 * large objects, default privileges and the like, in any database that let it in.
 */
import { AT_THE_RIGHT_SERVER, perform, ServerRefusal } from './lane.ts';
import type { Site } from './site.ts';

/** Only for a login that is disabled and could not be dropped before; what fails stays for the next time. */
export async function cleanUp(site: Site, mark: string): Promise<void> {
  const payload = { server: site.config.system_identifier, mark };
  const databases = await site.aside((lane) => perform<readonly string[]>(lane, FIND, payload));
  try {
    for (const database of databases) {
      await site.inDatabase(database, (lane) => perform(lane, DROP_OWNED, payload));
    }
    await site.aside((lane) => perform(lane, DROP_ROLE, payload));
  } catch (fault) {
    // It is dead all the same; a look tells that it is left.
    if (!(fault instanceof ServerRefusal)) throw fault;
  }
}

const FIND = `DO $brevet$
DECLARE
  payload jsonb := current_setting('brevet.payload')::jsonb;
BEGIN
  ${AT_THE_RIGHT_SERVER}
  PERFORM set_config('brevet.outcome', (
    SELECT coalesce(jsonb_agg(DISTINCT d.datname), '[]')::text FROM pg_shdepend s JOIN pg_database d ON d.oid = s.dbid
    WHERE s.refclassid = 'pg_authid'::regclass
      AND s.refobjid = (SELECT oid FROM pg_roles WHERE rolname = payload ->> 'mark')), false);
END $brevet$`;

/** The admin made the role, so it may inherit from it; that membership goes with the role. */
const DROP_OWNED = `DO $brevet$
DECLARE
  payload jsonb := current_setting('brevet.payload')::jsonb;
BEGIN
  ${AT_THE_RIGHT_SERVER}
  EXECUTE format('GRANT %I TO %I WITH INHERIT TRUE, SET FALSE GRANTED BY %I',
    payload ->> 'mark', current_user, current_user);
  EXECUTE format('DROP OWNED BY %I', payload ->> 'mark');
  EXECUTE format('REVOKE %I FROM %I GRANTED BY %I', payload ->> 'mark', current_user, current_user);
  PERFORM set_config('brevet.outcome', 'null', false);
END $brevet$`;

const DROP_ROLE = `DO $brevet$
DECLARE
  payload jsonb := current_setting('brevet.payload')::jsonb;
BEGIN
  ${AT_THE_RIGHT_SERVER}
  EXECUTE format('DROP ROLE IF EXISTS %I', payload ->> 'mark');
  PERFORM set_config('brevet.outcome', 'null', false);
END $brevet$`;
