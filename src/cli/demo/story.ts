/** How the demo prints: a heading for each step and, under it, what happened. Nothing is printed that did not. */
import type { Terminal } from '../terminal.ts';

export interface Story {
  step(title: string): void;
  saw(what: string): void;
}

export function tellOn(terminal: Terminal): Story {
  let steps = 0;
  return {
    step(title) {
      steps += 1;
      terminal.out(`\n${steps}. ${title}`);
    },
    saw(what) {
      terminal.out(`   ${what}`);
    },
  };
}

/** What the demo shows did not happen. */
export class DemoFailed extends Error {
  override readonly name = 'DemoFailed';
}

export function mustBe(holds: boolean, what: string): void {
  if (!holds) throw new DemoFailed(`the demo expected ${what}`);
}
