/** Who could do what, and what stands in whose way, as tables over one tenant's people. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { AssignmentId, PersonName, RoleName, TenantName } from '../../src/core/ids.ts';
import type { Agent, Assignment, Person } from '../../src/core/registers.ts';
import { reachOf } from '../../src/decide/reach.ts';
import type { Everything, Reach } from '../../src/decide/reach.ts';
import { NOW, asking, shipped } from './world.ts';

const ROLE = { administration: 'administrator', oversight: 'overseer', approval: 'approver' } as const;
type PeopleFunction = keyof typeof ROLE;

/** Who holds what, here or above (`*`); three administrators are always there. */
type Held = readonly [person: string, of: PeopleFunction, above?: '*'];

interface World {
  readonly held: readonly Held[];
  readonly agent?: Partial<Agent>;
  readonly administrators?: readonly string[];
  readonly gone?: readonly string[];
}

const ADMINISTRATORS = ['ada', 'alan', 'anna'];

function everything({ held, agent = {}, administrators = ADMINISTRATORS, gone = [] }: World): Everything {
  const { snapshot, principal } = asking('triage-bot', 'ticket.route', 'acme');
  const bot = { ...principal.agent, owner: 'olga' as PersonName, ...agent };
  const above = administrators.map((name): Held => [name, 'administration', '*']);
  const names = new Set(['olga', 'dana', 'fred', ...[...held, ...above].map(([name]) => name)]);
  const persons = new Map([...names].map((name) => [name as PersonName, personOf(name, !gone.includes(name))]));
  const assign = ([person, of, everywhere]: Held): Assignment => ({
    id: `${person}-${of}` as AssignmentId,
    tenant: everywhere === '*' ? null : ('acme' as TenantName),
    holder: { kind: 'person', name: person as PersonName },
    role: ROLE[of] as RoleName,
    function: of,
    until: null,
    reviewer: null,
  });
  const deployment = { ...snapshot.deployment, persons, assignments: above.map(assign) };
  const execution = snapshot.assignments.filter((one) => one.function === 'execution');
  const at = {
    ...snapshot,
    deployment,
    assignments: [...execution, ...held.map(assign)],
    agents: new Map([[bot.name, { agent: bot, enrolment: principal.enrolment }]]),
  };
  return { bundle: shipped, deployment, tenants: [at], agents: [bot], now: NOW };
}

const personOf = (name: string, active: boolean): Person => ({
  name: name as PersonName,
  displayName: name,
  email: null,
  active,
});

const reach = suite('decide/reach');

const WATCHED: readonly Held[] = [
  ['otto', 'oversight'],
  ['paula', 'approval'],
];

const CONFLICTS: readonly (readonly [what: string, world: World, conflicts: readonly string[]])[] = [
  ['nobody in each other’s way', { held: WATCHED }, []],
  [
    'nobody there',
    { held: [] },
    [
      'current triage-bot: nobody without a part in it could oversee what it does',
      'current triage-bot: nobody without a part in it could approve what it does',
    ],
  ],
  [
    'the owner as one of two overseers',
    { held: [...WATCHED, ['olga', 'oversight']] },
    ['current olga: has a part in triage-bot, so cannot oversee what it does'],
  ],
  [
    'the owner as the only approver',
    {
      held: [
        ['otto', 'oversight'],
        ['olga', 'approval'],
      ],
    },
    [
      'current olga: has a part in triage-bot, so cannot approve what it does',
      'current triage-bot: nobody without a part in it could approve what it does',
    ],
  ],
  [
    'a former owner of late',
    {
      held: [...WATCHED, ['fred', 'approval']],
      agent: { formerOwners: [{ person: 'fred' as PersonName, until: NOW }] },
    },
    ['current fred: has a part in triage-bot, so cannot approve what it does'],
  ],
  [
    'a deputy without whom nobody would oversee',
    { held: WATCHED, agent: { deputy: 'otto' as PersonName } },
    ['possible triage-bot: should otto step in for its owner, nobody could oversee what it does'],
  ],
  [
    'a deputy beside whom another oversees',
    { held: [...WATCHED, ['olaf', 'oversight']], agent: { deputy: 'otto' as PersonName } },
    [],
  ],
  [
    'an owner who has gone',
    { held: WATCHED, gone: ['olga'] },
    ['current triage-bot: its owner olga has gone: it gets nothing until another accepts it'],
  ],
  [
    'two administrators',
    { held: WATCHED, administrators: ['ada', 'alan'] },
    ['possible null: 2 administer the deployment: should one leave, nobody could confirm'],
  ],
  [
    'one administrator, and one who has gone',
    { held: WATCHED, administrators: ['ada', 'alan'], gone: ['alan'] },
    ['current null: 1 administer the deployment: nobody could confirm what takes two'],
  ],
];
for (const [what, world, conflicts] of CONFLICTS) {
  reach(`conflicts: ${what}`, () => {
    const found = reachOf(everything(world)).conflicts.map((one) => `${one.when} ${one.who}: ${one.what}`);
    assert.equal(found, conflicts);
  });
}

const standing = (world: World): Reach['tenants'][number] | undefined => reachOf(everything(world)).tenants[0];

const ALLOWED: readonly (readonly [what: string, held: readonly Held[], issues: boolean, asks: boolean])[] = [
  ['nobody', [], false, false],
  ['an overseer', [['otto', 'oversight']], true, false],
  ['an overseer and an approver', WATCHED, true, true],
  ['the owner as overseer', [['olga', 'oversight']], false, false],
  ['an approver alone', [['paula', 'approval']], false, false],
  [
    'the owner as approver',
    [
      ['otto', 'oversight'],
      ['olga', 'approval'],
    ],
    true,
    false,
  ],
];
for (const [what, held, issues, asks] of ALLOWED) {
  reach(`what people allow: ${what}`, () => {
    const found = standing({ held });
    assert.equal([found?.issues, found?.asks], [issues, asks]);
  });
}

reach('of a person: what they hold, where, and what they own', () => {
  const { people } = reachOf(everything({ held: WATCHED, agent: { deputy: 'dana' as PersonName } }));
  const of = (name: string) => people.find(({ person }) => person === name);
  assert.equal(of('ada')?.holds, [{ tenant: null, function: 'administration' }]);
  assert.equal(of('otto')?.holds, [{ tenant: 'acme', function: 'oversight' }]);
  assert.equal(of('olga')?.owns, ['triage-bot']);
  assert.equal(of('dana')?.deputyOf, ['triage-bot']);
  assert.equal(of('olga')?.holds, []);
});

reach('of an agent: its roles and task classes at each tenant', () => {
  const [bot] = reachOf(everything({ held: WATCHED })).agents;
  assert.equal(bot?.at, [
    {
      tenant: 'acme',
      roles: ['triage'],
      tasks: [...(shipped.roles.get('triage' as RoleName)?.tasks ?? [])].toSorted(),
    },
  ]);
});

reach.run();
