/** `routes.yaml`: who approves what: people with their levels and hours, and the way of an ask among them. */
import { z } from 'zod';
import { timeZoneField, windowField } from '../../core/context-form.ts';
import type { PersonName, RoleName, TaskName, TenantName } from '../../core/ids.ts';
import type { ChangeWindow } from '../../core/registers.ts';
import { LEVELS, ROUTE_KINDS } from '../../core/route.ts';
import type { Level, RouteKind, Urgency } from '../../core/route.ts';
import { seconds } from '../../core/time.ts';
import type { Seconds } from '../../core/time.ts';
import { TIERS } from '../decision.ts';
import type { Tier } from '../decision.ts';
import { nameField, taskField } from './fields.ts';

/** Nobody waits longer for a task of minutes. */
export const LONGEST_ROUTE_MINUTES = 240;
const MOST_STEPS = 10;
const MOST_YESES = 5;

const minutesField = () => z.int().min(1).max(LONGEST_ROUTE_MINUTES);
const levelField = () => z.enum(LEVELS, { error: `it must be one of ${LEVELS.join(', ')}` });
const kindField = (kinds: readonly RouteKind[]) => z.enum(kinds, { error: `it must be one of ${kinds.join(', ')}` });

/** An approver, by the name of the person. */
const ApproverForm = z.strictObject({
  level: levelField(),
  time_zone: timeZoneField(),
  /** When they are on duty, by the clock there. */
  duty: z.array(windowField()).max(20),
});

const StepForm = z.strictObject({
  /** A role; or two, of which one person each must say yes. */
  whom: z.union([nameField(), z.array(nameField()).length(2)], { error: 'it must be a role, or a list of two' }),
  /** The least, where it is more than what the task class takes. */
  level: levelField().optional(),
  within_minutes: minutesField(),
  /** How many must say yes. */
  quorum: z.int().min(1).max(MOST_YESES).optional(),
  /** Whom to ask where nobody of that role can be, or is on duty. */
  backup: z.string({ error: 'a step names its backup role' }).pipe(nameField()),
});

const tiersField = () =>
  z
    .array(
      z.union(
        TIERS.map((tier) => z.literal(tier)),
        { error: 'it must be 1, 2 or 3' },
      ),
    )
    .min(1);

const ConditionsForm = z.strictObject({
  kinds: z.array(kindField(ROUTE_KINDS)).min(1).optional(),
  tenants: z.array(nameField()).min(1).optional(),
  tiers: tiersField().optional(),
  /** Saying so leads here; a route that saying so led away from could lead to people of a lower level. */
  urgency: z.literal('urgent', { error: 'it must be urgent' }).optional(),
  /** By the clock of the client. */
  hours: z.array(windowField()).min(1).max(20).optional(),
});

const RouteForm = z.strictObject({
  name: nameField(),
  when: ConditionsForm.optional(),
  steps: z.array(StepForm).min(1, 'a route has a last step').max(MOST_STEPS),
});
export type RouteForm = z.infer<typeof RouteForm>;
export type StepForm = RouteForm['steps'][number];

/** What it takes to answer for a task class. */
const AnsweringForm = z.strictObject({
  kind: kindField(ROUTE_KINDS.filter((kind) => kind !== 'several-tenants')),
  level: levelField().optional(),
});

export const RoutesFile = z.strictObject({
  people: z.record(nameField(), ApproverForm),
  /** Asked and not answered, of one person; who has as many is not asked more. */
  most_open: z.int().min(1).max(1000),
  /** The most that a step lasts, while an incident is open at the client or where the agent calls it urgent. */
  step_minutes: z.strictObject({ incident: minutesField(), urgent: minutesField() }),
  /** Where a yes takes a passkey that is bound to its device. */
  device_bound: z.strictObject({ tiers: tiersField() }).optional(),
  tasks: z.record(taskField(), AnsweringForm),
  /** The first whose conditions hold. */
  routes: z.array(RouteForm).min(1, 'there is at least one route, for all').max(100),
});
export type RoutesFile = z.infer<typeof RoutesFile>;

export interface Approver {
  readonly level: Level;
  readonly timeZone: string;
  readonly duty: readonly ChangeWindow[];
}

/** `null` members hold for all. */
export interface RouteConditions {
  readonly kinds: readonly RouteKind[] | null;
  readonly tenants: readonly TenantName[] | null;
  readonly tiers: readonly Tier[] | null;
  readonly urgency: Urgency | null;
  readonly hours: readonly ChangeWindow[] | null;
}

export interface StepRule {
  /** One role, or two of which one person each must say yes. */
  readonly whom: readonly RoleName[];
  readonly level: Level;
  readonly within: Seconds;
  readonly quorum: number;
  readonly backup: RoleName;
}

export interface RouteRule {
  readonly name: string;
  readonly when: RouteConditions;
  readonly steps: readonly StepRule[];
}

export interface Routes {
  /** One who is not here is a technician of whom no hours are known. */
  readonly people: ReadonlyMap<PersonName, Approver>;
  readonly mostOpen: number;
  readonly longestStep: { readonly incident: Seconds; readonly urgent: Seconds };
  /** Tiers at which a yes takes a passkey that is bound to its device. */
  readonly deviceBound: readonly Tier[];
  /** One that is not here is of no kind, and for any approver. */
  readonly tasks: ReadonlyMap<TaskName, { readonly kind: RouteKind; readonly level: Level }>;
  readonly routes: readonly RouteRule[];
}

const [LEAST] = LEVELS;

const minutes = (count: number): Seconds => seconds(count * 60);

export function routesOf({ people, tasks, routes, ...file }: RoutesFile): Routes {
  const { incident, urgent } = file.step_minutes;
  return {
    people: new Map(
      Object.entries(people).map(([person, { level, time_zone: timeZone, duty }]) => [
        person as PersonName,
        { level, timeZone, duty },
      ]),
    ),
    mostOpen: file.most_open,
    deviceBound: file.device_bound?.tiers ?? [],
    longestStep: { incident: minutes(incident), urgent: minutes(urgent) },
    tasks: new Map(
      Object.entries(tasks).map(([task, { kind, level }]) => [task as TaskName, { kind, level: level ?? LEAST }]),
    ),
    routes: routes.map(routeOf),
  };
}

const routeOf = ({ name, when = {}, steps }: RouteForm): RouteRule => ({
  name,
  when: {
    kinds: when.kinds ?? null,
    tenants: (when.tenants ?? null) as readonly TenantName[] | null,
    tiers: when.tiers ?? null,
    urgency: when.urgency ?? null,
    hours: when.hours ?? null,
  },
  steps: steps.map((step) => ({
    whom: rolesOfStep(step),
    level: step.level ?? LEAST,
    within: minutes(step.within_minutes),
    quorum: step.quorum ?? 1,
    backup: step.backup as RoleName,
  })),
});

export const rolesOfStep = ({ whom }: StepForm): readonly RoleName[] => [whom].flat() as RoleName[];

/** Under a bundle that has none nobody is asked. */
export const NO_ROUTES: Routes = {
  people: new Map(),
  mostOpen: 0,
  deviceBound: [],
  longestStep: { incident: seconds(0), urgent: seconds(0) },
  tasks: new Map(),
  routes: [],
};
