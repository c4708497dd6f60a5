/** Whose standing an act rests on, looked at again when its body has come. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { AssignmentId, OperatorName, PersonName, RoleName } from '../../src/core/ids.ts';
import type { Assignment, Operator } from '../../src/core/registers.ts';
import { aboutPerson, standingAt } from '../../src/administer/administrator.ts';
import type { OperatorPrincipal } from '../../src/authenticate/principal.ts';
import { deployment, NOW, operator, person } from '../authenticate/world.ts';

const ADA: OperatorPrincipal = {
  kind: 'operator',
  operator: 'ada' as OperatorName,
  person: 'ada' as PersonName,
  by: 'oidc',
};
const LOCAL: OperatorPrincipal = { ...ADA, by: 'local' };
const administers: Assignment = {
  id: 'asg' as AssignmentId,
  tenant: null,
  holder: { kind: 'person', name: ADA.person },
  role: 'administrator' as RoleName,
  function: 'administration',
  until: null,
  reviewer: null,
};

interface Given {
  readonly account?: Partial<Operator>;
  readonly assignments?: readonly Assignment[];
}

const place = ({ account = {}, assignments = [administers] }: Given) =>
  deployment({ persons: [person('ada'), person('bea')], operators: [operator('ada', account)], assignments });

const disabled = { account: { active: false } };
const anothers = { account: { person: 'bea' as PersonName } };
const none = { assignments: [] };

const STANDING: readonly (readonly [what: string, given: Given, outcome: string])[] = [
  ['an administrator', {}, 'stands'],
  ['whose account was disabled meanwhile', disabled, 'unauthenticated'],
  ['whose account leads to somebody else meanwhile', anothers, 'unauthenticated'],
  ['who administers no more', none, 'function_needed'],
];

const standing = suite('who acts');

for (const [what, given, outcome] of STANDING) {
  standing(`is one ${what}: ${outcome}`, () => {
    const found = standingAt(ADA, place(given), NOW, ['administer']);
    assert.is(found.ok ? 'stands' : found.error.code, outcome);
  });
}

const ABOUT: readonly (readonly [what: string, by: OperatorPrincipal, of: string, given: Given, outcome: string])[] = [
  ['themselves, whatever they hold', ADA, 'ada', none, 'stands'],
  ['themselves, by an account that was disabled meanwhile', ADA, 'ada', { ...none, ...disabled }, 'unauthenticated'],
  ['another, as an administrator', ADA, 'bea', {}, 'stands'],
  ['another, without a function', ADA, 'bea', none, 'function_needed'],
  ['whoever a local token names, without a function', LOCAL, 'ada', none, 'function_needed'],
];
for (const [what, by, of, given, outcome] of ABOUT) {
  standing(`says something of ${what}: ${outcome}`, () => {
    const found = aboutPerson(by, place(given), NOW, of as PersonName);
    assert.is(found.ok ? 'stands' : found.error.code, outcome);
  });
}

standing.run();
