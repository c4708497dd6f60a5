/** What the engine cannot see in rules: names that the other files do not have, letters that only look like others. */
import type { Problem, RuleInfo, RuleSource } from '../../core/policy.ts';
import { lineAt, withoutComments } from '../cedar/text.ts';
import { codeOf } from './files.ts';

interface Known {
  readonly roles: ReadonlySet<string>;
  readonly tasks: ReadonlySet<string>;
}

const MENTION = /\b(Role|Task)\s*::\s*"((?:[^"\\]|\\[^])*)"/g;
/** Prose for people, which may be in any language; `@id` and `@obligation` may not. */
export const PROSE = /@(?:reason|hint|owner)\s*\(\s*"(?:[^"\\]|\\[^])*"\s*\)/g;
const BEYOND_ASCII = /\P{ASCII}/gu;
const ANNOTATIONS = ['id', 'reason', 'hint', 'obligation', 'owner', 'tell'];

export function sourceProblems(source: RuleSource, known: Known): Problem[] {
  const { file, text } = source;
  const code = withoutComments(text);
  const plain = code.replace(PROSE, (prose) => ' '.repeat(prose.length));
  const at = (offset: number, what: string): Problem => ({ file, line: lineAt(text, offset), what });
  return [
    ...[...plain.matchAll(BEYOND_ASCII)].map(({ index, 0: character }) =>
      at(index, `${codeOf(character)} may look like a letter of a name, and is none`),
    ),
    ...[...code.matchAll(MENTION)].flatMap(({ index, 1: type = '', 2: name = '' }) => {
      const names = type === 'Role' ? known.roles : known.tasks;
      if (names.has(name)) return [];
      return [at(index, `${type}::"${name}" is in neither ${type === 'Role' ? 'roles' : 'tasks'}.yaml nor anywhere`)];
    }),
  ];
}

export function ruleProblems({ file, line, name, effect, annotations }: RuleInfo): Problem[] {
  const at = (what: string): Problem => ({ file, line, what: `${name}: ${what}` });
  const { obligation, tell } = annotations;
  return [
    ...(annotations['reason'] ? [] : [at('it has no @reason, which people read')]),
    ...(obligation !== undefined && obligation !== 'approval' ? [at('@obligation can be "approval" alone')] : []),
    ...(tell !== undefined && (tell !== 'oversight' || effect === 'permit' || obligation !== undefined)
      ? [at('@tell can be "oversight" alone, on a forbid that nobody lifts')]
      : []),
    ...(obligation !== undefined && effect === 'permit' ? [at('only a forbid bears an @obligation')] : []),
    ...Object.keys(annotations)
      .filter((annotation) => !ANNOTATIONS.includes(annotation))
      .map((annotation) => at(`@${annotation} is not an annotation here; known: ${ANNOTATIONS.join(', ')}`)),
  ];
}
