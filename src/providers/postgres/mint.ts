/**
 * Makes logins: those asked for at once in one statement, each under a deadline that the target's own clock holds.
 */
import { ProviderUnavailable } from '../../core/provider.ts';
import type { Minted, MintOrder } from '../../core/provider.ts';
import type { Clock, Instant } from '../../core/time.ts';
import { instant, toRfc3339 } from '../../core/time.ts';
import type { Random } from '../../core/ids.ts';
import type { Secret } from '../../core/secret.ts';
import { codeOfGroups } from './code.ts';
import { fulfilled, rejected } from './gather.ts';
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
  /** Too late on the target's clock; its limits leave no slot; or the server refused, by SQLSTATE. */
  | { readonly not: string };

/** Brevet's own connections to a node: kept, aside, and those that mint. */
const OWN_CONNECTIONS = 2 + MINT_LANES;

/**
 * Giving a group locks it until the end of the transaction, for every other that gives it: so that comes last, after
 * the verifiers' rounds, and in one order for all.
 */
const MINT = `DO $brevet$
DECLARE
  payload jsonb := current_setting('brevet.payload')::jsonb;
  item jsonb;
  granting record;
  outcomes jsonb := '[]';
  code jsonb;
  room int;
  first_deadline timestamptz := 'infinity';
BEGIN
  ${AT_THE_RIGHT_SERVER}
  SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
      - current_setting('reserved_connections')::int - ${OWN_CONNECTIONS} - coalesce(sum(rolconnlimit), 0)
    INTO room FROM pg_roles WHERE rolname LIKE 'brevet\\_%' AND rolcanlogin AND rolconnlimit > 0;
  code := ${codeOfGroups("(SELECT DISTINCT q ->> 'group' FROM jsonb_array_elements(payload -> 'logins') q)")};
  FOR item IN SELECT * FROM jsonb_array_elements(payload -> 'logins') LOOP
    IF clock_timestamp() >= (item ->> 'deadline')::timestamptz THEN
      outcomes := outcomes || jsonb_build_object('not', 'late');
    ELSIF room < (item ->> 'limit')::int THEN
      outcomes := outcomes || jsonb_build_object('not', 'full');
    ELSE
      BEGIN
        EXECUTE format('CREATE ROLE %I LOGIN NOINHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS'
          || ' CONNECTION LIMIT %s PASSWORD %L VALID UNTIL %L', item ->> 'name', (item ->> 'limit')::int,
          item ->> 'verifier', item ->> 'valid_until');
        EXECUTE format('ALTER ROLE %I SET role = %L', item ->> 'name', item ->> 'group');
        room := room - (item ->> 'limit')::int;
        first_deadline := least(first_deadline, (item ->> 'deadline')::timestamptz);
        outcomes := outcomes || jsonb_build_object('made', jsonb_build_object(
          'system_identifier', payload ->> 'server',
          'server_version', current_setting('server_version_num')::int,
          'role_oid', (SELECT oid::text FROM pg_roles WHERE rolname = item ->> 'name'),
          'minted_at', clock_timestamp(),
          'code_before', code ->> (item ->> 'group')));
      EXCEPTION WHEN OTHERS THEN
        outcomes := outcomes || jsonb_build_object('not', SQLSTATE);
      END;
    END IF;
  END LOOP;
  FOR granting IN
    SELECT l.login ->> 'name' AS name, l.place::int - 1 AS place, g.role, g.options
    FROM jsonb_array_elements(payload -> 'logins') WITH ORDINALITY AS l(login, place)
    CROSS JOIN LATERAL (VALUES (login ->> 'group', 'INHERIT FALSE, SET TRUE'),
      (login ->> 'door', 'INHERIT TRUE, SET FALSE')) AS g(role, options)
    WHERE g.role IS NOT NULL ORDER BY g.role, l.place
  LOOP
    CONTINUE WHEN NOT outcomes -> granting.place ? 'made';
    BEGIN
      EXECUTE format('GRANT %I TO %I WITH ' || granting.options, granting.role, granting.name);
    EXCEPTION WHEN OTHERS THEN
      outcomes := jsonb_set(outcomes, ARRAY[granting.place::text], jsonb_build_object('not', SQLSTATE));
      EXECUTE format('DROP ROLE %I', granting.name);
    END;
  END LOOP;
  IF clock_timestamp() >= first_deadline THEN
    RAISE EXCEPTION 'too late' USING ERRCODE = 'BV002';
  END IF;
  PERFORM set_config('brevet.outcome', outcomes::text, false);
END $brevet$`;

export async function mintTogether(
  site: Site,
  batch: readonly Prepared[],
  clock: Clock,
): Promise<readonly PromiseSettledResult<Minted>[]> {
  try {
    const outcomes = await send(site, batch, clock);
    return batch.map((prepared, place) => outcomeOf(site, prepared, outcomes[place]));
  } catch (fault) {
    if (batch.length === 1 || !(fault instanceof ServerRefusal) || !fault.isCertain) throw fault;
    // Nothing of the batch was done: each goes alone, so that the one at fault harms no other.
    const alone = await Promise.allSettled(batch.map((prepared) => mintTogether(site, [prepared], clock)));
    return alone.map((outcome) =>
      outcome.status === 'fulfilled' ? (outcome.value[0] ?? rejected(new Error('no outcome'))) : outcome,
    );
  }
}

async function send(site: Site, batch: readonly Prepared[], clock: Clock): Promise<readonly Made[]> {
  // A login is made only while the connection stands that will end it.
  await site.atPrimary((lane) => lane.ready());
  return site.toMint(async (lane) => {
    const toTarget = await measureClock(lane, clock);
    return perform<readonly Made[]>(lane, MINT, payloadOf(site, batch, toTarget));
  });
}

function payloadOf(site: Site, batch: readonly Prepared[], toTarget: (ours: Instant) => Instant) {
  return {
    server: site.config.system_identifier,
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
async function measureClock(lane: Lane, clock: Clock): Promise<(ours: Instant) => Instant> {
  const [row] = await lane.run(
    (sql) => sql<{ ms: number }[]>`select (extract(epoch from clock_timestamp()) * 1000)::float8 as ms`,
  );
  if (row === undefined) throw new Error('a clock without a time');
  const ahead = row.ms - clock();
  return (ours) => instant(Math.floor(ours + ahead));
}

function outcomeOf(site: Site, { order, login, password }: Prepared, outcome: Made | undefined) {
  if (outcome === undefined) return rejected(new Error('the target answered for fewer logins than were asked for'));
  if ('not' in outcome) {
    const what = { late: 'the deadline has passed', full: 'the live logins already fill its connection slots' };
    const why = what[outcome.not as keyof typeof what] ?? `it answered ${outcome.not}`;
    return rejected(new ProviderUnavailable(`${site.target.version.name} did not make the login: ${why}`));
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
