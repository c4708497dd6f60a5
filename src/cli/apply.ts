import { createInterface } from 'node:readline/promises';
import { BrevetRefused } from '../client/error.ts';
import { sentBody } from './apply/compare.ts';
import { readFolder } from './apply/folder.ts';
import { planOf } from './apply/plan.ts';
import type { Step } from './apply/plan.ts';
import { proposalOf } from './apply/two.ts';
import { EXIT, UsageError } from './command.ts';
import type { Command, Given } from './command.ts';
import { OPERATOR_OPTIONS, operatorLine } from './operator-line.ts';
import type { Body, OperatorLine } from './operator-line.ts';
import { REASON, reasonHeaders } from './register.ts';
import { print, printable, shown, table } from './terminal.ts';
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
  example: `brevet apply -f registers --reason 'As in git' --as ada`,
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
    const steps = plan.filter(({ effect, way }) => effect !== 'nothing' && way.is !== 'proposed' && way.is !== 'later');
    const isToldTo = steps.length > 0 && (given.flag('yes') || (await isAnswered(terminal)));
    const done = isToldTo ? await act(line, steps, given) : null;
    return tell(terminal, plan, done);
  },
};

const shownPlan = (plan: readonly Step[]): string =>
  table(
    ['does', 'register', 'what', 'differs', 'how'],
    plan.map((step) => [
      step.effect,
      step.wanted.register,
      printable(step.wanted.called),
      step.differs.join(', '),
      howOf(step),
    ]),
  );

function howOf({ way, takesTwo }: Step): string {
  switch (way.is) {
    case 'alone':
      return takesTwo ? 'by one: two persons after set-up' : '';
    case 'propose':
      return 'proposed to a second person';
    case 'proposed':
      return `waits for a second person: ${printable(way.change)}`;
    case 'later':
      return `once there is ${printable(way.after)}`;
  }
}

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
  readonly proposed: readonly { readonly step: Step; readonly change: Body }[];
}

/** In their order. What takes a second person is proposed to them, and any other refusal ends it. */
async function act(line: OperatorLine, steps: readonly Step[], given: Given): Promise<Done> {
  if (steps.some(({ way }) => way.is === 'propose')) reasonOf(given);
  const made: Step[] = [];
  const proposed: Done['proposed'][number][] = [];
  for (const step of steps) {
    if (await isDone(line, step, given)) {
      made.push(step);
      continue;
    }
    const body = { ...proposalOf(step.wanted), reason: reasonOf(given) };
    const answer = await line.send({ method: 'POST', path: '/api/changes', body });
    proposed.push({ step, change: answer['change'] as Body });
  }
  return { made, proposed };
}

function reasonOf(given: Given): string {
  const reason = given.text('reason');
  if (reason === undefined) throw new UsageError('say --reason: what takes two persons is proposed with it');
  return reason;
}

/** @returns false where it takes a second person, which the broker says. */
async function isDone(line: OperatorLine, { wanted, headers }: Step, given: Given): Promise<boolean> {
  const { path } = wanted;
  const place =
    path === null ? ({ method: 'POST', path: '/api/assignments' } as const) : ({ method: 'PUT', path } as const);
  const sent = { ...place, body: sentBody(wanted), headers: { ...headers, ...reasonHeaders(given).headers } };
  try {
    await line.send(sent);
    return true;
  } catch (error) {
    if (error instanceof BrevetRefused && error.code === 'takes_two_persons') return false;
    throw error;
  }
}

const named = ({ wanted, effect, differs, takesTwo, way }: Step) => ({
  register: wanted.register,
  name: wanted.called,
  effect,
  differs,
  takes_two: takesTwo,
  way,
});

function tell(terminal: Terminal, plan: readonly Step[], done: Done | null): number {
  const waiting = plan.filter(({ way }) => way.is === 'proposed' || way.is === 'later');
  const [made, proposed] = [done?.made ?? [], done?.proposed ?? []];
  const answer = {
    plan: plan.map(named),
    made: made.map(named),
    proposed: proposed.map(({ step, change: { id, hash } }) => ({ ...named(step), change: id, hash })),
    waiting: waiting.map(named),
  };
  print(terminal, answer, () =>
    done === null
      ? 'nothing was changed'
      : [
          `${made.length} made, ${proposed.length} proposed`,
          ...proposed.map(({ change: { id, hash } }) => `  brevet change confirm ${shown(id)} --hash ${shown(hash)}`),
          ...(waiting.length > 0 ? [`${waiting.length} wait: apply again once what they rest on is confirmed`] : []),
        ].join('\n'),
  );
  return waiting.length + proposed.length > 0 ? EXIT.waiting : EXIT.done;
}

export const commands: readonly Command[] = [apply];
