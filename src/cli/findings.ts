/** Findings of a policy, a line each: apart from problems, since they stop nothing. */
import type { PolicyFinding } from '../decide/bundle/findings.ts';
import type { Body } from './operator-line.ts';
import { printable, shown } from './terminal.ts';

type Told = Readonly<Record<'file' | 'line' | 'what', unknown>>;

const lineOf = ({ file, line, what }: Told): string =>
  printable(`${shown(file)}:${shown(line)}: finding: ${shown(what)}`);

export const foundOut = (findings: readonly PolicyFinding[]): readonly string[] => findings.map(lineOf);

/** The same, as a broker answers them. */
export const foundIn = (answer: Body): readonly string[] => ((answer['findings'] ?? []) as readonly Told[]).map(lineOf);
