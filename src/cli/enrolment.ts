import type { JsonObject } from '../core/canonical.ts';
import { pairs, UsageError } from './command.ts';
import type { Given } from './command.ts';
import { readPublicJwk } from './files.ts';
import { registerCommands } from './register.ts';

export const commands = registerCommands({
  noun: 'enrolment',
  what: 'an agent at one tenant, with its own key or its workload’s binding',
  ofTenant: true,
  comesBack: true,
  path: (given) => `/api/tenants/${encodeURIComponent(given.need('tenant'))}/enrolments`,
  fields: { issuer: { says: 'the registered issuer of its workload’s tokens', is: 'text' } },
  more: {
    options: {
      'key-file': { takes: 'FILE', says: 'its key as JWK; only the public half is sent' },
      claim: { takes: 'NAME=VALUE', many: true, says: 'what its workload’s token must carry, exactly' },
      'exception-reason': { takes: 'TEXT', says: 'why it may have the same key at a second tenant' },
      'exception-until': { takes: 'TIME', says: 'when that ends, as 2026-12-31T00:00:00Z' },
    },
    body,
  },
  columns: ['name', 'thumbprint', 'issuer', 'claims', 'exception'],
  examples: {
    put: 'report-bot --tenant acme --key-file report-bot.jwk --as ada',
    named: 'report-bot --tenant acme --as ada',
  },
});

function body(given: Given): JsonObject {
  const keyFile = given.text('key-file');
  const claims = pairs('claim', given.list('claim'));
  return {
    ...(keyFile === undefined ? {} : { jwk: readPublicJwk(keyFile) }),
    ...(Object.keys(claims).length === 0 ? {} : { claims }),
    ...exception(given),
  };
}

function exception(given: Given): JsonObject {
  const [reason, until] = [given.text('exception-reason'), given.text('exception-until')];
  if (reason === undefined && until === undefined) return {};
  if (reason !== undefined && until !== undefined) return { exception: { reason, until } };
  throw new UsageError('an exception has --exception-reason and --exception-until');
}
