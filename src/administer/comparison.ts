/** What a proposed bundle changes for the agents and people there are, against the one that is active. */
import type { JsonObject } from '../core/canonical.ts';
import type { AgentName, PersonName } from '../core/ids.ts';
import type { Snapshot } from '../core/snapshot.ts';
import type { Deps } from '../deps.ts';
import type { Bundle } from '../decide/bundle.ts';
import { diffBundles, diffWire, joined } from '../decide/diff.ts';
import type { BundleDiff, Trial } from '../decide/diff.ts';
import { alike } from '../decide/diff/alike.ts';
import type { Place } from '../decide/diff/alike.ts';
import { registeredAs } from '../decide/diff/worlds.ts';
import { involvedIn } from '../decide/segregation.ts';

/** As many kinds of agent at a kind of client are tried; each takes about a tenth of a second. */
const MOST_KINDS = 200;

export interface Comparison {
  readonly diff: BundleDiff;
  /** Agents at clients that were too many to try. */
  readonly untried: number;
  /** Who owns an agent that gains, or may gain where it was not tried, and who owned it of late. */
  readonly gaining: readonly PersonName[];
}

/** Between two kinds the node goes on with its other work. */
export async function compare(deps: Deps, before: Bundle, after: Bundle): Promise<Comparison> {
  const now = deps.clock();
  const snapshots = await snapshotsOf(deps);
  const trial: Trial = {
    before,
    after,
    rulebook: deps.rulebook,
    providers: deps.providers,
    channels: deps.channels.length > 0,
    worlds: snapshots.map((snapshot) => ({ snapshot, principals: [] })),
    now,
  };
  const groups = alike(snapshots.flatMap(placesOf), [before, after], now);
  const parts: BundleDiff[] = [diffBundles(trial)];
  for (const group of groups.slice(0, MOST_KINDS)) {
    const [{ snapshot, principal }] = group;
    const found = diffBundles({ ...trial, worlds: [{ snapshot, principals: [principal] }] });
    parts.push({ ...found, people: [], differences: group.flatMap((place) => differencesFor(found, place)) });
    await deps.pause(0);
  }
  const untried = groups.slice(MOST_KINDS).flat();
  const diff = joined(parts, ownersOf(groups.flat()));
  const freed = new Set([
    ...diff.gains.map(({ agent }) => agent),
    ...untried.map(({ principal }) => principal.agent.name),
  ]);
  const theirs = groups.flat().filter(({ principal }) => freed.has(principal.agent.name));
  const gaining = theirs.flatMap(({ principal }) => [...involvedIn(principal, now)]);
  return { diff, untried: untried.length, gaining: diff.widens ? [...new Set(gaining)].toSorted() : [] };
}

export async function snapshotsOf(deps: Pick<Deps, 'store'>): Promise<readonly Snapshot[]> {
  const found: Snapshot[] = [];
  for (const { name } of await deps.store.tenants()) {
    const snapshot = await deps.store.snapshot(name);
    if (snapshot !== null) found.push(snapshot);
  }
  return found;
}

const placesOf = (snapshot: Snapshot): readonly Place[] =>
  [...snapshot.agents.values()].map((enrolled) => ({ snapshot, principal: registeredAs(snapshot, enrolled) }));

const differencesFor = ({ differences }: BundleDiff, { snapshot, principal }: Place): BundleDiff['differences'] =>
  differences.map((one) => ({ ...one, agent: principal.agent.name, tenant: snapshot.tenant.name }));

const ownersOf = (places: readonly Place[]): ReadonlyMap<AgentName, PersonName> =>
  new Map(places.map(({ principal: { agent } }) => [agent.name, agent.owner]));

/** Something is stricter, or for other people, than it was. */
export const narrows = ({ differences, people }: BundleDiff): boolean =>
  [...differences, ...people].some(({ widening }) => !widening);

export const comparisonWire = ({ diff, untried }: Comparison): JsonObject => ({ ...diffWire(diff), untried });
