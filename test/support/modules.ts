/** Loaded by the runner before each test file, which loads most of Brevet: as `brevet` itself does it. */
import { readModulesLightly } from '../../src/cli/modules.ts';

readModulesLightly();
