/** Findings of a policy, a line each: apart from problems, since they stop nothing. What nobody has a use for shares one. */
import type { FindingKind } from '../decide/bundle/findings.ts';
import type { Body } from './operator-line.ts';
import { printable, shown } from './terminal.ts';

type Told = Readonly<Record<'file' | 'line' | 'what', unknown>> & { readonly kind?: unknown };

/** A broker that serves a few clients holds most of a bundle back. */
const TOGETHER: readonly (readonly [kind: FindingKind, says: string])[] = [
  ['role_unheld', 'nobody holds'],
  ['task_unheld', 'no agent holds a role that carries'],
  ['person_unknown', 'the routes know, and the register does not,'],
];

export function foundOut(findings: readonly Told[]): readonly string[] {
  const apart = findings.filter(({ kind }) => !TOGETHER.some(([one]) => one === kind));
  const shared = TOGETHER.flatMap(([kind, says]) => {
    const names = findings.filter((one) => one.kind === kind).map(nameIn);
    return names.length === 0 ? [] : [printable(`finding: ${says} ${names.join(', ')}`)];
  });
  return [...apart.map(lineOf), ...shared];
}

const lineOf = ({ file, line, what }: Told): string =>
  printable(`${shown(file)}:${shown(line)}: finding: ${shown(what)}`);

/** `roles.triage: …`, without what it is and what is said of it. */
const nameIn = ({ what }: Told): string => (shown(what).split(': ')[0] ?? '').replace(/^(?:roles|tasks|people)\./, '');

/** The same, as a broker answers them. */
export const foundIn = (answer: Body): readonly string[] => foundOut((answer['findings'] ?? []) as readonly Told[]);
