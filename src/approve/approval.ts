/**
 * An ask becomes a task that humans answer. It is recorded here; answering it comes with the console, and until then
 * it ends as silence does: it expires, and is never a yes.
 */
import type { ApprovalRow } from '../core/change.ts';
import { newId } from '../core/ids.ts';
import type { RequestId } from '../core/ids.ts';
import { after, seconds } from '../core/time.ts';
import type { Deps } from '../deps.ts';

/** How long people have, until routes say otherwise. */
export const APPROVAL_LIFETIME = seconds(3600);

export function pendingApproval(deps: Deps, request: RequestId): ApprovalRow {
  const now = deps.clock();
  return { id: newId('apr', now, deps.random), request, expiresAt: after(now, APPROVAL_LIFETIME) };
}
