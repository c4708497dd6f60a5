/** What a command line says of a request, as text or as JSON. */
import type { Json, JsonObject } from '../core/canonical.ts';
import { UsageError, pairs } from './command.ts';

/** `NAME=VALUE` as text; `NAME:=VALUE` as JSON: a number that is a name stays one. @throws {UsageError} */
export const parametersOf = (option: string, given: readonly string[]): JsonObject =>
  Object.fromEntries(Object.entries(pairs(option, given)).map(([name, value]) => parameter(option, name, value)));

function parameter(option: string, name: string, value: string): readonly [string, Json] {
  if (!name.endsWith(':')) return [name, value];
  try {
    return [name.slice(0, -1), JSON.parse(value) as Json];
  } catch (error) {
    if (error instanceof SyntaxError) throw new UsageError(`--${option} ${name}= takes JSON`);
    throw error;
  }
}
