import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createAnswers, keepNoAnswers } from '../../src/decide/answers.ts';

const answer = { allowed: true, rules: [], errors: [] };

const answers = suite('decide/answers');

answers('at most so many are kept, those used last', () => {
  const kept = createAnswers(2);
  let made = 0;
  const ask = (key: string) => kept.of(key, () => (made++, answer));
  for (const key of ['a', 'b', 'a', 'c']) ask(key);
  assert.is(kept.size, 2);
  assert.is(made, 3);
  ask('a');
  assert.is(made, 3);
  ask('b');
  assert.is(made, 4);
});

answers('a fault is not kept: it may have passed by the next time', () => {
  const kept = createAnswers();
  const fault = { allowed: false, rules: [], errors: ['the engine threw'] };
  assert.equal(
    kept.of('a', () => fault),
    fault,
  );
  assert.equal(
    kept.of('a', () => answer),
    answer,
  );
  assert.is(kept.size, 1);
});

answers('none is kept where none shall be', () => {
  let made = 0;
  const ask = () => keepNoAnswers.of('a', () => (made++, answer));
  ask();
  ask();
  assert.is(made, 2);
});

answers.run();
