/**
 * Denies sessions at their role: those asked for at once in one write, or all that are older than a moment; one writer
 * at a time, read back until it is seen.
 */
import { fulfilled, rejected } from '../gather.ts';
import type { Mark } from '../../core/lease.ts';
import { ProviderUnavailable } from '../../core/provider.ts';
import { after, between, instant, milliseconds, seconds } from '../../core/time.ts';
import type { Instant } from '../../core/time.ts';
import type { Turn } from '../../core/turns.ts';
import { isOver, managedPrefixOf, planDenials, PREFIX, roomLeft, textOfOlder } from './denial.ts';
import type { Plan, RoleState, Segment } from './denial.ts';
import { AwsRefusal } from './fault.ts';
import { readState, removeDenial, removeUnattached, writeDenial, writeSegment } from './role.ts';
import { roleNameOf } from './site.ts';
import type { Site } from './site.ts';

/** Longer than one writing takes, tries and reading back included. */
const HOLD = seconds(60);
/** How long another's writing is waited for; then the caller's backoff takes over. */
const WAIT_FOR_TURN_MS = 15_000;
const TURN_PAUSE = milliseconds(150);
/** IAM shows what was written after a while, usually at once. */
const READ_BACK = 12;
const READ_PAUSE = milliseconds(400);
/** Others may write meanwhile, under a turn that was thought lost or by hand. */
const ROUNDS = 4;

/** For those that live or are being minted when a role turns full. */
const ROOM_WANTED = 64;
const ROOM_KNOWN_FOR_MS = 60_000;

/** Afterwards each of them is seen to be denied in the role's policies, or is told why not. */
export async function denyTogether(site: Site, marks: readonly Mark[]): Promise<readonly PromiseSettledResult<void>[]> {
  const denied = new Set(heldIn(await look(site)));
  if (!marks.every((mark) => denied.has(mark))) {
    for (const mark of await underTurn(site, (turn) => denyInTurn(site, turn, marks))) denied.add(mark);
  }
  return marks.map((mark) =>
    denied.has(mark)
      ? fulfilled(undefined)
      : rejected(new ProviderUnavailable(`the role of ${site.name} has no room for another denial`)),
  );
}

/**
 * AWS's clock is known by its answers, which say whole seconds and were on their way for as long as a call may take: no
 * session that was given before a moment is told from one that was given this much later.
 */
const CLOCK_LAG = seconds(6);

/** Afterwards every session of the role that was given before this moment is seen to be denied in the role's policies. */
export async function denyOlder(site: Site, before: Instant): Promise<void> {
  const toAws = await site.awsTime();
  const until = instant(Math.ceil(after(toAws(before), CLOCK_LAG) / 1000) * 1000);
  if (isDeniedBefore(await look(site), until)) return;
  await underTurn(site, (turn) => denyOlderInTurn(site, turn, until));
}

const isDeniedBefore = ({ older }: RoleState, until: Instant): boolean => older.some(({ before }) => before >= until);

async function denyOlderInTurn(site: Site, turn: Turn, until: Instant): Promise<true | null> {
  const state = await look(site);
  const written = isDeniedBefore(state, until) ? true : await writeOlder(site, turn, until);
  const seen = written === null ? null : await readBack(site, (now) => isDeniedBefore(now, until));
  if (seen === null) return null;
  // Whoever is older than an earlier moment is older than this one too.
  for (const denial of seen.older.filter(({ before }) => before < until)) {
    if (!(await site.turns.isHeld(turn))) return null;
    await removeDenial(site, denial);
  }
  return true;
}

/** A managed policy where the inline ones have no room. @returns `null` where the turn was lost. */
async function writeOlder(site: Site, turn: Turn, until: Instant): Promise<true | null> {
  for (const where of ['inline', 'managed'] as const) {
    if (where === 'managed') await removeUnattached(site);
    if (!(await site.turns.isHeld(turn))) return null;
    const name = nameIn(site, turn, where, 'older');
    if (await fits(() => writeDenial(site, { where, name }, textOfOlder(until)))) return true;
  }
  throw new ProviderUnavailable(`the role of ${site.name} has no room for another denial`);
}

/** How much room there is, as it was last seen; a role that is full refuses before it mints what it could not end. */
export async function ensureRoom(site: Site): Promise<void> {
  const { room } = site;
  if (room.left === null || between(room.at, site.clock()) > ROOM_KNOWN_FOR_MS) await look(site);
  if ((room.left ?? 0) >= ROOM_WANTED) return;
  throw new ProviderUnavailable(
    `the role of ${site.name} has no room left for denials: they go 13 hours after their session, or use another role`,
  );
}

async function look(site: Site): Promise<RoleState> {
  const state = await readState(site);
  site.room.left = roomLeft(state, site.clock());
  site.room.at = site.clock();
  return state;
}

const heldIn = ({ segments }: RoleState): readonly Mark[] => segments.flatMap(({ marks }) => marks);

/** @param act gives `null` where it has to be done again. */
async function underTurn<T>(site: Site, act: (turn: Turn) => Promise<T | null>): Promise<T> {
  for (let round = 0; round < ROUNDS; round += 1) {
    const turn = await takeTurn(site);
    try {
      const done = await act(turn);
      if (done !== null) return done;
    } finally {
      await site.turns.release(turn);
    }
  }
  throw new ProviderUnavailable(`others kept writing the policies of ${site.name}`);
}

async function takeTurn({ turns, config, clock, pause, name }: Site): Promise<Turn> {
  const began = clock();
  while (between(began, clock()) < WAIT_FOR_TURN_MS) {
    const turn = await turns.take(`aws:${config.role_arn}`, HOLD);
    if (turn !== null) return turn;
    await pause(TURN_PAUSE);
  }
  throw new ProviderUnavailable(`the policies of ${name} are being written by another node`);
}

/** @returns those that are seen to be denied; `null` where the turn was lost, or what was written is not to be seen. */
async function denyInTurn(site: Site, turn: Turn, marks: readonly Mark[]): Promise<readonly Mark[] | null> {
  const state = await look(site);
  const plan = planDenials(state, marks, site.clock());
  for (const segment of plan.drop) {
    if (!(await site.turns.isHeld(turn))) return null;
    await removeDenial(site, segment);
  }
  const written = await writeAll(site, turn, plan);
  if (written === null) return null;
  const seen = await readBack(site, holdsAll(written));
  if (seen === null) return null;
  await removeSuperseded(site, turn, plan, seen);
  return (await site.turns.isHeld(turn)) ? heldIn(seen) : null;
}

/** Each under a name that no other turn uses. @returns `null` where the turn or the room was lost in the middle. */
async function writeAll(site: Site, turn: Turn, { write }: Plan): Promise<readonly Segment[] | null> {
  const written: Segment[] = [];
  if (write.some(({ where }) => where === 'managed')) await removeUnattached(site);
  for (const [place, { where, marks }] of write.entries()) {
    if (!(await site.turns.isHeld(turn))) return null;
    const segment: Segment = { where, name: nameIn(site, turn, where, String(place)), marks };
    if (!(await fits(() => writeSegment(site, segment)))) return null;
    written.push(segment);
  }
  return written;
}

/** A fence can come twice, where the database was set back to an earlier state: the time tells them apart. */
function nameIn(site: Site, { fence }: Turn, where: Segment['where'], place: string): string {
  const prefix = where === 'managed' ? managedPrefixOf(roleNameOf(site)) : PREFIX;
  return `${prefix}${fence}-${site.clock().toString(36)}-${place}`;
}

/** Somebody else may have filled the role since it was read. */
async function fits(write: () => Promise<void>): Promise<boolean> {
  try {
    await write();
    return true;
  } catch (fault) {
    if (fault instanceof AwsRefusal && fault.code.startsWith('LimitExceeded')) return false;
    throw fault;
  }
}

async function readBack(site: Site, isThere: (state: RoleState) => boolean): Promise<RoleState | null> {
  for (let left = READ_BACK; left > 0; left -= 1) {
    const state = await look(site);
    if (isThere(state)) return state;
    await site.pause(READ_PAUSE);
  }
  return null;
}

const holdsAll =
  (written: readonly Segment[]) =>
  (state: RoleState): boolean => {
    const held = new Set(heldIn(state));
    return written.every(({ marks }) => marks.every((mark) => held.has(mark)));
  };

/** Only what is held in what was read back, whatever the plan said. */
async function removeSuperseded(site: Site, turn: Turn, { supersede }: Plan, seen: RoleState): Promise<void> {
  const now = site.clock();
  const old = new Set(supersede.map(({ name }) => name));
  const kept = new Set(seen.segments.filter(({ name }) => !old.has(name)).flatMap(({ marks }) => marks));
  for (const segment of supersede) {
    if (!segment.marks.every((mark) => kept.has(mark) || isOver(mark, now)) || !(await site.turns.isHeld(turn)))
      continue;
    await removeDenial(site, segment);
  }
}
