/** The decision package, to whoever holds approval or oversight there. */
import type { Approval } from '../../core/approval.ts';
import { NOTHING_HERE } from '../../core/failure.ts';
import type { Failure } from '../../core/failure.ts';
import type { ApprovalId, TenantName } from '../../core/ids.ts';
import { err, ok } from '../../core/result.ts';
import type { Result } from '../../core/result.ts';
import type { Snapshot } from '../../core/snapshot.ts';
import { newNonce } from '../../core/statement.ts';
import { after, instant, seconds } from '../../core/time.ts';
import { decisionPackage, ELSEWHERE_MINUTES } from '../../approve/package.ts';
import type { DecisionPackage } from '../../approve/package.ts';
import { isDeviceBound, whyMayNotAnswer } from '../../approve/standing.ts';
import type { ConsoleCaller } from '../../authenticate/console.ts';
import { functionAt } from '../../authenticate/principal.ts';
import type { Ticket } from '../../authenticate/ticket.ts';
import type { Ask, Permit } from '../../decide/decision.ts';
import type { Deps } from '../../deps.ts';
import { mayTakeBack } from '../take-back.ts';
import { decidedNow, whyYesInVain } from './decided.ts';

/** A person reads, and signs: a page that was open for longer shows what may not be so any more. */
const TICKET_LASTS = seconds(15 * 60);

/** How the same went before: as many as a person takes in. */
const BEFORE = 10;

export interface ShownDecision {
  readonly approval: Approval;
  readonly package: DecisionPackage;
  /** For a yes; another word has its own made of it. */
  readonly ticket: Ticket;
  /** Why this person may look and not answer, or `null`. */
  readonly mayNot: Failure | null;
  /** Why the agent would get nothing for their yes, as things are, or `null`. */
  readonly inVain: Failure | null;
  /** A yes takes a passkey that never leaves its device. */
  readonly deviceBound: boolean;
  /** May take a yes back, until the agent has come for it. */
  readonly takesBack: boolean;
}

/** To whoever holds approval or oversight there, and to nobody else. */
export async function showDecision(
  deps: Deps,
  caller: ConsoleCaller,
  { tenant, approval: id }: { readonly tenant: TenantName; readonly approval: ApprovalId },
): Promise<Result<ShownDecision>> {
  const [snapshot, approval] = await Promise.all([deps.store.snapshot(tenant), deps.store.approval(tenant, id)]);
  if (snapshot === null || approval === null) return err(NOTHING_HERE);
  const now = deps.clock();
  const held = functionAt(snapshot, caller.person, now);
  if (held !== 'approval' && held !== 'oversight') return err(NOTHING_HERE);
  const decided = await decidedNow(deps, snapshot, approval);
  if (!decided.ok) return decided;
  const shown = await packageFor(deps, caller, { snapshot, approval, decision: decided.value });
  const statement = {
    purpose: 'approve',
    verdict: 'approved',
    approval_id: id,
    approver: caller.person,
    tenant,
    package_hash: shown.hash,
    nonce: newNonce(deps.random),
  } as const;
  const ticket = { session: caller.session, statement, until: after(now, TICKET_LASTS) };
  const bundle = await deps.bundles.at(decided.value.approval.policy);
  const moment = { bundle, snapshot, now };
  const mayNot = whyMayNotAnswer(approval, caller.person, moment);
  return ok({
    approval,
    package: shown,
    ticket,
    mayNot,
    inVain: whyYesInVain(deps, { approval, decision: decided.value, moment }, caller.person),
    deviceBound: isDeviceBound(approval, bundle),
    takesBack: mayTakeBack(approval, caller.person, { snapshot, now }),
  });
}

async function packageFor(
  deps: Deps,
  caller: ConsoleCaller,
  {
    snapshot,
    approval,
    decision,
  }: { readonly snapshot: Snapshot; readonly approval: Approval; readonly decision: Permit | Ask },
): Promise<DecisionPackage> {
  const { tenant, agent, task } = approval;
  const { store } = deps;
  const now = deps.clock();
  const bundle = await deps.bundles.at(decision.approval.policy);
  const rollback = bundle.tasks.get(task)?.rollback ?? null;
  const owner = snapshot.agents.get(agent)?.agent.owner ?? caller.person;
  const provider = deps.providers.get(decision.execution.target.provider);
  if (provider === undefined) throw new Error(`no provider ${decision.execution.target.provider} is built in`);
  const since = instant(now - ELSEWHERE_MINUTES * 60_000);
  const live = { tenant, agent, owner: null, target: null, role: null, limit: 20, before: null } as const;
  const [before, undoneBefore, holds, elsewhere, siblings] = await Promise.all([
    store.askedBefore(tenant, task, BEFORE),
    rollback === null ? [] : store.askedBefore(tenant, rollback, BEFORE),
    store.leases({ ...live, states: ['opening', 'active'] }, null),
    store.elsewhere({ owner, agent, task, place: deps.placeOf(tenant) }, since),
    approval.plan === null ? [] : store.planned(tenant, agent, approval.plan),
  ]);
  const others = siblings.filter(({ id }) => id !== approval.id);
  const of = { approval, snapshot, bundle, decision, provider, to: caller.person, now, before, undoneBefore };
  return decisionPackage(deps.random, { ...of, holds, elsewhere, siblings: others });
}
