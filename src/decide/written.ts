/** The rules of a bundle one by one, as they are written: for what the engine does not tell by itself. */
import { canonicalDigest } from '../core/canonical.ts';
import type { TenantName } from '../core/ids.ts';
import type { RuleInfo, RuleName, RuleSource } from '../core/policy.ts';
import type { Bundle } from './bundle/model.ts';
import { PROSE } from './bundle/rules.ts';
import { splitRules, withoutComments } from './cedar/text.ts';

export interface WrittenRule extends RuleInfo {
  readonly text: string;
  /** Whose it is alone; `null`: everybody's. */
  readonly tenant: TenantName | null;
}

export function writtenRules({ rules, shared, own }: Bundle): ReadonlyMap<RuleName, WrittenRule> {
  const byPlace = new Map([...rules.values()].map((rule) => [`${rule.file}:${rule.line}`, rule]));
  const sources = [
    ...shared.map((source) => ({ source, tenant: null })),
    ...[...own].flatMap(([tenant, files]) => files.map((source) => ({ source, tenant }))),
  ];
  const written = sources.flatMap(({ source, tenant }) =>
    splitRules(source).flatMap(({ file, line, text }): WrittenRule[] => {
      const rule = byPlace.get(`${file}:${line}`);
      return rule === undefined ? [] : [{ ...rule, text, tenant }];
    }),
  );
  return new Map(written.map((rule) => [rule.name, rule]));
}

const STRING_OR_SPACE = /"(?:[^"\\]|\\[^])*"|\s+/g;

/** What the engine reads of it: without comments, words for people, and the way it is laid out. */
export const codeOf = (text: string): string =>
  withoutComments(text)
    .replace(PROSE, ' ')
    .replace(STRING_OR_SPACE, (part) => (part.startsWith('"') ? part : ' '))
    .trim();

/**
 * The bundle as if it had these rules alone. By what they say and not by its version: of another version that has the
 * same rules, the set is ready and answers are known.
 */
export const aloneIn = (bundle: Bundle, rules: readonly WrittenRule[]): Bundle => ({
  ...bundle,
  version: `rules/${canonicalDigest([bundle.schema.text, ...rules.map(({ text }) => text)])}`,
  shared: rules.map(({ file, text }) => ({ file, text })),
  own: new Map(),
});

/** The bundle as if it did not have this one. */
export function withoutRule(bundle: Bundle, { name, file, text }: WrittenRule): Bundle {
  const cut = (sources: readonly RuleSource[]): readonly RuleSource[] =>
    sources.map((source) => (source.file === file ? { file, text: source.text.replace(text, () => '') } : source));
  return {
    ...bundle,
    version: `${bundle.version}/without/${name}`,
    rules: new Map([...bundle.rules].filter(([other]) => other !== name)),
    shared: cut(bundle.shared),
    own: new Map([...bundle.own].map(([tenant, sources]) => [tenant, cut(sources)])),
  };
}
