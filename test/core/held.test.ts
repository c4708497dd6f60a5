/** Assignments found by holder, function and role. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { heldAs, heldBy, heldInFunction } from '../../src/core/held.ts';
import type { AgentName, AssignmentId, PersonName, RoleName } from '../../src/core/ids.ts';
import type { Assignment, Holder, RoleFunction } from '../../src/core/registers.ts';

const assignment = (id: string, holder: Holder, role: string, of: RoleFunction): Assignment => ({
  id: id as AssignmentId,
  tenant: null,
  holder,
  role: role as RoleName,
  function: of,
  until: null,
  reviewer: null,
});

/** A person and an agent may bear one name. */
const ALEX = 'alex' as PersonName & AgentName;

const LIST = [
  assignment('1', { kind: 'person', name: ALEX }, 'approver', 'approval'),
  assignment('2', { kind: 'agent', name: ALEX }, 'triage', 'execution'),
  assignment('3', { kind: 'person', name: 'sam' as PersonName }, 'approver', 'approval'),
  assignment('4', { kind: 'person', name: ALEX }, 'change-board', 'approval'),
];

const TABLE: readonly (readonly [what: string, found: readonly Assignment[], ids: string])[] = [
  ['a person', heldBy(LIST, 'person', ALEX), '1 4'],
  ['an agent of the same name', heldBy(LIST, 'agent', ALEX), '2'],
  ['nobody', heldBy(LIST, 'person', 'kim' as PersonName), ''],
  ['one whose name objects have by themselves', heldBy(LIST, 'person', 'constructor' as PersonName), ''],
  ['a function', heldInFunction(LIST, 'approval'), '1 3 4'],
  ['a function that nobody holds', heldInFunction(LIST, 'oversight'), ''],
  ['a role', heldAs(LIST, 'approver' as RoleName), '1 3'],
  ['a role that nobody holds', heldAs(LIST, 'auditor' as RoleName), ''],
];

const held = suite('core/held');

for (const [what, found, ids] of TABLE) {
  held(`${what}: ${ids || 'none'}`, () => {
    assert.is(found.map(({ id }) => id).join(' '), ids);
  });
}

held('another list has its own', () => {
  assert.is(heldInFunction(LIST.slice(1), 'approval').length, 2);
  assert.is(heldInFunction([], 'approval').length, 0);
  assert.is(heldInFunction(LIST, 'approval').length, 3);
});

held.run();
