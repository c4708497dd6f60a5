/** Who gains by a proposed policy as things stand: agents come, and change hands, after it was compared. */
import type { PersonName } from '../core/ids.ts';
import type { ProposedAct } from '../core/proposal.ts';
import type { DeploymentSnapshot } from '../core/snapshot.ts';
import type { Instant } from '../core/time.ts';
import { involvedIn } from '../decide/segregation.ts';
import type { Deps } from '../deps.ts';
import { compare } from './comparison.ts';

/**
 * Whether somebody answers for an agent that gains by it, or did of late. It is compared again only for who answers for
 * one at all, since that takes a while.
 *
 * @param deployment as it is now.
 */
export async function gainsBy(
  deps: Deps,
  act: ProposedAct,
  {
    person,
    deployment,
    now,
  }: { readonly person: PersonName; readonly deployment: DeploymentSnapshot; readonly now: Instant },
): Promise<boolean> {
  const compared = comparedIn(act, deployment);
  if (compared.length === 0) return false;
  const agents = await deps.store.agents();
  if (!agents.some((agent) => involvedIn({ agent, launchedBy: null }, now).has(person))) return false;
  for (const [before, after] of compared) {
    const { gaining } = await compare(deps, await deps.bundles.at(before), await deps.bundles.at(after));
    if (gaining.includes(person)) return true;
  }
  return false;
}

type Compared = readonly [before: string, after: string];

/** What it puts in the place of what; and what it leaves at an end that it inherits, in the place of what would have been left. */
function comparedIn({ change, facts }: ProposedAct, { widening }: DeploymentSnapshot): readonly Compared[] {
  if (change.kind !== 'policy.activate') return [];
  const { replaces } = facts;
  const end = change.widening;
  return [
    ...(typeof replaces === 'string' ? [[replaces, change.version] as const] : []),
    ...(end && widening && end.until === widening.until ? [[widening.next, end.next] as const] : []),
  ];
}
