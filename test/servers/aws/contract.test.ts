/** Sessions at AWS keep the contract of every provider, before moto with a front that evaluates their policies. */
import { suite } from 'uvu';
import { milliseconds } from '../../../src/core/time.ts';
import { awsProvider } from '../../../src/providers/aws/provider.ts';
import { providerContract } from '../../providers/contract.ts';
import type { Harness } from '../../providers/contract.ts';
import { awsWorld, fakeTurns } from '../../support/aws/world.ts';
import { processClock } from '../../support/target.ts';

const contract = suite('the provider contract, by sessions at AWS');

providerContract(contract, async (): Promise<Harness> => {
  const world = await awsWorld();
  const { front } = world;
  const provider = awsProvider({
    clock: processClock,
    turns: fakeTurns(),
    endpoints: ['127.0.0.1'],
    patience: milliseconds(3_000),
  });
  return {
    provider,
    target: world.open(provider),
    terms: world.terms(),
    blind: true,
    use: (credential) => world.reads(credential, 'acme-1'),
    overstep: (credential) => world.reads(credential, 'acme-2'),
    hold: async (credential) => () => world.reads(credential, 'acme-1'),
    commitRevocation: () => {},
    network: {
      stall: async () => front.stall(),
      cut: async () => front.cut(),
      repoint: async () => front.repoint(),
      restore: async () => front.restore(),
    },
    close: async () => {
      await provider.close();
      await world.close();
    },
  };
});

contract.run();
