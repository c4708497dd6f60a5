/**
 * A page of the documentation, walked as its reader would: its commands are typed, its other blocks taken as what they
 * are, and what is seen is held against what the page shows. With `BREVET_WRITE=1` the page is written anew with what
 * was seen. What happens to the reader and is no command stands in the page as a comment, `<!-- walk: what happens -->`.
 */
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { residentBrevet } from '../cli/resident.ts';

const isWriting = process.env['BREVET_WRITE'] === '1';

/** A fenced block of another kind than `console`. */
export interface Block {
  readonly kind: string;
  readonly text: string;
  /** What stands before it in the page. */
  readonly before: string;
}

export interface Walker {
  /** @returns what the terminal shows. */
  type(command: string): Promise<string>;
  /** @returns the block as it was seen; where it shows nothing that can be seen, as it is. */
  take(block: Block): string | Promise<string>;
  /** By the words of its comment. */
  readonly happens?: Readonly<Record<string, () => Promise<unknown>>>;
  /** What of an output stays the same from one walk to the next. */
  essence(shown: string): string;
}

const PART = /^```(?<kind>\w+)\n(?<text>[^]*?)^```$|^<!-- walk: (?<event>.+) -->$/gm;

/** @returns how many commands were typed. */
export async function walkPage(path: string, walker: Walker): Promise<number> {
  const page = readFileSync(path, 'utf8');
  let written = '';
  let count = 0;
  let from = 0;
  for (const { 0: whole, index, groups = {} } of page.matchAll(PART)) {
    const { kind, text = '', event } = groups;
    written += page.slice(from, index);
    from = index + whole.length;
    if (event !== undefined) await happen(walker, event);
    const walked = kind === 'console' ? await typeAll(walker, text) : { text, commands: 0 };
    if (kind === undefined) written += whole;
    else if (kind === 'console') written += fenced(kind, walked.text);
    else written += fenced(kind, await taken(walker, { kind, text, before: page.slice(0, index) }));
    count += walked.commands;
  }
  if (isWriting) writeFileSync(path, written + page.slice(from));
  return count;
}

const fenced = (kind: string, text: string): string => `\`\`\`${kind}\n${text}\`\`\``;

async function happen({ happens = {} }: Walker, event: string): Promise<void> {
  const act = happens[event];
  if (act === undefined) throw new Error(`nobody knows how this happens: ${event}`);
  await act();
}

async function taken(walker: Walker, block: Block): Promise<string> {
  const seen = await walker.take(block);
  if (!isWriting) assert.is(walker.essence(seen), walker.essence(block.text));
  return seen;
}

async function typeAll({ type, essence }: Walker, text: string): Promise<{ text: string; commands: number }> {
  let seen = '';
  const commands = commandsIn(text);
  for (const { command, shown: expected } of commands) {
    const shown = await type(command);
    seen += `$ ${command}\n${shown === '' ? '' : `${shown}\n`}`;
    if (!isWriting) assert.is(essence(shown), essence(expected), command);
  }
  return { text: seen, commands: commands.length };
}

/** Each command of a block, with what the page shows after it. */
const commandsIn = (text: string): readonly { readonly command: string; readonly shown: string }[] =>
  text
    .split(/^\$ /m)
    .slice(1)
    .map((one) => {
      const end = one.indexOf('\n');
      return { command: one.slice(0, end), shown: one.slice(end + 1).trimEnd() };
    });

/** But for ids, hashes, times and how wide a column is. */
export const essenceOf = (shown: string): string =>
  shown
    .replace(/\b([a-z]{3})_[0-7][0-9a-hjkmnp-tv-z]{25}\b/g, '$1_…')
    .replace(/\b[0-9a-f]{64}\b/g, '…')
    .replace(/\d{4}-\d{2}-\d{2}T[\d:.]+Z/g, 'T')
    .replace(/ +/g, ' ')
    .trim();

interface Shell {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/** @returns what a terminal shows. */
export const typeIn = (shell: Shell, command: string): Promise<string> =>
  isPlain(command) ? typeResident(shell, command) : typeInShell(shell, command);

/** Words alone, which go to the resident command line. An agent's command runs another, so it is a process. */
const isPlain = (command: string): boolean => /^brevet (?!exec )[^|<>;&`]*$/.test(command) && !command.includes('$(');

/** The shell reads the words, and no process starts for what only calls and prints. */
async function typeResident(shell: Shell, command: string): Promise<string> {
  const words = await typeInShell(shell, `set -- ${command}; printf '%s\\n' "$@"`);
  const { out, err } = await residentBrevet(words.split('\n').slice(1), shell);
  return `${err}${out}`.trimEnd();
}

/** Both streams as they come, as a terminal has them. */
async function typeInShell({ cwd, env }: Shell, command: string): Promise<string> {
  const child = spawn('sh', ['-c', command], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let shown = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (shown += text));
  await new Promise((closed) => child.on('close', closed));
  return shown.trimEnd();
}
