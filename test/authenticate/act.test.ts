/** What a local token may do, and for whom it counts: PITFALLS 44. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { OperatorName, PersonName } from '../../src/core/ids.ts';
import { FUNCTIONS } from '../../src/core/registers.ts';
import type { RoleFunction } from '../../src/core/registers.ts';
import { ACTS, mayUse, oneOfTwo } from '../../src/authenticate/act.ts';
import type { OperatorAct } from '../../src/authenticate/act.ts';
import type { OperatorPrincipal } from '../../src/authenticate/principal.ts';

const as = (by: OperatorPrincipal['by'], name = 'ada'): OperatorPrincipal => ({
  kind: 'operator',
  operator: name as OperatorName,
  person: name as PersonName,
  by,
});

/** The function that each takes, and whether a local token does. */
const TABLE: Readonly<Record<OperatorAct, readonly [needs: RoleFunction, local: boolean]>> = {
  administer: ['administration', true],
  'change.word': ['administration', false],
  'passkey.enrol_first': ['administration', true],
  'passkey.enrol': ['administration', false],
  read: ['oversight', true],
  revoke: ['oversight', true],
  'block.raise': ['oversight', true],
  'pause.start': ['oversight', true],
  'pause.end': ['oversight', false],
  reverse: ['oversight', false],
  'review.open': ['oversight', false],
  'review.done': ['oversight', false],
  'breaker.reset': ['oversight', false],
  'block.lift': ['oversight', false],
  'situation.set': ['oversight', false],
  'incident.end': ['oversight', false],
  verdict: ['oversight', false],
  approve: ['approval', false],
};

const acts = suite('an act');

for (const act of Object.keys(ACTS) as OperatorAct[]) {
  const [needs, local] = TABLE[act];
  acts(`${act} takes ${needs}${local ? '' : ', and no local token'}`, () => {
    const outcome = (by: OperatorPrincipal['by'], held: RoleFunction | null, alone = false): string => {
      const may = mayUse(as(by), act, { held, alone });
      return may.ok ? 'ok' : may.error.code;
    };
    for (const held of [...FUNCTIONS, null]) {
      for (const by of ['oidc', 'passkey'] as const) {
        assert.is(outcome(by, held), held === needs ? 'ok' : 'function_needed');
      }
      assert.is(outcome('oidc', held, true), held !== needs ? 'function_needed' : act === 'read' ? 'ok' : 'reads_only');
      assert.is(outcome('local', held), held !== needs ? 'function_needed' : local ? 'ok' : 'local_token_refused');
    }
  });
}

acts('is by one person for rules that take two, however many local tokens there are', () => {
  assert.is(oneOfTwo(as('oidc'), true), 'ada');
  assert.is(oneOfTwo(as('oidc'), false), 'ada');
  assert.is(oneOfTwo(as('passkey'), false), 'ada');
  assert.is(oneOfTwo(as('local', 'ada'), true), oneOfTwo(as('local', 'bea'), true));
  assert.is(oneOfTwo(as('local'), false), null);
});

acts.run();
