/**
 * The way of every administrative act: who may, then one commit that changes the register, writes the entry and
 * leaves the work that follows from it.
 */
import type { JsonObject } from '../core/canonical.ts';
import type { DoneBefore, LeaseFilter, NewWork, RegisterClaim, Unmet } from '../core/change.ts';
import type { Claim, Counted, OneUse } from '../core/change/once.ts';
import type { Confirmation, RegisterChange } from '../core/change/register.ts';
import { makeEntry } from '../core/entry.ts';
import type { EntryKind, Receipt } from '../core/entry.ts';
import { failure } from '../core/failure.ts';
import type { Lease } from '../core/lease.ts';
import type { Failure } from '../core/failure.ts';
import { newId } from '../core/ids.ts';
import type { TenantName } from '../core/ids.ts';
import { err, ok } from '../core/result.ts';
import type { Proposal } from '../core/proposal.ts';
import type { Result } from '../core/result.ts';
import type { Instant } from '../core/time.ts';
import type { Deps } from '../deps.ts';
import type { Administrator } from './administrator.ts';

export interface Act {
  readonly by: Administrator;
  readonly change: RegisterChange;
  /** Whose ledger: a tenant's, or the deployment's (`null`). */
  readonly ledger: TenantName | null;
  /** Names, codes and versions, plain in the leaf. */
  readonly facts: JsonObject;
  /** As written by the administrator, beside the leaf. Never a secret. */
  readonly said: JsonObject;
  /** What Brevet saw, beside the leaf too: a signature. */
  readonly seen?: JsonObject;
  /** The lease that it is about, in whose story it stands. */
  readonly about?: Pick<Lease, 'id' | 'request'>;
  /** Everything live that rests on what is taken away. */
  readonly ends: LeaseFilter | readonly LeaseFilter[] | null;
  /** Whether what the policy would not give any more is ended, beside where a change of its kind always ends that. */
  readonly reassesses?: boolean;
  /** Of a change that takes two: the second one's word, or what is owed to a second one. */
  readonly confirms?: Confirmation;
  readonly owes?: Proposal;
  /** The nonces of what was signed for it, and the count of the passkey that did. */
  readonly spends?: readonly OneUse[];
  readonly counts?: Counted | null;
  /** A key under which it may be sent again; none where it is safe to. */
  readonly claim?: Claim | null;
}

export async function perform(deps: Deps, act: Act): Promise<Result<Receipt>> {
  const done = await commitAct(deps, act, null);
  return done.ok ? ok(onlyOf(done.value)) : done;
}

/**
 * An act that makes something which its caller is told of.
 * @param made JSON as it stands, since it is kept for as long as the key; never a secret.
 * @returns under a key that was sent before, what was made then.
 */
export async function make<Made extends object>(
  deps: Deps,
  act: Act,
  made: Made,
): Promise<Result<{ readonly made: Made; readonly receipt: Receipt }>> {
  const done = await commitAct(deps, act, made);
  return done.ok ? ok({ made: (done.value.made ?? made) as Made, receipt: onlyOf(done.value) }) : done;
}

function onlyOf({ receipts: [receipt] }: DoneBefore): Receipt {
  if (receipt === undefined) throw new Error('a register was changed without its entry');
  return receipt;
}

async function commitAct(deps: Deps, act: Act, made: object | null): Promise<Result<DoneBefore>> {
  const at = deps.clock();
  const entry = makeEntry(
    {
      tenant: act.ledger,
      kind: kindOf(act.change),
      at,
      actor: act.by.actor,
      accountable: act.by.person,
      inSetup: act.by.inSetup,
      facts: { change: act.change.kind, ...act.facts },
      said: act.said,
      ...(act.seen === undefined ? {} : { seen: act.seen }),
      ...(act.about === undefined ? {} : { lease: act.about.id, request: act.about.request }),
    },
    deps.random,
  );
  const work = followingFrom(act, at).map((one) => ({ id: newId('wrk', at, deps.random), ...one }));
  const { epoch: deploymentEpoch, tenantEpoch } = act.by;
  const idempotency = claimBy(act.by, act.claim ?? null, { place: act.ledger, made });
  const command = {
    kind: 'register',
    change: act.change,
    work,
    deploymentEpoch,
    tenantEpoch,
    idempotency,
    ...(act.confirms === undefined ? {} : { confirms: act.confirms }),
    ...(act.owes === undefined ? {} : { owes: act.owes }),
    ...(act.spends === undefined ? {} : { spends: act.spends }),
    ...(act.counts === undefined ? {} : { counts: act.counts }),
  } as const;
  const committed = await deps.store.commit(command, [entry]);
  deps.store.forget(act.ledger);
  return committed.ok ? ok({ receipts: committed.value.receipts, made }) : doneBefore(committed.error);
}

/** Operators have one name everywhere, so a key is theirs within its place. */
export function claimBy(
  { actor }: Pick<Administrator, 'actor'>,
  claim: Claim | null,
  { place, made }: Pick<RegisterClaim, 'place' | 'made'>,
): RegisterClaim | null {
  return claim === null ? null : { ...claim, principal: `operator:${actor.name}`, place, made };
}

/** The same under the same key was done before, and what came of it is the answer again; or why not. */
export function doneBefore(unmet: Unmet): Result<DoneBefore> {
  return unmet.unmet === 'claimed' && unmet.done !== null ? ok(unmet.done) : err(unmetFailure(unmet));
}

function followingFrom({ change, ends, ledger, reassesses = false }: Act, at: Instant): readonly Omit<NewWork, 'id'>[] {
  const widening = change.kind === 'policy.activate' ? change.widening : null;
  const tenant = change.kind === 'tenant.put' ? change.tenant.name : ledger;
  return [
    ...[ends ?? []].flat().map((over) => ({ due: at, what: { task: 'cascade', tenant: ledger, over } }) as const),
    ...(reassesses || mayNarrow(change) ? [{ due: at, what: { task: 'reassess', tenant } } as const] : []),
    ...(widening && change.kind === 'policy.activate'
      ? [{ due: widening.until, what: { task: 'narrow', tenant: null, policy: change.version } } as const]
      : []),
    ...glassNotice(change, at),
  ];
}

/** The others hear of it in the commit that breaks it. */
function glassNotice(change: RegisterChange, at: Instant): readonly Omit<NewWork, 'id'>[] {
  if (change.kind !== 'assignment.put' || change.glass === undefined) return [];
  const { assignment, glass } = change;
  const { tenant, agent, reason, openedBy: by, from: until } = glass.review;
  const of = { assignment: assignment.id, agent, role: assignment.role, by, reason, until } as const;
  const notice = { kind: 'glass_broken', ...of, tell: [...glass.tell] } as const;
  return [{ due: at, what: { task: 'notice', tenant, notice, order: null, by: null } }];
}

/** What live credentials rest on without being held by it: who oversees, what is known of the client and its vendors. */
function mayNarrow(change: RegisterChange): boolean {
  if (change.kind === 'person.put') return !change.person.active;
  if (change.kind === 'assignment.put' || change.kind === 'assignment.remove') {
    return change.assignment.function === 'oversight';
  }
  return NARROWING.includes(change.kind);
}

const NARROWING: readonly RegisterChange['kind'][] = [
  'context.put',
  'tenant.put',
  'situation.set',
  'vendor.put',
  'vendor.remove',
  'person.remove',
  'person.offboard',
];

const OF_CHANGES: Readonly<Record<string, EntryKind>> = {
  'policy.activate': 'policy.activated',
  'change.propose': 'change.proposed',
  'change.withdraw': 'change.withdrawn',
  'change.review': 'change.reviewed',
  'situation.set': 'situation.set',
  'situation.end': 'situation.ended',
  'absence.end': 'register.removed',
  'block.lift': 'block.lifted',
  'verdict.give': 'lease.judged',
  'pause.end': 'pause.ended',
  'order.give': 'order.given',
  'review.open': 'review.opened',
  'review.done': 'review.done',
  'breaker.reset': 'breaker.reset',
  'console.sign_out': 'console.signed_out',
  'passkey.invite': 'passkey.invited',
};
function kindOf({ kind }: RegisterChange): EntryKind {
  const own = OF_CHANGES[kind];
  if (own !== undefined) return own;
  if (kind.endsWith('.offboard')) return 'register.offboarded';
  return kind.endsWith('.remove') ? 'register.removed' : 'register.put';
}

export function unmetFailure(unmet: Unmet): Failure {
  switch (unmet.unmet) {
    case 'moved':
      return failure('contended', 'who may do what changed meanwhile', { hint: 'Try again.' });
    case 'replayed':
      return failure('unauthenticated', 'this was used before', { hint: 'Make a fresh one.' });
    case 'claimed':
      return failure('idempotency_mismatch', 'this idempotency key came with another body', {
        hint: 'Use a new key for a new request.',
      });
    case 'state':
      return failure('lease_over', 'it is not in a state for this');
    case 'approval':
    case 'order':
    case 'fenced':
      return failure('contended', 'another attempt holds this');
    case 'budget':
    case 'spread':
      return failure('contended', 'a limit of what may be live stands against it');
    case 'retired':
      return failure('name_retired', 'this name was removed, and is not given again', { hint: 'Choose another name.' });
    case 'taken':
      return failure(takenCode(unmet.by), `it belongs to another already: ${unmet.by}`, {
        hint: 'Use one of its own, or state an exception where there may be one.',
      });
    case 'second_function':
      return failure('second_function', `a person or agent has one function at a tenant, and holds ${unmet.held}`, {
        hint: 'End those assignments first.',
      });
    case 'in_use':
      return failure('still_in_use', `this is in use: ${unmet.by}`, { hint: 'End what rests on it first.' });
    case 'missing':
      return failure('not_found', `there is no such ${unmet.what}`);
    case 'proposal':
      return PROPOSAL_OVER[unmet.why];
  }
}

const over = (detail: string, hint: string): Failure => failure('change_over', detail, { hint });
const PROPOSAL_OVER: Readonly<Record<Extract<Unmet, { unmet: 'proposal' }>['why'], Failure>> = {
  open: over('this change has not been done yet', 'Confirm it as it is.'),
  owed: over('this change was done already, and owes a look', 'Confirm that you have looked at it.'),
  applied: over('this change was done already', 'There is nothing left to do.'),
  withdrawn: over('this change was withdrawn', 'Propose it anew.'),
  expired: over('this change was not confirmed in time', 'Propose it anew.'),
  hash: failure('version_conflict', 'this is another change than the one that was seen', {
    hint: 'Look at it again, and confirm the hash that you see.',
    path: 'hash',
  }),
};

function takenCode(by: string): 'key_in_use' | 'binding_overlaps' | 'secret_in_use' | 'audience_in_use' | 'name_taken' {
  if (by.startsWith('key')) return 'key_in_use';
  if (by.startsWith('binding')) return 'binding_overlaps';
  if (by.startsWith('secret')) return 'secret_in_use';
  return by.startsWith('audience') ? 'audience_in_use' : 'name_taken';
}
