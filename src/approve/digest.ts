/** What was done at a client in a day, told to its own contact where the client wants to hear of it that way. */
import type { Notice, NoticeLine } from '../core/channel.ts';
import type { NewWork, WorkFence, WorkTask } from '../core/change.ts';
import { sha256, utf8 } from '../core/digest.ts';
import { base32 } from '../core/ids.ts';
import type { TenantName, WorkId } from '../core/ids.ts';
import type { Lease } from '../core/lease.ts';
import type { Tenant } from '../core/registers.ts';
import { after, instant, seconds, toRfc3339 } from '../core/time.ts';
import type { Instant } from '../core/time.ts';
import { visible } from '../core/visible.ts';
import { nextLocal } from '../core/windows.ts';
import type { Deps } from '../deps.ts';
import { HOW_AT_CLIENT, QUOTED, timeOf } from './notify.ts';
import { throughOne, writeTold } from './tell.ts';
import type { Told } from './tell.ts';

/** By the client's clock: there in the morning. */
const AT = '07:00';
const DAY = seconds(86_400);
/** What was decided before the day's end is committed by then. */
const SETTLED = seconds(300);
/** More than anybody reads. */
const MOST_SHOWN = 50;

type DigestTask = Extract<WorkTask, { readonly task: 'digest' }>;

/** One for each day and client, whoever enqueues it: its id says which. */
export function digestWork({ name, context }: Tenant, now: Instant): NewWork {
  const until = nextLocal(AT, context.timeZone, now);
  const what = { task: 'digest', tenant: name, from: instant(until - DAY * 1000), until } as const;
  return { id: idOf(name, until), due: after(until, SETTLED), what };
}

const idOf = (tenant: TenantName, until: Instant): WorkId =>
  `wrk_${base32(sha256(utf8(`digest ${tenant} ${until}`)).slice(0, 16))}` as WorkId;

export async function tellDigest(deps: Deps, { tenant, from, until }: DigestTask, work: WorkFence): Promise<Told> {
  const snapshot = await deps.store.snapshot(tenant);
  const told = snapshot?.tenant.context.told ?? null;
  if (snapshot === null || told === null || told.how !== 'daily') return { dead: true };
  const { leases, count } = await deps.store.opened(tenant, { from, until, tiers: told.tiers, limit: MOST_SHOWN });
  if (count === 0) return { dead: true };
  const day = { from, until, address: told.address, leases, count };
  const notice = digestInWords(day, { id: work.work, tenant: snapshot.tenant, at: deps.clock() });
  const taken = await throughOne(deps, notice);
  if (taken.by === null) return { dead: false, why: taken.why };
  await writeTold(deps, { tenant, work, notice, channel: taken.by, snapshot });
  return { dead: true };
}

export interface Day {
  readonly from: Instant;
  readonly until: Instant;
  readonly address: string;
  /** The newest, of all that there were. */
  readonly leases: readonly Pick<Lease, 'agent' | 'task' | 'resource' | 'tier' | 'openedAt' | 'state' | 'outcome'>[];
  readonly count: number;
}

/** Where it is told. */
interface Telling {
  readonly id: string;
  readonly tenant: Pick<Tenant, 'name' | 'displayName'>;
  readonly at: Instant;
}

export function digestInWords({ from, until, address, leases, count }: Day, { id, tenant, at }: Telling): Notice {
  const left = count - leases.length;
  return {
    id,
    kind: 'digest',
    tenant: tenant.name,
    at,
    audience: 'client',
    to: [{ name: visible(tenant.displayName, QUOTED), address }],
    subject: `Done for you by agents: ${count} in a day`,
    lines: [
      own('From', timeOf(from)),
      own('Until', timeOf(until)),
      ...leases.flatMap(linesOf),
      ...(left > 0 ? [own('And', `${left} more, which your provider can list`)] : []),
    ],
    link: null,
    about: null,
    facts: { from: toRfc3339(from), until: toRfc3339(until), count },
  };
}

const own = (label: string, text: string): NoticeLine => ({ label, text, words: 'brevet' });

const linesOf = ({ agent, task, resource, tier, openedAt, ...lease }: Day['leases'][number]): readonly NoticeLine[] => [
  own(timeOf(openedAt), `${task} by ${agent}, ${HOW_AT_CLIENT[tier] ?? ''}; ${endOf(lease)}`),
  { label: 'Resource', text: visible(resource, QUOTED), words: 'agent' },
];

const SAID = { succeeded: 'succeeded', failed: 'failed', abandoned: 'was given up' } as const;

/** The agent's own word for what came of it, where it gave one. */
function endOf({ state, outcome }: Pick<Lease, 'state' | 'outcome'>): string {
  if (outcome !== null) return `the agent says it ${SAID[outcome.outcome]}`;
  return state === 'failed' ? 'it came to nothing' : 'the agent has not said what came of it';
}
