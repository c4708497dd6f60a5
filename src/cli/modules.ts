/**
 * Node reads a package's description anew for each of its modules, and drizzle's lists 447 exports: half a second and
 * 200 MB that are gone as soon as they were parsed, at every start. What its modules import of each other needs none of
 * that, since every one of them is a module and named by its path.
 *
 * @see https://nodejs.org/api/module.html#moduleregisterhooksoptions
 */
import { registerHooks } from 'node:module';

const READ_LIGHTLY = '/node_modules/drizzle-orm/';

/** To be called before anything imports the store. */
export function readModulesLightly(): void {
  registerHooks({
    resolve(specifier, { parentURL }, next) {
      const isOwn = specifier.startsWith('.') && specifier.endsWith('.js') && parentURL?.includes(READ_LIGHTLY);
      if (parentURL === undefined || isOwn !== true) return next(specifier);
      return { url: new URL(specifier, parentURL).href, format: 'module', shortCircuit: true };
    },
  });
}
