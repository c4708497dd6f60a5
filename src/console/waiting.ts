/** Changes that wait for a second person. */
import type { TenantName } from '../core/ids.ts';
import type { KeptProposal } from '../core/proposal.ts';
import type { DeploymentSnapshot } from '../core/snapshot.ts';
import type { Instant } from '../core/time.ts';
import type { Deps } from '../deps.ts';
import { whyNotSecond } from '../decide/segregation.ts';
import type { ConsoleCaller } from '../authenticate/console.ts';

/** More than this wait nowhere for long; the API lists the rest. */
const MOST = 200;

export const isWaiting = ({ state, expiresAt }: KeptProposal, now: Instant): boolean =>
  state === 'owed' || (state === 'open' && expiresAt > now);

/** Where somebody administers: the deployment (`null`), which counts at every tenant, or some of these. */
export async function administeredBy(deps: Deps, { person }: ConsoleCaller): Promise<readonly (TenantName | null)[]> {
  const held = (await deps.store.functionsOf(person)).filter((one) => one.held === 'administration');
  if (!held.some(({ tenant }) => tenant === null)) return held.map(({ tenant }) => tenant);
  return [null, ...(await deps.store.tenants()).map(({ name }) => name)];
}

/** Newest first. */
export async function changesAt(deps: Deps, places: readonly (TenantName | null)[]): Promise<readonly KeptProposal[]> {
  const found = await Promise.all(places.map((tenant) => deps.store.proposals({ tenant, before: null, limit: MOST })));
  return found.flat().toSorted((a, b) => (a.id < b.id ? 1 : -1));
}

export async function waitingPasskeys(deps: Deps): Promise<readonly KeptProposal[]> {
  const now = deps.clock();
  const found = await deps.store.proposals({ tenant: null, before: null, limit: MOST });
  return found.filter((one) => one.act.change.kind === 'passkey.put' && isWaiting(one, now));
}

/** Whether they could be the second person. */
export const mayConfirm = ({ proposer, act }: KeptProposal, { person }: ConsoleCaller): boolean =>
  whyNotSecond({ proposer, subjects: act.subjects }, person) === null;

/** The passkeys that sign for somebody. */
export const passkeysOf = ({ passkeys }: DeploymentSnapshot, { person }: ConsoleCaller) =>
  [...passkeys.values()].filter((one) => one.person === person);
