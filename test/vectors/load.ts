/** Published vectors, as data. */
import { readFileSync } from 'node:fs';

export const vectors = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`${name}.json`, import.meta.url), 'utf8'));
