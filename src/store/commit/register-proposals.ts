/** Changes that take two: written down by one person, and done once, in the transaction of the second one's word. */
import { eq, sql } from 'drizzle-orm';
import type { Confirmation, NewBundle } from '../../core/change/register.ts';
import type { ChangeId, TenantName } from '../../core/ids.ts';
import type { Proposal, ProposalState } from '../../core/proposal.ts';
import { DEPLOYMENT } from '../schema/columns.ts';
import { changes } from '../schema/deployment.ts';
import { keepPolicy } from './register-policy.ts';
import type { Register } from './register.ts';
import { refuse } from './refused.ts';

export async function propose(register: Register, proposal: Proposal, bundles: readonly NewBundle[]): Promise<void> {
  for (const bundle of bundles) await keepPolicy(register, bundle);
  await keepProposal(register, proposal, 'open');
}

export async function keepProposal({ tx }: Register, proposal: Proposal, state: ProposalState): Promise<void> {
  const tenant = proposal.act.ledger ?? (DEPLOYMENT as TenantName);
  await tx.insert(changes).values({ ...proposal, tenant, state });
}

/** What passed its end is over already. */
export async function withdraw(register: Register, change: ChangeId): Promise<void> {
  const { state } = await find(register, change);
  if (state !== 'open') refuse({ unmet: 'proposal', why: state });
  await register.tx.update(changes).set({ state: 'withdrawn' }).where(eq(changes.id, change));
}

/** @param from the state that it must be in: `open` to be done now, `owed` where it was done before. */
export async function confirm(
  register: Register,
  { change, hash, by }: Confirmation,
  from: 'open' | 'owed',
): Promise<void> {
  const proposal = await find(register, change);
  if (proposal.state !== from) refuse({ unmet: 'proposal', why: proposal.state });
  if (proposal.over && from === 'open') refuse({ unmet: 'proposal', why: 'expired' });
  if (proposal.hash !== hash) refuse({ unmet: 'proposal', why: 'hash' });
  await register.tx.update(changes).set({ state: 'applied', confirmer: by }).where(eq(changes.id, change));
}

/** Under the exclusive lock, so that two who confirm at once are one after the other. */
async function find({ tx }: Register, change: ChangeId) {
  const [found] = await tx
    .select({ state: changes.state, hash: changes.hash, over: sql<boolean>`${changes.expiresAt} <= brevet_now()` })
    .from(changes)
    .where(eq(changes.id, change));
  return found ?? refuse({ unmet: 'missing', what: 'change' });
}
