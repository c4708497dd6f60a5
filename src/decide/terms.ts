/** How long and how often: the least of everything that has a say, each narrowing with its cause. */
import { between, seconds } from '../core/time.ts';
import type { Instant, Seconds } from '../core/time.ts';
import { err, ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { AccessRequest } from '../core/request.ts';
import type { Admitted } from './admit.ts';
import { tierAt } from './bundle/scorecard.ts';
import type { Denial, Narrowing } from './decision.ts';
import { denial } from './denial.ts';
import type { HeldRole } from './segregation.ts';

export interface Terms {
  readonly ttl: Seconds;
  readonly uses: number;
  readonly usesCounted: boolean;
  readonly narrowed: readonly Narrowing[];
}

interface Limit {
  readonly most: number;
  readonly by: string;
}

export function termsOf(
  request: AccessRequest,
  admitted: Admitted,
  held: HeldRole,
  now: Instant,
): Result<Terms, Denial> {
  const uses = usesOf(request, admitted, held);
  if (!uses.ok) return uses;
  const ttl = ttlOf(request, admitted, held, now);
  if (!ttl.ok) return ttl;
  return ok({
    ttl: seconds(ttl.value.given),
    uses: uses.value.given,
    usesCounted: admitted.declared.countsUses,
    narrowed: [ttl.value, uses.value].filter(({ asked, given }) => given < asked),
  });
}

function ttlOf(
  { ttl }: AccessRequest,
  admitted: Admitted,
  { role, assignment }: HeldRole,
  now: Instant,
): Result<Narrowing, Denial> {
  const { task, declared, oversight, principal } = admitted;
  const shortest = Math.max(1, declared.shortest);
  if (ttl !== null && ttl < shortest) return err(tooShort(`the provider gives no less than ${shortest} s`, shortest));
  const limits: Limit[] = [
    { most: task.ceilings.ttl, by: `task:${task.name}` },
    { most: role.ceilings?.ttl ?? 0, by: `role:${role.name}` },
    { most: declared.longest, by: `provider:${task.provider}` },
    ...ending(assignment.until, now, 'end of the assignment'),
    ...ending(principal.enrolment.exception?.until ?? null, now, 'end of the exception for the key'),
    ...ending(oversight.until, now, 'end of the last oversight'),
    ...ending(tierAt(task, now).until, now, 'end of the promotion'),
  ];
  const narrowed = narrow('ttl', ttl ?? task.ttl, limits);
  if (narrowed.given >= shortest) return ok(narrowed);
  return err(tooShort(`${narrowed.given} s are left (${narrowed.by}), and ${shortest} s are the least`, null));
}

const tooShort = (detail: string, least: number | null): Denial =>
  denial('ttl_not_possible', detail, {
    path: 'ttl',
    hint: least === null ? 'What it rests on must be given a later end.' : `Ask for at least ${least} s.`,
  });

const ending = (until: Instant | null, now: Instant, by: string): Limit[] =>
  until === null ? [] : [{ most: Math.floor(between(now, until) / 1000), by }];

function usesOf({ uses }: AccessRequest, { task, declared }: Admitted, { role }: HeldRole): Result<Narrowing, Denial> {
  if (!declared.countsUses && uses !== null) {
    return err(
      denial('uses_not_countable', `the provider ${task.provider} cannot count uses at this target`, {
        hint: 'Leave uses out.',
        path: 'uses',
      }),
    );
  }
  return ok(
    narrow('uses', uses ?? 1, [
      { most: task.ceilings.uses, by: `task:${task.name}` },
      { most: role.ceilings?.uses ?? 0, by: `role:${role.name}` },
    ]),
  );
}

function narrow(what: Narrowing['what'], asked: number, limits: readonly Limit[]): Narrowing {
  const least = limits.reduce((a, b) => (b.most < a.most ? b : a));
  return least.most < asked ? { what, asked, given: least.most, by: least.by } : { what, asked, given: asked, by: '' };
}
