/** Which people come to approve, oversee or administer, or do so no more: a role may change under who holds it. */
import type { PersonName, RoleName, TenantName } from '../../core/ids.ts';
import type { RoleFunction } from '../../core/registers.ts';
import type { Bundle, Role } from '../bundle/model.ts';
import { roleHeld } from '../segregation.ts';
import type { World } from './worlds.ts';

export interface PersonDifference {
  readonly person: PersonName;
  readonly role: RoleName;
  readonly function: RoleFunction;
  readonly tenants: readonly TenantName[];
  readonly gains: boolean;
  /** More who may say yes, or fewer who look. */
  readonly widening: boolean;
}

/** Who comes to read alone oversees no more. */
const counts = (role: Role | null): boolean => role?.readsOnly === false;

export function peopleDifferences(before: Bundle, after: Bundle, worlds: readonly World[]): PersonDifference[] {
  const found = new Map<string, PersonDifference>();
  for (const { snapshot } of worlds) {
    for (const assignment of [...snapshot.assignments, ...snapshot.deployment.assignments]) {
      if (assignment.holder.kind !== 'person') continue;
      const [held, holds] = [before, after].map((bundle) => counts(roleHeld(bundle, assignment, snapshot)));
      if (held === holds) continue;
      const { holder, role, function: of } = assignment;
      const gains = holds === true;
      const key = JSON.stringify([holder.name, role, of, gains]);
      const tenants = new Set([...(found.get(key)?.tenants ?? []), snapshot.tenant.name]);
      const widening = of === 'oversight' ? !gains : gains;
      found.set(key, { person: holder.name, role, function: of, tenants: [...tenants].toSorted(), gains, widening });
    }
  }
  return [...found.keys()].toSorted().flatMap((key) => found.get(key) ?? []);
}
