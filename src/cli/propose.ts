/** What takes two persons, from the command line: one proposes it, and is told what to hand to the other. */
import type { JsonObject } from '../core/canonical.ts';
import { EXIT } from './command.ts';
import type { Options } from './command.ts';
import { foundOutAbout } from './diff-words.ts';
import type { Body, OperatorLine } from './operator-line.ts';
import { print, shown } from './terminal.ts';
import type { Terminal } from './terminal.ts';

/** On commands that write what may take two. */
export const PROPOSING: Options = {
  propose: { takes: 'REASON', says: 'propose it, with this reason, for a second person to confirm' },
};

export async function propose(line: OperatorLine, terminal: Terminal, body: JsonObject): Promise<number> {
  return proposed(terminal, await line.send({ method: 'POST', path: '/api/changes', body }));
}

/** What to hand to the second person. */
export function proposed(terminal: Terminal, answer: Body): number {
  const change = (answer['change'] ?? {}) as Body;
  const { id, hash, what, expires_at } = change;
  const found = foundOutAbout(change);
  print(terminal, answer, () =>
    [
      ...(found === '' ? [] : [found, '']),
      `${shown(what)}: proposed as ${shown(id)}, until ${shown(expires_at)}`,
      'Another administrator looks at it and confirms it:',
      `  brevet change show ${shown(id)}`,
      `  brevet change confirm ${shown(id)} --hash ${shown(hash)}`,
    ].join('\n'),
  );
  return EXIT.done;
}
