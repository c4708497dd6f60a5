/** Where somebody ends a block or a pause, the first time and again. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { placesToEnd } from '../../src/oversee/places.ts';

const list = (names: string) => names.split(' ').filter(Boolean);

/** `null`: refused. */
const TABLE: readonly (readonly [
  what: string,
  standing: string,
  ended: string,
  asked: string | undefined,
  found: readonly [standing: string, ended: string] | null,
])[] = [
  ['all of it', 'acme birch', '', undefined, ['acme birch', '']],
  ['a part of it', 'acme birch', '', 'birch', ['birch', '']],
  ['what is left', 'birch', 'acme', undefined, ['birch', '']],
  ['all of it again', '', 'acme birch', undefined, ['', 'acme birch']],
  ['a part of it again', 'birch', 'acme', 'acme', ['', 'acme']],
  ['both, said by name', 'birch', 'acme', 'acme birch', ['birch', 'acme']],
  ['one place twice', 'acme', '', 'acme acme', ['acme', '']],
  ['what somebody else has ended', '', '', undefined, null],
  ['where it never stood', 'acme', '', 'acme cedar', null],
  ['nowhere', 'acme', '', '', null],
];

const places = suite('oversee/places');

for (const [what, standing, ended, asked, found] of TABLE) {
  places(
    `${what}: ${found === null ? 'refused' : `now ${found[0] || 'nowhere'}, before ${found[1] || 'nowhere'}`}`,
    () => {
      const said = placesToEnd(
        { standing: list(standing), ended: list(ended) },
        asked === undefined ? asked : list(asked),
      );
      assert.equal(said.ok ? [said.value.standing.join(' '), said.value.ended.join(' ')] : null, found);
    },
  );
}

places('a pause that stands everywhere has one place', () => {
  const said = placesToEnd<string | null>({ standing: [null], ended: [] }, undefined);
  assert.equal(said.ok && said.value.standing, [null]);
});

places.run();
