/** Sessions at the console, and passkeys. */
import { and, eq, lt, or, sql } from 'drizzle-orm';
import type { Counted, OneUse } from '../../core/change/once.ts';
import type { RegisterChange } from '../../core/change/register.ts';
import type { OperatorName, PersonName, TenantName } from '../../core/ids.ts';
import { DEPLOYMENT } from '../schema/columns.ts';
import { consoleSessions, passkeys } from '../schema/console.ts';
import { persons } from '../schema/deployment.ts';
import type { Transaction } from '../link.ts';
import type { Register } from './register.ts';
import { refuse } from './refused.ts';

type Of<Kind extends RegisterChange['kind']> = Extract<RegisterChange, { readonly kind: Kind }>;

/** What it replaces ends with it, and so does all that was over anyway. */
export async function signIn({ tx }: Register, { session, replaces }: Of<'console.sign_in'>): Promise<void> {
  const over = or(
    lt(consoleSessions.until, sql`brevet_now()`),
    lt(consoleSessions.idleUntil, sql`brevet_now()`),
    ...(replaces === null ? [] : [eq(consoleSessions.id, replaces)]),
  );
  await tx.delete(consoleSessions).where(over);
  await tx.insert(consoleSessions).values(session);
}

export async function signOut({ tx }: Register, { person, session }: Of<'console.sign_out'>): Promise<void> {
  const theirs = and(
    eq(consoleSessions.person, person),
    session === null ? undefined : eq(consoleSessions.id, session),
  );
  await tx.delete(consoleSessions).where(theirs);
}

/** All that one person has open, or all that one way in opened, by whichever proof. */
export async function endSessions(
  { tx }: Register,
  of: { readonly person: PersonName } | { readonly operator: OperatorName },
): Promise<void> {
  const theirs = 'person' in of ? eq(consoleSessions.person, of.person) : eq(consoleSessions.operator, of.operator);
  await tx.delete(consoleSessions).where(theirs);
}

export async function putPasskey({ tx, now }: Register, { passkey }: Of<'passkey.put'>): Promise<void> {
  const { confirmedBy, transports, ...same } = passkey;
  if (confirmedBy === null) throw new TypeError('a passkey that nobody has confirmed is no passkey yet');
  const [person] = await tx.select({ active: persons.active }).from(persons).where(eq(persons.name, passkey.person));
  if (person?.active !== true) refuse({ unmet: 'missing', what: 'person' });
  const row = { ...same, confirmedBy, transports: [...transports], inSetup: now.setUp !== 'ended' };
  const put = await tx.insert(passkeys).values(row).onConflictDoNothing().returning({ id: passkeys.id });
  if (put.length === 0) refuse({ unmet: 'taken', by: 'another passkey' });
}

export async function removePasskey({ tx }: Register, passkey: string): Promise<void> {
  const gone = await tx.delete(passkeys).where(eq(passkeys.id, passkey)).returning({ id: passkeys.id });
  if (gone.length === 0) refuse({ unmet: 'missing', what: 'passkey' });
}

/** Who comes back signs in, and enrols, anew. */
export async function endWaysInOf(register: Register, person: PersonName): Promise<void> {
  await endSessions(register, { person });
  await register.tx.delete(passkeys).where(eq(passkeys.person, person));
}

export const spend = ({ tx }: Register, oneUse: OneUse): Promise<void> => spendAt(tx, DEPLOYMENT as TenantName, oneUse);

/** One that is over may have been used, and forgotten since, while this node stood still: nobody knows any more. */
export async function spendAt(tx: Transaction, tenant: TenantName, { client, jti, until }: OneUse): Promise<void> {
  const spent = await tx.execute(sql`
    insert into assertions (tenant, client, jti, until)
    select ${tenant}, ${client}, ${jti}, ${until}::bigint where ${until}::bigint > brevet_now()
    on conflict do nothing returning jti`);
  if (spent.length === 0) refuse({ unmet: 'replayed' });
}

/** One that has stood still, or gone back, is a copy's: unless it never counts. */
export async function count(tx: Transaction, { passkey, signCount }: Counted): Promise<void> {
  const goesOn = or(
    lt(passkeys.signCount, signCount),
    and(eq(passkeys.signCount, 0), eq(sql`${signCount}::bigint`, 0)),
  );
  const counted = await tx
    .update(passkeys)
    .set({ signCount })
    .where(and(eq(passkeys.id, passkey), goesOn))
    .returning({ id: passkeys.id });
  if (counted.length === 0) refuse({ unmet: 'replayed' });
}
