/**
 * When a circuit breaker trips: so many of one kind, within so long, of one agent and task class at a tenant; and how
 * many trips, at how many tenants, are a trouble of all.
 */
import { z } from 'zod';
import type { TaskName } from '../../core/ids.ts';
import { SIGNALS } from '../../core/oversight.ts';
import type { Signal, Trip } from '../../core/oversight.ts';
import type { Problem } from '../../core/policy.ts';
import { seconds } from '../../core/time.ts';
import type { Seconds } from '../../core/time.ts';
import { nameField, taskField } from './fields.ts';
import type { Path, Placed } from './yaml.ts';

/** Each is counted anew every few seconds. */
const MOST_LIMITS = 40;
/** As far back as is counted: a day. */
const LONGEST_MINUTES = 1440;

const countField = () => z.int().min(1).max(1_000_000);
const minutesField = () => z.int().min(1).max(LONGEST_MINUTES);

const LimitForm = z.strictObject({
  signal: z.enum(SIGNALS, { error: `it must be one of ${SIGNALS.join(', ')}` }),
  /** With as many it trips. */
  count: countField(),
  within_minutes: minutesField(),
  to: z.enum(['ask', 'block'], { error: 'it must be ask or block' }),
  /** Of these alone. */
  tasks: z.array(taskField()).min(1).optional(),
});
type LimitForm = z.infer<typeof LimitForm>;

export const breakersField = () =>
  z.strictObject({
    limits: z.record(nameField(), LimitForm),
    /** Everything is paused everywhere. */
    spike: z.strictObject({ trips: countField(), tenants: countField(), within_minutes: minutesField() }).optional(),
  });
export type BreakersForm = z.infer<ReturnType<typeof breakersField>>;

export interface BreakerLimit {
  readonly signal: Signal;
  readonly count: number;
  readonly within: Seconds;
  readonly to: Trip['to'];
  /** `null`: of all task classes. */
  readonly tasks: ReadonlySet<TaskName> | null;
}

export interface Spike {
  readonly trips: number;
  readonly tenants: number;
  readonly within: Seconds;
}

/** A bundle that says nothing of them has none. */
export interface Breakers {
  readonly limits: ReadonlyMap<string, BreakerLimit>;
  readonly spike: Spike | null;
}

export function breakersOf(form: BreakersForm | undefined): Breakers {
  const spike = form?.spike;
  return {
    limits: new Map(Object.entries(form?.limits ?? {}).map(([name, limit]) => [name, limitOf(limit)])),
    spike:
      spike === undefined
        ? null
        : { trips: spike.trips, tenants: spike.tenants, within: seconds(spike.within_minutes * 60) },
  };
}

const limitOf = ({ signal, count, within_minutes: minutes, to, tasks }: LimitForm): BreakerLimit => ({
  signal,
  count,
  within: seconds(minutes * 60),
  to,
  tasks: tasks === undefined ? null : new Set(tasks as TaskName[]),
});

export function breakerProblems(
  { file, value, lineOf }: Placed<{ readonly breakers?: BreakersForm | undefined }>,
  known: ReadonlySet<string>,
): Problem[] {
  const { breakers } = value;
  if (breakers === undefined) return [];
  const at = (path: Path, what: string): Problem => ({
    file,
    line: lineOf(['breakers', ...path]),
    what: `breakers.${what}`,
  });
  const { limits, spike } = breakers;
  const names = Object.keys(limits);
  return [
    ...(names.length > MOST_LIMITS ? [at(['limits'], `limits: ${names.length} are more than ${MOST_LIMITS}`)] : []),
    ...Object.entries(limits).flatMap(([name, { tasks = [] }]) =>
      [...tasks.entries()]
        .filter(([, task]) => !known.has(task))
        .map(([place, task]) => at(['limits', name, 'tasks', place], `limits.${name}: there is no task class ${task}`)),
    ),
    ...(spike !== undefined && spike.tenants > spike.trips
      ? [at(['spike', 'tenants'], `spike: ${spike.trips} trips are never at ${spike.tenants} tenants`)]
      : []),
    ...(spike !== undefined && names.length === 0
      ? [at(['spike'], 'spike: without a limit nothing trips, and nothing spikes')]
      : []),
  ];
}
