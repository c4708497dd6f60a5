import type { JsonObject } from '../core/canonical.ts';
import { EXIT } from './command.ts';
import type { Command, Given } from './command.ts';
import { readObject, readPublicJwk, readText } from './files.ts';
import { OPERATOR_OPTIONS, operatorLine } from './operator-line.ts';
import type { Body } from './operator-line.ts';
import { parametersOf } from './parameters.ts';
import { registerCommands } from './register.ts';
import { print, shown, table } from './terminal.ts';

const path = (given: Given): string => `/api/tenants/${encodeURIComponent(given.need('tenant'))}/targets`;

const kept = registerCommands({
  noun: 'target',
  what: 'a tenant’s connection to a provider',
  ofTenant: true,
  path,
  fields: {
    provider: { says: 'jwt, postgres, aws, vault or http', is: 'text' },
    environment: { says: 'what it is part of, such as production', is: 'text' },
    'data-classes': { says: 'a class of data behind it', is: 'list' },
  },
  more: {
    options: {
      'config-file': { takes: 'FILE', says: 'what its provider needs to know, in YAML or JSON' },
      config: { takes: 'NAME=VALUE', many: true, says: 'one such setting, as text; NAME:=VALUE for JSON' },
      'secret-file': {
        takes: 'FILE',
        says: 'the secret that Brevet gets in with; - is stdin. Without it the one it has stays, as long as the place does',
      },
      'msp-wide-reason': { takes: 'TEXT', says: 'why its secret stands at other targets too' },
      'key-file': { takes: 'FILE', says: 'the key that its API proves itself with, as JWK' },
    },
    body,
  },
  columns: ['name', 'version', 'provider', 'environment', 'data_classes', 'has_secret'],
  examples: {
    put: 'crm --tenant acme -f crm.yaml --secret-file crm.password --as ada',
    named: 'crm --tenant acme --as ada',
  },
});

function body(given: Given): JsonObject {
  const [configFile, secretFile, keyFile] = ['config-file', 'secret-file', 'key-file'].map((name) => given.text(name));
  const shared = given.text('msp-wide-reason');
  const single = parametersOf('config', given.list('config'));
  const config = { ...(configFile === undefined ? {} : readObject(configFile)), ...single };
  return {
    ...(Object.keys(config).length === 0 ? {} : { config }),
    ...(secretFile === undefined ? {} : { secret: readText(secretFile).replace(/\r?\n$/, '') }),
    ...(shared === undefined ? {} : { msp_wide: { reason: shared } }),
    ...(keyFile === undefined ? {} : { jwk: readPublicJwk(keyFile) }),
  };
}

const check: Command = {
  name: 'target check',
  says: 'Asks a target what is wrong with it, before first use. Ends with 1 where it could not be used.',
  takes: ['NAME'],
  options: { tenant: { takes: 'NAME', says: 'at this tenant', needed: true }, ...OPERATOR_OPTIONS },
  example: 'brevet target check crm --tenant acme --as ada',
  run: async (given, terminal) => {
    const line = await operatorLine(given);
    const place = `${path(given)}/${encodeURIComponent(given.need('NAME'))}/check`;
    const answer = await line.send({ method: 'POST', path: place, body: {} });
    const findings = (answer['findings'] ?? []) as Body[];
    const rows = (): string[][] => findings.map(({ level, what, remedy }) => [level, what, remedy].map(shown));
    print(terminal, answer, () =>
      findings.length === 0 ? 'nothing is wrong with it' : table(['level', 'what', 'remedy'], rows()),
    );
    return findings.some(({ level }) => level === 'refuse') ? EXIT.fault : EXIT.done;
  },
};

export const commands: readonly Command[] = [...kept, check];
