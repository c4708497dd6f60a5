import { setTimeout as pause } from 'node:timers/promises';
import { BLOCK_SCOPES } from '../core/block.ts';
import type { BlockScope } from '../core/block.ts';
import type { JsonObject } from '../core/canonical.ts';
import { nearest } from '../core/nearest.ts';
import { EXIT, UsageError } from './command.ts';
import type { Command, Given, Options } from './command.ts';
import { OPERATOR_OPTIONS, operatorLine } from './operator-line.ts';
import type { Body, OperatorLine } from './operator-line.ts';
import { printList } from './register.ts';
import { counted, fields, print, printable, shown, table } from './terminal.ts';
import type { Terminal } from './terminal.ts';

const AIM: Options = {
  tenant: { takes: 'NAMES', says: 'at these alone, by commas; otherwise wherever you oversee' },
};

/** Long enough for most targets that are slow, and short enough for whoever stands and waits. */
const DEFAULT_WAIT_S = 60;
/** Between two lines of progress. */
const EVERY_MS = 1_000;

/** @throws {UsageError} */
function scopeOf(word: string): BlockScope {
  const scope = BLOCK_SCOPES.find((one) => one === word);
  if (scope !== undefined) return scope;
  const meant = nearest(word, BLOCK_SCOPES);
  const remedy = meant === null ? `it is one of ${BLOCK_SCOPES.join(', ')}` : `did you mean ${meant}?`;
  throw new UsageError(`there is no scope ${printable(word)}; ${remedy}`);
}

function aimOf(given: Given): JsonObject {
  const [name, tenants] = [given.text('NAME'), given.text('tenant')];
  return {
    scope: scopeOf(given.need('SCOPE')),
    ...(name === undefined ? {} : { name }),
    ...(tenants === undefined ? {} : { tenants: tenants.split(',') }),
  };
}

const preview: Command = {
  name: 'block preview',
  says: 'Shows what a block would reach, and changes nothing.',
  takes: ['SCOPE', '[NAME]'],
  options: { ...AIM, ...OPERATOR_OPTIONS },
  example: 'brevet block preview agent triage-bot --as grace',
  run: async (given, terminal) => {
    const body = aimOf(given);
    const line = await operatorLine(given);
    const seen = await line.send({ method: 'POST', path: '/api/blocks/preview', body });
    print(terminal, seen, () => previewed(seen));
    return EXIT.done;
  },
};

function previewed(seen: Body): string {
  const rows = (seen['leases'] ?? []) as Body[];
  const head = `it would stand at ${placesIn(seen)}; ${counted(Number(seen['live']), 'credential')} not over`;
  return rows.length === 0 ? head : `${head}\n\n${table(COUNTED, rows.map(cells(COUNTED)))}`;
}

/** More names than these fill a line, and nobody reads them. */
const NAMED = 5;

function placesIn({ tenants }: Body): string {
  const names = tenants as readonly string[];
  const told = shown(names.slice(0, NAMED));
  return names.length > NAMED ? `${counted(names.length, 'tenant')}: ${told}, …` : told;
}

const COUNTED = ['tenant', 'target', 'provider', 'state', 'count'];
const cells =
  (columns: readonly string[]) =>
  (row: Body): string[] =>
    columns.map((column) => shown(row[column]));

const raise: Command = {
  name: 'block raise',
  says: `Stops everything inside a scope, at once and everywhere, ends what lives there, and shows how it dies.
SCOPE is lease, agent, owner, vendor, model, role, task, agent_task (AGENT/TASK), tenant, target, provider or everything.`,
  takes: ['SCOPE', '[NAME]'],
  options: {
    reason: { takes: 'TEXT', says: 'why, for the ledger', needed: true },
    until: { takes: 'TIME', says: 'when it ends by itself; otherwise when it is lifted' },
    'deny-role': {
      says: 'at AWS, all sessions that the roles of whole targets inside gave before, whoever asked for them',
    },
    drill: { says: 'a rehearsal, at a sandbox tenant, that ends by itself' },
    wait: { takes: 'N', says: `how many seconds to watch; ${DEFAULT_WAIT_S} by default, 0 not at all` },
    ...AIM,
    ...OPERATOR_OPTIONS,
  },
  example: `brevet block raise agent triage-bot --reason 'it mails strangers' --as grace`,
  run: async (given, terminal) => {
    const [aim, until, wait] = [aimOf(given), given.text('until'), given.whole('wait') ?? DEFAULT_WAIT_S];
    const line = await operatorLine(given);
    const body = {
      ...aim,
      reason: given.need('reason'),
      ...(until === undefined ? {} : { until }),
      ...(given.flag('drill') ? { drill: true } : {}),
      ...(given.flag('deny-role') ? { deny_role: true } : {}),
    };
    const asked = performance.now();
    const raised = await line.send({ method: 'POST', path: '/api/blocks', body });
    const took = Math.round(performance.now() - asked);
    terminal.err(`block ${shown(raised['id'])} stands at ${placesIn(raised)} (${took} ms)`);
    if (wait > 0) return watch(line, terminal, { id: String(raised['id']), wait });
    print(terminal, raised, () => `see how it ends what lives there: brevet block watch ${shown(raised['id'])}`);
    return EXIT.done;
  },
};

const watching: Command = {
  name: 'block watch',
  says: 'Shows how what a block reaches dies, until all of it is dead, and then how each is known to be.',
  takes: ['BLOCK'],
  options: {
    wait: { takes: 'N', says: `how many seconds to watch; ${DEFAULT_WAIT_S} by default` },
    ...OPERATOR_OPTIONS,
  },
  example: 'brevet block watch blk_01jq… --as grace',
  run: async (given, terminal) =>
    watch(await operatorLine(given), terminal, {
      id: given.need('BLOCK'),
      wait: given.whole('wait') ?? DEFAULT_WAIT_S,
    }),
};

/** @returns 0 once all of it is dead, 1 while something is alive. */
async function watch(
  line: OperatorLine,
  terminal: Terminal,
  { id, wait }: { readonly id: string; readonly wait: number },
): Promise<number> {
  const path = `/api/blocks/${encodeURIComponent(id)}`;
  const until = performance.now() + wait * 1000;
  let told = '';
  for (;;) {
    const block = await line.send({ method: 'GET', path });
    const progress = block['progress'] as Body;
    const now = progressLine(progress);
    // The exposure of a survivor grows all the time, and that alone is no news.
    if (withoutExposure(now) !== told) terminal.err(now);
    told = withoutExposure(now);
    if (progress['over'] === true || performance.now() >= until) return closing(line, terminal, { path, block });
    await pause(EVERY_MS);
  }
}

const withoutExposure = (line: string): string => line.replace(/worst exposure \d+ ms/, '');

const progressLine = (progress: Body): string => {
  const [slowest] = (progress['targets'] ?? []) as Body[];
  const [oldest] = (progress['survivors'] ?? []) as Body[];
  return [
    `${shown(progress['ended'])} ended: ${shown(progress['verified'])} seen dead, ${shown(progress['alive'])} dying`,
    `${shown(progress['not_ended_yet'])} to come`,
    `worst exposure ${shown(progress['worst_exposure_ms'])} ms`,
    ...(Number(slowest?.['alive'] ?? 0) > 0
      ? [`slowest ${shown(slowest?.['tenant'])}/${shown(slowest?.['target'])} (${shown(slowest?.['alive'])} left)`]
      : []),
    ...(oldest === undefined ? [] : [`oldest survivor ${shown(oldest['id'])}: ${shown(oldest['why'])}`]),
  ].join('; ');
};

const REPORT = ['lease', 'tenant', 'agent', 'target', 'dead', 'at', 'exposure ms', 'evidence or why not'];

async function closing(
  line: OperatorLine,
  terminal: Terminal,
  { path, block }: { readonly path: string; readonly block: Body },
): Promise<number> {
  const leases = await line.all(`${path}/leases`);
  const progress = block['progress'] as Body;
  print(terminal, { ...block, leases }, () =>
    [
      ...(leases.length === 0
        ? ['nothing inside it was live']
        : [table(REPORT, leases.toSorted((a, b) => concern(a) - concern(b)).map(proof))]),
      '',
      fields({
        block: block['id'],
        ...(block['deny_role'] === true ? { deny_role: 'all sessions that the roles gave before it was raised' } : {}),
        ended: progress['ended'],
        verified: progress['verified'],
        expired: progress['expired'],
        unverifiable: progress['unverifiable'],
        never_minted: progress['never_minted'],
        alive: Number(progress['alive']) + Number(progress['not_ended_yet']),
        worst_exposure_ms: progress['worst_exposure_ms'],
        all_dead_after_ms: progress['over'] === true ? (progress['took_ms'] ?? 0) : null,
      }),
      '',
      verdictOn(block, progress),
    ].join('\n'),
  );
  return progress['over'] === true ? EXIT.done : EXIT.fault;
}

function verdictOn({ id }: Body, progress: Body): string {
  if (progress['over'] !== true) {
    return `NOT OVER: the broker goes on with what is alive. Look again: brevet block watch ${shown(id)}`;
  }
  const unseen = Number(progress['unverifiable']);
  return unseen === 0 ? 'it is over' : `it is over, but for ${unseen} that nobody can look at`;
}

/** What is alive stands last, where the eye is when a long table has gone by; before it what nobody could look at. */
function concern({ state, death }: Body): number {
  if (state === 'revoking') return 2;
  return (death as Body | null)?.['how'] === 'unverifiable' ? 1 : 0;
}

function proof(lease: Body): string[] {
  const { how, at, evidence } = (lease['death'] ?? {}) as Body;
  const state = lease['state'] === 'failed' ? 'never minted' : shown(how ?? 'alive');
  const why = how === undefined ? shown(lease['why'] ?? 'not tried yet') : shown(evidence);
  return [
    ...['id', 'tenant', 'agent', 'target'].map((name) => shown(lease[name])),
    state,
    shown(at),
    shown(lease['exposure_ms']),
    why,
  ];
}

const lift: Command = {
  name: 'block lift',
  says: 'Lifts a block where you oversee and answer for nothing inside it. It revives nothing.',
  takes: ['BLOCK'],
  options: {
    reason: { takes: 'TEXT', says: 'why, for the ledger', needed: true },
    tenant: { takes: 'NAMES', says: 'at these alone, by commas' },
    ...OPERATOR_OPTIONS,
  },
  example: `brevet block lift blk_01jq… --reason 'the key was changed' --token-file token`,
  run: async (given, terminal) => {
    const line = await operatorLine(given);
    const tenants = given.text('tenant');
    const body = { reason: given.need('reason'), ...(tenants === undefined ? {} : { tenants: tenants.split(',') }) };
    const path = `/api/blocks/${encodeURIComponent(given.need('BLOCK'))}/lift`;
    const lifted = await line.send({ method: 'POST', path, body });
    print(terminal, lifted, () => liftedWords(lifted));
    return EXIT.done;
  },
};

function liftedWords(lifted: Body): string {
  const entries = (lifted['receipts'] as readonly Body[]).map(({ entry }) => entry);
  const left = lifted['left'] as readonly string[];
  const still = left.length === 0 ? '' : `; it still stands at ${placesIn({ tenants: left })}`;
  const how = entries.length === 0 ? liftedBefore(lifted) : `(${shown(entries)})`;
  return `block ${shown(lifted['id'])} is lifted at ${placesIn(lifted)} ${how}${still}`;
}

/** All of it by the same person, at one time or tenant by tenant. */
function liftedBefore(lifted: Body): string {
  const last = (lifted['lifted'] as readonly Body[]).at(-1);
  return `already, by ${shown(last?.['lifted_by'])} (${shown(last?.['lifted_at'])})`;
}

const list: Command = {
  name: 'block list',
  says: 'Lists blocks at the tenants that you oversee, newest first.',
  options: { standing: { says: 'those alone that are neither lifted nor over' }, ...OPERATOR_OPTIONS },
  example: 'brevet block list --standing --as grace',
  run: async (given, terminal) => {
    const line = await operatorLine(given);
    const query = given.flag('standing') ? { standing: 'true' } : {};
    const found = await line.all('/api/blocks', query);
    printList(terminal, found, ['id', 'scope', 'name', 'standing', 'from', 'until', 'author', 'reason', 'reported_at']);
    return EXIT.done;
  },
};

export const commands: readonly Command[] = [preview, raise, watching, lift, list];
