/** Makes what the nodes' targets need, once for a machine and outside the time limit of a file. */
import { pythonWithMoto } from '../support/aws/venv.ts';
import { vaultBinary } from '../support/vault.ts';

/** @param files those that will run. */
export async function prepare(files: readonly string[]): Promise<void> {
  if (!files.some((file) => file.includes('kills.test'))) return;
  const started = performance.now();
  await Promise.all([vaultBinary(), pythonWithMoto()]);
  console.log(`Vault and moto are there, after ${((performance.now() - started) / 1000).toFixed(1)} s`);
}
