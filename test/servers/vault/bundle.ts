/** A bundle in which reports are read through a client's Vault. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import { READS_LOGIN } from './agent.ts';

/** @param folder a copy of the shipped bundle, which is changed. */
export async function readThroughVault(folder: string): Promise<void> {
  const file = join(folder, 'tasks.yaml');
  const tasks = parseDocument(await readFile(file, 'utf8'));
  tasks.setIn(['tasks', 'report.query', 'provider'], 'vault');
  tasks.setIn(['tasks', 'report.query', 'template'], READS_LOGIN);
  await writeFile(file, tasks.toString());
}
