/**
 * The shipped bundle in part: without its budgets and breakers for those who ask, and are refused, more than any agent
 * should; without its cases for who tries none.
 */
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseDocument } from 'yaml';
import type { BundleFiles } from '../../src/core/registers.ts';
import { temporaryFolder } from './leftovers.ts';

export const POLICY_DIR = fileURLToPath(new URL('../../policy', import.meta.url));

export const withoutCases = (files: BundleFiles): BundleFiles =>
  Object.fromEntries(Object.entries(files).filter(([path]) => !path.startsWith('cases/')));

/** A folder with the shipped bundle but for its cases: quicker to start with. One for this process. */
export const policyWithoutCases = (): Promise<string> => (lean ??= temporaryFolder('policy').then(copyWithoutCases));

let lean: Promise<string> | undefined;

/** @returns the folder. */
export async function copyWithoutCases(folder: string): Promise<string> {
  await cp(POLICY_DIR, folder, { recursive: true });
  await rm(join(folder, 'cases'), { recursive: true });
  return folder;
}

/** Writes a copy, without cases too. @returns its folder. */
export async function withoutBudgetsOrBreakers(folder: string): Promise<string> {
  await copyWithoutCases(folder);
  const whole = join(folder, 'bundle.yaml');
  const said = parseDocument(await readFile(whole, 'utf8'));
  said.delete('budgets');
  said.delete('breakers');
  await writeFile(whole, said.toString());
  return folder;
}
