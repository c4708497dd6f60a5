import { registerCommands } from './register.ts';

export const commands = registerCommands({
  noun: 'acceptance',
  what: 'who answers for an agent that is new at a tenant, so that it need not prove itself first',
  ofTenant: true,
  comesBack: true,
  path: (given) => `/api/tenants/${encodeURIComponent(given.need('tenant'))}/acceptances`,
  proposal: (given, body) => ({
    act: 'acceptance.put',
    tenant: given.need('tenant'),
    agent: given.need('NAME'),
    body,
  }),
  fields: {
    tasks: { says: 'a task class that it may do as its tier says; many', is: 'list' },
    'model-version': { says: 'the version of its model, as it is registered', is: 'text' },
    reason: { says: 'why it needs no probation', is: 'text' },
  },
  columns: ['agent', 'model', 'model_version', 'tasks', 'authors', 'in_setup', 'reason'],
  examples: {
    put: "report-bot --tenant acme --tasks report.query --model-version 3 --reason 'A quiet year' --as ada",
    named: 'report-bot --tenant acme --as ada',
  },
});
