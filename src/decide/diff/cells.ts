/** Decides the cells of the grid under both bundles, and groups those that differ alike. */
import type { AgentPrincipal } from '../../authenticate/principal.ts';
import type { JsonObject } from '../../core/canonical.ts';
import type { AgentName, RoleName, TargetName, TaskName, TenantName } from '../../core/ids.ts';
import type { RuleName } from '../../core/policy.ts';
import type { TargetVersion } from '../../core/registers.ts';
import type { Snapshot } from '../../core/snapshot.ts';
import type { Bundle, Role, TaskClass } from '../bundle/model.ts';
import { targetOfResource } from '../context.ts';
import { decide } from '../decide.ts';
import { executionRoles } from '../segregation.ts';
import { answerOf, differ, isWider } from './answer.ts';
import type { Answered } from './answer.ts';
import { pointsOf } from './grid.ts';
import type { Point, Subject } from './grid.ts';
import { leastParameters } from './sample.ts';
import { eitherOf, sightOf, sightOfBoth } from './sight.ts';
import type { ChangedRule, Sight } from './sight.ts';
import { createWitness } from './witness.ts';
import type { Witness } from './witness.ts';
import type { Trial } from './worlds.ts';

/** What one agent gains or loses. */
export interface Difference {
  readonly agent: AgentName;
  readonly tenant: TenantName;
  readonly role: RoleName;
  readonly task: TaskName;
  /** Those that are alike for this. */
  readonly targets: readonly TargetName[];
  /** The contexts of the grid in which it is so, or those few in which it is not: both empty, it always is. */
  readonly when: readonly string[];
  readonly except: readonly string[];
  readonly before: Answered;
  readonly after: Answered;
  readonly widening: boolean;
}

export interface Found {
  readonly differences: readonly Difference[];
  /** Changed rules that took part where an answer differs. */
  readonly seen: ReadonlySet<RuleName>;
  /** Task classes that were decided at least once, or why not. */
  readonly tried: ReadonlySet<TaskName>;
  readonly unfit: ReadonlySet<TaskName>;
}

export function differencesOf(trial: Trial, changed: readonly ChangedRule[]): Found {
  const sight = sightOfBoth(trial.before, trial.after);
  const changedSight = sightOf(changed.flatMap(({ before, after }) => [before, after].filter((rule) => rule !== null)));
  const search: Search = {
    trial,
    changed,
    changedSight,
    witness: createWitness(trial.rulebook),
    points: (subject) => pointsOf(subject, sight, changedSight),
    parameters: new Map(),
    seen: new Set(),
    tried: new Set(),
    unfit: new Set(),
  };
  const differences = trial.worlds.flatMap(({ snapshot, principals }) =>
    principals.flatMap((principal) => ofAgent(search, snapshot, principal)),
  );
  return { ...search, differences: inOrder(differences) };
}

interface Search {
  readonly trial: Trial;
  readonly changed: readonly ChangedRule[];
  readonly changedSight: Sight;
  readonly witness: Witness;
  readonly points: (subject: Subject) => readonly Point[];
  /** Of each task class, made once. */
  readonly parameters: Map<TaskName, readonly JsonObject[]>;
  readonly seen: Set<RuleName>;
  readonly tried: Set<TaskName>;
  readonly unfit: Set<TaskName>;
}

function ofAgent(search: Search, snapshot: Snapshot, principal: AgentPrincipal): Difference[] {
  const readAlike = isReadAlike(search.trial, snapshot);
  return carried(search.trial, snapshot, principal.agent.name).flatMap(({ role, task }) => {
    const forms = formsOf(search.trial, task);
    const [form] = forms;
    const [parameters, ...others] = parametersFor(search, task, forms);
    if (form === undefined) return [];
    if (parameters === undefined) {
      search.unfit.add(task);
      return [];
    }
    return targetGroups(snapshot, forms).flatMap(({ target, names }) => {
      const subject: Subject = {
        snapshot,
        agent: principal.agent,
        role,
        forms: [form, ...forms.slice(1)],
        target,
        parameters: [parameters, ...others],
        readAlike,
        countsUses: search.trial.providers.get(target.provider)?.declare(target, form.template).countsUses === true,
        now: search.trial.now,
      };
      search.tried.add(task);
      const who = { agent: principal.agent.name, tenant: snapshot.tenant.name, role, task, targets: names };
      return grouped(ofSubject(search, subject, principal)).map((one) => ({ ...who, ...one }));
    });
  });
}

/** What it carries under either bundle: with anything else both answer that no role carries it. */
function carried({ before, after, now }: Trial, snapshot: Snapshot, agent: AgentName) {
  const held = [before, after].flatMap((bundle) => executionRoles(bundle, snapshot, agent, now));
  const pairs = held.flatMap(({ role }) => [...role.tasks].map((task) => ({ role: role.name, task })));
  return [...new Map(pairs.map((pair) => [`${pair.role} ${pair.task}`, pair])).values()];
}

const formsOf = ({ before, after }: Trial, task: TaskName): readonly TaskClass[] =>
  [before, after].flatMap(({ tasks }) => tasks.get(task) ?? []);

/** The least that each of the bundles takes; where that cannot be made, what one of its cases sends. */
function parametersFor(search: Search, task: TaskName, forms: readonly TaskClass[]): readonly JsonObject[] {
  const known = search.parameters.get(task);
  if (known !== undefined) return known;
  const made = forms
    .map((form) => leastParameters(form) ?? parametersOfCases([search.trial.before, search.trial.after], form))
    .filter((one) => one !== null);
  const found = [...new Map(made.map((one) => [JSON.stringify(one), one])).values()];
  search.parameters.set(task, found);
  return found;
}

export function parametersOfCases(bundles: readonly Bundle[], { name, parameters }: TaskClass): JsonObject | null {
  const requests = bundles.flatMap(({ cases }) =>
    cases.flatMap(({ holds }) => (holds.cases ?? []).map(({ request }) => request)),
  );
  const sent = requests
    .filter(({ task }) => task === name)
    .map((request) => (request['parameters'] ?? {}) as JsonObject);
  return sent.find((one) => parameters.misfitIn(one) === null) ?? null;
}

/** Targets that no decision tells apart, with one of them to stand for all. */
export function targetGroups(snapshot: Snapshot, forms: readonly TaskClass[]) {
  const recorded = new Set(snapshot.tenant.context.resources.map(({ resource }) => targetOfResource(resource)));
  const groups = new Map<string, { target: TargetVersion; names: TargetName[] }>();
  for (const target of snapshot.targets.values()) {
    if (!forms.some(({ provider }) => provider === target.provider)) continue;
    const { provider, environment, dataClasses, config } = target;
    const own = recorded.has(target.name) ? target.name : '';
    const key = JSON.stringify([provider, environment, dataClasses, config, own]);
    const group = groups.get(key) ?? { target, names: [] };
    group.names.push(target.name);
    groups.set(key, group);
  }
  return [...groups.values()].map(({ target, names }) => ({ target, names: names.toSorted() }));
}

interface Cell {
  readonly when: string;
  readonly before: Answered;
  readonly after: Answered;
}

interface Cells {
  readonly points: readonly string[];
  readonly differing: readonly Cell[];
}

/**
 * Where the bundles differ by rules alone, and none of these says anything of the first point, none does at a point
 * that changes nothing they look at; and where none says anything, the answer is the same.
 */
function ofSubject(search: Search, subject: Subject, principal: AgentPrincipal): Cells {
  const points = search.points(subject);
  const tenant = subject.snapshot.tenant.name;
  const byRules = subject.readAlike && isSame(subject.forms);
  const says = (asked: readonly JsonObject[]): boolean =>
    search.changed.some((rule) => tookPart(search, rule, tenant, asked));
  let quiet = false;
  const differing = points.flatMap((point, at): Cell[] => {
    if (quiet && point.touches?.some((name) => search.changedSight.looksAt(name)) === false) return [];
    const old = decideAt(search, search.trial.before, point, principal);
    if (at === 0) quiet = byRules && old.asked.length > 0 && !says(old.asked.flatMap(eitherWay));
    if (byRules && !says(old.asked)) return [];
    const now = decideAt(search, search.trial.after, point, principal);
    if (!differ(old.answered, now.answered)) return [];
    for (const rule of search.changed) {
      if (tookPart(search, rule, tenant, [...old.asked, ...now.asked])) search.seen.add(eitherOf(rule).name);
    }
    return [{ when: point.when, before: old.answered, after: now.answered }];
  });
  return { points: points.map(({ when }) => when), differing };
}

/** A rule may be asked with an approval at one point, and without one at another. */
const eitherWay = ({ context, ...input }: JsonObject): readonly JsonObject[] =>
  [false, true].map((approved) => ({ ...input, context: { ...(context as JsonObject), approved } }));

const isSame = ([first, second]: Subject['forms']): boolean =>
  second !== undefined && withoutCode(first) === withoutCode(second);

/** What is compiled is in its schema. */
const withoutCode = (task: TaskClass): string => JSON.stringify({ ...task, parameters: null });

/** Of a bundle, a decision reads the task class, the rules, and the roles that are held where it is asked. */
function isReadAlike({ before, after }: Trial, { assignments, deployment }: Snapshot): boolean {
  const held = new Set([...assignments, ...deployment.assignments].map(({ role }) => role));
  const read = ({ roles, probation, schema }: Bundle): string =>
    JSON.stringify([probation, schema.text, [...held].map((name) => roleText(roles.get(name)))]);
  return read(before) === read(after);
}

const roleText = (role: Role | undefined): string =>
  role === undefined
    ? ''
    : JSON.stringify({ ...role, tasks: [...role.tasks], tenants: role.tenants && [...role.tenants] });

function decideAt({ trial, witness }: Search, bundle: Bundle, point: Point, principal: AgentPrincipal) {
  const { providers, channels, now } = trial;
  witness.take();
  const { snapshot, request, manyTenants } = point;
  const policy = { bundle, rulebook: witness, providers, channels };
  const decision = decide(policy, { snapshot, principal, request, manyTenants, now });
  return { answered: answerOf(decision), asked: witness.take() };
}

function tookPart(
  { trial, witness }: Search,
  { before, after }: ChangedRule,
  tenant: TenantName,
  asked: readonly JsonObject[],
): boolean {
  return asked.some(
    (input) =>
      (before !== null && witness.takesPart(trial.before, before, tenant, input)) ||
      (after !== null && witness.takesPart(trial.after, after, tenant, input)),
  );
}

type Grouped = Omit<Difference, 'agent' | 'tenant' | 'role' | 'task' | 'targets'>;

function grouped({ points, differing }: Cells): readonly Grouped[] {
  const groups = new Map<string, Cell[]>();
  for (const cell of differing) {
    const key = JSON.stringify([likeness(cell.before), likeness(cell.after)]);
    groups.set(key, [...(groups.get(key) ?? []), cell]);
  }
  return [...groups.values()].map((cells) => {
    const [before, after] = [merged(cells.map((cell) => cell.before)), merged(cells.map((cell) => cell.after))];
    const when = cells.map((cell) => cell.when);
    const except = points.filter((point) => !when.includes(point));
    const contexts = except.length < when.length ? { when: [], except } : { when, except: [] };
    return { ...contexts, before, after, widening: isWider(before, after) };
  });
}

const likeness = (answered: Answered): Answered => ({ ...answered, rules: [] });

/** Alike but for their rules. */
function merged([first, ...others]: readonly Answered[]): Answered {
  if (first === undefined) throw new Error('a group without a cell');
  const rules = new Set([first, ...others].flatMap((one) => one.rules));
  return { ...first, rules: [...rules].toSorted() };
}

/** In one order, and once where several targets fare alike. */
export function inOrder(differences: readonly Difference[]): readonly Difference[] {
  const alike = new Map<string, Difference>();
  for (const one of differences) {
    const key = JSON.stringify({ ...one, targets: [] });
    const targets = new Set([...(alike.get(key)?.targets ?? []), ...one.targets]);
    alike.set(key, { ...one, targets: [...targets].toSorted() });
  }
  return [...alike].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
}
