/** How a process that runs several test files says, on stdout, that one of them has ended. */

export interface Ended {
  /** What a process of its own would have ended with. */
  readonly status: number;
  /** What would have kept that process from ending, by Node's names of resources. */
  readonly open: readonly string[];
}

/** Begun as nothing is that a test prints. */
export const endedLine = (ended: Ended): string => `\0ended ${JSON.stringify(ended)}\n`;

/** What the process is told instead of a file's address when there are no more. */
export const END = 'end';

const LINE = /\0ended (.*)\n/;

/** @returns `null` while it has not come. */
export function findEnded(said: string): Ended | null {
  const [, found] = LINE.exec(said) ?? [];
  return found === undefined ? null : (JSON.parse(found) as Ended);
}

export const withoutEnded = (said: string): string => said.replace(LINE, '');

/** What is wrong with that end; `undefined` where nothing is. */
export function problemIn({ status, open }: Ended): string | undefined {
  if (open.length > 0) return `left open: ${open.join(', ')}`;
  return status === 0 ? undefined : `ended with status ${status}`;
}
