/** Whether a process still runs, as seen from outside. */
import { readFileSync } from 'node:fs';

/** The state of a process that ended and whose number is in use only until its parent has asked for its status. */
const ENDED = 'Z';

/**
 * A process of another user answers EPERM, and lives. One that ended when its parent did waits for the machine's first
 * process to reap it, which on a busy machine takes a while: its number is in use, and nothing runs.
 */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
  return stateOf(pid) !== ENDED;
}

/** @see https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html: the state follows the name, which may hold anything */
function stateOf(pid: number): string | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2)[0];
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH')) return ENDED;
    throw error;
  }
}
