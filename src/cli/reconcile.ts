import { EXIT } from './command.ts';
import type { Command } from './command.ts';
import { OPERATOR_OPTIONS, operatorLine } from './operator-line.ts';
import type { Body } from './operator-line.ts';
import { counted, print, shown, table } from './terminal.ts';

const COLUMNS = ['tenant', 'target', 'mark', 'lease', 'evidence'];

const reconcile: Command = {
  name: 'reconcile',
  says: 'Asks each target what it holds of Brevet’s making, and kills what no lease knows or one calls dead.',
  options: {
    tenant: { takes: 'NAMES', says: 'at these alone, by commas; otherwise wherever you oversee' },
    ...OPERATOR_OPTIONS,
  },
  example: 'brevet reconcile --tenant acme --as grace',
  run: async (given, terminal) => {
    const line = await operatorLine(given);
    const tenants = given.text('tenant');
    const body = tenants === undefined ? {} : { tenants: tenants.split(',') };
    const hunt = await line.send({ method: 'POST', path: '/api/reconcile', body });
    const { orphans, unasked } = hunt as { readonly orphans: readonly Body[]; readonly unasked: readonly Body[] };
    print(terminal, hunt, () => told(Number(hunt['targets']), orphans, unasked));
    const alive = orphans.some(({ evidence }) => evidence === null);
    return alive || unasked.length > 0 ? EXIT.fault : EXIT.done;
  },
};

function told(targets: number, orphans: readonly Body[], unasked: readonly Body[]): string {
  const rows = orphans.map((orphan) => [
    ...['tenant', 'target', 'mark'].map((column) => shown(orphan[column])),
    shown(orphan['lease'] ?? 'none'),
    orphan['evidence'] === null ? 'still there' : shown(orphan['evidence']),
  ]);
  return [
    `${counted(targets - unasked.length, 'target')} asked, ${counted(orphans.length, 'orphan')}`,
    ...(rows.length === 0 ? [] : ['', table(COLUMNS, rows)]),
    ...unasked.map(
      (one) => `${shown(one['tenant'])}/${shown(one['target'])} is NOT looked through: ${shown(one['why'])}`,
    ),
  ].join('\n');
}

export const commands: readonly Command[] = [reconcile];
