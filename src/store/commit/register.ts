/**
 * Changes of who may do what: one at a time, under the exclusive lock, in one short transaction that raises an epoch.
 */
import { and, eq, sql } from 'drizzle-orm';
import type { RegisterCommand, Unmet, WorkTask } from '../../core/change.ts';
import type { RegisterChange } from '../../core/change/register.ts';
import type { Entry } from '../../core/entry.ts';
import type { TenantName } from '../../core/ids.ts';
import type { Epochs } from '../../core/snapshot.ts';
import { err, ok } from '../../core/result.ts';
import type { Result } from '../../core/result.ts';
import { enter } from '../link.ts';
import type { Link, Transaction } from '../link.ts';
import { REGISTER_LOCK, ROLES } from '../roles.ts';
import { DEPLOYMENT, EVERYWHERE } from '../schema/columns.ts';
import { deployment } from '../schema/deployment.ts';
import { tenants } from '../schema/tenants.ts';
import { work } from '../schema/work.ts';
import { insertEntries } from './entries.ts';
import { endAbsence, putAbsence } from './register-absences.ts';
import { count, putPasskey, removePasskey, signIn, signOut, spend } from './register-console.ts';
import { putAcceptance, removeAcceptance } from './register-acceptances.ts';
import { liftBlock, raiseBlock, reportBlock } from './register-blocks.ts';
import { claim } from './register-claim.ts';
import { endAssignment, putAssignment } from './register-assignments.ts';
import { putEnrolment, removeEnrolment } from './register-enrolments.ts';
import { putAgent, putIssuer, putOperator, putPerson, removeAgent, removeIssuer } from './register-names.ts';
import { putVendor, removeOperator, removePerson, removeVendor } from './register-names.ts';
import { endSituation, putContext, setSituation } from './register-context.ts';
import { catchUp, noteLate } from './register-notices.ts';
import { acceptAgent, offboardAgents, offboardPerson } from './register-offboard.ts';
import {
  closeReview,
  endPause,
  giveOrder,
  giveVerdict,
  openReview,
  resetBreaker,
  startPause,
  tripBreaker,
} from './register-oversight.ts';
import { activatePolicy } from './register-policy.ts';
import { confirm, keepProposal, propose, withdraw } from './register-proposals.ts';
import { beginSetup, makeLocalToken, recoverSetup, witnessSetup } from './register-setup.ts';
import { putTarget, putTenant, removeTarget, removeTenant } from './register-tenants.ts';
import { refuse, unmetOf } from './refused.ts';

export type DeploymentRow = typeof deployment.$inferSelect;

/** What a change is given: its transaction, and the deployment as it is under the lock. */
export interface Register {
  readonly tx: Transaction;
  readonly now: DeploymentRow;
}

/** @returns the version given to a target, where one was put. */
export async function commitRegister(
  link: Link,
  { change, work: todo, deploymentEpoch, tenantEpoch = null, idempotency = null, ...more }: RegisterCommand,
  written: readonly Entry[],
): Promise<Result<number | null, Unmet>> {
  const { spends = [], counts = null, confirms, owes } = more;
  const tenant = tenantOf(change);
  const rowsOf = [
    ...(tenant === null ? [] : [tenant]),
    ...namedBy(written),
    ...todo.map(({ what }) => what.tenant ?? DEPLOYMENT),
    ...(idempotency === null ? [] : [idempotency.place ?? DEPLOYMENT]),
  ];
  const named = [...new Set([DEPLOYMENT, EVERYWHERE, ...rowsOf])];
  const entering = { role: ROLES.serve, tenants: named };
  try {
    return await link.transaction(entering, async (tx) => {
      // In a statement of its own: the next one sees everything that was committed before the lock was had.
      await tx.execute(sql`select pg_advisory_xact_lock(${REGISTER_LOCK})`);
      const [now] = await tx.select().from(deployment);
      if (now === undefined) throw new Error('the deployment has no row: it was not migrated');
      // Before all else: what it did the first time may be what stands against it now.
      if (idempotency !== null) await claim(tx, idempotency, written);
      if (deploymentEpoch !== null && deploymentEpoch !== now.epoch) refuse({ unmet: 'moved' });
      if (tenantEpoch !== null && tenantEpoch !== (await epochOf(tx, tenant))) refuse({ unmet: 'moved' });
      for (const oneUse of spends) await spend({ tx, now }, oneUse);
      if (counts !== null) await count(tx, counts);
      if (confirms !== undefined) await confirm({ tx, now }, confirms, 'open');
      const version = await apply({ tx, now }, change);
      if (owes !== undefined) await keepProposal({ tx, now }, owes, 'owed');
      const raised = await raise(tx, change, tenant);
      await tx.execute(enter(entering));
      if (todo.length > 0) await tx.insert(work).values(todo.map((one) => rowOfWork(one, raised)));
      await insertEntries(tx, written);
      return ok(version);
    });
  } catch (error) {
    const unmet = unmetOf(error);
    if (unmet === null) throw error;
    return err(unmet);
  }
}

/** What a tenant's epoch counts as before there is one. */
const NOT_THERE = 0;

async function epochOf(tx: Transaction, tenant: TenantName | null): Promise<number | null> {
  if (tenant === null) return null;
  const [row] = await tx
    .select({ epoch: tenants.epoch })
    .from(tenants)
    .where(and(eq(tenants.name, tenant), eq(tenants.retired, false)));
  return row?.epoch ?? NOT_THERE;
}

const namedBy = (written: readonly Entry[]): string[] => written.map(({ tenant }) => tenant ?? DEPLOYMENT);

const SINCE: readonly WorkTask['task'][] = ['cascade', 'reassess', 'enforce'];

/** What was decided before the change is ended, which its epoch tells from what came since. */
const rowOfWork = ({ id, due, what }: RegisterCommand['work'][number], since: Partial<Epochs>) => ({
  id,
  due,
  what: SINCE.includes(what.task) ? { ...what, since } : what,
  tenant: what.tenant ?? (DEPLOYMENT as TenantName),
});

/** Whose registers it changes; `null`: the deployment's. */
function tenantOf(change: RegisterChange): TenantName | null {
  switch (change.kind) {
    case 'tenant.put':
      return change.tenant.name;
    case 'tenant.remove':
    case 'enrolment.remove':
    case 'acceptance.remove':
    case 'target.remove':
    case 'context.put':
    case 'situation.end':
    case 'orphan.kill':
    case 'notice.late':
    case 'notice.caught_up':
    case 'review.done':
    case 'breaker.reset':
      return change.tenant;
    case 'verdict.give':
      return change.verdict.tenant;
    case 'order.give':
      return change.order.tenant;
    case 'review.open':
      return change.review.tenant;
    case 'breaker.trip':
      return change.trip.tenant;
    case 'pause.start':
    case 'pause.end':
      return change.tenants === null ? null : onlyOf(change.tenants);
    case 'situation.set':
      return change.situation.tenant;
    case 'enrolment.put':
      return change.enrolment.tenant;
    case 'acceptance.put':
      return change.acceptance.tenant;
    case 'target.put':
      return change.target.tenant;
    case 'assignment.put':
    case 'assignment.remove':
      return change.assignment.tenant;
    case 'block.raise':
      return onlyOf(change.blocks.map(({ tenant }) => tenant));
    case 'block.lift':
    case 'block.report':
      return onlyOf(change.tenants);
    case 'setup.begin':
    case 'setup.witness':
    case 'setup.recover':
    case 'local_token.make':
    case 'console.sign_in':
    case 'console.refuse':
    case 'console.sign_out':
    case 'passkey.invite':
    case 'passkey.put':
    case 'passkey.remove':
    case 'person.put':
    case 'person.remove':
    case 'absence.put':
    case 'absence.end':
    case 'operator.put':
    case 'operator.remove':
    case 'agent.put':
    case 'agent.remove':
    case 'agent.accept':
    case 'person.offboard':
    case 'agents.offboard':
    case 'issuer.put':
    case 'issuer.remove':
    case 'vendor.put':
    case 'vendor.remove':
    case 'policy.activate':
      return null;
    case 'change.propose':
      return change.proposal.act.ledger;
    case 'change.withdraw':
    case 'change.review':
      return change.tenant;
  }
}

/** What reaches several tenants raises the deployment's epoch, which counts at each. */
const onlyOf = ([first, ...others]: readonly TenantName[]): TenantName | null =>
  first === undefined || others.length > 0 ? null : first;

/** They say nothing of who may do what: that a token was made, what somebody makes of what was done, or would have otherwise. */
const RAISES_NOTHING: readonly RegisterChange['kind'][] = [
  'local_token.make',
  'console.sign_in',
  'console.refuse',
  'console.sign_out',
  'passkey.invite',
  'block.report',
  'orphan.kill',
  'verdict.give',
  'order.give',
  'review.open',
  'review.done',
  'change.propose',
  'change.withdraw',
  'change.review',
];

/** @returns the epoch as it is from here on. */
async function raise(tx: Transaction, change: RegisterChange, tenant: TenantName | null): Promise<Partial<Epochs>> {
  if (RAISES_NOTHING.includes(change.kind)) return {};
  if (tenant === null) {
    const [above] = await tx
      .update(deployment)
      .set({ epoch: sql`${deployment.epoch} + 1` })
      .returning({ deployment: deployment.epoch });
    return above ?? {};
  }
  const raised = await tx
    .update(tenants)
    .set({ epoch: sql`${tenants.epoch} + 1` })
    .where(and(eq(tenants.name, tenant), change.kind === 'tenant.remove' ? undefined : eq(tenants.retired, false)))
    .returning({ tenant: tenants.epoch });
  return raised[0] ?? refuse({ unmet: 'missing', what: 'tenant' });
}

async function apply(register: Register, change: RegisterChange): Promise<number | null> {
  if (change.kind === 'target.put') return putTarget(register, change);
  await applyUnversioned(register, change);
  return null;
}

function applyUnversioned(
  register: Register,
  change: Exclude<RegisterChange, { readonly kind: 'target.put' }>,
): Promise<void> {
  switch (change.kind) {
    case 'setup.begin':
      return beginSetup(register, change);
    case 'setup.witness':
      return witnessSetup(register, change.person);
    case 'setup.recover':
      return recoverSetup(register, change);
    case 'local_token.make':
      return makeLocalToken(register, change.operator, change.oneUse);
    case 'tenant.put':
      return putTenant(register, change.tenant, change.keys);
    case 'tenant.remove':
      return removeTenant(register, change.tenant);
    case 'context.put':
      return putContext(register, change);
    case 'situation.set':
      return setSituation(register, change.situation);
    case 'situation.end':
      return endSituation(register, change);
    case 'block.raise':
      return raiseBlock(register, change);
    case 'block.lift':
      return liftBlock(register, change);
    case 'block.report':
      return reportBlock(register, change);
    case 'orphan.kill':
    case 'console.refuse':
    case 'passkey.invite':
      return Promise.resolve();
    case 'notice.late':
      return noteLate(register, change);
    case 'notice.caught_up':
      return catchUp(register, change);
    case 'console.sign_in':
      return signIn(register, change);
    case 'console.sign_out':
      return signOut(register, change);
    case 'passkey.put':
      return putPasskey(register, change);
    case 'passkey.remove':
      return removePasskey(register, change.passkey);
    case 'verdict.give':
      return giveVerdict(register, change);
    case 'pause.start':
      return startPause(register, change);
    case 'pause.end':
      return endPause(register, change);
    case 'order.give':
      return giveOrder(register, change);
    case 'review.open':
      return openReview(register, change.review);
    case 'review.done':
      return closeReview(register, change);
    case 'breaker.trip':
      return tripBreaker(register, change);
    case 'breaker.reset':
      return resetBreaker(register, change);
    case 'vendor.put':
      return putVendor(register, change.vendor);
    case 'vendor.remove':
      return removeVendor(register, change.vendor);
    case 'person.put':
      return putPerson(register, change.person);
    case 'person.remove':
      return removePerson(register, change.person);
    case 'absence.put':
      return putAbsence(register, change.absence);
    case 'absence.end':
      return endAbsence(register, change.person);
    case 'operator.put':
      return putOperator(register, change.operator);
    case 'operator.remove':
      return removeOperator(register, change.operator);
    case 'agent.put':
      return putAgent(register, change.agent);
    case 'agent.remove':
      return removeAgent(register, change.agent);
    case 'agent.accept':
      return acceptAgent(register, change.agent, change.person);
    case 'person.offboard':
      return offboardPerson(register, change.person);
    case 'agents.offboard':
      return offboardAgents(register, change);
    case 'issuer.put':
      return putIssuer(register, change.issuer);
    case 'issuer.remove':
      return removeIssuer(register, change.issuer);
    case 'enrolment.put':
      return putEnrolment(register, change.enrolment);
    case 'enrolment.remove':
      return removeEnrolment(register, change.tenant, change.agent);
    case 'acceptance.put':
      return putAcceptance(register, change.acceptance);
    case 'acceptance.remove':
      return removeAcceptance(register, change.tenant, change.agent);
    case 'target.remove':
      return removeTarget(register, change.tenant, change.target);
    case 'assignment.put':
      return putAssignment(register, change);
    case 'assignment.remove':
      return endAssignment(register, change.assignment);
    case 'policy.activate':
      return activatePolicy(register, change);
    case 'change.propose':
      return propose(register, change.proposal, change.bundles);
    case 'change.withdraw':
      return withdraw(register, change.change);
    case 'change.review':
      return confirm(register, change.confirmation, 'owed');
  }
}
