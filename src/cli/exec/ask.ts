/** What a command asks the broker for, as it was told. */
import type { Ask } from '../../client/brevet.ts';
import { isRecord } from '../../client/call.ts';
import type { Json, JsonObject } from '../../core/canonical.ts';
import type { Given, Options } from '../command.ts';
import { readObject } from '../files.ts';
import { parametersOf } from '../parameters.ts';

export const ASKING: Options = {
  tenant: { takes: 'NAME', says: 'at this tenant (or BREVET_TENANT)' },
  task: { takes: 'CLASS', says: 'the task class', needed: true },
  resource: { takes: 'TARGET', says: 'the target, or target/rest', needed: true },
  param: {
    takes: 'NAME=VALUE',
    many: true,
    says: 'a parameter of the task, as text; NAME:=VALUE for a number or other JSON',
  },
  reason: { takes: 'TEXT', says: 'why, for whoever reads the ledger' },
  role: { takes: 'NAME', says: 'the role, where several would permit it' },
  ttl: { takes: 'SECONDS', says: 'how long at most' },
  file: {
    takes: 'FILE',
    short: 'f',
    says: 'what else the request says, such as its rollback, in YAML or JSON; options go before it',
  },
};

/** Parameters of the file, and those of the command line before them; what is no object is the broker's to refuse. */
const withGiven = (parameters: Json, given: JsonObject): JsonObject =>
  isRecord(parameters) ? { ...parameters, ...given } : (parameters as unknown as JsonObject);

/** @param reason where none was given. */
export function requestOf(given: Given, reason: string): Ask {
  const [role, ttl, file] = [given.text('role'), given.whole('ttl'), given.text('file')];
  const { parameters = {}, ...said } = file === undefined ? {} : readObject(file);
  return {
    reason,
    ...said,
    task: given.need('task'),
    resource: given.need('resource'),
    parameters: withGiven(parameters, parametersOf('param', given.list('param'))),
    ...(given.text('reason') === undefined ? {} : { reason: given.need('reason') }),
    ...(role === undefined ? {} : { role }),
    ...(ttl === undefined ? {} : { ttl }),
  };
}
