/** Whom an ask goes to, step after step, as tables over a small set of routes and people. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { AssignmentId, PersonName, RoleName, TenantName } from '../../src/core/ids.ts';
import type { Assignment, RoleFunction, Weekday } from '../../src/core/registers.ts';
import { reachesSomebody, routeLasts, stepAt } from '../../src/core/route.ts';
import type { Level } from '../../src/core/route.ts';
import { after, instant, seconds } from '../../src/core/time.ts';
import type { Instant } from '../../src/core/time.ts';
import type { Approver, RouteRule, Routes, StepRule } from '../../src/decide/bundle/routes.ts';
import { hasLevel, routeOf } from '../../src/decide/routing.ts';
import type { Routing } from '../../src/decide/routing.ts';
import type { Part } from '../../src/decide/segregation.ts';
import { NOW, asking, shipped } from './world.ts';

/** NOW is a Monday, 09:00 in UTC. */
const DAYTIME = { days: ['mon' as Weekday], from: '08:00', to: '18:00' };
const NIGHT = { days: ['mon' as Weekday], from: '18:00', to: '08:00' };

const approver = (level: Level, duty = [DAYTIME], timeZone = 'UTC'): Approver => ({ level, timeZone, duty });

const PEOPLE: Readonly<Record<string, Approver>> = {
  ana: approver('senior'),
  bo: approver('technician'),
  cy: approver('manager', [NIGHT]),
  // 04:00 there.
  dee: approver('senior', [DAYTIME], 'America/New_York'),
  eve: approver('leadership'),
};

const step = (whom: string, more: Partial<StepRule> = {}): StepRule => ({
  whom: whom.split(' ') as RoleName[],
  level: 'technician',
  within: seconds(900),
  quorum: 1,
  backup: 'approver' as RoleName,
  ...more,
});

const ANY = { kinds: null, tenants: null, tiers: null, urgency: null, hours: null };
const route = (name: string, when: Partial<RouteRule['when']>, ...steps: readonly StepRule[]): RouteRule => ({
  name,
  when: { ...ANY, ...when },
  steps,
});

type Held = readonly (readonly [person: string, role: string, of?: RoleFunction])[];

interface Given {
  readonly held: Held;
  readonly steps?: readonly StepRule[];
  readonly people?: Readonly<Record<string, Approver>>;
  readonly routes?: readonly RouteRule[];
  readonly least?: Level;
  readonly parts?: Readonly<Record<string, Part>>;
  readonly open?: Readonly<Record<string, number>>;
  readonly gone?: string;
  /** Hours from now. */
  readonly away?: Readonly<Record<string, readonly [from: number, until: number]>>;
  readonly until?: Instant;
  readonly more?: Partial<Routing>;
}

const ask = asking('net-bot', 'firewall.change', 'acme');

function routed(given: Given) {
  const { held, steps = [step('account-engineer')], people = PEOPLE, least = 'technician', more } = given;
  const routes: Routes = {
    people: new Map(Object.entries(people)) as never,
    mostOpen: 3,
    deviceBound: [],
    longestStep: { incident: seconds(300), urgent: seconds(600) },
    tasks: new Map([['firewall.change', { kind: 'client-infrastructure', level: least }]]) as never,
    routes: given.routes ?? [route('all', {}, ...steps)],
  };
  const assignments = held.map(([name, role, of = 'approval'], at): Assignment => ({
    id: `asg_${at}` as AssignmentId,
    tenant: 'acme' as TenantName,
    holder: { kind: 'person', name: name as PersonName },
    role: role as RoleName,
    function: of,
    until: given.until ?? null,
    reviewer: null,
  }));
  const persons = new Map(
    held.map(([name]) => [name, { name, displayName: name, email: null, active: name !== given.gone }]),
  );
  const hour = (count: number): Instant => instant(NOW + count * 3_600_000);
  const absences = new Map(
    Object.entries(given.away ?? {}).map(([person, [from, until]]) => [
      person,
      { person, from: hour(from), until: hour(until), by: person },
    ]),
  );
  return routeOf({
    bundle: { ...shipped, routes },
    snapshot: {
      ...ask.snapshot,
      assignments,
      deployment: { ...ask.snapshot.deployment, persons: persons as never, absences: absences as never },
    },
    task: ask.request.task,
    tier: 3,
    urgency: 'routine',
    incident: false,
    manyTenants: false,
    parts: new Map(Object.entries(given.parts ?? {})) as never,
    open: new Map(Object.entries(given.open ?? {})) as never,
    at: NOW,
    ...more,
  });
}

const routing = suite('decide/routing');

const ENGINEERS: Held = [
  ['ana', 'account-engineer'],
  ['bo', 'account-engineer'],
];

const ASKED: readonly (readonly [what: string, given: Given, asks: string, backups: string, skipped: string])[] = [
  ['those on duty', { held: ENGINEERS }, 'ana bo', '', ''],
  [
    'not those of another role',
    {
      held: [
        ['ana', 'account-engineer'],
        ['eve', 'approver'],
      ],
    },
    'ana',
    'eve',
    '',
  ],
  [
    'those on duty before those who are not, who stay ready',
    { held: [...ENGINEERS, ['cy', 'account-engineer'], ['dee', 'account-engineer']] },
    'ana bo',
    'cy dee',
    'cy:off_duty dee:off_duty',
  ],
  [
    'the backups on duty, where nobody of the role is',
    {
      held: [
        ['cy', 'account-engineer'],
        ['eve', 'approver'],
      ],
    },
    'eve',
    'cy',
    'cy:off_duty',
  ],
  [
    'those off duty, where neither role has anybody on duty',
    {
      held: [
        ['cy', 'account-engineer'],
        ['dee', 'approver'],
      ],
    },
    'cy',
    'dee',
    'dee:off_duty',
  ],
  ['somebody of whom no hours are known, last', { held: [['zoe', 'account-engineer']] }, 'zoe', '', ''],
  ['no owner of the agent', { held: ENGINEERS, parts: { ana: 'owns' } }, 'bo', '', 'ana:owns'],
  ['nobody who owned it of late', { held: ENGINEERS, parts: { ana: 'owned' } }, 'bo', '', 'ana:owned'],
  ['nobody who launched it', { held: ENGINEERS, parts: { bo: 'launched' } }, 'ana', '', 'bo:launched'],
  ['nobody below the least level of the task class', { held: ENGINEERS, least: 'senior' }, 'ana', '', 'bo:level'],
  [
    'nobody below the least level of the step',
    { held: ENGINEERS, steps: [step('account-engineer', { level: 'senior' })] },
    'ana',
    '',
    'bo:level',
  ],
  [
    'nobody below the higher of the two',
    {
      held: [...ENGINEERS, ['eve', 'approver']],
      steps: [step('account-engineer', { level: 'senior' })],
      least: 'manager',
    },
    'eve',
    '',
    'ana:level bo:level',
  ],
  [
    'nobody unknown where a level is needed',
    { held: [['zoe', 'account-engineer']], least: 'senior' },
    '',
    '',
    'zoe:level',
  ],
  [
    'nobody who is asked as much as may be',
    { held: ENGINEERS, open: { ana: 3, bo: 2 } },
    'bo',
    '',
    'ana:asked_too_much',
  ],
  [
    'nobody who holds another function too',
    { held: [...ENGINEERS, ['ana', 'overseer', 'oversight']] },
    'bo',
    '',
    'ana:other_function',
  ],
  [
    'nobody whose assignment is of another function',
    {
      held: [
        ['ana', 'account-engineer', 'oversight'],
        ['bo', 'account-engineer'],
      ],
    },
    'bo',
    '',
    '',
  ],
  ['nobody who has gone', { held: ENGINEERS, gone: 'ana' }, 'bo', '', ''],
  ['nobody who is away', { held: ENGINEERS, away: { ana: [-1, 1] } }, 'bo', '', 'ana:away'],
  ['somebody who will be away, or was', { held: ENGINEERS, away: { ana: [1, 2], bo: [-2, 0] } }, 'ana bo', '', ''],
  ['nobody whose assignment has ended', { held: ENGINEERS, until: NOW }, '', '', ''],
  [
    'nobody by a role that the bundle has not',
    { held: [['ana', 'watcher']], steps: [step('watcher', { backup: 'watcher' as RoleName })] },
    '',
    '',
    '',
  ],
  ['nobody, where nobody holds either role', { held: [['ana', 'security-engineer']] }, '', '', ''],
  [
    'as many as are needed, and who else',
    { held: ENGINEERS, steps: [step('account-engineer', { quorum: 2 })] },
    'ana bo',
    '',
    '',
  ],
  [
    'backups too, where more are needed than there are',
    {
      held: [
        ['ana', 'account-engineer'],
        ['eve', 'approver'],
      ],
      steps: [step('account-engineer', { quorum: 2 })],
    },
    'ana eve',
    '',
    '',
  ],
  [
    'nobody, where fewer can be asked than are needed',
    { held: ENGINEERS, steps: [step('account-engineer', { quorum: 3 })] },
    '',
    'ana bo',
    '',
  ],
];

for (const [what, given, asks, backups, skipped] of ASKED) {
  routing(`asks ${what}`, () => {
    const found = routed(given)?.steps[0];
    assert.ok(found);
    assert.is(found.asks.join(' '), asks);
    assert.is(found.backups.join(' '), backups);
    assert.is(found.skipped.map(({ person, why }) => `${person}:${why}`).join(' '), skipped);
    assert.is(found.within, asks === '' ? 0 : 900);
  });
}

const LEVELLED: readonly (readonly [person: string, least: Level, has: boolean])[] = [
  ['bo', 'technician', true],
  ['bo', 'senior', false],
  ['ana', 'senior', true],
  ['nobody-known', 'technician', true],
  ['nobody-known', 'senior', false],
];
for (const [person, least, has] of LEVELLED) {
  routing(`${person} is ${has ? '' : 'not '}of the level ${least}`, () => {
    const tasks = new Map([[ask.request.task, { kind: 'client-infrastructure', level: least }]]);
    const routes = { ...shipped.routes, people: new Map(Object.entries(PEOPLE)), tasks } as unknown as Routes;
    assert.is(hasLevel({ ...shipped, routes }, ask.request.task, person as PersonName), has);
  });
}

const BOTH = [step('account-engineer security-engineer')];

const EACH: readonly (readonly [what: string, held: Held, groups: string | null])[] = [
  [
    'one of each',
    [
      ['ana', 'account-engineer'],
      ['eve', 'security-engineer'],
    ],
    'ana / eve',
  ],
  [
    'a backup for a group that has nobody',
    [
      ['ana', 'account-engineer'],
      ['eve', 'approver'],
    ],
    'ana / eve',
  ],
  ['nobody, where one group has nobody', [['ana', 'account-engineer']], null],
  [
    'nobody, where one person is all of both',
    [
      ['ana', 'account-engineer'],
      ['ana', 'security-engineer'],
    ],
    null,
  ],
  [
    'another for the second group, where one person is of both',
    [
      ['ana', 'account-engineer'],
      ['ana', 'security-engineer'],
      ['cy', 'security-engineer'],
    ],
    'ana / ana cy',
  ],
];

for (const [what, held, groups] of EACH) {
  routing(`of two groups asks ${what}`, () => {
    const found = routed({ held, steps: BOTH })?.steps[0];
    if (groups === null) return assert.equal([found?.asks, found?.within], [[], 0]);
    const { quorum } = found ?? {};
    assert.ok(quorum?.of === 'each');
    assert.is(quorum.groups.map((group) => group.join(' ')).join(' / '), groups);
  });
}

const KINDS = [
  route('many', { kinds: ['several-tenants'] }, step('approver')),
  route('security', { kinds: ['security'] }, step('approver')),
  route('at-eurolane', { tenants: ['eurolane' as TenantName] }, step('approver')),
  route('told', { tiers: [2] }, step('approver')),
  route('soon', { urgency: 'urgent', kinds: ['client-infrastructure'] }, step('approver')),
  route('at-night', { hours: [NIGHT] }, step('approver')),
  route('rest', {}, step('approver')),
];

const TAKEN: readonly (readonly [what: string, more: Partial<Routing>, route: string])[] = [
  ['by none of these', {}, 'rest'],
  ['at many clients', { manyTenants: true }, 'many'],
  ['of another kind', { task: 'access.change' as never }, 'rest'],
  ['at that tier', { tier: 2 }, 'told'],
  ['called urgent', { urgency: 'urgent' }, 'soon'],
  ['in those hours', { at: instant(NOW + 10 * 3_600_000) }, 'at-night'],
  ['in those hours of the day before', { at: instant(NOW + 22 * 3_600_000) }, 'at-night'],
  ['after them', { at: instant(NOW + 23 * 3_600_000) }, 'rest'],
];

for (const [what, more, name] of TAKEN) {
  // The client's clock is an hour ahead of UTC in November.
  routing(`the first route that matches is taken: ${what}`, () => {
    assert.is(routed({ held: [['eve', 'approver']], routes: KINDS, more })?.route, name);
  });
}

routing('a route of one client is taken there', () => {
  const { snapshot } = asking('triage-bot', 'ticket.route', 'eurolane');
  assert.is(routed({ held: [], routes: KINDS, more: { snapshot } })?.route, 'at-eurolane');
});

routing('without a route there is none', () => {
  assert.is(routed({ held: ENGINEERS, routes: [] }), null);
});

const LENGTHS: readonly (readonly [what: string, more: Partial<Routing>, within: number])[] = [
  ['as it says', {}, 900],
  ['five minutes during an incident', { incident: true }, 300],
  ['ten where it is called urgent', { urgency: 'urgent' }, 600],
  ['the less of the two', { incident: true, urgency: 'urgent' }, 300],
];

for (const [what, more, within] of LENGTHS) {
  routing(`a step lasts ${what}`, () => {
    assert.is(routed({ held: ENGINEERS, more })?.steps[0]?.within, within);
  });
}

routing('no step is made longer', () => {
  const short = [step('account-engineer', { within: seconds(60) })];
  const more = { incident: true, urgency: 'urgent' } as const;
  assert.is(routed({ held: ENGINEERS, steps: short, more })?.steps[0]?.within, 60);
});

routing('a step asks those on duty when it begins, and one that reaches nobody takes no time', () => {
  const evening = instant(Date.UTC(2026, 10, 2, 17, 50));
  const held: Held = [...ENGINEERS, ['cy', 'service-desk-manager'], ['eve', 'service-desk-manager']];
  const steps = [step('account-engineer'), step('on-call-technician'), step('service-desk-manager')];
  const found = routed({ held, steps, more: { at: evening } })?.steps ?? [];
  assert.equal(
    found.map(({ asks, within }) => [asks.join(' '), within]),
    [
      ['ana bo', 900],
      ['', 0],
      ['cy', 900],
    ],
  );
  assert.is(routeLasts(found), 1800);
  const minute = (count: number) => stepAt(found, evening, after(evening, seconds(count * 60)))?.step ?? null;
  assert.equal([0, 14, 15, 29, 30].map(minute), [0, 0, 2, 2, null]);
});

routing('a way without anybody reaches nobody', () => {
  assert.not(reachesSomebody(routed({ held: [] })?.steps ?? []));
  assert.ok(reachesSomebody(routed({ held: ENGINEERS })?.steps ?? []));
});

routing.run();
