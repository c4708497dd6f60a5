/**
 * Whether all conditions of a rule can hold at once. Tried with every value that matters to it: those that it names, one
 * that it does not, and both sides of each number. Where these are too many, only what each condition says by itself.
 */
import type { Expression } from '../../cedar/expression.ts';
import type { Circumstances } from './circumstances.ts';
import { holds, isParameters } from './holds.ts';
import { ANY } from './possible.ts';
import type { Possible, Scalar } from './possible.ts';

/** A rule that looks at more is taken as one that can apply. */
const MOST_TRIED = 2048;
/** No rule names it, and no register does. */
const ANOTHER = '\0another';

/** What conditions say, taken apart where all of it must hold anyway. */
export function conjunctsOf(conditions: readonly Expression[]): readonly Expression[] {
  return conditions.flatMap((one) => (one.is === 'and' ? conjunctsOf([one.left, one.right]) : [one]));
}

interface Named {
  readonly attributes: ReadonlySet<string>;
  readonly parameters: ReadonlySet<string>;
  readonly values: ReadonlySet<Scalar>;
}

/** What a rule looks at, and with what it compares that. */
export function namedIn(conditions: readonly Expression[]): Named {
  const named = { attributes: new Set<string>(), parameters: new Set<string>(), values: new Set<Scalar>() };
  const look = (of: Expression): void => {
    if (of.is === 'value') named.values.add(of.value);
    if (of.is === 'attribute' || of.is === 'has') {
      if (isParameters(of.of)) named.parameters.add(of.name);
      else if (of.name !== 'parameters') named.attributes.add(of.name);
    }
    partsOf(of).forEach(look);
  };
  conditions.forEach(look);
  return named;
}

function partsOf(of: Expression): readonly Expression[] {
  switch (of.is) {
    case 'value':
    case 'entity':
    case 'variable':
      return [];
    case 'set':
      return of.items;
    case 'not':
    case 'attribute':
    case 'has':
      return [of.of];
    case 'and':
    case 'or':
    case 'relation':
      return [of.left, of.right];
    case 'method':
      return [of.of, of.given];
    case 'if':
      return [of.when, of.given, of.otherwise];
  }
}

export function canHold(conjuncts: readonly Expression[], named: Named, at: Circumstances): boolean {
  const couldHold = (where: Circumstances): boolean => conjuncts.every((one) => holds(one, where) !== 'no');
  if (!couldHold(at)) return false;
  const context = [...named.attributes].map((name) => [name, valuesToTry(at.context.get(name) ?? ANY, named)] as const);
  const parameters = [...at.parameters]
    .filter(([name]) => named.parameters.has(name))
    .map(([name, { always, value }]) => [name, always, valuesToTry(value, named)] as const);
  const ways = [...context.map(([, tried]) => tried.length), ...parameters.map(([, , tried]) => tried.length)];
  if (ways.reduce((all, count) => all * count, 1) > MOST_TRIED) return true;
  const where = { ...at, context: new Map(at.context), parameters: new Map(at.parameters) };
  const tryAll = (place: number): boolean => {
    const next = context[place];
    if (next !== undefined) {
      const [name, tried] = next;
      return tried.some((value) => {
        where.context.set(name, value);
        return tryAll(place + 1);
      });
    }
    const parameter = parameters[place - context.length];
    if (parameter === undefined) return couldHold(where);
    const [name, always, tried] = parameter;
    return tried.some((value) => {
      where.parameters.set(name, { always, value });
      return tryAll(place + 1);
    });
  };
  return tryAll(0);
}

function valuesToTry(of: Possible, { values }: Named): readonly Possible[] {
  const one = (value: Scalar): Possible => ({ is: 'one', value });
  switch (of.is) {
    case 'one':
    case 'any':
      return [of];
    case 'among':
      return of.values.map(one);
    case 'text':
      return [...[...values].filter((value) => typeof value === 'string'), ANOTHER].map(one);
    case 'between': {
      const numbers = [...values].filter((value) => typeof value === 'number');
      const near = [of.least, of.most, ...numbers.flatMap((value) => [value - 1, value, value + 1])];
      return [...new Set(near)].filter((value) => value >= of.least && value <= of.most).map(one);
    }
    case 'set': {
      const free = [...of.may].filter((value) => !of.must.has(value) && values.has(value));
      return subsetsOf(free).map((some) => {
        const whole = new Set([...of.must, ...some]);
        return { is: 'set', must: whole, may: whole };
      });
    }
  }
}

const subsetsOf = (values: readonly Scalar[]): readonly (readonly Scalar[])[] =>
  values.reduce<readonly (readonly Scalar[])[]>((all, value) => all.flatMap((some) => [some, [...some, value]]), [[]]);
