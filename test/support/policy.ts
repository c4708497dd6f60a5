/** The shipped bundle without its budgets, for those who ask more than any agent should. */
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseDocument } from 'yaml';

export const POLICY_DIR = fileURLToPath(new URL('../../policy', import.meta.url));

/** Writes a copy. @returns its folder. */
export async function withoutBudgets(folder: string): Promise<string> {
  await cp(POLICY_DIR, folder, { recursive: true });
  const whole = join(folder, 'bundle.yaml');
  const said = parseDocument(await readFile(whole, 'utf8'));
  said.delete('budgets');
  await writeFile(whole, said.toString());
  return folder;
}
