/**
 * Which rules differ between two bundles, and what rules look at: a circumstance that none of them mentions, and that
 * no tier depends on, need not be tried.
 */
import { DATA_CLASSES } from '../../core/registers.ts';
import type { DataClass } from '../../core/registers.ts';
import type { Bundle } from '../bundle/model.ts';
import { codeOf, writtenRules } from '../written.ts';
import type { WrittenRule } from '../written.ts';

export interface ChangedRule {
  /** `reworded`: what people read of it, and nothing else. */
  readonly how: 'added' | 'removed' | 'changed' | 'reworded';
  readonly before: WrittenRule | null;
  readonly after: WrittenRule | null;
}

export function changedRules(before: Bundle, after: Bundle): readonly ChangedRule[] {
  const [old, now] = [writtenRules(before), writtenRules(after)];
  const names = [...new Set([...old.keys(), ...now.keys()])].toSorted();
  return names.flatMap((name): ChangedRule[] => {
    const [one, other] = [old.get(name) ?? null, now.get(name) ?? null];
    const how = howChanged(one, other);
    return how === null ? [] : [{ how, before: one, after: other }];
  });
}

/** As it is now, or as it was. */
export function eitherOf({ before, after }: Pick<ChangedRule, 'before' | 'after'>): WrittenRule {
  const rule = after ?? before;
  if (rule === null) throw new Error('a rule that is in neither bundle has changed');
  return rule;
}

function howChanged(before: WrittenRule | null, after: WrittenRule | null): ChangedRule['how'] | null {
  if (before === null) return 'added';
  if (after === null) return 'removed';
  if (codeOf(before.text) !== codeOf(after.text) || before.tenant !== after.tenant) return 'changed';
  return JSON.stringify(before.annotations) === JSON.stringify(after.annotations) ? null : 'reworded';
}

/** What some rules look at. */
export interface Sight {
  looksAt(attribute: string): boolean;
  readonly data: readonly DataClass[];
  /** What those that look at this compare something with. */
  numbersBeside(attribute: string): readonly number[];
}

/** `context` by itself, and so all of it. */
const WHOLE = /\bcontext\b(?!\s*(?:\.|\[|has\b))/;
const STRING = /"(?:[^"\\]|\\[^])*"/g;

/** What every rule begins with looks at nothing, unless it compares. */
const BARE_PRINCIPAL = /\(\s*principal\s*,(?=\s*action\b)/;
const BARE_RESOURCE = /(?<=\baction\s*==\s*Action::"perform"\s*,\s*)resource(?=\s*\))/;

const looking = ({ text }: WrittenRule): string => codeOf(text).replace(BARE_PRINCIPAL, '(').replace(BARE_RESOURCE, '');

export function sightOf(rules: readonly WrittenRule[]): Sight {
  const each = rules.map(looking);
  const all = each.some((code) => WHOLE.test(code.replace(STRING, '""')));
  // Any mention counts, in a string too: what is looked at in vain costs time alone.
  const words = new Set(each.flatMap((code) => code.match(/[\w-]+/g) ?? []));
  return {
    looksAt: (attribute) => all || words.has(attribute),
    data: DATA_CLASSES.filter((data) => words.has(data)),
    numbersBeside(attribute) {
      const beside = each.filter((code) => new RegExp(`\\b${attribute}\\b`).test(code));
      return [...new Set(beside.flatMap((code) => code.match(/\b\d{1,9}\b/g) ?? []))].map(Number);
    },
  };
}

export const sightOfBoth = (before: Bundle, after: Bundle): Sight =>
  sightOf([...writtenRules(before).values(), ...writtenRules(after).values()]);
