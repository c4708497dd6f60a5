import { test } from 'uvu';
import * as assert from 'uvu/assert';

test('tests run on the Node that the package pins, whatever the machine has', () => {
  assert.match(process.versions.node, /^24\./);
});

test.run();
