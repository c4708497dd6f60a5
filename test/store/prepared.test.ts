/** What is prepared: what comes again, and no more than a server can keep. */
import type postgres from 'postgres';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { preparing } from '../../src/store/prepared.ts';

/** A client that writes down which texts it is told to prepare. */
function watched() {
  const told: string[] = [];
  const unsafe = (text: string, _parameters: unknown, options?: { readonly prepare?: boolean }) => {
    told.push(`${text}${options?.prepare === true ? ' prepared' : ''}`);
  };
  const client = preparing({ unsafe, options: { max: 1 } } as unknown as postgres.Sql);
  return { told, client, ask: client.unsafe as unknown as (text: string) => void };
}

const many = (count: number, what: string): string[] => Array.from({ length: count }, (_, n) => `${what} ${n}`);

const TABLE: readonly (readonly [what: string, asked: readonly string[], last: string])[] = [
  ['a text that comes once', ['a'], 'a'],
  ['one that comes again', ['a', 'a'], 'a prepared'],
  ['one that comes again after others', ['a', 'b', 'c', 'a'], 'a prepared'],
  ['one that came again long ago', ['a', 'a', ...many(2_000, 'x'), 'a'], 'a prepared'],
  ['one that came once long ago', ['a', ...many(2_000, 'x'), 'a'], 'a'],
  ['one that comes again when there are many', [...many(200, 'x'), ...many(200, 'x'), 'a', 'a'], 'a'],
  ['one of the many', [...many(200, 'x'), ...many(200, 'x'), 'a', 'a', 'x 7'], 'x 7 prepared'],
];

const prepared = suite('store/prepared');

for (const [what, asked, last] of TABLE) {
  prepared(`${what}: ${last}`, () => {
    const { told, ask } = watched();
    for (const text of asked) ask(text);
    assert.is(told.at(-1), last);
  });
}

prepared('all else of the client is as it was', () => {
  assert.is(watched().client.options.max, 1);
});

prepared.run();
