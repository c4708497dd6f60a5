import { registerCommands } from './register.ts';

export const commands = registerCommands({
  noun: 'tenant',
  what: 'a tenant, one client of yours',
  keeps: true,
  path: () => '/api/tenants',
  fields: {
    'display-name': { says: 'what people call it', is: 'text' },
    regulations: { says: 'a regulation that holds there, such as hipaa', is: 'list' },
    'data-classes': {
      says: 'a class of data that it has: phi, pii, cardholder, cui, credentials, system-logs',
      is: 'list',
    },
    autonomy: { says: 'the most that its contract accepts: advise-only, ask-always, notify, autonomous', is: 'text' },
    'time-zone': { says: 'an IANA time zone; UTC by default', is: 'text' },
  },
  columns: ['name', 'display_name', 'autonomy', 'regulations', 'data_classes', 'time_zone'],
  examples: { put: `acme --display-name 'Acme Ltd' --autonomy notify --as ada`, named: 'acme --as ada' },
});
