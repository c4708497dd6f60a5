/**
 * What a person makes of a finished lease: kept apart from the agent's own outcome, and only ever added to. Given by
 * oversight there, in no conflict with the agent.
 */
import { z } from 'zod';
import type { Receipt } from '../core/entry.ts';
import { failure } from '../core/failure.ts';
import type { Failure } from '../core/failure.ts';
import { newId } from '../core/ids.ts';
import type { Lease } from '../core/lease.ts';
import { VERDICTS } from '../core/oversight.ts';
import type { Verdict } from '../core/oversight.ts';
import { parseWith, words } from '../core/parse.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { standingAt } from '../administer/administrator.ts';
import type { Sent } from '../administer/author.ts';
import { make } from '../administer/commit.ts';
import type { Act } from '../administer/commit.ts';
import type { OperatorPrincipal } from '../authenticate/principal.ts';
import type { Deps } from '../deps.ts';
import { conflictWithLease } from './conflict.ts';

const verdictBody = z.strictObject({ verdict: z.enum(VERDICTS), reference: words(500) });

export interface Judged {
  readonly verdict: Verdict;
  readonly receipt: Receipt;
}

export async function giveVerdict(
  deps: Deps,
  operator: OperatorPrincipal,
  { at, lease }: { readonly at: Snapshot; readonly lease: Lease },
  { body, claim }: Sent,
): Promise<Result<Judged>> {
  const now = deps.clock();
  const by = standingAt(operator, at, now, ['verdict']);
  if (!by.ok) return by;
  const said = parseWith(verdictBody, body);
  if (!said.ok) return said;
  const { person } = by.value;
  const conflict = await conflictWithLease(deps, lease, { person, now });
  if (conflict !== null) return err(conflict);
  const unjudged = whyNotJudged(lease);
  if (unjudged !== null) return err(unjudged);
  const { tenant, id } = lease;
  const verdict: Verdict = {
    id: newId('vrd', now, deps.random),
    tenant,
    lease: id,
    ...said.value,
    by: person,
    at: now,
  };
  const act: Act = {
    by: by.value,
    change: { kind: 'verdict.give', verdict },
    ledger: tenant,
    facts: { verdict: verdict.verdict, id: verdict.id, agent: lease.agent, task: lease.task },
    said: { reference: verdict.reference },
    about: lease,
    ends: null,
    claim,
  };
  const given = await make(deps, act, verdict);
  return given.ok ? ok({ verdict: given.value.made, receipt: given.value.receipt }) : given;
}

/** What is dying has done what it did. */
function whyNotJudged({ state }: Lease): Failure | null {
  switch (state) {
    case 'revoking':
    case 'revoked':
      return null;
    case 'opening':
    case 'active':
      return failure('not_finished', 'it is not over yet', { hint: 'Wait for its end, or revoke it.' });
    case 'failed':
      return failure('not_finished', 'it was never minted, so nothing was done with it');
  }
}
