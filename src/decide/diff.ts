/**
 * What a bundle changes against another, found by deciding: each agent at each client, with each task class that it
 * carries under either, at each target, in the contexts of the grid, is decided under both. What no decision shows
 * stands beside it. Pure.
 */
import { canonicalDigest } from '../core/canonical.ts';
import type { Json, JsonObject } from '../core/canonical.ts';
import type { AgentName, PersonName, TaskName } from '../core/ids.ts';
import type { RuleName } from '../core/policy.ts';
import { differencesOf, inOrder } from './diff/cells.ts';
import type { Difference, Found } from './diff/cells.ts';
import { peopleDifferences } from './diff/people.ts';
import type { PersonDifference } from './diff/people.ts';
import { registerDifferences } from './diff/registers.ts';
import type { RegisterDifference } from './diff/registers.ts';
import { changedRules, eitherOf } from './diff/sight.ts';
import type { ChangedRule } from './diff/sight.ts';
import type { Trial } from './diff/worlds.ts';

export { exampleTrial, exampleWorlds, registeredWorld } from './diff/worlds.ts';
export type { Answered } from './diff/answer.ts';
export type { Difference } from './diff/cells.ts';
export type { PersonDifference } from './diff/people.ts';
export type { RegisterDifference } from './diff/registers.ts';
export type { Trial, World } from './diff/worlds.ts';

export interface RuleDifference {
  readonly rule: RuleName;
  readonly effect: 'permit' | 'forbid';
  readonly how: ChangedRule['how'];
  /** Where it stands, or stood. */
  readonly file: string;
  readonly line: number;
  /** Whether it took part where an answer of the grid came out otherwise. */
  readonly seen: boolean;
  /** It may free something that the grid does not show. */
  readonly widening: boolean;
}

export interface NotEvaluated {
  readonly task: TaskName;
  readonly why: string;
}

export interface BundleDiff {
  /** The versions. */
  readonly before: string;
  readonly after: string;
  readonly differences: readonly Difference[];
  readonly people: readonly PersonDifference[];
  readonly registers: readonly RegisterDifference[];
  readonly rules: readonly RuleDifference[];
  readonly notEvaluated: readonly NotEvaluated[];
  /** Something is freer than it was. */
  readonly widens: boolean;
  /** Agents that a decision frees, and who answers for them. */
  readonly gains: readonly { readonly agent: AgentName; readonly owner: PersonName }[];
  /** Over everything above, in hex. */
  readonly digest: string;
}

export function diffBundles(trial: Trial): BundleDiff {
  const { before, after, worlds } = trial;
  const changed = changedRules(before, after);
  const found = differencesOf(trial, changed);
  const people = peopleDifferences(before, after, worlds);
  const registers = registerDifferences(before, after);
  const rules = changed.map((one) => ruleDifference(one, found));
  const parts = { people, registers, rules, differences: found.differences, notEvaluated: notEvaluated(trial, found) };
  return sealed({ before: before.version, after: after.version, ...parts }, ownersIn(trial));
}

/** What was found apart, of the same two bundles, as one. @param owners of every agent in it. */
export function joined(found: readonly BundleDiff[], owners: Owners): BundleDiff {
  const [first] = found;
  if (first === undefined) throw new TypeError('nothing was compared');
  const alike = (rule: RuleDifference): readonly RuleDifference[] =>
    found.flatMap(({ rules }) => rules.filter((one) => one.rule === rule.rule));
  const rules = first.rules.map((rule) => ({
    ...rule,
    seen: alike(rule).some(({ seen }) => seen),
    widening: alike(rule).every(({ widening }) => widening),
  }));
  const differences = inOrder(found.flatMap((one) => one.differences));
  const left = first.notEvaluated.flatMap(({ task }) => {
    const everywhere = found.map(({ notEvaluated: also }) => also.find((one) => one.task === task));
    if (everywhere.includes(undefined)) return [];
    return everywhere.find((one) => one?.why !== NOBODY) ?? { task, why: NOBODY };
  });
  const people = found.flatMap((one) => one.people);
  const { before, after, registers } = first;
  return sealed({ before, after, differences, people, registers, rules, notEvaluated: left }, owners);
}

type Owners = ReadonlyMap<AgentName, PersonName>;
type Unsealed = Omit<BundleDiff, 'widens' | 'gains' | 'digest'>;

function sealed(found: Unsealed, owners: Owners): BundleDiff {
  const { before, after, differences, people, registers, rules, notEvaluated: left } = found;
  const all = [...differences, ...people, ...registers, ...rules];
  const diff = {
    before,
    after,
    differences,
    people,
    registers,
    rules,
    notEvaluated: left,
    widens: all.some(({ widening }) => widening),
    gains: gainsOf(differences, owners),
  };
  return { ...diff, digest: canonicalDigest(diff as unknown as Json) };
}

function ruleDifference({ how, before, after }: ChangedRule, { seen }: Found): RuleDifference {
  const { name, effect, file, line } = eitherOf({ before, after });
  const isSeen = seen.has(name);
  // What the grid shows is judged there; what it does not show is judged by what could be.
  const frees = how === 'changed' || (effect === 'permit' ? how === 'added' : how === 'removed');
  return { rule: name, effect, how, file, line, seen: isSeen, widening: frees && !isSeen };
}

function notEvaluated({ before, after }: Trial, { tried, unfit }: Found): NotEvaluated[] {
  const tasks = [...new Set([...before.tasks.keys(), ...after.tasks.keys()])].toSorted();
  return tasks
    .filter((task) => !tried.has(task) || unfit.has(task))
    .map((task) => ({ task, why: unfit.has(task) ? 'no parameters that fit it could be made' : NOBODY }));
}

const NOBODY = 'no agent carries it at a target of its provider';

const ownersIn = ({ worlds }: Trial): Owners =>
  new Map(worlds.flatMap(({ principals }) => principals.map(({ agent }) => [agent.name, agent.owner] as const)));

function gainsOf(differences: readonly Difference[], owners: Owners): BundleDiff['gains'] {
  const gaining = new Set(differences.flatMap(({ agent, widening }) => (widening ? [agent] : [])));
  return [...gaining].toSorted().flatMap((agent) => {
    const owner = owners.get(agent);
    return owner === undefined ? [] : [{ agent, owner }];
  });
}

/** As programs read it. */
export const diffWire = ({ notEvaluated: left, ...rest }: BundleDiff): JsonObject =>
  ({ ...rest, not_evaluated: left }) as unknown as JsonObject;
