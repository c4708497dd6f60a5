/** What a rule's text says, as a tree: so much of Cedar as the rules of a bundle use. */

export type Relation = '==' | '!=' | '<' | '<=' | '>' | '>=';
export type SetMethod = 'contains' | 'containsAll' | 'containsAny';
export type Variable = 'principal' | 'action' | 'resource' | 'context';

export type Expression =
  | { readonly is: 'value'; readonly value: string | number | boolean }
  | { readonly is: 'entity'; readonly type: string; readonly id: string }
  | { readonly is: 'variable'; readonly name: Variable }
  | { readonly is: 'set'; readonly items: readonly Expression[] }
  | { readonly is: 'not'; readonly of: Expression }
  | { readonly is: 'and' | 'or'; readonly left: Expression; readonly right: Expression }
  | { readonly is: 'relation'; readonly by: Relation; readonly left: Expression; readonly right: Expression }
  | { readonly is: 'attribute' | 'has'; readonly of: Expression; readonly name: string }
  | { readonly is: 'method'; readonly by: SetMethod; readonly of: Expression; readonly given: Expression }
  | { readonly is: 'if'; readonly when: Expression; readonly given: Expression; readonly otherwise: Expression };

/** A rule as its text has it. */
export interface ReadRule {
  readonly effect: 'permit' | 'forbid';
  readonly annotations: Readonly<Record<string, string>>;
  /** Scope and conditions, all of which must hold. */
  readonly conditions: readonly Expression[];
}

export interface Token {
  readonly text: string;
  readonly kind: 'string' | 'name' | 'number' | 'sign' | 'end';
}

const SPACE = /(?:\s+|\/\/[^\n]*)+/y;
const TOKEN = /"([^"\\]*)"|([A-Za-z_][A-Za-z0-9_]*)|(\d+)|(==|!=|<=|>=|&&|\|\||::|[(){}[\],;.<>!@])/y;

/** `null` where there is something that is none of these, such as a string with an escape in it. */
export function tokensOf(text: string): Token[] | null {
  const tokens: Token[] = [];
  let at = 0;
  for (;;) {
    SPACE.lastIndex = at;
    if (SPACE.test(text)) at = SPACE.lastIndex;
    if (at === text.length) return tokens;
    TOKEN.lastIndex = at;
    const found = TOKEN.exec(text);
    if (found === null) return null;
    at = TOKEN.lastIndex;
    tokens.push(tokenOf(found));
  }
}

function tokenOf([, string, name, number, sign = '']: RegExpExecArray): Token {
  if (string !== undefined) return { text: string, kind: 'string' };
  if (name !== undefined) return { text: name, kind: 'name' };
  return number === undefined ? { text: sign, kind: 'sign' } : { text: number, kind: 'number' };
}
