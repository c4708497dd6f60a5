/**
 * What could be otherwise about a request: one circumstance each, with how it is put to the agent, where the agent has
 * it in its hands or can wait for it, and to the security lead. Whether the answer changes is found by deciding.
 */
import type { AssignmentId, SituationId } from '../../core/ids.ts';
import { SITUATION_KINDS } from '../../core/registers.ts';
import type { Assignment, SituationKind } from '../../core/registers.ts';
import type { AccessRequest, Circumstances } from '../../core/request.ts';
import { isPattern } from '../../core/resource.ts';
import type { Snapshot } from '../../core/snapshot.ts';
import { after, seconds } from '../../core/time.ts';
import { isWithin } from '../../core/windows.ts';
import { SAID_AS, saysNothing } from '../admit.ts';
import type { Asking } from '../admit.ts';
import type { Bundle } from '../bundle/model.ts';
import { stated as statedIn } from '../stated.ts';

export interface Otherwise {
  /** `null`: it is not the agent's to change. */
  readonly agent: string | null;
  readonly lead: string;
  readonly asking: Asking;
}

/** Past everything that a decision looks ahead to. */
const LONG = seconds(30 * 86_400);

export function otherwise(bundle: Bundle, asking: Asking): readonly Otherwise[] {
  return [
    ...ofWhatIsSaid(bundle, asking),
    ...ofTheResource(asking),
    ...ofTerms(asking),
    ...ofTheHour(asking),
    ...ofRoles(bundle, asking),
    ...ofStanding(asking),
    ...ofOversight(asking),
  ];
}

const asks = (asking: Asking, changed: Partial<AccessRequest>): Asking => ({
  ...asking,
  request: { ...asking.request, ...changed },
});

const says = (asking: Asking, said: Circumstances): Asking =>
  asks(asking, { circumstances: { ...asking.request.circumstances, ...said } });

const at = (asking: Asking, changed: Partial<Snapshot>): Asking => ({
  ...asking,
  snapshot: { ...asking.snapshot, ...changed },
});

function ofWhatIsSaid(bundle: Bundle, asking: Asking): Otherwise[] {
  const { request, snapshot } = asking;
  const said = request.circumstances;
  const required = bundle.tasks.get(request.task)?.requires ?? [];
  const stated = statedIn(snapshot, asking.principal.agent, snapshot.targets.get(request.target)?.environment ?? '');
  const missing = required.filter((field) => saysNothing(field, said[SAID_AS[field]]));
  const found: Otherwise[] = [];
  if (missing.length > 0) {
    const all = Object.assign({}, ...missing.map((field) => stated[field])) as Circumstances;
    const named = missing.join(', ');
    found.push({ agent: `Say ${named}.`, lead: `the request says ${named}`, asking: says(asking, all) });
  }
  if (said.change === undefined) {
    found.push({ agent: 'Name the change.', lead: 'the request names a change', asking: says(asking, stated.change) });
  }
  const [lawful] = snapshot.tenant.context.legalBases;
  if (lawful !== undefined && (said.purpose !== lawful.purpose || said.legalBasis !== lawful.basis)) {
    found.push({
      agent: 'State purpose and legal_basis as a pair that the client’s context lists.',
      lead: `the request states a purpose and legal basis of the list, such as "${lawful.purpose}" on ${lawful.basis}`,
      asking: says(asking, { purpose: lawful.purpose, legalBasis: lawful.basis }),
    });
  }
  return [...found, ...ofClaims(asking)];
}

/** The other way round: with a claim withdrawn, and with one made. */
function ofClaims(asking: Asking): Otherwise[] {
  const { confidence, environment, model, modelVersion, dataClasses, ...rest } = asking.request.circumstances;
  const without = (kept: Circumstances): Asking => asks(asking, { circumstances: { ...rest, ...kept } });
  const all = asking.request.circumstances;
  const { environment: _e, model: _m, modelVersion: _v, ...undisputed } = all;
  const { dataClasses: _d, ...lessData } = all;
  const found: Otherwise[] = [];
  if (confidence !== undefined) {
    const lead = 'the agent were sure of its judgement';
    found.push({ agent: 'Ask again when you are sure.', lead, asking: says(asking, { confidence: 1 }) });
  } else {
    found.push({
      agent: null,
      lead: 'the agent were not sure of its judgement',
      asking: says(asking, { confidence: 0 }),
    });
  }
  if (environment !== undefined || model !== undefined || modelVersion !== undefined) {
    const lead = 'the request said of environment and model what the registers have';
    found.push({ agent: 'Say of environment and model what is registered.', lead, asking: without(undisputed) });
  }
  if (dataClasses !== undefined) {
    const lead = 'the request named no data beside what is registered';
    found.push({ agent: 'Leave the data out that you named in data_classes.', lead, asking: without(lessData) });
  }
  return found;
}

function ofTheResource(asking: Asking): Otherwise[] {
  const { request, snapshot } = asking;
  const { target, rest } = request;
  const provider = snapshot.targets.get(target)?.provider;
  const to = (resource: string, other = target): Asking =>
    asks(asking, { resource, target: other, rest: resource.slice(other.length + 1) });
  const named = {
    agent: 'Name one record after the target.',
    lead: 'the request named one record',
    asking: to(`${target}/record-1`),
  };
  const pattern = { agent: null, lead: 'the request reached a pattern of records', asking: to(`${target}/*`) };
  const others = [...snapshot.targets.values()].filter(
    (one) => one.name !== target && (provider === undefined || one.provider === provider),
  );
  return [
    ...(rest === '' || isPattern(rest) ? [named] : []),
    ...(isPattern(rest) ? [] : [pattern]),
    ...others.map(({ name }) => {
      const resource = rest === '' ? name : `${name}/${rest}`;
      return {
        agent: `Name another target, such as ${name}.`,
        lead: `it were asked of ${name}`,
        asking: to(resource, name),
      };
    }),
  ];
}

const ofTerms = (asking: Asking): Otherwise[] =>
  asking.request.ttl === null && asking.request.uses === null
    ? []
    : [
        {
          agent: 'Leave ttl and uses out.',
          lead: 'the request asked for the usual ttl and uses',
          asking: asks(asking, { ttl: null, uses: null }),
        },
      ];

const NAMES: Readonly<Record<SituationKind, string>> = {
  incident: 'incident',
  freeze: 'change freeze',
  'data-subject-request': 'data subject request',
};

function ofTheHour(asking: Asking): Otherwise[] {
  const { snapshot, now } = asking;
  const kinds = SITUATION_KINDS.map((kind): Otherwise => {
    const name = NAMES[kind];
    if (snapshot.situations.some((one) => one.kind === kind && isWithin([one], now))) {
      const situations = snapshot.situations.filter((one) => one.kind !== kind);
      return {
        agent: `Ask again when the ${name} is over.`,
        lead: `the ${name} were over`,
        asking: at(asking, { situations }),
      };
    }
    return {
      agent: null,
      lead: `there were ${name === 'incident' ? 'an' : 'a'} ${name}`,
      asking: during(asking, kind),
    };
  });
  return [...kinds, ...ofWindows(asking)];
}

function during(asking: Asking, kind: SituationKind): Asking {
  const { snapshot, now, request } = asking;
  const situation = {
    id: `otherwise-${kind}` as SituationId,
    tenant: snapshot.tenant.name,
    kind,
    resource: kind === 'data-subject-request' ? request.target : null,
    from: now,
    until: after(now, LONG),
    askWithin: null,
    author: asking.principal.agent.owner,
  };
  return at(asking, { situations: [...snapshot.situations, situation] });
}

/** A tenant without windows is never outside of one. */
function ofWindows(asking: Asking): Otherwise[] {
  const { snapshot, now } = asking;
  if (snapshot.windows === null) return [];
  const lasting = { from: now, until: after(now, LONG) };
  if (isWithin(snapshot.windows, now)) {
    return [
      {
        agent: null,
        lead: 'it were outside the change windows',
        asking: at(asking, { windows: [{ ...lasting, from: lasting.until }] }),
      },
    ];
  }
  return [
    {
      agent: 'Ask again in a change window.',
      lead: 'it were within a change window',
      asking: at(asking, { windows: [lasting] }),
    },
  ];
}

/** With each other role that carries the task class, as if it were assigned. */
function ofRoles({ roles }: Bundle, asking: Asking): Otherwise[] {
  const { snapshot, principal, request } = asking;
  const held = snapshot.assignments.filter(
    ({ holder }) => holder.kind === 'agent' && holder.name === principal.agent.name,
  );
  const carrying = [...roles.values()].filter(
    ({ name, tasks }) => tasks.has(request.task) && !held.some(({ role }) => role === name),
  );
  const assigned = carrying.map(({ name, function: of }) => {
    const assignment: Assignment = {
      id: `otherwise-${name}` as AssignmentId,
      tenant: snapshot.tenant.name,
      holder: { kind: 'agent', name: principal.agent.name },
      role: name,
      function: of,
      until: null,
      reviewer: null,
    };
    const asked = at(asks(asking, { role: name }), { assignments: [...snapshot.assignments, assignment] });
    return { agent: null, lead: `the agent held the role ${name}`, asking: asked };
  });
  const named = held
    .filter(({ role }) => role !== request.role && roles.get(role)?.tasks.has(request.task) === true)
    .map(({ role }) => ({
      agent: `Name ${role} as role.`,
      lead: `the request named the role ${role}`,
      asking: asks(asking, { role }),
    }));
  return [...assigned, ...named];
}

function ofStanding(asking: Asking): Otherwise[] {
  const { snapshot, principal, request, manyTenants } = asking;
  const { name, model, modelVersion } = principal.agent;
  const before = snapshot.acceptances.get(name);
  const accepted = {
    tenant: snapshot.tenant.name,
    agent: name,
    model,
    modelVersion,
    tasks: [...(before?.tasks ?? []), request.task],
    reason: '',
    authors: [],
    inSetup: false,
  };
  const acceptances = new Map([...snapshot.acceptances, [name, accepted] as const]);
  return [
    { agent: null, lead: 'somebody answered for the agent here, which is new', asking: at(asking, { acceptances }) },
    manyTenants
      ? { agent: null, lead: 'it were not done at many tenants at once', asking: { ...asking, manyTenants: false } }
      : { agent: null, lead: 'it were done at many tenants at once', asking: { ...asking, manyTenants: true } },
  ];
}

/** What people who watch have stopped, or what has tripped: theirs alone to end. */
function ofOversight(asking: Asking): Otherwise[] {
  const { snapshot, principal, request } = asking;
  const tripped = snapshot.trips.filter(({ agent, task }) => agent === principal.agent.name && task === request.task);
  return [
    ...tripped.map(({ id }) => ({
      agent: null,
      lead: `the breaker ${id} were reset`,
      asking: at(asking, { trips: snapshot.trips.filter((trip) => trip.id !== id) }),
    })),
    ...(snapshot.pauses.length === 0
      ? []
      : [{ agent: null, lead: 'nothing were paused', asking: at(asking, { pauses: [] }) }]),
  ];
}
