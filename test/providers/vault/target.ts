/** A Vault target that is never called: what is pure is tested with it. */
import type { MintTerms, Provider } from '../../../src/core/provider.ts';
import { FetchFailed } from '../../../src/core/fetch.ts';
import { vaultProvider } from '../../../src/providers/vault/provider.ts';
import { openTargetOf, processClock, random, unsigning } from '../../support/target.ts';

export const provider: Provider = vaultProvider({
  ...unsigning,
  exchange: () => Promise.reject(new FetchFailed('nobody is there')),
  random,
  clock: processClock,
});

export const GOOD = {
  address: 'https://vault.acme.example:8200',
  cluster_id: 'af56ee3b-5d4d-448e-f75b-43ac3d9c6a76',
  prefix: 'brevet-acme',
  auth: { method: 'approle', role_id: 'b1946ac9' },
  looks_into: [
    {
      connection: 'tickets',
      roles: ['reporting'],
      nodes: [{ host: 'db.acme.example' }],
      database: 'tickets',
      login: 'brevet_look',
      system_identifier: '7710488266014120171',
    },
  ],
} as const;

export const target = openTargetOf(provider, GOOD);

export const specify = (terms: MintTerms) => provider.specify(terms, target.version);
