/** Bytes that come in bit by bit, to one who reads as slowly as they like. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { inbox } from '../../src/fetch/inbox.ts';
import type { Inbox } from '../../src/fetch/inbox.ts';

const bytes = (length: number): Uint8Array => new Uint8Array(length);

function filled(): { readonly box: Inbox; readonly told: string[] } {
  const told: string[] = [];
  const tell = (what: string) => () => void told.push(what);
  return { box: inbox({ pause: tell('pause'), resume: tell('resume'), leave: tell('leave') }), told };
}

const inboxes = suite('an inbox');

inboxes('gives what came, in order, before and after it is asked', async () => {
  const { box } = filled();
  box.push(bytes(1));
  box.push(bytes(2));
  const reader = box.body[Symbol.asyncIterator]();
  const got = [await reader.next(), await reader.next()].map(({ value }) => value?.length);
  const asked = reader.next();
  box.push(bytes(3));
  assert.equal([...got, (await asked).value?.length], [1, 2, 3]);
  const last = reader.next();
  box.end();
  assert.equal([(await last).done, (await reader.next()).done], [true, true]);
});

inboxes('holds up whoever sends while much of it waits', async () => {
  const { box, told } = filled();
  for (let count = 0; count < 3; count++) box.push(bytes(40_000));
  await nextTurn();
  assert.equal(told, ['pause']);
  await box.body.next();
  await box.body.next();
  assert.equal(told, ['pause', 'resume']);
});

inboxes('lets all else of the process have its turn, however fast its reader is', async () => {
  const { box, told } = filled();
  for (let count = 0; count < 3; count++) {
    const asked = box.body.next();
    box.push(bytes(40_000));
    await asked;
  }
  assert.equal(told, ['pause']);
  await nextTurn();
  assert.equal(told, ['pause', 'resume']);
  const asked = box.body.next();
  box.push(bytes(40_000));
  await asked;
  assert.equal(told, ['pause', 'resume']);
});

inboxes('gives nothing more once it is cut, not even what waits', async () => {
  const { box, told } = filled();
  box.push(bytes(1));
  box.fail(new Error('cut'));
  box.push(bytes(1));
  for (let again = 0; again < 2; again++) {
    assert.is(await box.body.next().catch((fault: Error) => fault.message), 'cut');
  }
  assert.equal(told, []);
});

inboxes('says once that it was left before its end, and never after it', async () => {
  const left = filled();
  left.box.push(bytes(1));
  for (let again = 0; again < 2; again++) await left.box.body.return?.();
  assert.equal([(await left.box.body.next()).done, left.told], [true, ['leave']]);
  const ended = filled();
  ended.box.end();
  await ended.box.body.return?.();
  assert.equal(ended.told, []);
});

inboxes.run();
