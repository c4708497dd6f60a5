/** What became of approvals whose node was killed, past every node: the rows, the leases of them, and what is written. */
import type { ApprovalState } from '../../src/core/approval.ts';
import type { LeaseState } from '../../src/core/lease.ts';
import { withAdmin } from './postgres.ts';
import type { KillWorld } from './kill-world.ts';

export interface ApprovalRow {
  readonly id: string;
  readonly request: string;
  readonly state: ApprovalState;
  readonly lease: string | null;
  readonly votes: number;
  /** Of its request, in order. */
  readonly leases: readonly { readonly id: string; readonly state: LeaseState }[];
  /** Kinds of the entries of its request. */
  readonly told: readonly string[];
}

export const approvalRows = ({ database }: Pick<KillWorld, 'database'>): Promise<readonly ApprovalRow[]> =>
  withAdmin(
    database.admin,
    (sql) => sql<ApprovalRow[]>`
      select a.id, a.request, a.state, a.lease, json_array_length(a.votes) as votes,
        coalesce((select jsonb_agg(jsonb_build_object('id', l.id, 'state', l.state) order by l.opened_at, l.id)
          from leases l where l.tenant = a.tenant and l.request = a.request), '[]') as leases,
        array(select e.kind from entries e where e.tenant = a.tenant and e.request = a.request order by e.kind) as told
      from approvals a`,
  );

/** What must hold of every approval at every moment. @returns what does not, in words. */
export function faultsOf({ id, state, lease, votes, leases, told }: ApprovalRow): readonly string[] {
  const lived = leases.filter((one) => one.state !== 'failed');
  const times = (kind: string): number => told.filter((one) => one === kind).length;
  const faults = {
    'two leases of one yes': lived.length > 1,
    'redeemed, and of another lease or none': state === 'redeemed' && lived[0]?.id !== lease,
    'a lease, and not redeemed': state !== 'redeemed' && lived.length > 0,
    'a yes that was not said': state === 'approved' && votes === 0,
    'its ask is not told once': times('request.asked') !== 1,
    'its answers are not told once each': times('approval.answered') !== votes,
    'its redemptions are not told once each': times('approval.redeemed') !== leases.length,
    'its failures are not told once each': times('lease.failed') !== leases.length - lived.length,
  };
  return Object.entries(faults).flatMap(([what, holds]) => (holds ? [`${id} ${state}: ${what}`] : []));
}
