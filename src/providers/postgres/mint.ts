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
import { AT_THE_RIGHT_SERVER, perform, ServerRefusal } from './lane.ts';
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
}

/**
 * All or none: where one cannot be made the whole is undone, and told apart outside. Giving a group locks it until the
 * end of the transaction, for every other that gives it: so that comes last, after the verifiers' rounds, and in one
 * order for all. With each role that is made or given, the server has to count anew what the admin holds, which whoever
 * alters a role waits for: so one kind of statement follows the other, and each group is given to all at once.
 */
const MINT = `DO $brevet$
DECLARE
  payload jsonb := current_setting('brevet.payload')::jsonb;
  item jsonb;
  granting record;
  outcomes jsonb := '[]';
  room int := (payload ->> 'room')::int;
  first_deadline timestamptz := 'infinity';
BEGIN
  ${AT_THE_RIGHT_SERVER}
  FOR item IN SELECT * FROM jsonb_array_elements(payload -> 'logins') LOOP
    IF clock_timestamp() >= (item ->> 'deadline')::timestamptz THEN
      outcomes := outcomes || jsonb_build_object('not', 'late');
    ELSIF room < (item ->> 'limit')::int THEN
      outcomes := outcomes || jsonb_build_object('not', 'full');
    ELSE
      EXECUTE format('CREATE ROLE %I LOGIN NOINHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS'
        || ' CONNECTION LIMIT %s PASSWORD %L VALID UNTIL %L', item ->> 'name', (item ->> 'limit')::int,
        item ->> 'verifier', item ->> 'valid_until');
      room := room - (item ->> 'limit')::int;
      first_deadline := least(first_deadline, (item ->> 'deadline')::timestamptz);
      outcomes := outcomes || jsonb_build_object('made', jsonb_build_object(
        'system_identifier', payload ->> 'server',
        'server_version', current_setting('server_version_num')::int,
        'role_oid', to_regrole(quote_ident(item ->> 'name'))::oid::text,
        'minted_at', clock_timestamp(),
        'code_before', payload -> 'code' ->> (item ->> 'group')));
    END IF;
  END LOOP;
  FOR place IN 0 .. jsonb_array_length(outcomes) - 1 LOOP
    CONTINUE WHEN NOT outcomes -> place ? 'made';
    item := payload -> 'logins' -> place;
    EXECUTE format('ALTER ROLE %I SET role = %L', item ->> 'name', item ->> 'group');
  END LOOP;
  FOR granting IN
    SELECT g.role, g.options, string_agg(quote_ident(l.login ->> 'name'), ', ') AS names
    FROM jsonb_array_elements(payload -> 'logins') WITH ORDINALITY AS l(login, place)
    CROSS JOIN LATERAL (VALUES (login ->> 'group', 'INHERIT FALSE, SET TRUE'),
      (login ->> 'door', 'INHERIT TRUE, SET FALSE')) AS g(role, options)
    WHERE g.role IS NOT NULL AND outcomes -> (l.place::int - 1) ? 'made'
    GROUP BY g.role, g.options ORDER BY g.role, g.options
  LOOP
    EXECUTE format('GRANT %I TO %s WITH %s', granting.role, granting.names, granting.options);
  END LOOP;
  IF clock_timestamp() >= first_deadline THEN
    RAISE EXCEPTION 'too late' USING ERRCODE = 'BV002';
  END IF;
  PERFORM set_config('brevet.outcome', outcomes::text, false);
END $brevet$`;

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

async function send(site: Site, batch: readonly Prepared[], clock: Clock): Promise<readonly Made[]> {
  // A login is made only while the connection stands that will end it.
  await site.atPrimary((lane) => lane.ready());
  return site.toMint(async (lane) => {
    const { before, toTarget } = await lookBefore(lane, batch, clock);
    return perform<readonly Made[]>(lane, MINT, payloadOf(site, batch, before, toTarget));
  });
}

function payloadOf(
  site: Site,
  batch: readonly Prepared[],
  { room, code }: Before,
  toTarget: (ours: Instant) => Instant,
) {
  return {
    server: site.config.system_identifier,
    room,
    code,
    logins: batch.map(({ order, login, verifier }) => ({
      name: order.mark,
      verifier,
      group: login.group,
      door: login.connect_role,
      limit: login.connection_limit,
      valid_until: toRfc3339(toTarget(order.expiresAt)),
      deadline: toRfc3339(toTarget(order.deadline)),
    })),
  };
}

/** Turns our instants into the target's; never into later ones, since the answer may have been on its way for long. */
async function lookBefore(
  lane: Lane,
  batch: readonly Prepared[],
  clock: Clock,
): Promise<{ readonly before: Before; readonly toTarget: (ours: Instant) => Instant }> {
  const groups = JSON.stringify([...new Set(batch.map(({ login }) => login.group))]);
  const [row] = await lane.run((sql) => sql.unsafe<{ before: string }[]>(BEFORE, [groups], { prepare: true }));
  if (row === undefined) throw new Error('a clock without a time');
  const before = JSON.parse(row.before) as Before;
  const ahead = before.now - clock();
  return { before, toTarget: (ours) => instant(Math.floor(ours + ahead)) };
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
