import { createInterface } from 'node:readline/promises';
import { BrevetRefused } from '../client/error.ts';
import { readFolder } from './apply/folder.ts';
import { bodyOf, planOf } from './apply/plan.ts';
import type { Step } from './apply/plan.ts';
import { EXIT } from './command.ts';
import type { Command, Given } from './command.ts';
import { OPERATOR_OPTIONS, operatorLine } from './operator-line.ts';
import type { OperatorLine } from './operator-line.ts';
import { REASON, reasonHeaders } from './register.ts';
import { print, printable, table } from './terminal.ts';
import type { Terminal } from './terminal.ts';

const apply: Command = {
  name: 'apply',
  says: 'Shows what a folder of registers would create and change, and does it after --yes, or a yes on the terminal.',
  options: {
    file: { takes: 'FOLDER', short: 'f', says: 'people.yaml, tenants.yaml, agents.yaml and so on', needed: true },
    yes: { says: 'do it without asking' },
    ...REASON,
    ...OPERATOR_OPTIONS,
  },
  example: 'brevet apply -f registers --as ada',
  run: async (given, terminal) => {
    const folder = readFolder(given.need('file'));
    if (!folder.ok) {
      print(terminal, { problems: folder.error }, () =>
        folder.error.map(({ file, line, what }) => printable(`${file}:${line}: ${what}`)).join('\n'),
      );
      return EXIT.usage;
    }
    const line = await operatorLine(given);
    const plan = await planOf(line, folder.value);
    if (!terminal.json) terminal.out(shownPlan(plan));
    const steps = plan.filter(({ effect }) => effect !== 'nothing');
    const isToldTo = steps.length > 0 && (given.flag('yes') || (await isAnswered(terminal)));
    const done = isToldTo ? await act(line, steps, given) : null;
    return tell(terminal, plan, done);
  },
};

const shownPlan = (plan: readonly Step[]): string =>
  table(
    ['does', 'register', 'what', 'differs', 'takes'],
    plan.map(({ effect, wanted, differs, takesTwo }) => [
      effect,
      wanted.register,
      printable(wanted.called),
      differs.join(', '),
      takesTwo ? 'two persons after set-up' : '',
    ]),
  );

/** A program is not asked: it says --yes, or gets the plan. */
async function isAnswered(terminal: Terminal): Promise<boolean> {
  if (terminal.json || !process.stdin.isTTY) return false;
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await asking.question('Do it? (yes) ');
  asking.close();
  return answer.trim() === 'yes';
}

interface Done {
  readonly made: readonly Step[];
  readonly waiting: readonly Step[];
}

/** In their order; what takes a second person is left for them, and any other refusal ends it. */
async function act(line: OperatorLine, steps: readonly Step[], given: Given): Promise<Done> {
  const made: Step[] = [];
  const waiting: Step[] = [];
  for (const step of steps) {
    const { path } = step.wanted;
    const headers = { ...step.headers, ...reasonHeaders(given).headers };
    const place =
      path === null ? ({ method: 'POST', path: '/api/assignments' } as const) : ({ method: 'PUT', path } as const);
    try {
      await line.send({ ...place, body: bodyOf(step.wanted), headers });
      made.push(step);
    } catch (error) {
      if (!(error instanceof BrevetRefused) || error.code !== 'takes_two_persons') throw error;
      waiting.push(step);
    }
  }
  return { made, waiting };
}

function tell(terminal: Terminal, plan: readonly Step[], done: Done | null): number {
  const named = (steps: readonly Step[]) =>
    steps.map(({ wanted, effect, differs, takesTwo }) => ({
      register: wanted.register,
      name: wanted.called,
      effect,
      differs,
      takes_two: takesTwo,
    }));
  const [made, waiting] = [done?.made ?? [], done?.waiting ?? []];
  print(terminal, { plan: named(plan), made: named(made), waiting: named(waiting) }, () =>
    done === null
      ? 'nothing was changed'
      : [
          `${made.length} made`,
          ...waiting.map(({ wanted }) => `a second person has to: ${wanted.register} ${printable(wanted.called)}`),
        ].join('\n'),
  );
  return waiting.length > 0 ? EXIT.waiting : EXIT.done;
}

export const commands: readonly Command[] = [apply];
