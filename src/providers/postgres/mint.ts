/**
 * Makes logins: those asked for at once in one statement, each under a deadline that the target's own clock holds.
 */
import { ProviderRefused } from '../../core/provider.ts';
import type { Minted, MintOrder } from '../../core/provider.ts';
import type { Clock, Instant } from '../../core/time.ts';
import { instant, toRfc3339 } from '../../core/time.ts';
import type { Random } from '../../core/ids.ts';
import type { Secret } from '../../core/secret.ts';
import { codeOfGroups } from './code.ts';
import { fulfilled, rejected } from '../gather.ts';
import { answersTo, AT_THE_SERVER_LOOKED_AT, ServerRefusal } from './lane.ts';
import type { Lane } from './lane.ts';
import { newPassword, scramVerifier } from './scram.ts';
import { MINT_LANES } from './site.ts';
import type { Site } from './site.ts';
import { loginOf } from './specification.ts';
import type { LoginReference, LoginSpecification } from './specification.ts';

/** A login that is ready to be sent. */
export interface Prepared {
  readonly order: MintOrder;
  readonly login: LoginSpecification;
  readonly password: Secret;
  readonly verifier: string;
}

export async function prepare(order: MintOrder, random: Random): Promise<Prepared> {
  const login = loginOf(order.specification);
  const password = newPassword(random);
  return { order, login, password, verifier: await scramVerifier(password, login.scram_rounds, random) };
}

type Made =
  | { readonly made: LoginReference }
  /** Too late on the target's clock; or its limits leave no slot. */
  | { readonly not: 'late' | 'full' };

/** Brevet's own connections to a node: kept, aside, and those that mint. */
const OWN_CONNECTIONS = 2 + MINT_LANES;

/** What a mint has to know of a node beforehand; planned once, since its views are dear to plan. */
const BEFORE = `SELECT jsonb_build_object(
  'now', (extract(epoch FROM clock_timestamp()) * 1000)::float8,
  'room', (SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
      - current_setting('reserved_connections')::int - ${OWN_CONNECTIONS} - coalesce(sum(rolconnlimit), 0)
    FROM pg_roles WHERE rolname LIKE 'brevet\\_%' AND rolcanlogin AND rolconnlimit > 0),
  'code', ${codeOfGroups('(SELECT jsonb_array_elements_text($1::text::jsonb))')}
)::text AS before`;

interface Before {
  /** On the target's clock, in milliseconds. */
  readonly now: number;
  /** Slots that no live login may take. */
  readonly room: number;
  /** By group. */
  readonly code: Readonly<Record<string, string>>;
  /** Turns our instants into the target's; never into later ones, since the answer may have been on its way for long. */
  readonly toTarget: (ours: Instant) => Instant;
}

/**
 * Writes the commands that make logins, quoted by the server, into `brevet.payload`; at another server, none.
 * @see MINT for their order.
 */
const WRITE = `WITH payload AS MATERIALIZED (
  SELECT p, p ->> 'server' = (SELECT system_identifier::text FROM pg_control_system()) AS is_right
  FROM (SELECT $1::text::jsonb AS p) AS given
), logins AS MATERIALIZED (
  SELECT l.* FROM payload, ROWS FROM (jsonb_to_recordset(p -> 'logins') AS (
    name text, verifier text, "group" text, door text, "limit" int, valid_until text
  )) WITH ORDINALITY AS l(name, verifier, "group", door, "limit", valid_until, place)
), grants AS MATERIALIZED (
  SELECT role, options, string_agg(quote_ident(name), ', ' ORDER BY place) AS names
  FROM logins CROSS JOIN LATERAL (
    VALUES ("group", 'INHERIT FALSE, SET TRUE'), (door, 'INHERIT TRUE, SET FALSE')) AS g(role, options)
  WHERE role IS NOT NULL GROUP BY role, options
)
SELECT set_config('brevet.payload', CASE WHEN is_right THEN jsonb_build_object('first_deadline', p -> 'first_deadline',
  'commands',
    (SELECT jsonb_agg(format('CREATE ROLE %I LOGIN NOINHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION'
      || ' NOBYPASSRLS CONNECTION LIMIT %s PASSWORD %L VALID UNTIL %L', name, "limit", verifier, valid_until)
      ORDER BY place) FROM logins)
    || (SELECT jsonb_agg(format('ALTER ROLE %I SET role = %L', name, "group") ORDER BY place) FROM logins)
    || (SELECT jsonb_agg(format('GRANT %I TO %s WITH %s', role, names, options) ORDER BY role, options) FROM grants)
  ) ELSE '{}' END::text, false)
FROM payload`;

/**
 * All or none: where one cannot be made the whole is undone, and told apart outside. Giving a group locks it until the
 * end of the transaction, for every other that gives it: so that comes last, after the verifiers' rounds, and in one
 * order for all. With each role that is made or given, the server has to count anew what the admin holds, which whoever
 * alters a role waits for: so one kind of statement follows the other, and each group is given to all at once. A block
 * is planned anew each time, so that it does no more than has to be one transaction.
 */
const MINT = `DO $brevet$
DECLARE
  payload jsonb := current_setting('brevet.payload')::jsonb;
  command text;
BEGIN
  ${AT_THE_SERVER_LOOKED_AT}
  FOR command IN SELECT jsonb_array_elements_text(payload -> 'commands') LOOP
    EXECUTE command;
  END LOOP;
  IF clock_timestamp() >= (payload ->> 'first_deadline')::timestamptz THEN
    RAISE EXCEPTION 'too late' USING ERRCODE = 'BV002';
  END IF;
END $brevet$`;

/** What they have become. Whatever came of the commands, they are forgotten: none is ever run again. */
const MADE = `SELECT jsonb_build_object('server_version', current_setting('server_version_num')::int, 'oids', (
  SELECT jsonb_object_agg(rolname, oid::text) FROM pg_roles
  WHERE rolname = ANY (ARRAY(SELECT jsonb_array_elements_text($1::text::jsonb)))))::text AS made,
  set_config('brevet.payload', '', false)`;

interface MadeRoles {
  readonly server_version: number;
  /** By name. */
  readonly oids: Readonly<Record<string, string>>;
}

/** A lock that was waited for in vain, by all of them: to wait again for each would take too long. */
const LOCKED = '55P03';

export async function mintTogether(
  site: Site,
  batch: readonly Prepared[],
  clock: Clock,
): Promise<readonly PromiseSettledResult<Minted>[]> {
  try {
    const outcomes = await send(site, batch, clock);
    return batch.map((prepared, place) => outcomeOf(site, prepared, outcomes[place]));
  } catch (fault) {
    const isOfOne = fault instanceof ServerRefusal && fault.isCertain && fault.sqlstate !== LOCKED;
    if (batch.length === 1 || !isOfOne) throw fault;
    return mintApart(site, batch, clock);
  }
}

/** Nothing of the batch was done: each group goes by itself and then each login, so that the one at fault harms no other. */
async function mintApart(
  site: Site,
  batch: readonly Prepared[],
  clock: Clock,
): Promise<readonly PromiseSettledResult<Minted>[]> {
  const byGroup = [...Map.groupBy(batch, ({ login }) => login.group).values()];
  const parts = byGroup.length > 1 ? byGroup : batch.map((prepared) => [prepared]);
  const outcomes = new Map<Prepared, PromiseSettledResult<Minted>>();
  for (const part of parts) {
    const minted = await mintTogether(site, part, clock).catch((fault: unknown) =>
      part.map(() => rejected(fault instanceof Error ? fault : new Error('a mint failed'))),
    );
    for (const [place, prepared] of part.entries()) outcomes.set(prepared, minted[place] ?? NO_OUTCOME);
  }
  return batch.map((prepared) => outcomes.get(prepared) ?? NO_OUTCOME);
}

const NO_OUTCOME = rejected(new Error('the target answered for fewer logins than were asked for'));

async function send(site: Site, batch: readonly Prepared[], clock: Clock): Promise<readonly (Made | undefined)[]> {
  // A login is made only while the connection stands that will end it.
  await site.atPrimary((lane) => lane.ready());
  return site.toMint(async (lane) => {
    const before = await lookBefore(lane, batch, clock);
    const refused = refusedOf(batch, before);
    const fit = batch.filter((prepared) => !refused.has(prepared));
    const made = fit.length === 0 ? null : await make(site, lane, fit, before);
    return batch.map((prepared) => refused.get(prepared) ?? madeOf(site, prepared, before, made));
  });
}

/** Those that are not to be made: too late already; or without a slot, which those before them in the batch have taken. */
function refusedOf(batch: readonly Prepared[], { now, room, toTarget }: Before): ReadonlyMap<Prepared, Made> {
  const refused = new Map<Prepared, Made>();
  let left = room;
  for (const prepared of batch) {
    const { order, login } = prepared;
    if (toTarget(order.deadline) <= now) refused.set(prepared, { not: 'late' });
    else if (left < login.connection_limit) refused.set(prepared, { not: 'full' });
    else left -= login.connection_limit;
  }
  return refused;
}

/** One round trip: the commands are written by one statement, run by the next, and what they made is read by a third. */
async function make(site: Site, lane: Lane, batch: readonly Prepared[], before: Before): Promise<MadeRoles> {
  const payload = JSON.stringify(payloadOf(site, batch, before));
  const marks = JSON.stringify(batch.map(({ order }) => order.mark));
  return lane.run(async (sql) => {
    const [, , [row]] = await answersTo([
      sql.unsafe(WRITE, [payload], { prepare: true }).execute(),
      sql.unsafe(MINT).execute(),
      sql.unsafe<{ made: string }[]>(MADE, [marks], { prepare: true }).execute(),
    ]);
    if (row === undefined) throw new Error('a mint left no outcome');
    return JSON.parse(row.made) as MadeRoles;
  });
}

function payloadOf(site: Site, batch: readonly Prepared[], { toTarget }: Before) {
  return {
    server: site.config.system_identifier,
    first_deadline: toRfc3339(toTarget(earliestOf(batch.map(({ order }) => order.deadline)))),
    logins: batch.map(({ order, login, verifier }) => ({
      name: order.mark,
      verifier,
      group: login.group,
      door: login.connect_role,
      limit: login.connection_limit,
      valid_until: toRfc3339(toTarget(order.expiresAt)),
    })),
  };
}

const earliestOf = (instants: readonly Instant[]): Instant => instant(Math.min(...instants));

/** @returns `undefined` for one that has gone from the catalog since. */
function madeOf(
  site: Site,
  { order, login }: Prepared,
  { now, code }: Before,
  made: MadeRoles | null,
): Made | undefined {
  const role_oid = made?.oids[order.mark];
  if (made === null || role_oid === undefined) return undefined;
  return {
    made: {
      system_identifier: site.config.system_identifier,
      server_version: made.server_version,
      role_oid,
      // Before it was made, never after: what is prepared from then on is looked for.
      minted_at: toRfc3339(instant(Math.floor(now))),
      code_before: code[login.group] ?? '',
    },
  };
}

async function lookBefore(lane: Lane, batch: readonly Prepared[], clock: Clock): Promise<Before> {
  const groups = JSON.stringify([...new Set(batch.map(({ login }) => login.group))]);
  const [row] = await lane.run((sql) => sql.unsafe<{ before: string }[]>(BEFORE, [groups], { prepare: true }));
  if (row === undefined) throw new Error('a clock without a time');
  const seen = JSON.parse(row.before) as Omit<Before, 'toTarget'>;
  const ahead = seen.now - clock();
  return { ...seen, toTarget: (ours) => instant(Math.floor(ours + ahead)) };
}

function outcomeOf(site: Site, { order, login, password }: Prepared, outcome: Made | undefined) {
  if (outcome === undefined) return NO_OUTCOME;
  if ('not' in outcome) {
    const what = { late: 'the deadline has passed', full: 'the live logins already fill its connection slots' };
    return rejected(new ProviderRefused(`${site.target.version.name} did not make the login: ${what[outcome.not]}`));
  }
  return fulfilled<Minted>({
    reference: { ...outcome.made },
    credential: {
      type: 'postgres',
      host: login.host,
      port: login.port,
      database: login.database,
      user: order.mark,
      password,
      expires_at: toRfc3339(order.expiresAt),
    },
    keep: null,
  });
}
