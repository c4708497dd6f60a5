/** Versions of the bundle: kept by their hash for ever, with one that is active. */
import { sql } from 'drizzle-orm';
import type { RegisterChange } from '../../core/change.ts';
import { enter } from '../link.ts';
import { ROLES } from '../roles.ts';
import { assignments, deployment, DEPLOYMENT, EVERYWHERE, policies } from '../schema.ts';
import type { Register } from './register.ts';
import { refuse } from './refused.ts';

export async function activatePolicy(
  { tx, now }: Register,
  { version, files, functions, onlyFirst }: Extract<RegisterChange, { readonly kind: 'policy.activate' }>,
): Promise<void> {
  if (onlyFirst && now.policy !== null) refuse({ unmet: 'taken', by: now.policy });
  await tx.execute(enter({ role: ROLES.list, tenants: [] }));
  const held = await tx.selectDistinct({ role: assignments.role, function: assignments.function }).from(assignments);
  const changed = held.find(({ role, function: given }) => functions[role] !== given);
  if (changed !== undefined) refuse({ unmet: 'in_use', by: `role ${changed.role}` });
  await tx.execute(enter({ role: ROLES.serve, tenants: [DEPLOYMENT, EVERYWHERE] }));
  await tx
    .insert(policies)
    .values({ version, files, functions, addedAt: sql`brevet_now()` })
    .onConflictDoNothing();
  await tx.update(deployment).set({ policy: version });
}
