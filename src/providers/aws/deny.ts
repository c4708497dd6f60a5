/**
 * Denies sessions at their role: those asked for at once in one write, one writer at a time, read back until it is seen.
 */
import { fulfilled, rejected } from '../gather.ts';
import type { Mark } from '../../core/lease.ts';
import { ProviderUnavailable } from '../../core/provider.ts';
import { between, milliseconds, seconds } from '../../core/time.ts';
import type { Turn } from '../../core/turns.ts';
import { isOver, planDenials, roomLeft } from './denial.ts';
import type { Plan, RoleState, Segment } from './denial.ts';
import { AwsRefusal } from './fault.ts';
import { PREFIX, readState, removeSegment, writeSegment } from './role.ts';
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
    for (const mark of await underTurn(site, marks)) denied.add(mark);
  }
  return marks.map((mark) =>
    denied.has(mark)
      ? fulfilled(undefined)
      : rejected(new ProviderUnavailable(`the role of ${site.name} has no room for another denial`)),
  );
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

async function underTurn(site: Site, marks: readonly Mark[]): Promise<readonly Mark[]> {
  for (let round = 0; round < ROUNDS; round += 1) {
    const turn = await takeTurn(site);
    try {
      const denied = await denyInTurn(site, turn, marks);
      if (denied !== null) return denied;
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
    await removeSegment(site, segment);
  }
  const written = await writeAll(site, turn, plan);
  if (written === null) return null;
  const seen = await readBack(site, written);
  if (seen === null) return null;
  await removeSuperseded(site, turn, plan, seen);
  return (await site.turns.isHeld(turn)) ? heldIn(seen) : null;
}

/** Each under a name that no other turn uses. @returns `null` where the turn or the room was lost in the middle. */
async function writeAll(site: Site, turn: Turn, { write }: Plan): Promise<readonly Segment[] | null> {
  const written: Segment[] = [];
  // A fence can come twice, where the database was set back to an earlier state.
  const began = site.clock();
  for (const [place, { where, marks }] of write.entries()) {
    if (!(await site.turns.isHeld(turn))) return null;
    const of = where === 'managed' ? `${roleNameOf(site)}-` : '';
    const segment: Segment = { where, name: `${PREFIX}${of}${turn.fence}-${began.toString(36)}-${place}`, marks };
    if (!(await fits(site, segment))) return null;
    written.push(segment);
  }
  return written;
}

/** Somebody else may have filled the role since it was read. */
async function fits(site: Site, segment: Segment): Promise<boolean> {
  try {
    await writeSegment(site, segment);
    return true;
  } catch (fault) {
    if (fault instanceof AwsRefusal && fault.code.startsWith('LimitExceeded')) return false;
    throw fault;
  }
}

async function readBack(site: Site, written: readonly Segment[]): Promise<RoleState | null> {
  for (let left = READ_BACK; left > 0; left -= 1) {
    const state = await look(site);
    const held = new Set(heldIn(state));
    if (written.every(({ marks }) => marks.every((mark) => held.has(mark)))) return state;
    await site.pause(READ_PAUSE);
  }
  return null;
}

/** Only what is held in what was read back, whatever the plan said. */
async function removeSuperseded(site: Site, turn: Turn, { supersede }: Plan, seen: RoleState): Promise<void> {
  const now = site.clock();
  const old = new Set(supersede.map(({ name }) => name));
  const kept = new Set(seen.segments.filter(({ name }) => !old.has(name)).flatMap(({ marks }) => marks));
  for (const segment of supersede) {
    if (!segment.marks.every((mark) => kept.has(mark) || isOver(mark, now)) || !(await site.turns.isHeld(turn)))
      continue;
    await removeSegment(site, segment);
  }
}
