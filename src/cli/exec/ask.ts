/** What a command asks the broker for, as it was told. */
import type { Ask } from '../../client/brevet.ts';
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
  file: { takes: 'FILE', short: 'f', says: 'what else the request says, such as its rollback, in YAML or JSON' },
};

/** @param reason where none was given. */
export function requestOf(given: Given, reason: string): Ask {
  const [role, ttl, file] = [given.text('role'), given.whole('ttl'), given.text('file')];
  return {
    ...(file === undefined ? {} : readObject(file)),
    task: given.need('task'),
    resource: given.need('resource'),
    parameters: parametersOf('param', given.list('param')),
    reason: given.text('reason') ?? reason,
    ...(role === undefined ? {} : { role }),
    ...(ttl === undefined ? {} : { ttl }),
  };
}
