/** Vault tokens keep the contract of every provider. */
import { setTimeout as wait } from 'node:timers/promises';
import { suite } from 'uvu';
import type { Minted } from '../../../src/core/provider.ts';
import { milliseconds } from '../../../src/core/time.ts';
import { exchangesOnNode } from '../../../src/fetch/exchange-node.ts';
import { vaultProvider } from '../../../src/providers/vault/provider.ts';
import { clientVault, strangeVault } from '../../support/client-vault.ts';
import { openTargetOf, processClock, random, termsOf, unsigning } from '../../support/target.ts';
import { providerContract } from '../../providers/contract.ts';
import type { Harness } from '../../providers/contract.ts';
import { startProxy } from '../../providers/proxy.ts';
import { login, readLogin, READS_LOGIN } from './agent.ts';

/** Both ends have heard of what the network did. */
const settled = () => wait(100);

const contract = suite('the provider contract, by Vault tokens');

providerContract(contract, async (): Promise<Harness> => {
  const client = await clientVault();
  const stranger = await strangeVault(client);
  const proxy = await startProxy(client.vault.port);
  const exchanges = exchangesOnNode();
  const provider = vaultProvider({
    ...unsigning,
    exchange: exchanges.exchange,
    random,
    clock: processClock,
    patience: milliseconds(1_000),
  });
  const config = { ...client.config, address: `http://127.0.0.1:${proxy.port}` };
  const target = openTargetOf(provider, config, { secret: client.secret });
  // An agent has a network of its own.
  const direct = (credential: Minted['credential']) => ({ ...credential, address: client.vault.address });
  return {
    provider,
    target,
    terms: termsOf(READS_LOGIN, { uses: 3 }),
    use: async (credential) => {
      const read = await readLogin(direct(credential));
      return read !== null && (await login(client, read).works('select * from tickets'));
    },
    overstep: async (credential) => {
      const read = await readLogin(direct(credential));
      return read === null || (await login(client, read).works('delete from tickets'));
    },
    hold: async (credential) => {
      const read = await readLogin(direct(credential));
      if (read === null) throw new Error('nothing to hold');
      return (await login(client, read).hold('select * from tickets')).answers;
    },
    commitRevocation: () => {},
    network: {
      stall: async () => {
        proxy.stall();
        await settled();
      },
      cut: async () => {
        // Where nothing listens.
        proxy.repoint(1);
        await settled();
      },
      repoint: async () => {
        proxy.repoint(stranger.port);
        await settled();
      },
      restore: async () => {
        proxy.resume();
        proxy.repoint(client.vault.port);
        await settled();
      },
    },
    close: async () => {
      await provider.close();
      exchanges.close();
      await proxy.close();
      await Promise.all([client.stop(), stranger.stop()]);
    },
  };
});

contract.run();
