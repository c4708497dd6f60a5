/** What a resource may be called, by whoever asks for it and by a register that has it. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isPattern, recordedResourceField, resourceField } from '../../src/core/resource.ts';

const resources = suite('core/resource');

const NAMES: readonly (readonly [resource: string, asked: boolean, recorded: boolean])[] = [
  ['crm', true, true],
  ['crm/people/7', true, true],
  ['crm/Müller & Söhne', true, true],
  ['crm/pe*', true, false],
  ['crm/p?ople', true, false],
  ['crm/%', true, false],
  ['crm/pe＊', true, false],
  ['crm/p？ople', true, false],
  ['crm/％', true, false],
  ['crm/', false, false],
  ['crm//people', false, false],
  ['crm/./people', false, false],
  ['crm/a/../people', false, false],
  ['crm/a／．．／people', false, false],
  ['crm/peo\u034fple', false, false],
  ['crm/people\u3164', false, false],
  ['crm/people\ufe0f', false, false],
  ['crm/a\nb', false, false],
];
for (const [resource, asked, recorded] of NAMES) {
  resources(JSON.stringify(resource), () => {
    assert.is(resourceField().safeParse(resource).success, asked);
    assert.is(recordedResourceField().safeParse(resource).success, recorded);
    if (asked) assert.is(isPattern(resource), !recorded);
  });
}

resources.run();
