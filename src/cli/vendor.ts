import type { JsonObject } from '../core/canonical.ts';
import { registerCommands } from './register.ts';

export const commands = registerCommands({
  noun: 'vendor',
  what: 'a vendor of AI: what it does with clients’ data',
  path: () => '/api/vendors',
  fields: {
    'retention-days': { says: 'how long it keeps what it sees; 0: not at all', is: 'whole' },
    residency: { says: 'a region that it keeps it in, such as eu', is: 'list' },
  },
  more: {
    options: { trains: { says: 'it trains models on clients’ data' } },
    body: (given): JsonObject =>
      given.text('file') !== undefined && !given.flag('trains') ? {} : { trains_on_client_data: given.flag('trains') },
  },
  columns: ['name', 'trains_on_client_data', 'retention_days', 'residency'],
  examples: { put: 'brightmind --retention-days 30 --residency us --as ada', named: 'brightmind --as ada' },
});
