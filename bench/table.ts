/** The report for people, in Markdown. */
import type { Row } from './figures.ts';
import type { Machine } from './machine.ts';

export interface Report {
  readonly machine: Machine;
  readonly rows: readonly Row[];
  readonly ratios: Readonly<Record<string, number>>;
}

export function asTable({ machine, rows, ratios }: Report): string {
  const { cpu, cores, memory_gib, system, node, generator, load } = machine;
  return [
    `${cores} cores (${cpu}), ${memory_gib} GiB, ${system}, Node ${node}. Load from ${generator}.`,
    `The machine's load over 1, 5 and 15 minutes at the end: ${load.join(', ')}.`,
    '',
    '| what | median | | lowest to highest round |',
    '| --- | ---: | --- | --- |',
    ...rows.map(({ what, value, unit, rounds }) => `| ${what} | ${figure(value)} | ${unit} | ${spread(rounds)} |`),
    '',
    '| ratio | |',
    '| --- | ---: |',
    ...Object.entries(ratios).map(([name, value]) => `| \`${name}\` | ${value.toFixed(2)} |`),
  ].join('\n');
}

const spread = (rounds: readonly number[]): string =>
  `${figure(Math.min(...rounds))} to ${figure(Math.max(...rounds))}`;

const figure = (value: number): string =>
  value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(value >= 10 ? 1 : 2);
