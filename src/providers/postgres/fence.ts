/**
 * Holds a login's name, with a role that cannot log in, until a late mint can no longer land. The catalog's unique
 * index settles the race: a mint that is being committed is waited for, and one that comes later fails.
 */
import type { Mark } from '../../core/lease.ts';
import { AT_THE_RIGHT_SERVER, perform } from './lane.ts';
import type { Site } from './site.ts';

/** No login has a limit of 0: a fence is never taken for one that was left. */
const FENCE = `DO $brevet$
DECLARE
  payload jsonb := current_setting('brevet.payload')::jsonb;
BEGIN
  ${AT_THE_RIGHT_SERVER}
  BEGIN
    EXECUTE format('CREATE ROLE %I NOLOGIN CONNECTION LIMIT 0', payload ->> 'mark');
  EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
  END;
  PERFORM set_config('brevet.outcome', 'null', false);
END $brevet$`;

const UNFENCE = `DO $brevet$
DECLARE
  payload jsonb := current_setting('brevet.payload')::jsonb;
BEGIN
  ${AT_THE_RIGHT_SERVER}
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = payload ->> 'mark' AND NOT rolcanlogin AND rolconnlimit = 0) THEN
    EXECUTE format('DROP ROLE IF EXISTS %I', payload ->> 'mark');
  END IF;
  PERFORM set_config('brevet.outcome', 'null', false);
END $brevet$`;

const payloadOf = (site: Site, mark: Mark) => ({ server: site.config.system_identifier, mark });

export const fence = (site: Site, mark: Mark): Promise<void> =>
  site.atPrimary((lane) => perform<void>(lane, FENCE, payloadOf(site, mark)));

export const unfence = (site: Site, mark: Mark): Promise<void> =>
  site.atPrimary((lane) => perform<void>(lane, UNFENCE, payloadOf(site, mark)));
