/** The bundle that this repository ships, as its files. */
import { readFileSync, readdirSync } from 'node:fs';
import type { BundleFiles } from '../../src/core/registers.ts';

const ROOT = new URL('../../policy/', import.meta.url);

export const policyFiles: BundleFiles = Object.fromEntries(
  readdirSync(ROOT, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath}/${entry.name}`)
    .map((path) => [path.slice(ROOT.pathname.length).replace(/^\//, ''), readFileSync(path, 'utf8')]),
);
