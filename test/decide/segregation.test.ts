/** Who oversees, and which roles an agent holds, as tables over one snapshot. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { BlockScope } from '../../src/core/block.ts';
import type { AgentName, AssignmentId, PersonName, RoleName } from '../../src/core/ids.ts';
import type { Assignment, Person, RoleFunction } from '../../src/core/registers.ts';
import type { Snapshot } from '../../src/core/snapshot.ts';
import { instant } from '../../src/core/time.ts';
import {
  conflictWithBlock,
  executionRoles,
  inConflict,
  involvedIn,
  standingFor,
  whyNotSecond,
} from '../../src/decide/segregation.ts';
import { NOW, OWNER, asking, shipped } from './world.ts';

const LATER = instant(NOW + 60_000);
const SOONER = instant(NOW + 30_000);

type Held = readonly [holder: string, role: string, of: RoleFunction, until?: number | null];

function snapshotOf(held: readonly Held[], deployment: readonly Held[] = [], gone: readonly string[] = []): Snapshot {
  const { snapshot } = asking('triage-bot', 'ticket.route', 'acme');
  const names = new Set<string>([OWNER, ...[...held, ...deployment].map(([holder]) => holder)]);
  const persons = new Map([...names].map((name) => [name as PersonName, personOf(name, !gone.includes(name))]));
  const assignments = held.map((one) => assignmentOf(one, 'acme'));
  const above = deployment.map((one) => assignmentOf(one, null));
  return { ...snapshot, assignments, deployment: { ...snapshot.deployment, persons, assignments: above } };
}

const personOf = (name: string, active: boolean): Person => ({
  name: name as PersonName,
  displayName: name,
  email: null,
  active,
});

const assignmentOf = ([holder, role, of, until = null]: Held, tenant: string | null): Assignment => ({
  id: `${holder}-${role}` as AssignmentId,
  tenant: tenant as Assignment['tenant'],
  holder: holder.endsWith('-bot')
    ? { kind: 'agent', name: holder as AgentName }
    : { kind: 'person', name: holder as PersonName },
  role: role as RoleName,
  function: of,
  until: until === null ? null : instant(until),
  reviewer: null,
});

interface Row {
  readonly what: string;
  readonly held: readonly Held[];
  readonly above?: readonly Held[];
  readonly gone?: readonly string[];
  readonly overseers: readonly string[];
  readonly until?: number | null;
}

const OVERSIGHT: readonly Row[] = [
  { what: 'nobody', held: [], overseers: [] },
  { what: 'one', held: [['ana', 'overseer', 'oversight']], overseers: ['ana'] },
  {
    what: 'in the order of names',
    held: [
      ['zoe', 'overseer', 'oversight'],
      ['ana', 'overseer', 'oversight'],
    ],
    overseers: ['ana', 'zoe'],
  },
  { what: 'not the owner', held: [[OWNER, 'overseer', 'oversight']], overseers: [] },
  {
    what: 'another beside the owner',
    held: [
      [OWNER, 'overseer', 'oversight'],
      ['ana', 'overseer', 'oversight'],
    ],
    overseers: ['ana'],
  },
  { what: 'not one who has gone', held: [['ana', 'overseer', 'oversight']], gone: ['ana'], overseers: [] },
  { what: 'not one whose time is over', held: [['ana', 'overseer', 'oversight', NOW]], overseers: [] },
  {
    what: 'until the last of them ends',
    held: [
      ['ana', 'overseer', 'oversight', SOONER],
      ['zoe', 'overseer', 'oversight', LATER],
    ],
    overseers: ['ana', 'zoe'],
    until: LATER,
  },
  {
    what: 'without an end where one has none',
    held: [
      ['ana', 'overseer', 'oversight', SOONER],
      ['zoe', 'overseer', 'oversight'],
    ],
    overseers: ['ana', 'zoe'],
  },
  { what: 'not who reads alone', held: [['ana', 'auditor', 'oversight']], overseers: [] },
  {
    what: 'who reads alone by one role, and acts by another',
    held: [
      ['ana', 'auditor', 'oversight'],
      ['ana', 'overseer', 'oversight', LATER],
    ],
    overseers: ['ana'],
    until: LATER,
  },
  {
    what: 'not who reads alone since a role by which they acted ended',
    held: [
      ['ana', 'auditor', 'oversight'],
      ['ana', 'overseer', 'oversight', NOW],
    ],
    overseers: [],
  },
  { what: 'not by a role of another function', held: [['ana', 'approver', 'oversight']], overseers: [] },
  { what: 'not by a role that the bundle has not', held: [['ana', 'watcher', 'oversight']], overseers: [] },
  { what: 'not an agent', held: [['triage-bot', 'overseer', 'oversight']], overseers: [] },
  {
    what: 'not one of two functions here',
    held: [
      ['ana', 'overseer', 'oversight'],
      ['ana', 'approver', 'approval'],
    ],
    overseers: [],
  },
  {
    what: 'not who administers the deployment',
    held: [['ana', 'overseer', 'oversight']],
    above: [['ana', 'administrator', 'administration']],
    overseers: [],
  },
  {
    what: 'one who administered it until now',
    held: [['ana', 'overseer', 'oversight']],
    above: [['ana', 'administrator', 'administration', NOW]],
    overseers: ['ana'],
  },
];

const segregation = suite('decide/segregation');

for (const { what, held, above = [], gone = [], overseers, until = null } of OVERSIGHT) {
  segregation(`overseers: ${what}`, () => {
    const snapshot = snapshotOf(held, above, gone);
    const found = standingFor('oversight', new Set([OWNER]), { bundle: shipped, snapshot, now: NOW });
    assert.equal(found, { persons: overseers, until });
  });
}

/** The same of approval: what is true of those who watch is true of those who say yes. */
const asApprovers = (held: readonly Held[]): readonly Held[] =>
  held.map(([holder, role, of, until = null]) => {
    if (of === 'oversight') return [holder, role === 'overseer' ? 'approver' : role, 'approval', until];
    return of === 'approval' ? [holder, 'overseer', 'oversight', until] : [holder, role, of, until];
  });
for (const { what, held, above = [], gone = [], overseers, until = null } of OVERSIGHT) {
  if (what === 'not by a role of another function') continue;
  segregation(`approvers: ${what}`, () => {
    const snapshot = snapshotOf(asApprovers(held), above, gone);
    const found = standingFor('approval', new Set([OWNER]), { bundle: shipped, snapshot, now: NOW });
    assert.equal(found, { persons: overseers, until });
  });
}

const MONTH = 30 * 24 * 3600 * 1000;
const INVOLVED: readonly (readonly [
  what: string,
  former: readonly (readonly [person: string, until: number])[],
  launchedBy: string | null,
  involved: readonly string[],
])[] = [
  ['the owner, who is taken to have launched it where nobody knows better', [], null, [OWNER]],
  ['who launched it', [], 'lars', [OWNER, 'lars']],
  ['who owned it until a moment ago', [['fred', NOW - 1]], null, [OWNER, 'fred']],
  ['who owned it within the last 30 days', [['fred', NOW - MONTH + 1]], null, [OWNER, 'fred']],
  ['not who owned it before that', [['fred', NOW - MONTH]], null, [OWNER]],
  [
    'everybody of these',
    [
      ['fred', NOW - 1],
      ['gina', NOW - 2],
    ],
    'lars',
    [OWNER, 'lars', 'fred', 'gina'],
  ],
];
for (const [what, former, launchedBy, involved] of INVOLVED) {
  segregation(`involved: ${what}`, () => {
    const { principal } = asking('triage-bot', 'ticket.route', 'acme');
    const formerOwners = former.map(([person, until]) => ({ person: person as PersonName, until: instant(until) }));
    const agent = { ...principal.agent, formerOwners };
    const found = involvedIn({ agent, launchedBy: launchedBy as PersonName | null }, NOW);
    assert.equal([...found].toSorted(), involved.toSorted());
  });
}

const SECOND: readonly (readonly [second: string, subjects: readonly string[], why: string | null])[] = [
  ['ada', [], 'same_person'],
  ['alan', [], null],
  ['alan', ['alan'], 'beneficiary'],
  ['alan', ['anna'], null],
  ['ada', ['ada'], 'same_person'],
];
for (const [second, subjects, why] of SECOND) {
  segregation(`${second} after ada, over ${subjects.join() || 'nobody'}: ${why ?? 'may be the second'}`, () => {
    const proposal = { proposer: 'ada' as PersonName, subjects: subjects as readonly PersonName[] };
    assert.is(whyNotSecond(proposal, second as PersonName), why);
  });
}

const rolesOf = (held: readonly Held[]): (readonly [string, number | null])[] =>
  executionRoles(shipped, snapshotOf(held), 'triage-bot' as AgentName, NOW).map(({ role, assignment }) => [
    role.name,
    assignment.until,
  ]);

const ROLES: readonly (readonly [
  what: string,
  held: readonly Held[],
  roles: readonly (readonly [string, number | null])[],
])[] = [
  [
    'its own alone',
    [
      ['triage-bot', 'triage', 'execution'],
      ['desk-bot', 'service-desk', 'execution'],
    ],
    [['triage', null]],
  ],
  ['none that is over', [['triage-bot', 'triage', 'execution', NOW]], []],
  [
    'none of another function',
    [
      ['triage-bot', 'overseer', 'oversight'],
      ['triage-bot', 'approver', 'approval'],
    ],
    [],
  ],
  ['none whose function the bundle has otherwise', [['triage-bot', 'overseer', 'execution']], []],
  ['none that a person of that name holds', [['triage', 'triage', 'execution']], []],
  [
    'one role once, by the assignment that lasts longest',
    [
      ['triage-bot', 'triage', 'execution', SOONER],
      ['triage-bot', 'triage', 'execution', LATER],
    ],
    [['triage', LATER]],
  ],
  [
    'and by one without an end',
    [
      ['triage-bot', 'triage', 'execution'],
      ['triage-bot', 'triage', 'execution', LATER],
    ],
    [['triage', null]],
  ],
];

for (const [what, held, roles] of ROLES) {
  segregation(`an agent's roles: ${what}`, () => {
    assert.equal(rolesOf(held), roles);
  });
}

segregation('an agent’s roles: one that breaks the glass only where its assignment has an end', () => {
  const triage = shipped.roles.get('triage' as RoleName);
  if (triage === undefined) throw new Error('the bundle has no such role');
  const bundle = { ...shipped, roles: new Map([[triage.name, { ...triage, breakGlass: true }]]) };
  const held = (until: number | null) =>
    executionRoles(bundle, snapshotOf([['triage-bot', 'triage', 'execution', until]]), 'triage-bot' as AgentName, NOW);
  assert.equal([held(LATER).length, held(null).length], [1, 0]);
});

/** Who answers for an agent that is held back here, and for which. */
const CONFLICTS: readonly (readonly [what: string, who: string, held: Held[], gone: string[], agent: string | null])[] =
  [
    ['its owner', OWNER, [['triage-bot', 'triage', 'execution']], [], 'triage-bot'],
    ['an owner whose agent holds nothing here', OWNER, [], [], null],
    ['an owner whose agent held something', OWNER, [['triage-bot', 'triage', 'execution', NOW]], [], null],
    ['its deputy, while there is an owner', 'dana', [['triage-bot', 'triage', 'execution']], [], null],
    ['its deputy, once the owner is gone', 'dana', [['triage-bot', 'triage', 'execution']], [OWNER], 'triage-bot'],
    ['who owned it of late', 'fred', [['triage-bot', 'triage', 'execution']], [], 'triage-bot'],
    ['who owned it long ago', 'gina', [['triage-bot', 'triage', 'execution']], [], null],
    ['anybody else', 'ana', [['triage-bot', 'triage', 'execution']], [], null],
  ];

for (const [what, who, held, gone, agent] of CONFLICTS) {
  segregation(`in conflict: ${what}`, () => {
    const snapshot = snapshotOf(held, [], gone);
    const formerOwners = [
      { person: 'fred' as PersonName, until: instant(NOW - 1) },
      { person: 'gina' as PersonName, until: instant(NOW - MONTH) },
    ];
    const agents = [...snapshot.agents].map(
      ([name, one]) => [name, { ...one, agent: { ...one.agent, deputy: 'dana' as PersonName, formerOwners } }] as const,
    );
    assert.is(inConflict({ ...snapshot, agents: new Map(agents) }, who as PersonName, NOW), agent);
  });
}

/** Who may not lift a block at this tenant, and because of what. */
const BLOCKS: readonly (readonly [
  block: string,
  name: string,
  who: string,
  because: string | null,
  raised?: string,
])[] = [
  ['agent', 'triage-bot', OWNER, 'triage-bot'],
  ['agent', 'triage-bot', 'dana', 'triage-bot'],
  ['agent', 'triage-bot', 'fred', 'triage-bot'],
  ['agent', 'triage-bot', 'ana', null],
  ['agent', 'other-bot', OWNER, null],
  ['agent_task', 'triage-bot/ticket.route', 'dana', 'triage-bot'],
  ['agent_task', 'triage-bot/ticket.route', 'ana', null],
  ['agent_task', 'other-bot/ticket.route', OWNER, null],
  ['owner', 'ana', 'ana', 'ana'],
  ['owner', OWNER, 'dana', 'triage-bot'],
  ['owner', 'ana', OWNER, null],
  ['vendor', 'in-house', OWNER, null],
  ['vendor', 'before-ltd', OWNER, 'triage-bot', 'triage-bot'],
  ['model', 'before-1', 'dana', 'triage-bot', 'triage-bot'],
  ['owner', 'fred', OWNER, 'triage-bot', 'triage-bot'],
  ['owner', 'ana', OWNER, null, 'other-bot'],
  ['everything', '', OWNER, 'triage-bot'],
  ['everything', '', 'dana', 'triage-bot'],
  ['role', 'triage', OWNER, 'triage-bot'],
  ['provider', 'jwt', 'ana', null],
];

for (const [scope, name, who, because, raised] of BLOCKS) {
  const over = raised === undefined ? '' : ` that held ${raised} when it was raised`;
  segregation(`of a block of ${scope} ${name}${over}, ${who} answers for ${because ?? 'nothing'}`, () => {
    const snapshot = snapshotOf([['triage-bot', 'triage', 'execution']]);
    const formerOwners = [{ person: 'fred' as PersonName, until: instant(NOW - 1) }];
    const agents = [...snapshot.agents].map(
      ([agent, one]) =>
        [agent, { ...one, agent: { ...one.agent, deputy: 'dana' as PersonName, formerOwners } }] as const,
    );
    const of = { scope: scope as BlockScope, name, agents: raised === undefined ? [] : [raised as AgentName] };
    const asked = { person: who as PersonName, now: NOW };
    assert.is(conflictWithBlock({ ...snapshot, agents: new Map(agents) }, of, asked), because);
  });
}

segregation.run();
