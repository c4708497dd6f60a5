/**
 * Running the command: it has the terminal, and gets the signals that `exec` gets. `exec` itself outlives them, since
 * it has a lease to complete.
 */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';

/** Those by which people and supervisors end a command. */
const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;
type Forwarded = (typeof FORWARDED)[number];
/** By a key, which sends them to all that run at the terminal. */
const TYPED: readonly Forwarded[] = ['SIGINT', 'SIGQUIT'];

export interface Signals {
  /** The first that came; `null` while none has. */
  received(): Forwarded | null;
  /** Gets every signal from now on. */
  forwardTo(deliver: ((signal: Forwarded) => void) | null): void;
}

/** From here on none of them ends this process. */
export function listenForSignals(): Signals {
  let first: Forwarded | null = null;
  let deliver: ((signal: Forwarded) => void) | null = null;
  for (const signal of FORWARDED) {
    process.on(signal, () => {
      first ??= signal;
      // A terminal has sent Ctrl-C to the command as well; a second one would be somebody else's word.
      if (!TYPED.includes(signal) || !process.stdin.isTTY) deliver?.(signal);
    });
  }
  return {
    received: () => first,
    forwardTo: (to) => {
      deliver = to;
    },
  };
}

export interface Run {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export interface RunEnd {
  /** As a shell has it: 128 and the signal's number, 127 for what is not there, 126 for what cannot be run. */
  readonly status: number;
  /** Why it did not run; `null` where it did. */
  readonly problem: string | null;
}

export function runCommand({ program, args, env }: Run, signals: Signals): Promise<RunEnd> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { env, stdio: 'inherit' });
    const end = (status: number, problem: string | null): void => {
      signals.forwardTo(null);
      resolve({ status, problem });
    };
    signals.forwardTo((signal) => void child.kill(signal));
    child.on('error', (error: NodeJS.ErrnoException) => {
      // Also a signal that could not be sent to a command which runs: that changes nothing.
      if (child.pid !== undefined) return;
      if (error.code === 'ENOENT') end(127, 'there is no such command');
      else end(126, `it could not be run (${error.code})`);
    });
    child.on('exit', (code, signal) => end(code ?? 128 + (signal === null ? 0 : constants.signals[signal]), null));
  });
}
