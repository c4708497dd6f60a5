/** `policy sod`: who could do what, and what stands in whose way, as tables for people. */
import { EXIT } from './command.ts';
import type { Command } from './command.ts';
import { OPERATOR_OPTIONS, operatorLine } from './operator-line.ts';
import type { Body } from './operator-line.ts';
import { print, shown, table } from './terminal.ts';

export const sod: Command = {
  name: 'policy sod',
  says: 'Shows what every person and agent could do across all tenants, and every conflict, current or possible.',
  options: OPERATOR_OPTIONS,
  example: 'brevet policy sod --as ada',
  run: async (given, terminal) => {
    const line = await operatorLine(given);
    const found = await line.send({ method: 'GET', path: '/api/policy/sod' });
    print(terminal, found, () => report(found));
    return EXIT.done;
  },
};

const rows = (found: Body, of: string): readonly Body[] => (found[of] ?? []) as readonly Body[];
const at = (tenant: unknown): string => (tenant === null ? 'everywhere' : shown(tenant));
const yes = (holds: unknown): string => (holds === true ? 'yes' : 'no');

function report(found: Body): string {
  const people = rows(found, 'people').map((one) => [
    shown(one['person']),
    rows(one, 'holds')
      .map((held) => `${shown(held['function'])} (${at(held['tenant'])})`)
      .join(', ') || '-',
    shown(one['owns']),
    shown(one['deputy_of']),
    shown(one['operators']),
  ]);
  const agents = rows(found, 'agents').flatMap((one) => {
    const places = rows(one, 'at');
    const who = [shown(one['agent']), shown(one['owner'])];
    if (places.length === 0) return [[...who, '-', '-', '-']];
    return places.map((place) => [...who, shown(place['tenant']), shown(place['roles']), shown(place['tasks'])]);
  });
  const tenants = rows(found, 'tenants').map((one) => [
    shown(one['tenant']),
    shown(one['overseers']),
    shown(one['approvers']),
    yes(one['issues']),
    yes(one['asks']),
  ]);
  const conflicts = rows(found, 'conflicts').map((one) => [
    shown(one['when']),
    at(one['tenant']),
    shown(one['who']),
    shown(one['what']),
  ]);
  return [
    table(['person', 'holds', 'owns', 'deputy of', 'operators'], people),
    table(['agent', 'owner', 'tenant', 'roles', 'task classes'], agents),
    table(['tenant', 'overseers', 'approvers', 'tiers 1 and 2', 'tier 3'], tenants),
    conflicts.length === 0 ? 'no conflict' : table(['conflict', 'tenant', 'who', 'what'], conflicts),
  ].join('\n\n');
}
