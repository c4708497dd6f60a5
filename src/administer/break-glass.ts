/**
 * A role of execution that was written for an emergency is given for a stated reason and a short time: by two persons,
 * or by one alone for containment and a quarter of an hour. Others hear of it at once, it ends by itself with all that
 * rests on it, and it stays on the list of reviews until somebody has looked at it who had no hand in it.
 */
import { failure } from '../core/failure.ts';
import { newId } from '../core/ids.ts';
import type { PersonName, TenantName } from '../core/ids.ts';
import type { Review } from '../core/oversight.ts';
import type { Assignment } from '../core/registers.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import { after, seconds, toRfc3339 } from '../core/time.ts';
import type { Instant } from '../core/time.ts';
import type { Bundle } from '../decide/bundle.ts';
import type { Role } from '../decide/bundle/model.ts';
import type { Deps } from '../deps.ts';
import type { PutsAssignment } from './assignments.ts';
import type { Place } from './author.ts';
import type { Parsed } from './registers.ts';

/** As long as an emergency's first hours: who needs more breaks it again, and says why. */
const LONGEST = seconds(4 * 3600);
/** Issue 6, part 7: one alone, for containment and at most 15 minutes. */
const LONGEST_ALONE = seconds(15 * 60);
const REVIEW_WITHIN = seconds(3 * 24 * 3600);

/** Who breaks it, and why. */
export interface Breaking {
  readonly person: PersonName;
  readonly reason: string | null;
}

interface Glass {
  readonly role: Role;
  readonly bundle: Pick<Bundle, 'tasks'>;
  readonly place: Place;
  readonly author: Breaking;
}

export async function breakGlass(
  deps: Deps,
  put: Parsed<PutsAssignment>,
  assignment: Assignment,
  { role, bundle, place, author }: Glass,
): Promise<Result<Parsed<PutsAssignment>>> {
  const { tenant, holder, until } = assignment;
  const now = deps.clock();
  const { person, reason } = author;
  if (reason === null) return err(needs('brevet-reason', 'breaking the glass takes a reason'));
  if (until === null || until > after(now, LONGEST)) return err(TOO_LONG);
  if (tenant === null || holder.kind !== 'agent') return err(needs('holder', 'an agent at one tenant gets it'));
  const review: Review = {
    id: newId('rev', now, deps.random),
    tenant,
    reason,
    at: now,
    from: until,
    what: 'break_glass',
    about: assignment.id,
    agent: holder.name,
    role: assignment.role,
    openedBy: person,
    due: after(until, REVIEW_WITHIN),
    notBy: [person],
  };
  const isAlone =
    isContainment(role, bundle) && until <= after(now, LONGEST_ALONE) && !(await owesLook(deps, tenant, person));
  return ok({
    ...put,
    change: { kind: 'assignment.put', assignment, glass: { review, tell: others(place, person, now) } },
    facts: { ...put.facts, break_glass: true, review: review.id, review_by: toRfc3339(review.due) },
    said: { ...put.said, reason },
    takesTwo: isAlone ? null : 'to break the glass',
  });
}

const needs = (path: string, detail: string) => failure('invalid_field', detail, { path });

const TOO_LONG = needs('until', 'breaking the glass takes an end, four hours from now at the most');

const isContainment = ({ tasks }: Role, bundle: Pick<Bundle, 'tasks'>): boolean =>
  [...tasks].every((task) => bundle.tasks.get(task)?.containment === true);

/** One quarter of an hour after the other would be a day: the last one is looked at first. */
async function owesLook({ store }: Deps, tenant: TenantName, person: PersonName): Promise<boolean> {
  const open = await store.reviews({ within: [tenant], open: true, limit: LOOKED_AT, before: null });
  return open.some(({ what, openedBy }) => what === 'break_glass' && openedBy === person);
}

/** Where more than these wait, nobody looks at any. */
const LOOKED_AT = 200;

/** Who oversees there, and who administers. */
function others(place: Place, author: PersonName, now: Instant): readonly PersonName[] {
  const above = 'deployment' in place ? place.deployment.assignments : [];
  const persons = [...place.assignments, ...above]
    .filter(
      ({ function: held, until }) => held !== 'execution' && held !== 'approval' && (until === null || until > now),
    )
    .flatMap(({ holder }) => (holder.kind === 'person' && holder.name !== author ? [holder.name] : []));
  return [...new Set(persons)].toSorted();
}
