/** Installs what the browser suite needs, once for a machine and outside the time limit of a file. */
import { ensureChromium } from '../support/browser/chromium.ts';

export function prepare(): Promise<void> {
  console.log(`chromium is ${ensureChromium()}`);
  return Promise.resolve();
}
