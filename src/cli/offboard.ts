import { EXIT } from './command.ts';
import type { Command, Given } from './command.ts';
import { OPERATOR_OPTIONS, operatorLine } from './operator-line.ts';
import type { Body, OperatorLine } from './operator-line.ts';
import { print, shown, table } from './terminal.ts';

/** Long enough for a target that is slow, and short enough for whoever stands and waits. */
const DEFAULT_WAIT_S = 60;
/** The most that the broker waits in one answer. */
const ONE_ANSWER_S = 30;

const offboard: Command = {
  name: 'offboard',
  says: 'Disables a person, agent or vendor, or removes a tenant, ends all that it held and prints the proof of each death.',
  takes: ['KIND', 'NAME'],
  options: {
    reason: { takes: 'TEXT', says: 'why, for the ledger', needed: true },
    wait: { takes: 'N', says: 'how many seconds to wait for the deaths; 60 by default' },
    ...OPERATOR_OPTIONS,
  },
  example: `brevet offboard person olga --reason 'left the firm' --as ada`,
  run: async (given, terminal) => {
    const line = await operatorLine(given);
    const [kind, name, reason] = [given.need('KIND'), given.need('NAME'), given.need('reason')];
    const done = await line.send({ method: 'POST', path: '/api/offboard', body: { kind, name, reason } });
    const query = { kind, name, since: String(done['since']) };
    const alive = await waitForDeaths(line, query, waitOf(given));
    const leases = await line.all('/api/offboard', query);
    print(terminal, { ...done, alive, leases }, () =>
      [`${kind} ${name} is offboarded (${shown(receiptOf(done))})`, '', ...report(leases)].join('\n'),
    );
    return leases.every(isDead) ? EXIT.done : EXIT.fault;
  },
};

const waitOf = (given: Given): number => given.whole('wait') ?? DEFAULT_WAIT_S;

const receiptOf = (answer: Body): unknown => (answer['receipt'] as Body | undefined)?.['entry'];

/** @returns how many are alive then. */
async function waitForDeaths(line: OperatorLine, query: Readonly<Record<string, string>>, wait: number) {
  for (let left = wait; ; left -= ONE_ANSWER_S) {
    const asked = { ...query, limit: '1', wait: String(Math.min(left, ONE_ANSWER_S)) };
    const { alive } = await line.send({
      method: 'GET',
      path: `/api/offboard?${new URLSearchParams(asked).toString()}`,
    });
    if (alive === 0 || left <= ONE_ANSWER_S) return alive;
  }
}

const isDead = ({ state }: Body): boolean => state === 'revoked' || state === 'failed';

function report(leases: readonly Body[]): string[] {
  if (leases.length === 0) return ['it held nothing that was live'];
  const head = ['lease', 'tenant', 'agent', 'provider', 'dead', 'evidence', 'exposure ms'];
  const dead = leases.filter(isDead).length;
  return [
    table(head, leases.map(proof)),
    '',
    dead === leases.length
      ? `all ${leases.length} are dead`
      : `${dead} of ${leases.length} are dead; the queue goes on with the others, those that stand here as alive`,
  ];
}

function proof(lease: Body): string[] {
  const { how, evidence } = (lease['death'] ?? {}) as Body;
  const dead = isDead(lease) ? shown(how ?? 'never minted') : `alive (${shown(lease['state'])})`;
  return [...['id', 'tenant', 'agent', 'provider'].map((name) => shown(lease[name])), dead, shown(evidence)].concat(
    shown(lease['exposure_ms']),
  );
}

export const commands: readonly Command[] = [offboard];
