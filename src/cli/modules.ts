/**
 * Node looks on the disk for every file that an import may mean, and reads a package's description anew for each of its
 * modules: drizzle's lists 447 exports, half a second and 200 MB that are gone as soon as they were parsed. Here an
 * import names its file as it is, whether Brevet's own or within a package that is of one kind throughout, and says what
 * kind of file that is; none of it needs looking up.
 *
 * @see https://nodejs.org/api/module.html#moduleregisterhooksoptions
 */
import { registerHooks } from 'node:module';
import type { ResolveFnOutput } from 'node:module';

const OWN = new URL('../', import.meta.url).href;
/** Their files that end in `.js` are modules, as long as modules import them: some hold a copy for `require` too. */
const OF_MODULES = /\/node_modules\/(?:drizzle-orm|hono|jose|postgres|zod|@noble\/hashes|@cfworker\/json-schema)\//;
/** Its files are no modules; each that one of them requires is named with its ending. */
const OF_SCRIPTS = /\/node_modules\/yaml\/dist\//;

/** To be called before anything else is imported: what was is not looked at again. */
export function readModulesLightly(): void {
  const packages = new Map<string, ResolveFnOutput>();
  registerHooks({
    resolve(specifier, { parentURL, conditions }, next) {
      if (parentURL === undefined) return next(specifier);
      const isImport = conditions.includes('import');
      const isOwn = isImport && parentURL.startsWith(OWN);
      if (specifier.startsWith('.')) {
        const format = isImport ? formatOf(specifier, isOwn, parentURL) : formatOfRequired(specifier, parentURL);
        if (format === null) return next(specifier);
        return { url: new URL(specifier, parentURL).href, format, shortCircuit: true };
      }
      if (!isOwn) return next(specifier);
      // All of Brevet's own files find a package in the same place.
      const found = packages.get(specifier) ?? { ...next(specifier), shortCircuit: true };
      packages.set(specifier, found);
      return found;
    },
  });
}

function formatOf(file: string, isOwn: boolean, importer: string): 'module-typescript' | 'module' | null {
  if (isOwn) return file.endsWith('.ts') ? 'module-typescript' : null;
  return file.endsWith('.js') && OF_MODULES.test(importer) ? 'module' : null;
}

const formatOfRequired = (file: string, requirer: string): 'commonjs' | null =>
  file.endsWith('.js') && OF_SCRIPTS.test(requirer) ? 'commonjs' : null;
