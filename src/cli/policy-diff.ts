/** `policy diff`: who gains or loses what between two bundles, as a table for people. */
import * as cedar from '@cedar-policy/cedar-wasm/nodejs';
import { createCedar } from '../decide/cedar.ts';
import { diffBundles, diffWire, exampleTrial } from '../decide/diff.ts';
import { createRulebook } from '../decide/rulebook.ts';
import { EXIT } from './command.ts';
import type { Command } from './command.ts';
import { report } from './diff-words.ts';
import { withBundle } from './policy-folder.ts';
import { print } from './terminal.ts';

export const diff: Command = {
  name: 'policy diff',
  says: 'Shows which agents and people gain or lose what between two bundles. Needs no broker. Ends with 0 either way.',
  takes: ['FOLDER_A', 'FOLDER_B'],
  example: 'brevet policy diff ./policy ./policy-next',
  run: async (given, terminal) => {
    const engine = createCedar(cedar);
    return withBundle(terminal, given.need('FOLDER_A'), engine, (before) =>
      withBundle(terminal, given.need('FOLDER_B'), engine, (after) => {
        const trial = exampleTrial(before, after, createRulebook(engine, { keepAnswers: false }));
        // A bundle answers as it does: nothing needs to be tried.
        const found = diffBundles(before.version === after.version ? { ...trial, worlds: [] } : trial);
        print(terminal, diffWire(found), () => report(found));
        return EXIT.done;
      }),
    );
  },
};
