/**
 * Assignments found by who holds them, by their function and by their role. A list is sorted through once, however many
 * decisions read it.
 */
import type { RoleName } from './ids.ts';
import type { Assignment, Holder, RoleFunction } from './registers.ts';

interface Sorted {
  readonly person: ReadonlyMap<string, readonly Assignment[]>;
  readonly agent: ReadonlyMap<string, readonly Assignment[]>;
  readonly functions: ReadonlyMap<string, readonly Assignment[]>;
  readonly roles: ReadonlyMap<string, readonly Assignment[]>;
}

/** For as long as a list itself is kept: a snapshot's never change. */
const SORTED = new WeakMap<readonly Assignment[], Sorted>();

/** What one holder has, in the order of the list; as for all here, also what has ended since it was read. */
export const heldBy = (
  assignments: readonly Assignment[],
  kind: Holder['kind'],
  name: Holder['name'],
): readonly Assignment[] => sorted(assignments)[kind].get(name) ?? NONE;

export const heldInFunction = (assignments: readonly Assignment[], of: RoleFunction): readonly Assignment[] =>
  sorted(assignments).functions.get(of) ?? NONE;

export const heldAs = (assignments: readonly Assignment[], role: RoleName): readonly Assignment[] =>
  sorted(assignments).roles.get(role) ?? NONE;

const NONE: readonly Assignment[] = [];

function sorted(assignments: readonly Assignment[]): Sorted {
  const known = SORTED.get(assignments);
  if (known !== undefined) return known;
  const found = {
    person: byName(assignments, 'person'),
    agent: byName(assignments, 'agent'),
    functions: Map.groupBy(assignments, (one) => one.function),
    roles: Map.groupBy(assignments, ({ role }) => role),
  };
  SORTED.set(assignments, found);
  return found;
}

const byName = (assignments: readonly Assignment[], kind: Holder['kind']): ReadonlyMap<string, readonly Assignment[]> =>
  Map.groupBy(
    assignments.filter(({ holder }) => holder.kind === kind),
    ({ holder }) => holder.name,
  );
