/** Builds what the suites against real servers need, once for a machine and outside the time limit of a file. */
import { vaultBinary } from '../support/vault.ts';

/** @param files those that will run. */
export async function prepare(files: readonly string[]): Promise<void> {
  if (!files.some((file) => /\/servers\/(?:vault|blocks)\//.test(file))) return;
  const started = performance.now();
  await vaultBinary();
  console.log(`Vault is there, after ${((performance.now() - started) / 1000).toFixed(1)} s`);
}
