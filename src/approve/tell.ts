/**
 * Tells people: the channels in their order, until one takes it. What none takes stays in the queue and is tried again;
 * past its time, what it tells of asks at that client until one does.
 */
import { stateAt } from '../core/approval.ts';
import type { Channel, Notice } from '../core/channel.ts';
import type { WorkFence, WorkTask, NewWork } from '../core/change.ts';
import type { RegisterChange } from '../core/change/register.ts';
import { makeEntry } from '../core/entry.ts';
import type { EntryDraft } from '../core/entry.ts';
import { newId } from '../core/ids.ts';
import type { TaskName, TenantName } from '../core/ids.ts';
import { NOTICE_KINDS } from '../core/notice.ts';
import type { NoticeFacts, NoticeOrder } from '../core/notice.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { instant, toRfc3339 } from '../core/time.ts';
import type { Instant } from '../core/time.ts';
import type { Deps } from '../deps.ts';
import { QUOTED, noticeInWords } from './notify.ts';

type NoticeTask = Extract<WorkTask, { readonly task: 'notice' }>;

/** Whether it is over; if not, why, and not before when. */
export type Told = { readonly dead: true } | { readonly dead: false; readonly why: string; readonly until?: Instant };

/** An earlier notice of the same thing goes first: it is looked at again so soon. */
const BEHIND_MS = 1_000;

export interface NoticeOptions {
  readonly order?: NoticeOrder;
  /** Until then, or its task class asks. */
  readonly by?: Instant;
}

/** Work for the commit of what it tells of; none where there is no channel. An agent's words are cut to what is shown. */
export function noticeWork(
  deps: Pick<Deps, 'channels' | 'clock' | 'random'>,
  tenant: TenantName,
  facts: NoticeFacts,
  { order, by }: NoticeOptions = {},
): readonly NewWork[] {
  if (deps.channels.length === 0) return [];
  const now = deps.clock();
  const what = { task: 'notice', tenant, notice: bounded(facts), order: order ?? null, by: by ?? null } as const;
  return [{ id: newId('wrk', now, deps.random), due: now, what }];
}

const cut = (text: string): string =>
  Array.from(text)
    .slice(0, QUOTED + 1)
    .join('');

function bounded(facts: NoticeFacts): NoticeFacts {
  if ('ask' in facts) {
    const { resource, reason } = facts.ask;
    return { ...facts, ask: { ...facts.ask, resource: cut(resource), reason: cut(reason) } };
  }
  return 'resource' in facts ? { ...facts, resource: cut(facts.resource) } : facts;
}

export async function tellNotice(
  deps: Deps,
  { tenant, notice: facts, order, by }: NoticeTask,
  work: WorkFence,
): Promise<Told> {
  if (!NOTICE_KINDS.includes(facts.kind)) {
    // Enqueued by a version that told in another form, which nobody reads any more.
    deps.log.warn('notice.unread', { work: work.work });
    return { dead: true };
  }
  if (await isOver(deps, tenant, facts)) {
    deps.log.info('notice.over', { work: work.work, notice: facts.kind });
    return { dead: true };
  }
  if (order !== null && !(await deps.store.isNext(order))) {
    const until = instant(deps.clock() + BEHIND_MS);
    return { dead: false, why: 'an earlier notice of the same was not taken yet', until };
  }
  const snapshot = await deps.store.snapshot(tenant);
  // A client that is not there any more is told nothing, and nobody is told of it.
  if (snapshot === null) return { dead: true };
  const { persons } = snapshot.deployment;
  const telling = { id: work.work, tenant: snapshot.tenant, persons, publicUrl: deps.publicUrl, at: deps.clock() };
  const notice = noticeInWords(facts, telling);
  const taken = await throughOne(deps, notice);
  if (taken.by === null) {
    if (by !== null && 'task' in facts) await noteLate(deps, snapshot, facts.task, by);
    return { dead: false, why: taken.why };
  }
  await writeTold(deps, { tenant, work, notice, channel: taken.by, snapshot });
  if (by !== null && 'task' in facts) await catchUp(deps, snapshot, facts.task);
  return { dead: true };
}

/** Whether it asks people for what is decided, or past, by now: told this late it would only mislead. */
async function isOver(deps: Deps, tenant: TenantName, facts: NoticeFacts): Promise<boolean> {
  if (facts.kind !== 'asked' && facts.kind !== 'escalated') return false;
  const approval = await deps.store.approval(tenant, facts.approval);
  return approval !== null && stateAt(approval, deps.clock()) !== 'pending';
}

/** The first that takes it. Why another did not is noted, so that it can be seen. */
export async function throughOne(
  deps: Deps,
  notice: Notice,
): Promise<{ readonly by: Channel['name']; readonly why: null } | { readonly by: null; readonly why: string }> {
  const reaching = deps.channels.filter((channel) => channel.reaches(notice));
  const failed: string[] = [];
  for (const channel of reaching) {
    const why = await channel.tell(notice).then(
      () => null,
      (fault: unknown) => (fault instanceof Error ? fault.message : String(fault)),
    );
    await deps.store.usedChannel(channel.name, why);
    if (why === null) return { by: channel.name, why: null };
    failed.push(`${channel.name}: ${why}`);
    deps.log.warn('channel.failed', { channel: channel.name, notice: notice.id, why });
  }
  return { by: null, why: failed.length > 0 ? failed.join('; ') : 'no channel reaches those who are told' };
}

interface Taken {
  readonly tenant: TenantName;
  readonly work: WorkFence;
  readonly notice: Notice;
  readonly channel: string;
  readonly snapshot: Snapshot;
}

/** In one commit with the end of the work, so that nobody was told without an entry that says so. */
export async function writeTold(deps: Deps, { tenant, work, notice, channel, snapshot }: Taken): Promise<void> {
  const { kind, about, audience } = notice;
  const entry = makeEntry(
    {
      ...byBroker(deps, snapshot),
      kind: 'notice.told',
      facts: { notice: kind, channel, audience, attempt: work.attempt, ...(about === null ? {} : { about }) },
      seen: { to: notice.to.map(({ name }) => name) },
    },
    deps.random,
  );
  const fence = { work: work.work, attempt: work.attempt };
  await deps.store.commit({ kind: 'notice.told', tenant, fence }, [entry]);
}

const byBroker = (
  deps: Deps,
  { tenant, deployment }: Snapshot,
): Pick<EntryDraft, 'tenant' | 'at' | 'actor' | 'accountable' | 'inSetup'> => ({
  tenant: tenant.name,
  at: deps.clock(),
  actor: { kind: 'broker', name: deps.node },
  accountable: null,
  inSetup: deployment.inSetup,
});

async function noteLate(deps: Deps, snapshot: Snapshot, task: TaskName, by: Instant): Promise<void> {
  const now = deps.clock();
  if (now < by || snapshot.lateNotices.has(task)) return;
  const { name: tenant } = snapshot.tenant;
  await writeState(deps, snapshot, { kind: 'notice.late', tenant, task, since: now }, { due: toRfc3339(by) });
}

async function catchUp(deps: Deps, snapshot: Snapshot, task: TaskName): Promise<void> {
  if (!snapshot.lateNotices.has(task)) return;
  await writeState(deps, snapshot, { kind: 'notice.caught_up', tenant: snapshot.tenant.name, task }, {});
}

/** Another node may have written it: then it is so, and there is nothing to write. */
async function writeState(
  deps: Deps,
  snapshot: Snapshot,
  change: Extract<RegisterChange, { readonly kind: 'notice.late' | 'notice.caught_up' }>,
  facts: EntryDraft['facts'],
): Promise<void> {
  const { kind, tenant, task } = change;
  const entry = makeEntry({ ...byBroker(deps, snapshot), kind, facts: { task, ...facts } }, deps.random);
  await deps.store.commit({ kind: 'register', change, work: [], deploymentEpoch: null }, [entry]);
  deps.store.forget(tenant);
}
