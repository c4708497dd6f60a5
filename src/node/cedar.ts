/**
 * Cedar for Node. Its 4 MB of code are compiled beside this thread, from when this file is loaded on: an entry that
 * loads it first has the engine by the time that the rest is there.
 */
import { readFile } from 'node:fs/promises';
import initialize, * as cedar from '@cedar-policy/cedar-wasm/web';

const CODE = new URL('cedar_wasm_bg.wasm', import.meta.resolve('@cedar-policy/cedar-wasm/web'));

const initialized = readFile(CODE).then((code) => initialize({ module_or_path: code }));
// Whoever asks for the engine hears of a failure; where nobody does, it is none.
initialized.catch(() => undefined);

/** The engine, ready to be asked. */
export async function loadCedar(): Promise<typeof cedar> {
  await initialized;
  return cedar;
}
