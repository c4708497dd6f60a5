/**
 * One command under one lease: asks, runs the command with what its tools already read, and completes the lease
 * however the command ends. What `exec` itself cannot do after `kill -9`, the broker does at the lease's end.
 */
import { constants } from 'node:os';
import { createBrevet } from '../client/brevet.ts';
import type { Brevet } from '../client/brevet.ts';
import type { Narrower } from '../client/answer.ts';
import { BrevetWaiting } from '../client/error.ts';
import { optionsFromEnvironment } from '../client/environment.ts';
import type { AgentLease, Ended, TaskOutcome } from '../client/lease.ts';
import { UsageError } from './command.ts';
import type { Command } from './command.ts';
import { ASKING, requestOf } from './exec/ask.ts';
import { refuseBesideKey } from './exec/beside-key.ts';
import { environmentFor } from './exec/environment.ts';
import { listenForSignals, runCommand } from './exec/run.ts';
import type { Run, RunEnd, Signals } from './exec/run.ts';
import { shown } from './terminal.ts';
import type { Terminal } from './terminal.ts';

const exec: Command = {
  name: 'exec',
  says: 'Runs a command with a credential for one task, which is gone when the command ends.',
  runs: true,
  options: {
    ...ASKING,
    wait: { takes: 'SECONDS', says: 'wait so long where a person is asked, and go on by itself once they approve' },
    'accept-narrower': { says: 'take less than was asked, where a person would approve that' },
    'same-user': { says: 'run even though this user can read the deployment key: for a first try alone' },
  },
  example: `brevet exec --tenant acme --task report.query --resource tickets --reason 'weekly numbers' -- psql -c 'select 1'`,
  run: async (given, terminal) => {
    const [program, ...args] = given.rest;
    if (program === undefined) throw new UsageError('a command is missing: put it after --');
    // Before anybody is asked.
    const wait = given.whole('wait');
    refuseBesideKey(given, terminal);
    const signals = listenForSignals();
    // The name of the program alone: its arguments may hold anything.
    const asked = requestOf(given, `brevet exec: ${program.split('/').at(-1)}`);
    const tenant = given.text('tenant');
    const brevet = createBrevet(optionsFromEnvironment(tenant === undefined ? {} : { tenant }));
    try {
      return await underLease(await brevet.ask(asked), { program, args }, signals, terminal);
    } catch (error) {
      if (!(error instanceof BrevetWaiting) || wait === undefined) throw error;
      const lease = await whenAnswered(
        brevet,
        error,
        { wait, less: given.flag('accept-narrower') },
        { signals, terminal },
      );
      if (typeof lease === 'number') return lease;
      return await underLease(lease, { program, args }, signals, terminal);
    }
  },
};

/** @returns the status to end with, where a signal ends the wait. */
async function whenAnswered(
  brevet: Brevet,
  waiting: BrevetWaiting,
  { wait, less }: { readonly wait: number; readonly less: boolean },
  { signals, terminal }: { readonly signals: Signals; readonly terminal: Terminal },
): Promise<AgentLease | number> {
  const stop = new AbortController();
  signals.forwardTo(() => stop.abort());
  terminal.err(`brevet: ${waiting.message}; waiting for ${wait} s at most`);
  const narrower = (offer: Narrower): boolean => takesNarrower(offer, less, terminal);
  try {
    return await brevet.whenAnswered(waiting, { wait, signal: stop.signal, narrower });
  } catch (error) {
    const stopped = signals.received();
    if (stopped === null || !stop.signal.aborted) throw error;
    return 128 + constants.signals[stopped];
  } finally {
    signals.forwardTo(null);
  }
}

/** What less would be is told either way. */
function takesNarrower({ ttl, uses, parameters }: Narrower, takes: boolean, terminal: Terminal): boolean {
  const offer = `${ttl} s, ${uses} uses, ${JSON.stringify(parameters)}`;
  terminal.err(`brevet: a person would approve less: ${shown(offer)}; ${takes ? 'taken' : 'not taken, and withdrawn'}`);
  return takes;
}

type Program = Pick<Run, 'program' | 'args'>;

async function underLease(lease: AgentLease, command: Program, signals: Signals, terminal: Terminal): Promise<number> {
  const stopped = signals.received();
  if (stopped !== null) {
    await complete(lease, { outcome: 'abandoned', summary: `Stopped by ${stopped} before it began.` }, terminal);
    return 128 + constants.signals[stopped];
  }
  const ended = await runUnder(lease, command, signals, terminal);
  if (ended.problem !== null) terminal.err(`brevet: ${command.program}: ${ended.problem}`);
  const outcome = ended.status === 0 ? 'succeeded' : 'failed';
  await complete(lease, { outcome, summary: `The command ended with ${ended.status}.` }, terminal);
  return ended.status;
}

/** A credential that no command can be given is not left to live until its end. */
async function runUnder(lease: AgentLease, command: Program, signals: Signals, terminal: Terminal): Promise<RunEnd> {
  try {
    return await lease.use((credential) =>
      runCommand({ ...command, env: environmentFor(process.env, credential) }, signals),
    );
  } catch (error) {
    await complete(lease, { outcome: 'abandoned', summary: 'The command was never run.' }, terminal);
    throw error;
  }
}

/** What the lease's end has come to is told on stderr; the command's own status stays what it is. */
async function complete(lease: AgentLease, outcome: TaskOutcome, terminal: Terminal): Promise<void> {
  try {
    terminal.err(`brevet: ${sentence(await lease.done(outcome))}`);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    terminal.err(`brevet: lease ${lease.id} could not be completed (${why}): the broker ends it at ${lease.expiresAt}`);
  }
}

function sentence({ id, state, death, exposureMs }: Ended): string {
  const exposure = exposureMs === null ? '' : `, exposure ${exposureMs} ms`;
  return state === 'revoked' ? `lease ${id} revoked, ${shown(death)}${exposure}` : `lease ${id} is ${state}`;
}

export const commands: readonly Command[] = [exec];
