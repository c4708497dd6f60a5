/** Postgres logins keep the contract of every provider. */
import { setTimeout as wait } from 'node:timers/promises';
import { suite } from 'uvu';
import type { Minted } from '../../../src/core/provider.ts';
import { postgresProvider } from '../../../src/providers/postgres/provider.ts';
import { milliseconds } from '../../../src/core/time.ts';
import { clientDatabase, GROUP, openTargetOf, processClock, random, termsOf } from '../../support/target.ts';
import { connectAs, works } from './holder.ts';
import { providerContract } from '../contract.ts';
import type { Harness } from '../contract.ts';
import { startProxy } from '../proxy.ts';

/** Both ends have heard of what the network did. */
const settled = () => wait(100);

const contract = suite('the provider contract, by Postgres logins');

providerContract(contract, async (): Promise<Harness> => {
  const server = await clientDatabase();
  // Takes the admin's password and has a role for everything: it is another server all the same.
  const stranger = await clientDatabase({}, server.secret);
  const proxy = await startProxy(server.port);
  const provider = postgresProvider({ random, clock: processClock, patience: milliseconds(1_000) });
  const config = { ...server.config, nodes: [{ host: '127.0.0.1', port: proxy.port }] };
  const target = openTargetOf(provider, config, { secret: server.secret });
  // An agent has a network of its own.
  const direct = (credential: Minted['credential']) => ({ ...credential, port: server.port });
  return {
    provider,
    target,
    terms: termsOf({ group: GROUP }),
    use: (credential) => works(direct(credential), 'select * from tickets'),
    overstep: (credential) => works(direct(credential), 'delete from tickets'),
    hold: async (credential) => {
      const sql = connectAs(direct(credential));
      const answers = () =>
        sql`select * from tickets`.then(
          () => true,
          () => false,
        );
      await answers();
      return async () => {
        const answered = await answers();
        if (!answered) await sql.end({ timeout: 0 });
        return answered;
      };
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
        proxy.repoint(server.port);
        await settled();
      },
    },
    close: async () => {
      await provider.close();
      await proxy.close();
      await Promise.all([server.remove(), stranger.remove()]);
    },
  };
});

contract.run();
