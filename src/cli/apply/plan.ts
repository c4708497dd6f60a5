/** What a folder would change of the registers as they are. Whatever it does not name stays as it is. */
import type { JsonObject } from '../../core/canonical.ts';
import { instant, toRfc3339 } from '../../core/time.ts';
import { isRecord } from '../../client/call.ts';
import type { Body, OperatorLine } from '../operator-line.ts';
import type { Wanted } from './folder.ts';

export interface Step {
  readonly wanted: Wanted;
  readonly effect: 'create' | 'change' | 'nothing';
  /** Which fields differ. */
  readonly differs: readonly string[];
  /** Once set-up is over. */
  readonly takesTwo: boolean;
  /** The state that this was planned for. */
  readonly headers: Readonly<Record<string, string>>;
}

export async function planOf(line: OperatorLine, wanted: readonly Wanted[]): Promise<readonly Step[]> {
  const steps: Step[] = [];
  for (const one of wanted) {
    steps.push(one.path === null ? await assignmentStep(line, one) : await itemStep(line, one, one.path));
  }
  return steps;
}

async function itemStep(line: OperatorLine, wanted: Wanted, path: string): Promise<Step> {
  const known = await line.read(path);
  if (known === null) {
    const takesTwo = needsTwo(wanted, null);
    return { wanted, effect: 'create', differs: [], takesTwo, headers: { 'if-none-match': '*' } };
  }
  const differs = Object.keys(wanted.whole).filter((field) => !says(known.item[field], wanted.whole[field]));
  const headers: Record<string, string> = known.etag === null ? {} : { 'if-match': known.etag };
  if (differs.length === 0) return { wanted, effect: 'nothing', differs, takesTwo: false, headers };
  return { wanted, effect: 'change', differs, takesTwo: needsTwo(wanted, known.item), headers };
}

async function assignmentStep(line: OperatorLine, wanted: Wanted): Promise<Step> {
  const { tenant, holder, role } = wanted.whole;
  const held = await heldAt(line, typeof tenant === 'string' ? tenant : undefined);
  const known = held.find((one) => says(one['holder'], holder) && one['role'] === role);
  const asked = Object.keys(wanted.whole).filter((field) => wanted.whole[field] !== undefined);
  const differs = known === undefined ? [] : asked.filter((field) => !says(known[field], wanted.whole[field]));
  const effect = known === undefined ? 'create' : differs.length > 0 ? 'change' : 'nothing';
  const takesTwo = effect !== 'nothing' && isRecord(holder) && 'person' in holder;
  return { wanted, effect, differs, takesTwo, headers: {} };
}

/** A tenant that the same folder creates has none yet. */
async function heldAt(line: OperatorLine, tenant: string | undefined): Promise<readonly Body[]> {
  if (tenant !== undefined && (await line.read(`/api/tenants/${tenant}`)) === null) return [];
  return line.all('/api/assignments', { tenant });
}

/** Who is who: a person who was not there, and a way in that leads to one. */
function needsTwo({ register, whole }: Wanted, known: Body | null): boolean {
  if (register === 'people') return whole['active'] === true && known?.['active'] !== true;
  return register === 'operators' && whole['active'] === true && whole['person'] !== null;
}

/** What is there may say more than was written: the broker fills in what it knows. */
function says(there: unknown, written: unknown): boolean {
  if (written === undefined) return true;
  if (typeof written === 'number' && typeof there === 'string') return Date.parse(there) === written;
  if (Array.isArray(written)) {
    return Array.isArray(there) && there.length === written.length && written.every((one, at) => says(there[at], one));
  }
  if (isRecord(written)) return isRecord(there) && Object.keys(written).every((key) => says(there[key], written[key]));
  return there === written;
}

/** As it is sent: times were read, and are written again. */
export function bodyOf({ whole }: Wanted): JsonObject {
  const { until, exception } = whole;
  const timed = (at: unknown): unknown => (typeof at === 'number' ? toRfc3339(instant(at)) : at);
  return {
    ...whole,
    ...(until === undefined ? {} : { until: timed(until) }),
    ...(isRecord(exception) ? { exception: { ...exception, until: timed(exception['until']) } } : {}),
  } as JsonObject;
}
