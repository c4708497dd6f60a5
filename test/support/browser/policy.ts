/** The bundle of a console's world, changed in part and activated by ada: in set-up one administrator may. */
import { parseDocument } from 'yaml';
import type { BundleFiles } from '../../../src/core/registers.ts';
import { readBundle } from '../../../src/node/first-bundle.ts';
import { must } from '../../acceptance/broker.ts';
import { policyWithoutCases } from '../policy.ts';
import type { ConsoleWorld } from './world.ts';

export async function startingBundle(): Promise<BundleFiles> {
  const files = await readBundle(await policyWithoutCases());
  if (files === null) throw new Error('there is no policy');
  return files;
}

/** Of one file in YAML, what stands at these paths instead. */
export function edited(files: BundleFiles, file: string, places: readonly (readonly [path: string, value: unknown])[]) {
  const said = parseDocument(files[file] ?? '');
  for (const [path, value] of places) said.setIn(path.split('/').map(stepOf), said.createNode(value));
  return { ...files, [file]: said.toString() };
}

const stepOf = (text: string): string | number => (/^\d+$/.test(text) ? Number(text) : text);

export const activate = async ({ ada, place }: ConsoleWorld, files: BundleFiles): Promise<void> =>
  void (await must('POST', `${place.url}/api/policy/activate`, { token: ada.token, body: { files } }));
