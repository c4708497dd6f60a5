/**
 * Whether a rule's expression holds in given circumstances: `yes` in all of them, `no` in none, `maybe` where that is
 * not known. What errs counts as `maybe` here: a finding is told only of what is certain.
 */
import type { Expression, Relation, SetMethod } from '../../cedar/expression.ts';
import type { Circumstances } from './circumstances.ts';
import { ANY } from './possible.ts';
import type { Possible, Scalar } from './possible.ts';

export type Holds = 'yes' | 'no' | 'maybe';

const YES: Possible = { is: 'one', value: true };
const NO: Possible = { is: 'one', value: false };
const MAYBE: Possible = { is: 'among', values: [true, false] };
const answerOf = (holds: Holds): Possible => (holds === 'yes' ? YES : holds === 'no' ? NO : MAYBE);
const sure = (is: boolean): Holds => (is ? 'yes' : 'no');
const opposite = (holds: Holds): Holds => (holds === 'maybe' ? 'maybe' : sure(holds === 'no'));

export function holds(of: Expression, at: Circumstances): Holds {
  const value = possible(of, at);
  if (value.is === 'one') return sure(value.value === true);
  return value.is === 'among' && !value.values.includes(true) ? 'no' : 'maybe';
}

function possible(of: Expression, at: Circumstances): Possible {
  switch (of.is) {
    case 'value':
      return { is: 'one', value: of.value };
    case 'entity':
      return { is: 'one', value: entity(of.type, of.id) };
    case 'variable':
      return variable(of.name, at);
    case 'set':
      return setOf(of, at);
    case 'not':
      return answerOf(opposite(holds(of.of, at)));
    case 'and':
      return answerOf(both(holds(of.left, at), () => holds(of.right, at)));
    case 'or':
      return answerOf(opposite(both(opposite(holds(of.left, at)), () => opposite(holds(of.right, at)))));
    case 'relation':
      return answerOf(related(of.by, possible(of.left, at), possible(of.right, at)));
    case 'attribute':
      return attribute(of, at);
    case 'has':
      return answerOf(has(of, at));
    case 'method':
      return answerOf(asked(of.by, possible(of.of, at), possible(of.given, at)));
    case 'if':
      return chosen(holds(of.when, at), possible(of.given, at), possible(of.otherwise, at));
  }
}

/** No name of a task class or of anything else begins so. */
const entity = (type: string, id: string): string => `\0${type}::${id}`;

function variable(name: 'principal' | 'action' | 'resource' | 'context', { role, task }: Circumstances): Possible {
  switch (name) {
    case 'principal':
      return { is: 'one', value: entity('Role', role) };
    case 'resource':
      return { is: 'one', value: entity('Task', task) };
    case 'action':
      return { is: 'one', value: entity('Action', 'perform') };
    case 'context':
      return ANY;
  }
}

function both(left: Holds, right: () => Holds): Holds {
  if (left === 'no') return 'no';
  const other = right();
  if (other === 'no') return 'no';
  return left === 'yes' && other === 'yes' ? 'yes' : 'maybe';
}

type SetExpression = Extract<Expression, { readonly is: 'set' }>;

/** Of the words that a rule writes out: the same in all circumstances, and asked for in many. */
const written = new WeakMap<SetExpression, Possible>();

function setOf(of: SetExpression, at: Circumstances): Possible {
  const known = written.get(of);
  if (known !== undefined) return known;
  const values = of.items.flatMap((item) => {
    const value = possible(item, at);
    return value.is === 'one' ? [value.value] : [];
  });
  const whole = new Set(values);
  const set: Possible = values.length === of.items.length ? { is: 'set', must: whole, may: whole } : ANY;
  if (of.items.every(({ is }) => is === 'value')) written.set(of, set);
  return set;
}

type Access = Extract<Expression, { readonly is: 'attribute' | 'has' }>;

const isContext = (of: Expression): boolean => of.is === 'variable' && of.name === 'context';
export const isParameters = (of: Expression): boolean =>
  of.is === 'attribute' && of.name === 'parameters' && isContext(of.of);

function attribute({ of, name }: Access, { context, parameters }: Circumstances): Possible {
  if (isContext(of)) return context.get(name) ?? ANY;
  return isParameters(of) ? (parameters.get(name)?.value ?? ANY) : ANY;
}

/** Rules see only those parameters that their task class shows them. */
function has({ of, name }: Access, { parameters }: Circumstances): Holds {
  if (!isParameters(of)) return 'maybe';
  const known = parameters.get(name);
  if (known === undefined) return 'no';
  return known.always ? 'yes' : 'maybe';
}

function chosen(when: Holds, given: Possible, otherwise: Possible): Possible {
  if (when === 'maybe') return ANY;
  return when === 'yes' ? given : otherwise;
}

const listed = (of: Possible): readonly Scalar[] | null =>
  of.is === 'one' ? [of.value] : of.is === 'among' ? of.values : null;

function related(by: Relation, left: Possible, right: Possible): Holds {
  switch (by) {
    case '==':
      return equal(left, right);
    case '!=':
      return opposite(equal(left, right));
    case '<':
      return less(left, right);
    case '>=':
      return opposite(less(left, right));
    case '>':
      return less(right, left);
    case '<=':
      return opposite(less(right, left));
  }
}

function equal(left: Possible, right: Possible): Holds {
  const [one, other] = [listed(left), listed(right)];
  if (one === null || other === null) return apart(left, right) ? 'no' : 'maybe';
  if (!one.some((value) => other.includes(value))) return 'no';
  return one.length === 1 && other.length === 1 ? 'yes' : 'maybe';
}

function apart(left: Possible, right: Possible): boolean {
  const [one, other] = [range(left), range(right)];
  return one !== null && other !== null && (one.most < other.least || other.most < one.least);
}

function less(left: Possible, right: Possible): Holds {
  const [one, other] = [range(left), range(right)];
  if (one === null || other === null) return 'maybe';
  if (one.most < other.least) return 'yes';
  return one.least >= other.most ? 'no' : 'maybe';
}

function range(of: Possible): { readonly least: number; readonly most: number } | null {
  if (of.is === 'between') return of;
  const numbers = listed(of)?.filter((value) => typeof value === 'number') ?? [];
  return numbers.length === 0 ? null : { least: Math.min(...numbers), most: Math.max(...numbers) };
}

function asked(by: SetMethod, set: Possible, given: Possible): Holds {
  if (set.is !== 'set') return 'maybe';
  const { must, may } = set;
  switch (by) {
    case 'contains': {
      const values = listed(given);
      if (values === null) return 'maybe';
      if (values.every((value) => must.has(value))) return 'yes';
      return values.some((value) => may.has(value)) ? 'maybe' : 'no';
    }
    case 'containsAny':
      if (given.is !== 'set') return 'maybe';
      if ([...given.must].some((value) => must.has(value))) return 'yes';
      return [...given.may].some((value) => may.has(value)) ? 'maybe' : 'no';
    case 'containsAll':
      if (given.is !== 'set') return 'maybe';
      if ([...given.may].every((value) => must.has(value))) return 'yes';
      return [...given.must].every((value) => may.has(value)) ? 'maybe' : 'no';
  }
}
