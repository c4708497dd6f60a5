/**
 * The contexts in which one agent is tried with one task class at one target: asked plainly, asked with everything
 * said that could help, and from there with one circumstance changed at a time. Circumstances that a changed rule
 * looks at are changed together, in all combinations.
 */
import type { Json, JsonObject } from '../../core/canonical.ts';
import type { PersonName, SituationId } from '../../core/ids.ts';
import type { Agent, DataClass, Situation, SituationKind, TargetVersion } from '../../core/registers.ts';
import type { AccessRequest, Circumstances } from '../../core/request.ts';
import type { Snapshot } from '../../core/snapshot.ts';
import { after, seconds } from '../../core/time.ts';
import type { Instant } from '../../core/time.ts';
import type { Interval } from '../../core/windows.ts';
import { SAID_AS } from '../admit.ts';
import type { Circumstance, TaskClass } from '../bundle/model.ts';
import { targetOfResource } from '../context.ts';
import { isOnProbation } from '../probation.ts';
import { stated } from '../stated.ts';
import type { Stated } from '../stated.ts';
import { valuesOf } from './sample.ts';
import type { Sight } from './sight.ts';

/** What is asked, and of which state of the client. */
export interface Draft {
  readonly snapshot: Snapshot;
  readonly request: AccessRequest;
  readonly manyTenants: boolean;
}

export interface Point extends Draft {
  /** How it departs from a request that says everything; `plainly` is one that says nothing. */
  readonly when: string;
  /** What rules see otherwise than in a request that says everything; `null`: anything. */
  readonly touches: readonly string[] | null;
}

/** One circumstance: each of its steps departs from what helps most. */
interface Dimension {
  /** What rules see of it first of all; with those that a changed rule looks at, it is combined. */
  readonly attributes: readonly string[];
  /** What they may see of it besides. */
  readonly besides: readonly string[];
  readonly steps: readonly Step[];
}

interface Step {
  readonly says: string;
  readonly take: (draft: Draft) => Draft;
}

/** One task class as both bundles have it, at one target. */
export interface Subject {
  readonly snapshot: Snapshot;
  readonly agent: Agent;
  readonly role: AccessRequest['role'];
  /** At least one. */
  readonly forms: readonly [TaskClass, ...TaskClass[]];
  readonly target: TargetVersion;
  readonly parameters: readonly [JsonObject, ...JsonObject[]];
  readonly countsUses: boolean;
  /** Whether both bundles say the same of all that a decision here reads, but for rules and task classes. */
  readonly readAlike: boolean;
  readonly now: Instant;
}

/** More of them are tried in pairs. */
const MOST_COMBINATIONS = 96;

/** Past everything that a decision looks ahead to. */
const LONG = seconds(30 * 86_400);
const MOST_TTL = seconds(86_400);
const MOST_USES = 10_000;

export function pointsOf(subject: Subject, sight: Sight, changed: Sight): readonly Point[] {
  const dimensions = dimensionsOf(subject, sight).filter(({ steps }) => steps.length > 0);
  const full = fullDraft(subject);
  const together = dimensions.filter(({ attributes }) => attributes.some((name) => changed.looksAt(name)));
  const singly = dimensions.flatMap((dimension) => stepsOf(dimension).map((step) => [step]));
  const points = [...singly, ...combinations(together)].map((steps) => ({
    ...steps.reduce((draft, { take }) => take(draft), full),
    when: steps.map(({ says }) => says).join(' + '),
    touches: steps.flatMap(({ touches }) => touches),
  }));
  const plain = { ...plainDraft(subject), when: 'plainly', touches: null };
  return [{ ...full, when: 'complete', touches: [] }, plain, ...points];
}

interface Taken extends Step {
  readonly touches: readonly string[];
}

const stepsOf = ({ steps, attributes, besides }: Dimension): readonly Taken[] =>
  steps.map((step) => ({ ...step, touches: [...attributes, ...besides] }));

function combinations(dimensions: readonly Dimension[]): Taken[][] {
  const size = dimensions.reduce((all, { steps }) => all * (steps.length + 1), 1);
  const all = size > MOST_COMBINATIONS ? pairs(dimensions) : product(dimensions);
  return all.filter((steps) => steps.length > 1);
}

const product = (dimensions: readonly Dimension[]): Taken[][] =>
  dimensions.reduce<Taken[][]>(
    (all, dimension) => all.flatMap((before) => [before, ...stepsOf(dimension).map((step) => [...before, step])]),
    [[]],
  );

const pairs = (dimensions: readonly Dimension[]): Taken[][] =>
  dimensions.flatMap((one, at) => dimensions.slice(at + 1).flatMap((other) => product([one, other])));

/** Where everything that could stand in the way is said, named and as it should be. */
export function fullDraft(subject: Subject): Draft {
  const plain = plainDraft(subject);
  const all = statedOf(subject);
  const said = ['change', 'purpose', 'legal_basis', ...subject.forms.flatMap(({ requires }) => requires)] as const;
  const resource = `${subject.target.name}/${RECORD}`;
  const circumstances = saying(all, said);
  const uses = subject.countsUses ? MOST_USES : null;
  return { ...plain, request: { ...plain.request, resource, rest: RECORD, ttl: MOST_TTL, uses, circumstances } };
}

const RECORD = 'record-1';

/** With what both bundles require, and nothing else. */
function plainDraft(subject: Subject): Draft {
  const { snapshot, role, forms, target, parameters, now } = subject;
  const [form] = forms;
  const required = form.requires.filter((field) => forms.every(({ requires }) => requires.includes(field)));
  return {
    snapshot: { ...snapshot, situations: [], windows: snapshot.windows === null ? null : [lasting(now)] },
    manyTenants: false,
    request: {
      task: form.name,
      resource: target.name,
      target: target.name,
      rest: '',
      order: null,
      launchedBy: null,
      parameters: parameters[0],
      reason: 'a cell of the grid',
      role,
      ttl: null,
      uses: null,
      circumstances: saying(statedOf(subject), required),
      hash: '',
    },
  };
}

const saying = (all: Stated, fields: readonly Circumstance[]): Circumstances =>
  Object.assign({}, ...fields.map((field) => all[field])) as Circumstances;

const statedOf = ({ snapshot, agent, target }: Subject): Stated => stated(snapshot, agent, target.environment);

const lasting = (from: Instant): Interval => ({ from, until: after(from, LONG) });

function dimensionsOf(subject: Subject, sight: Sight): readonly Dimension[] {
  return [
    resources(subject),
    ...withheld(subject),
    ...claims(sight),
    ...situations(subject),
    windows(subject),
    {
      attributes: [],
      besides: ['tier'],
      steps: [{ says: 'at many tenants', take: (draft: Draft) => ({ ...draft, manyTenants: true }) }],
    },
    { attributes: [], besides: [], steps: [{ says: 'usual ttl and uses', take: asking({ ttl: null, uses: null }) }] },
    standing(subject),
    ...parametersOf(subject, sight),
  ].filter(({ attributes }) => attributes.length === 0 || attributes.some((name) => sight.looksAt(name)));
}

const asking =
  (changed: Partial<AccessRequest>) =>
  (draft: Draft): Draft => ({ ...draft, request: { ...draft.request, ...changed } });

const saidAs =
  (said: Circumstances) =>
  (draft: Draft): Draft =>
    asking({ circumstances: { ...draft.request.circumstances, ...said } })(draft);

function resources({ snapshot, target }: Subject): Dimension {
  const recorded = snapshot.tenant.context.resources.filter(
    ({ resource }) => targetOfResource(resource) === target.name,
  );
  const at = (resource: string): Step['take'] => asking({ resource, rest: resource.slice(target.name.length + 1) });
  return {
    attributes: ['names_records', 'wildcard', 'change_managed', 'environment', 'data'],
    besides: ['tier', 'disputed'],
    steps: [
      { says: 'no record named', take: at(target.name) },
      { says: 'a pattern', take: at(`${target.name}/*`) },
      ...recorded.map(({ resource }) => ({ says: `at ${resource}`, take: at(resource) })),
    ],
  };
}

/** What helps, left unsaid: unless both bundles require it, so that nobody leaves it out. */
function withheld({ forms }: Subject): readonly Dimension[] {
  const requiredByAll = (field: Circumstance): boolean => forms.every(({ requires }) => requires.includes(field));
  const requiredBySome = forms.flatMap(({ requires }) => requires);
  const fields = new Set<Circumstance>(['change', 'purpose', ...requiredBySome]);
  return [...fields]
    .filter((field) => !requiredByAll(field))
    .map((field) => ({
      attributes: requiredBySome.includes(field) ? [] : (RULED[field] ?? []),
      besides: ['tier', ...(RULED[field] ?? [])],
      steps: [{ says: `no ${field}`, take: unsaid(field) }],
    }));
}

/** As what rules see it. */
const RULED: Readonly<Partial<Record<Circumstance, readonly string[]>>> = {
  change: ['change_stated'],
  purpose: ['lawful_basis'],
};

const unsaid =
  (field: Circumstance): Step['take'] =>
  (draft) => {
    const { [SAID_AS[field]]: _, ...rest } = draft.request.circumstances;
    return asking({ circumstances: rest })(draft);
  };

/** The tier looks at these, whatever rules do. */
function claims({ data }: Sight): readonly Dimension[] {
  const more: readonly DataClass[] = data.length === 0 ? ['pii'] : data;
  const claim = (sees: string, steps: readonly Step[]): Dimension => ({
    attributes: [],
    besides: ['tier', sees],
    steps,
  });
  return [
    claim('low_confidence', [{ says: 'low confidence', take: saidAs({ confidence: 0 }) }]),
    claim('disputed', [{ says: 'another environment claimed', take: saidAs({ environment: 'somewhere else' }) }]),
    claim(
      'data',
      more.map((one) => ({ says: `${one} claimed`, take: saidAs({ dataClasses: [one] }) })),
    ),
  ];
}

const SITUATIONS: readonly (readonly [SituationKind, string, string])[] = [
  ['incident', 'incident', 'an incident'],
  ['freeze', 'frozen', 'a freeze'],
  ['data-subject-request', 'data_subject_request', 'a data subject request'],
];

const situations = ({ now, target }: Subject): readonly Dimension[] =>
  SITUATIONS.map(([kind, attribute, says]) => ({
    attributes: [attribute],
    besides: [],
    steps: [{ says, take: (draft) => during(draft, kind, kind === 'data-subject-request' ? target.name : null, now) }],
  }));

function during(draft: Draft, kind: SituationKind, resource: string | null, now: Instant): Draft {
  const { snapshot } = draft;
  const situation: Situation = {
    id: kind as string as SituationId,
    tenant: snapshot.tenant.name,
    kind,
    resource,
    ...lasting(now),
    askWithin: null,
    author: 'nobody' as PersonName,
  };
  return { ...draft, snapshot: { ...snapshot, situations: [...snapshot.situations, situation] } };
}

/** A tenant without windows is never outside of one. */
function windows({ snapshot, now }: Subject): Dimension {
  const later = [lasting(after(now, LONG))];
  const outside: Step = {
    says: 'outside the change windows',
    take: (draft) => ({ ...draft, snapshot: { ...draft.snapshot, windows: later } }),
  };
  return { attributes: ['in_change_window'], besides: [], steps: snapshot.windows === null ? [] : [outside] };
}

/** What becomes of an agent that is new here, once it is not. */
function standing({ snapshot, agent, forms: [{ name }] }: Subject): Dimension {
  if (!isOnProbation(snapshot, agent, name)) return { attributes: [], besides: [], steps: [] };
  const { model, modelVersion } = agent;
  const tenant = snapshot.tenant.name;
  const accepted = {
    tenant,
    agent: agent.name,
    model,
    modelVersion,
    tasks: [name],
    reason: '',
    authors: [],
    inSetup: false,
  };
  const acceptances = new Map([[agent.name, accepted]]);
  const take: Step['take'] = (draft) => ({ ...draft, snapshot: { ...draft.snapshot, acceptances } });
  return { attributes: [], besides: ['tier'], steps: [{ says: 'once accepted', take }] };
}

/** Each way of filling them in that one of the bundles may take, and each value that rules may see. */
function parametersOf({ forms, parameters }: Subject, sight: Sight): readonly Dimension[] {
  const [usual, ...others] = parameters;
  const filled = others.map((one, at) => ({ says: `parameters ${at + 2}`, take: asking({ parameters: one }) }));
  const seen = [...new Set(forms.flatMap(({ seenByRules }) => seenByRules))];
  return [
    { attributes: [], besides: ['parameters'], steps: filled },
    ...seen.map((name) => {
      const values = [...new Set(forms.flatMap(({ schema }) => valuesOf(schema, name, sight.numbersBeside(name))))];
      return {
        attributes: [name],
        besides: ['parameters'],
        steps: valueSteps(
          name,
          values.filter((value) => value !== usual[name]),
        ),
      };
    }),
  ];
}

const valueSteps = (name: string, values: readonly Json[]): readonly Step[] =>
  values.map((value) => ({
    says: `${name} ${JSON.stringify(value)}`,
    take: (draft) => asking({ parameters: { ...draft.request.parameters, [name]: value } })(draft),
  }));
