/** Versions of the bundle: kept by their hash for ever, with one that is active. */
import { eq, sql } from 'drizzle-orm';
import type { RegisterChange } from '../../core/change/register.ts';
import { enter } from '../link.ts';
import { ROLES } from '../roles.ts';
import { DEPLOYMENT, EVERYWHERE } from '../schema/columns.ts';
import { deployment, policies } from '../schema/deployment.ts';
import { assignments } from '../schema/tenants.ts';
import type { Register } from './register.ts';
import { refuse } from './refused.ts';

/** Nobody rolls back further than that without a proposal. */
const BEFORE_KEPT = 16;

type Activation = Extract<RegisterChange, { readonly kind: 'policy.activate' }>;

export async function activatePolicy(register: Register, change: Activation): Promise<void> {
  const { tx, now } = register;
  const { version, onlyFirst, widening = null, undoes } = change;
  if (onlyFirst && now.policy !== null) refuse({ unmet: 'taken', by: now.policy });
  if (undoes !== undefined && now.policy !== undoes) refuse({ unmet: 'moved' });
  // A role that the widening brought is worth nothing once it is over, whoever holds it.
  if (undoes === undefined) await refuseChangedFunctions(register, change);
  await keepPolicy(register, change);
  // What was active for a time alone is not gone back to.
  const left = now.widening === null ? now.policy : null;
  const before = [left, ...now.policiesBefore].filter((one) => one !== null && one !== version);
  const policiesBefore = before.slice(0, BEFORE_KEPT) as string[];
  await tx.update(deployment).set({ policy: version, widening, policiesBefore });
}

async function refuseChangedFunctions({ tx }: Register, { functions }: Activation): Promise<void> {
  await tx.execute(enter({ role: ROLES.list, tenants: [] }));
  const held = await tx.selectDistinct({ role: assignments.role, function: assignments.function }).from(assignments);
  const changed = held.find(({ role, function: given }) => functions[role] !== given);
  if (changed !== undefined) refuse({ unmet: 'in_use', by: `role ${changed.role}` });
  await tx.execute(enter({ role: ROLES.serve, tenants: [DEPLOYMENT, EVERYWHERE] }));
}

/** A version that comes without its files is one that is kept. */
export async function keepPolicy(
  { tx }: Register,
  { version, files, functions, reading }: Pick<Activation, 'version' | 'files' | 'functions' | 'reading'>,
): Promise<void> {
  if (files === null) {
    const [kept] = await tx.select({ version: policies.version }).from(policies).where(eq(policies.version, version));
    if (kept === undefined) refuse({ unmet: 'missing', what: 'policy' });
    return;
  }
  await tx
    .insert(policies)
    .values({ version, files, functions, reading: [...reading], addedAt: sql`brevet_now()` })
    .onConflictDoNothing();
}
