/**
 * Whether a token, or what was read with it, is in use: by the sessions of its logins, by what Vault has counted, and by
 * when it last gave something out.
 */
import { z } from 'zod';
import { ProviderUnavailable } from '../../core/provider.ts';
import type { Activity, MintSpecification, Subject } from '../../core/provider.ts';
import { parseInstant } from '../../core/time.ts';
import type { Instant } from '../../core/time.ts';
import { isAbsence } from './client.ts';
import { viewOf } from './look.ts';
import { openedOf } from './names.ts';
import type { View } from './look.ts';
import type { Site } from './site.ts';
import { databaseReadsOf, tokenOf } from './specification.ts';

export async function activityAt(site: Site, subject: Subject): Promise<Activity> {
  try {
    return await judge(site, subject, await viewOf(site, subject));
  } catch (fault) {
    if (fault instanceof ProviderUnavailable) return { use: 'unknown', why: fault.message };
    throw fault;
  }
}

async function judge(site: Site, { mark, specification }: Subject, { vault, databases }: View): Promise<Activity> {
  const nodes = databases.flatMap((database) => database.nodes);
  const blind = nodes.filter((node) => typeof node === 'string');
  if (nodes.some((node) => typeof node !== 'string' && node.sessions > 0)) return { use: 'now' };
  if (blind.length > 0) return { use: 'unknown', why: blind.join('; ') };
  if (specification === null) return { use: 'unknown', why: 'no lease says what it was made as' };
  const { token: specified } = tokenOf(specification);
  const last = await lastGiven(site, vault);
  // Spent: Vault has ended it with its last use, at the earliest when the lease was opened.
  if (vault.token === null) return { use: 'over', last: last ?? openedOf(mark) };
  if (vault.token.uses === specified.num_uses) return { use: 'over', last };
  return isAllInSight(specification, databases)
    ? { use: 'over', last }
    : { use: 'unknown', why: 'Vault counts requests, and does not say when the last one came' };
}

/** Everything that it reads is a login whose sessions are seen. */
function isAllInSight(specification: MintSpecification, databases: View['databases']): boolean {
  const specified = tokenOf(specification);
  return databases.length > 0 && databaseReadsOf(specified).length === specified.reads.length;
}

const lease = z.object({ data: z.object({ issue_time: z.string() }) });

/** When the last login was given out that has not ended; `null`: none was. */
async function lastGiven(site: Site, { leases }: View['vault']): Promise<Instant | null> {
  const given = await Promise.all(leases.map((id) => issuedAt(site, id)));
  const known = given.filter((at) => at !== null);
  return known.length === 0 ? null : known.reduce((latest, at) => (at > latest ? at : latest));
}

async function issuedAt(site: Site, id: string): Promise<Instant | null> {
  try {
    const said = lease.safeParse(
      await site.session.ask((token) => site.vault.write(token, 'sys/leases/lookup', { lease_id: id })),
    );
    return said.success ? parseInstant(said.data.data.issue_time) : null;
  } catch (fault) {
    if (isAbsence(fault)) return null;
    throw fault;
  }
}
