/** What the bench's own servers share as processes: arguments as `--name value`, and saying where they serve. */
import { fileURLToPath } from 'node:url';

export const POLICY_DIR = fileURLToPath(new URL('../../policy', import.meta.url));

export function argument(name: string): string {
  const at = process.argv.indexOf(`--${name}`);
  const value = at < 0 ? undefined : process.argv[at + 1];
  if (value === undefined) throw new Error(`--${name} is missing`);
  return value;
}

/** To the process that started this one, and whose end ends it. */
export function announce(port: number): void {
  process.send?.({ port });
  process.once('disconnect', () => process.exit());
}
