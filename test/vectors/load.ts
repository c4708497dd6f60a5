/** Published vectors, as data. */
import { readFileSync } from 'node:fs';

export const vectors = <T>(name: string): T =>
  JSON.parse(readFileSync(new URL(`${name}.json`, import.meta.url), 'utf8')) as T;
