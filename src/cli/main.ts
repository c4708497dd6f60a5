/** The command line as a program. */
import { runCommandLine } from './commands.ts';
import { readModulesLightly } from './modules.ts';

readModulesLightly();
process.exitCode = await runCommandLine(process.argv.slice(2));
