/** Which function a person holds, and where; and who answers for an agent. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { AssignmentId, PersonName, RoleName } from '../../src/core/ids.ts';
import type { Agent, Assignment, RoleFunction } from '../../src/core/registers.ts';
import { instant } from '../../src/core/time.ts';
import { functionAt, isAnsweredFor, readsAlone } from '../../src/authenticate/principal.ts';
import { ACME, agent, deployment, NOW, person, tenant } from './world.ts';

const ADA = 'ada' as PersonName;

const held = (given: RoleFunction, over: Partial<Assignment> = {}): Assignment => ({
  id: 'asg' as AssignmentId,
  tenant: ACME,
  holder: { kind: 'person', name: ADA },
  role: given as string as RoleName,
  function: given,
  until: null,
  reviewer: null,
  ...over,
});
const above = held('administration', { tenant: null });

type Case = readonly [
  what: string,
  at: RoleFunction | null,
  over: { readonly here?: readonly Assignment[]; readonly above?: readonly Assignment[]; readonly active?: boolean },
];

const CASES: readonly Case[] = [
  ['nothing', null, {}],
  ['what an assignment gives', 'oversight', { here: [held('oversight')] }],
  ['one function by two roles', 'oversight', { here: [held('oversight'), held('oversight')] }],
  ['what ends in a moment', 'approval', { here: [held('approval', { until: instant(NOW + 1) })] }],
  ['nothing of what has ended', null, { here: [held('approval', { until: NOW })] }],
  [
    'nothing of another’s',
    null,
    { here: [held('oversight', { holder: { kind: 'person', name: 'bea' as PersonName } })] },
  ],
  [
    'nothing of an agent of the same name',
    null,
    { here: [held('execution', { holder: { kind: 'agent', name: 'ada' as never } })] },
  ],
  ['nothing once gone', null, { here: [held('oversight')], active: false }],
  ['administration of the deployment, at every tenant', 'administration', { above: [above] }],
  ['none of two, which the database refuses', null, { here: [held('oversight'), held('approval')] }],
  ['none of two, one of them above', null, { here: [held('oversight')], above: [above] }],
];

const functions = suite('a person holds');

for (const [what, expected, { here = [], above = [], active = true }] of CASES) {
  functions(what, () => {
    const place = deployment({ persons: [person(ADA, active)], assignments: above });
    assert.is(functionAt(tenant({ deployment: place, assignments: here }), ADA, NOW), expected);
  });
}

functions('at the deployment, what was given there alone', () => {
  const place = deployment({ persons: [person(ADA)], assignments: [above] });
  assert.is(functionAt(place, ADA, NOW), 'administration');
  assert.is(functionAt(deployment({ persons: [person(ADA)] }), ADA, NOW), null);
  assert.is(functionAt(deployment({ persons: [], assignments: [above] }), ADA, NOW), null);
});

functions.run();

const auditor = held('oversight', { role: 'auditor' as RoleName });

const READING: readonly (readonly [what: string, alone: boolean, here: readonly Assignment[]])[] = [
  ['who holds a role that reads', true, [auditor]],
  ['not who acts by another role beside it', false, [auditor, held('oversight')]],
  ['who acted by another until it ended', true, [auditor, held('oversight', { until: NOW })]],
  ['not who holds nothing', false, []],
];

const reads = suite('reads alone:');
for (const [what, alone, here] of READING) {
  reads(what, () => {
    const place = { ...deployment({ persons: [person(ADA)] }), reading: new Set([auditor.role]) };
    assert.is(readsAlone(tenant({ deployment: place, assignments: here }), ADA, NOW), alone);
  });
}
reads.run();

const ANSWERED: readonly (readonly [what: string, answered: boolean, of: Partial<Agent>, gone?: string])[] = [
  ['an agent whose owner is there', true, {}],
  ['not one that has gone', false, { active: false }],
  ['not one whose owner has gone', false, {}, 'bea'],
  ['not one whose owner went and came back, and has not accepted it', false, { leftBy: 'bea' as PersonName }],
  ['not what was given it while somebody owned it who has gone', false, {}, 'ada'],
];

const answers = suite('answered for is');
for (const [what, answered, over, gone] of ANSWERED) {
  answers(what, () => {
    const persons = ['ada', 'bea'].map((name) => person(name, name !== gone));
    const here = tenant({ deployment: deployment({ persons }) });
    const bot = agent('bot', { owner: 'bea' as PersonName, ...over });
    assert.is(isAnsweredFor(here, bot, ADA), answered, 'given while ada owned it');
  });
}
answers.run();
