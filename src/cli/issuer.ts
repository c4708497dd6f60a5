import { registerCommands } from './register.ts';

export const commands = registerCommands({
  noun: 'issuer',
  what: 'an OIDC issuer whose workloads may be enrolled',
  path: () => '/api/issuers',
  fields: {
    url: { says: 'the issuer, exactly as its tokens say it', is: 'text' },
    platform: { says: 'github, kubernetes or generic', is: 'text' },
    'max-age': { says: 'the oldest token that is taken, in seconds', is: 'whole' },
  },
  columns: ['name', 'url', 'platform', 'max_age'],
  examples: {
    put: 'github --url https://token.actions.githubusercontent.com --platform github --as ada',
    named: 'github --as ada',
  },
});
