/** Looking at pages: as pictures, for a person to see, and with axe-core, for those who see and act otherwise. */
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Page } from 'playwright-core';

const FOLDER = join(import.meta.dirname, '..', '..', '..', 'screenshots');
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

const WIDTHS = { phone: 360, laptop: 1440 } as const;
const THEMES = ['light', 'dark'] as const;

/** A picture at each width in each theme. @returns what axe found, and whatever reaches beyond the page's width. */
export async function look(page: Page, name: string): Promise<readonly string[]> {
  mkdirSync(FOLDER, { recursive: true });
  const before = page.viewportSize();
  const problems: string[] = [];
  for (const [device, width] of Object.entries(WIDTHS)) {
    await page.setViewportSize({ width, height: device === 'phone' ? 740 : 900 });
    for (const theme of THEMES) {
      await page.emulateMedia({ colorScheme: theme });
      const where = `${name}, ${device}, ${theme}`;
      await page.screenshot({ path: join(FOLDER, `${name}-${device}-${theme}.png`), fullPage: true });
      problems.push(...(await violations(page)).map((one) => `${where}: ${one}`));
      const wide = await page.evaluate<number>('document.documentElement.scrollWidth');
      if (wide > width) problems.push(`${where}: it is ${wide} wide`);
    }
  }
  await page.emulateMedia({ colorScheme: null });
  if (before !== null) await page.setViewportSize(before);
  return problems;
}

interface Violation {
  readonly id: string;
  readonly help: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
}

/** Run by the browser itself, beside the page's own policy, which would not let it in. */
async function violations(page: Page): Promise<readonly string[]> {
  const run = `${AXE}; axe.run(document, { runOnly: ${JSON.stringify(TAGS)} }).then(({ violations }) => violations)`;
  const found = await page.evaluate<readonly Violation[]>(run);
  return found.map(({ id, help, nodes }) => `${id} (${help}): ${nodes.map(({ html }) => html).join(' | ')}`);
}
